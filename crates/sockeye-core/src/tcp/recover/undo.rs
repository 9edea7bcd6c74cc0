//! Undoing a reduction that turns out to have been wrong: nothing was lost, it was late.
//!
//! In: echoed timestamps (Eifel, RFC 3522 and 4015) and duplicates that the peer reports (D-SACK, RFC 3708).
//! Out: the congestion control as it was before. As Linux: tcp_may_undo and its callers.

use super::{News, Phase};
use crate::tcp::Ctx;
use crate::tcp::congestion::Window;
use crate::tcp::connection::Connection;
use crate::time::Instant;
use crate::wire::tcp::Seq;

/// What a reduction replaced.
#[derive(Debug)]
pub(super) struct Undo {
    /// `snd.una` when it began.
    marker: Seq,
    /// Bytes sent again since, and how many of them the peer had already.
    again: u32,
    twice: u32,
    /// Our timestamp at the first retransmission.
    first_again: Option<u32>,
    before: Window,
}

impl Undo {
    pub(super) fn new(connection: &Connection) -> Self {
        // What an earlier episode sent again and is still under way counts here too: its acknowledgement echoes a
        // time before this episode's first retransmission, but after its own (Linux: tcp_retrans_stamp_cleanup).
        let board = &connection.recovery.board;
        let oldest = board.oldest_again(connection.snd.una);
        Self {
            marker: connection.snd.una,
            again: if oldest.is_some() { board.again() } else { 0 },
            twice: 0,
            first_again: oldest.map(|at| connection.timestamp(Instant(at))),
            before: connection.congestion.clone(),
        }
    }

    pub(super) fn sent_again(&mut self, len: u32, stamp: u32) {
        self.again += len;
        self.first_again.get_or_insert(stamp);
    }

    /// The peer got `start..end` twice; what is behind the episode's end has nothing to do with it.
    pub(super) fn duplicated(&mut self, start: Seq, end: Seq, recover: Seq) {
        if self.marker.lt(end) && end.le(recover) {
            self.twice = self.twice.saturating_add(end.diff(start) as u32);
        }
    }

    /// Everything that was sent again was there already.
    fn was_in_vain(&self) -> bool {
        self.again > 0 && self.twice >= self.again
    }

    /// The acknowledgement is for something sent before the first retransmission (RFC 3522, 3.2).
    fn was_early(&self, echo: u32) -> bool {
        echo != 0 && self.first_again.is_some_and(|first| (echo.wrapping_sub(first) as i32) < 0)
    }
}

impl Connection {
    /// Takes the reduction back if it was wrong, or if `surely`; says whether it did.
    pub(super) fn undo(&mut self, surely: bool, news: &News, ctx: &mut Ctx<'_>) -> bool {
        let echo = news.echo.unwrap_or(0);
        let Some(episode) = self.recovery.episode.as_mut() else { return false };
        let wrong = episode.undo.as_ref().is_some_and(|u| surely || u.was_in_vain() || u.was_early(echo));
        if !wrong {
            return false;
        }
        let Some(undo) = episode.undo.take() else { return false };
        self.congestion.undo(undo.before);
        self.recovery.board.find_again();
        ctx.counters.undos += 1;
        true
    }

    /// All that a recovery sent again was there already: says the peer when it is over.
    pub(super) fn undo_by_duplicates(&mut self, news: &News, ctx: &mut Ctx<'_>) {
        let undo = self.recovery.episode.as_ref().and_then(|episode| episode.undo.as_ref());
        if undo.is_some_and(Undo::was_in_vain) {
            self.undo(true, news, ctx);
        }
    }

    /// After a timeout (Linux: tcp_process_loss): was it spurious (F-RTO, RFC 5682, 3.1), is it over?
    pub(super) fn continue_loss(&mut self, news: &News, ctx: &mut Ctx<'_>) {
        let recovered = self.is_recovered();
        if news.advanced && self.undo(false, news, ctx) {
            self.recovery.retransmits = 0;
            if self.recovery.selective || recovered {
                self.end_phase();
            }
            return;
        }
        if self.doubt_timeout(news, recovered, ctx) {
            return;
        }
        if recovered {
            self.undo(false, news, ctx);
            self.end_phase();
        }
    }

    /// F-RTO's steps 2 and 3; true when the timeout was spurious.
    fn doubt_timeout(&mut self, news: &News, recovered: bool, ctx: &mut Ctx<'_>) -> bool {
        let (nxt, edge) = (self.snd.nxt, self.snd.una + self.snd.wnd);
        let has_new = self.snd.queue.next_seq().lt(self.snd.queue.end()) && nxt.lt(edge);
        let episode = self.recovery.episode();
        episode.new_first = false;
        if !episode.doubts_timeout {
            return false;
        }
        if news.original && self.undo(true, news, ctx) {
            ctx.counters.spurious_timeouts += 1;
            self.end_phase();
            return true;
        }
        let episode = self.recovery.episode();
        if episode.recover.is_some_and(|recover| recover.lt(nxt)) {
            // 3a: new data was sent and the peer still misses something: the loss was real.
            episode.doubts_timeout = news.sacked == 0 && !news.duplicate;
        } else if news.advanced && !recovered {
            // 2b: new data tells more than another retransmission.
            episode.doubts_timeout = has_new;
            episode.new_first = has_new;
        }
        false
    }

    /// F-RTO has held back what is lost for new data that may not go either, for Nagle or the window: then it is
    /// over, and what is lost goes.
    pub(in crate::tcp) fn has_held_back_in_vain(&mut self) -> bool {
        let nxt = self.snd.nxt;
        if !self.holds_lost_back() || self.recovery.recover() != Some(nxt) {
            return false;
        }
        let episode = self.recovery.episode();
        (episode.doubts_timeout, episode.new_first) = (false, false);
        true
    }

    /// What is lost waits while F-RTO sends new data.
    pub(in crate::tcp) fn holds_lost_back(&self) -> bool {
        self.recovery.phase == Phase::Loss && self.recovery.new_first()
    }
}
