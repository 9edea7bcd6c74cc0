//! SYN cookies (RFC 4987, 3.6): a listener whose queue of half-open connections is full keeps nothing of a SYN; what it must
//! know comes back with the acknowledgement.
//!
//! In: a SYN; later an acknowledgement that belongs to nobody. Out: an initial sequence number that holds the peer's segment
//! size and the minute, sealed with a key; later whether a number was one of those. As Linux: with time stamps, the lowest six
//! bits of ours hold window scale, SACK and ECN; without, the connection goes without the three.

use super::flow::FlowKind;
use super::isn::Key;
use crate::host::{Host, SocketId};
use crate::ip::input::Meta;
use crate::tcp::{Request, RequestOutcome, Segment};
use crate::time::Instant;
use crate::wire::tcp::{Flags, Seq};
use alloc::boxed::Box;
use core::net::SocketAddr;
use core::time::Duration;

/// Who is asked, and who asks.
type Names = (SocketAddr, SocketAddr);

/// The number that stands for a SYN.
fn make(key: &Key, (local, remote): Names, irs: Seq, mss: u16, now: Instant) -> Seq {
    let table = sizes(local);
    let index = table.iter().rposition(|size| *size <= mss).unwrap_or(0) as u32;
    let minute = minute(now);
    let base = key.hash_with(local, remote, NO_MINUTE);
    let seal = key.hash_with(local, remote, sealed(minute, irs));
    let high = base.wrapping_add(irs.0).wrapping_add(minute << BITS);
    Seq(high.wrapping_add(seal.wrapping_add(index) & MASK))
}

/// The segment size that a number holds, if it is one of the last two minutes'.
fn check(key: &Key, (local, remote): Names, irs: Seq, cookie: Seq, now: Instant) -> Option<u16> {
    let base = key.hash_with(local, remote, NO_MINUTE);
    let rest = cookie.0.wrapping_sub(base).wrapping_sub(irs.0);
    let age = minute(now).wrapping_sub(rest >> BITS) & (u32::MAX >> BITS);
    if age >= MINUTES_VALID {
        return None;
    }
    let seal = key.hash_with(local, remote, sealed(minute(now).wrapping_sub(age), irs));
    sizes(local).get((rest.wrapping_sub(seal) & MASK) as usize).copied()
}

impl Host {
    /// Whether a listener's queue of half-open connections is full (inet_csk_reqsk_queue_is_full).
    pub(super) fn is_flooded(&self, listener: SocketId) -> bool {
        let queue = self.sockets[listener].listener().expect("who listens has a queue");
        let most = self.config.limits.syn_backlog_max.min(queue.backlog as usize);
        queue.requests.len() > most || self.engine.limits.syn_cookies == 2
    }

    /// A SYN that finds no place is answered, and forgotten.
    pub(super) fn answer_by_cookie(&mut self, meta: &Meta, listener: SocketId, names: Names, syn: &Segment) {
        let (local, remote) = names;
        let Some(route) = self.way_back(meta) else {
            self.counters.ip_out_no_routes += 1;
            return;
        };
        let settings = self.sockets[listener].settings().expect("a listener is a stream");
        let mss = syn.header.options.mss.unwrap_or(crate::tcp::MSS_DEFAULT);
        let iss = make(&self.keys.isn, names, syn.header.seq, mss, meta.now);
        let mut ctx = self.engine.ctx(meta.now);
        let mut request = Request::new(syn, local, remote, iss, route.segment_max(), settings, &mut ctx);
        request.forget();
        let answer = request.transmit(&mut ctx);
        self.counters.syncookies_sent += 1;
        self.sockets[listener].listener_mut().expect("it listens").flooded_at = Some(meta.now);
        if let Some(answer) = answer {
            self.reply(route.path, local, remote, answer);
        }
    }

