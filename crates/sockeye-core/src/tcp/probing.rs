//! Path MTU discovery without ICMP (RFC 4821; Linux: tcp_mtu_probing): a larger segment is tried; if it arrives, all may be
//! so large.
//!
//! In: `tcp_mtu_probing`, what arrives and what is lost, timeouts. Out: now and then a segment larger than the others, and the
//! segment size. A probe's loss alone says nothing of congestion. With 2 every connection begins small and searches; with 1
//! one begins to when segments of its size keep vanishing (a black hole).

use super::Ctx;
use super::connection::{Connection, MSS_MIN};
use super::recover::Phase;
use crate::wire::tcp::Seq;

/// A search between two sizes, both without options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probing {
    /// Segments of this size arrive; larger ones than `high` do not.
    pub(super) low: u16,
    high: u16,
    /// The probe under way: where it begins and ends, and its size.
    probe: Option<(Seq, Seq, u16)>,
}

impl Connection {
    /// The connection is there: it searches if the host's do.
    pub(super) fn begin_probing(&mut self, ctx: &Ctx<'_>) {
        if ctx.limits.mtu_probing >= 2 {
            self.search_from(ctx.limits.base_mss);
        }
    }

    fn search_from(&mut self, low: u16) {
        let high = self.snd.mss_path.min(self.snd.mss_peer);
        let low = low.clamp(MSS_MIN, high.max(MSS_MIN));
        self.rare.get_or_insert_default().probing = Some(Probing { low, high, probe: None });
        self.size_segments();
    }

    /// The length of a probe that may go now (tcp_mtu_probe): enough data and window behind it that its loss shows at once.
    pub(super) fn probe_size(&self) -> Option<usize> {
        let probing = self.rare.as_ref()?.probing.as_ref()?;
        let recovery = &self.recovery;
        // An ICMP message may have said meanwhile that larger ones do not pass.
        let high = probing.high.min(self.snd.mss_path);
        if probing.probe.is_some()
            || high.saturating_sub(probing.low) < LEAST_STEP
            || recovery.phase != Phase::Open
            || !recovery.board.is_calm()
            || self.rcv.selective.is_some()
        {
            return None;
        }
        let (mss, window) = (u32::from(self.snd.mss), self.congestion.window());
        let options = self.snd.mss_path.min(self.snd.mss_peer).min(probing.low) - self.snd.mss;
        let size = middle(probing.low, high) - options;
        let needed = u32::from(size) + 4 * mss;
        let fits = window >= 11 * mss && self.pipe() + u32::from(size) + mss <= window;
        let unsent = self.unsent() as u32;
        let whole = self.until_record(self.snd.queue.next_seq(), unsent) >= u32::from(size);
        (fits && whole && unsent >= needed && self.peer_room() >= needed).then_some(usize::from(size))
    }

    /// A segment of that length begins at `start`.
    pub(super) fn note_probe(&mut self, start: Seq, len: usize) {
        let high = self.snd.mss_path;
        let Some(probing) = self.rare.as_mut().and_then(|rare| rare.probing.as_mut()) else { return };
        let size = middle(probing.low, probing.high.min(high));
        probing.probe = Some((start, start + len as u32, size));
    }

    /// `snd.una` has moved: the probe may have arrived.
    pub(super) fn hear_of_probe(&mut self) {
        let una = self.snd.una;
        let Some(probing) = self.rare.as_mut().and_then(|rare| rare.probing.as_mut()) else { return };
        if let Some((_, _, size)) = probing.probe.filter(|(_, end, _)| end.le(una)) {
            (probing.low, probing.probe) = (size, None);
            self.size_segments();
        }
    }

    /// Whether what is lost is the probe: then larger segments do not pass, and that is all.
    pub(super) fn lost_probe(&mut self) -> bool {
        let Some(probing) = self.rare.as_mut().and_then(|rare| rare.probing.as_mut()) else { return false };
        let Some((start, _, size)) = probing.probe else { return false };
        if self.recovery.board.next_lost().is_none_or(|(first, _)| first != start) {
            return false;
        }
        (probing.high, probing.probe) = (size - 1, None);
        true
    }

    /// The timer has expired again and again: perhaps the path swallows segments of this size (tcp_mtu_probing).
    pub(super) fn suspect_black_hole(&mut self, ctx: &Ctx<'_>) {
        if let Some(probing) = self.rare.as_mut().and_then(|rare| rare.probing.as_mut())
            && let Some((_, _, size)) = probing.probe.take()
        {
            probing.high = size - 1;
        }
        if ctx.limits.mtu_probing == 0 || self.recovery.retransmits < RETRIES {
            return;
        }
        let low = match self.rare.as_ref().and_then(|rare| rare.probing.as_ref()) {
            Some(probing) => (probing.low / 2).min(ctx.limits.base_mss),
            None => ctx.limits.base_mss,
        };
        self.search_from(low);
    }
}

fn middle(low: u16, high: u16) -> u16 {
    low + (high - low).div_ceil(2)
}

/// `tcp_probe_threshold`: a search this narrow is over.
const LEAST_STEP: u16 = 8;
/// `tcp_retries1`.
const RETRIES: u8 = 3;