    /// An acknowledgement for a listener: the end of a handshake that was answered by a cookie? Says whether it was.
    pub(super) fn take_cookie(
        &mut self,
        meta: &Meta,
        listener: SocketId,
        names: Names,
        segment: &Segment,
    ) -> bool {
        let flags = segment.header.flags;
        let queue = self.sockets[listener].listener().expect("who listens has a queue");
        let recent = queue.flooded_at.is_some_and(|at| meta.now.since(at) < VALID);
        if !recent || !flags.contains(Flags::ACK) || flags.intersects(Flags::RST | Flags::SYN) {
            return false;
        }
        let is_full = queue.is_full();
        let (irs, cookie) = (segment.header.seq + u32::MAX, segment.header.ack + u32::MAX);
        let Some(mss) = check(&self.keys.isn, names, irs, cookie, meta.now) else {
            self.counters.syncookies_failed += 1;
            return false;
        };
        let Some(route) = self.way_back(meta) else { return false };
        self.counters.syncookies_recv += 1;
        if is_full {
            self.counters.listen_overflows += 1;
            return true;
        }
        let (local, remote) = names;
        let socket = &self.sockets[listener];
        let fields = socket.flow_fields(remote.ip());
        let settings = socket.settings().expect("a listener is a stream");
        let mut ctx = self.engine.ctx(meta.now);
        let mut request =
            Request::remembered(segment, local, remote, (mss, route.segment_max()), settings, &mut ctx);
        let outcome = request.arrive(segment.clone(), true, settings, &mut ctx);
        if let RequestOutcome::Established(connection) = outcome {
            let kind = FlowKind::Request { request: Box::new(request), listener };
            let id = self.insert_flow(local, remote, route.path, meta.gate, fields, kind);
            self.promote(id, listener, connection, meta.now);
        }
        true
    }
}

fn sizes(local: SocketAddr) -> &'static [u16; 4] {
    if local.is_ipv4() { &SIZES_V4 } else { &SIZES_V6 }
}

/// What the seal covers beside the names. The peer's number is in it, as it is not on Linux, where a number off by one or two
/// passes for another segment size.
fn sealed(minute: u32, irs: Seq) -> u64 {
    u64::from(irs.0) << 32 | u64::from(minute)
}

fn minute(now: Instant) -> u32 {
    (now.0 / 60_000_000_000) as u32
}

/// What four values are worth telling apart: Linux's tables.
const SIZES_V4: [u16; 4] = [536, 1300, 1440, 1460];
const SIZES_V6: [u16; 4] = [1220, 1420, 1440, 8940];
const BITS: u32 = 24;
const MASK: u32 = (1 << BITS) - 1;
const MINUTES_VALID: u32 = 2;
/// How long after the last flood acknowledgements are looked at.
const VALID: Duration = Duration::from_secs(60 * MINUTES_VALID as u64);
/// No minute has this number.
const NO_MINUTE: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_cookie_is_good_for_its_peer_and_its_minutes() {
        let key = Key::draw(&mut Rng::new(1));
        let names = ("10.0.0.1:80".parse().unwrap(), "10.0.0.2:4000".parse().unwrap());
        let other = (names.0, "10.0.0.2:4001".parse().unwrap());
        let (irs, then) = (Seq(77), Instant::from_millis(600_000));
        for (mss, kept) in [(500, 536), (536, 536), (1400, 1300), (1459, 1440), (1460, 1460), (9000, 1460)] {
            let cookie = make(&key, names, irs, mss, then);
            assert_eq!(check(&key, names, irs, cookie, then + Duration::from_secs(59)), Some(kept));
            assert_eq!(check(&key, names, irs, cookie, then + Duration::from_secs(121)), None);
            assert_eq!(check(&key, names, irs + 1, cookie, then), None);
            assert_eq!(check(&key, other, irs, cookie, then), None);
        }
        let guessed =
            (0..10_000).filter(|n| check(&key, names, irs, Seq(n * 429_000), then).is_some()).count();
        assert!(guessed <= 1, "{guessed} of 10000 guesses");
    }
}
