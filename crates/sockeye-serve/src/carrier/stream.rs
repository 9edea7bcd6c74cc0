//! Bytes between a stream's carrier and the host's TCP.
//!
//! In: readiness of our end, readiness of the host's socket. Out: the program's bytes in the host's send buffer
//! (read straight into it), the host's bytes in the carrier (written straight from its receive buffer), ends of
//! either direction passed on. Each turn moves a bounded amount; edge-triggered readiness of both sides brings the
//! next one.

use crate::held::Wait;
use crate::served::{Key, Kind, Link, Phase, Served};
use crate::server::Server;
use crate::sys::socket;
use rustix::event::epoll::EventFlags;
use rustix::io::{Errno as Os, IoSlice};
use rustix::net::{SendFlags, Shutdown, send, shutdown};
use smallvec::SmallVec;
use sockeye_core::host::Shutdown as HostShutdown;
use sockeye_core::tcp::Mark;
use sockeye_core::{Errno, Readiness};
use std::os::fd::AsFd;

/// Bytes read in one go.
const CHUNK: usize = 256 * 1024;
/// Bytes that one socket may move in one turn and direction.
const TURN_MAX: usize = 1024 * 1024;

/// How a step of carrying ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Bytes moved; there may be more.
    Moved(usize),
    /// Bytes moved, and that was all there was.
    Drained(usize),
    Idle,
    /// The program will send no more.
    Ended,
    /// The program closed with bytes unread.
    Discarded,
    /// The host's connection has ended in an error.
    Failed(Errno),
}

impl Server {
    /// The link of a joined stream.
    fn link(&mut self, key: Key) -> Option<&mut Link> {
        match &mut self.stream(key)?.phase {
            Phase::Linked(link) => Some(link),
            _ => None,
        }
    }

    /// Our end has something to say.
    pub(crate) fn stream_event(&mut self, key: Key, flags: EventFlags) {
        if let Some(stream) = self.stream(key)
            && matches!(stream.phase, Phase::Connecting(_))
            && flags.contains(EventFlags::HUP)
        {
            self.forget(key);
            return;
        }
        let Some(link) = self.link(key) else { return };
        if flags.contains(EventFlags::OUT) {
            link.out_blocked = false;
        }
        let ending = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        if !ending || !flags.contains(EventFlags::HUP) {
            self.carry_out(key);
        }
        self.carry_in(key, ending);
        if flags.contains(EventFlags::HUP) {
            self.stream_hung_up(key);
        }
    }

    /// The host's socket has something to say.
    pub(crate) fn stream_ready(&mut self, key: Key) {
        let Some(stream) = self.stream(key) else { return };
        match stream.phase {
            Phase::Connecting(_) => self.connect_progress(key),
            Phase::Linked(_) => {
                self.carry_out(key);
                if self.link(key).is_some_and(|l| l.in_blocked) {
                    self.carry_in(key, true);
                }
            }
            _ => {}
        }
    }

    /// Carries the program's bytes into the host. `to_the_end` reads on after a short read, since an end may
    /// stand behind it.
    pub(crate) fn carry_in(&mut self, key: Key, to_the_end: bool) {
        let mut moved = 0;
        loop {
            match self.step_in(key) {
                Step::Moved(n) => moved += n,
                Step::Drained(n) => {
                    moved += n;
                    if !to_the_end {
                        break;
                    }
                }
                Step::Idle => break,
                Step::Ended => {
                    self.observe_bytes(key, true, moved);
                    self.send_off(moved);
                    return self.program_ended(key);
                }
                Step::Discarded => {
                    self.observe_bytes(key, true, moved);
                    self.send_off(moved);
                    return self.stream_closed(key, true);
                }
                Step::Failed(errno) => return self.reset_program(key, errno),
            }
            if moved >= TURN_MAX {
                self.requeue_in(key);
                break;
            }
        }
        self.observe_bytes(key, true, moved);
    }

    /// What the program wrote goes out before its close, which may be a reset: on Linux write(2) had sent it already.
    fn send_off(&mut self, moved: usize) {
        if moved > 0 {
            self.unsettled = self.lab.settle(self.now);
        }
    }

    /// Looks at this socket again in the next turn: its edge is spent while bytes are left.
    fn requeue_in(&mut self, key: Key) {
        if let Some(link) = self.link(key) {
            link.in_blocked = true;
        }
        self.again.push(key);
    }

    fn step_in(&mut self, key: Key) -> Step {
        let host = self.lab.host_mut(self.host_id);
        let Some(Served { kind: Kind::Stream(stream), .. }) = self.served.get_mut(key) else {
            return Step::Idle;
        };
        let id = stream.id;
        let Phase::Linked(link) = &mut stream.phase else { return Step::Idle };
        if link.in_ended {
            return Step::Idle;
        }
        link.in_blocked = false;
        let room = match host.send_reserve(id, CHUNK) {
            Ok(room) => room,
            Err(Errno::EAGAIN) => {
                link.in_blocked = true;
                return Step::Idle;
            }
            // Nothing is sent any more: what the program still writes is read and dropped, so that its close
            // is seen.
            Err(_) => return discard(link),
        };
        let size = room.len();
        match rustix::io::read(&link.end, &mut *room) {
            Ok(0) => {
                link.in_ended = true;
                Step::Ended
            }
            Ok(n) => {
                host.send_commit(id, n, self.now);
                self.unsettled = true;
                if n == size { Step::Moved(n) } else { Step::Drained(n) }
            }
            Err(Os::AGAIN) => Step::Idle,
            Err(Os::INTR) => Step::Moved(0),
            Err(_) => Step::Discarded,
        }
    }

    /// Carries the host's bytes to the program.
    pub(crate) fn carry_out(&mut self, key: Key) {
        let mut moved = 0;
        loop {
            match self.step_out(key) {
                Step::Moved(n) => moved += n,
                Step::Drained(n) => {
                    moved += n;
                    break;
                }
                Step::Ended => {
                    self.peer_ended(key);
                    break;
                }
                Step::Failed(errno) => {
                    self.observe_bytes(key, false, moved);
                    self.reset_program(key, errno);
                    break;
                }
                Step::Idle | Step::Discarded => break,
            }
            if moved >= TURN_MAX {
                self.again.push(key);
                break;
            }
        }
        if moved > 0 {
            self.observe_bytes(key, false, moved);
        }
        self.wake_receivers(key);
    }

    fn step_out(&mut self, key: Key) -> Step {
        let host = self.lab.host_mut(self.host_id);
        let Some(Served { kind: Kind::Stream(stream), .. }) = self.served.get_mut(key) else {
            return Step::Idle;
        };
        let Phase::Linked(link) = &mut stream.phase else { return Step::Idle };
        if link.out_ended && host.readiness(stream.id).contains(Readiness::ERR) {
            // Reset after its end: what the program sent then met nobody.
            return Step::Failed(host.take_error(stream.id).unwrap_or(Errno::EPIPE));
        }
        if link.out_blocked || link.out_ended {
            return Step::Idle;
        }
        let (total, written) = match host.urgent_mark(stream.id) {
            Some(Mark { ahead: 0, byte: Some(byte) }) => {
                (1, if stream.read_shut { Ok(1) } else { put_urgent(link, byte) })
            }
            _ => {
                let slices = match host.recv_slices(stream.id) {
                    Ok(slices) => slices,
                    Err(Errno::EAGAIN) => return Step::Idle,
                    Err(errno) => return Step::Failed(errno),
                };
                let total: usize = slices.iter().map(|s| s.len()).sum();
                if total == 0 {
                    return Step::Ended;
                }
                (total, if stream.read_shut { Ok(total) } else { put(link, &slices) })
            }
        };
        // A short write means that the carrier is full: its next edge brings us back.
        link.out_blocked = matches!(written, Err(Os::AGAIN)) || written.is_ok_and(|n| n < total);
        if link.out_blocked && !link.room_told {
            // Asking reports room that has come meanwhile.
            link.room_told = self.reactor.want_room(link.end.as_fd(), key).is_ok();
        }
        match written {
            Ok(n) => {
                host.consume(stream.id, n, self.now);
                self.unsettled = true;
                if n < total { Step::Drained(n) } else { Step::Moved(n) }
            }
            // The program is gone; our end says so with its own event.
            Err(_) => Step::Idle,
        }
    }

    /// The peer sends no more, and the program has all that it sent.
    fn peer_ended(&mut self, key: Key) {
        if let Some(link) = self.link(key) {
            link.out_ended = true;
            let _ = shutdown(&link.end, Shutdown::Write);
            self.finish_if_done(key);
        }
    }

    /// The program sends no more: it has shut its sending side, or closed.
    fn program_ended(&mut self, key: Key) {
        let Some(stream) = self.stream(key) else { return };
        if !stream.write_shut {
            return self.stream_closed(key, false);
        }
        let (id, now) = (stream.id, self.now);
        let _ = self.host().shutdown(id, HostShutdown::Write, now);
        self.finish_if_done(key);
    }

    /// Both directions have ended: nothing is left to carry, and our end can go.
    fn finish_if_done(&mut self, key: Key) {
        if self.link(key).is_some_and(|l| l.in_ended && l.out_ended && l.accepted)
            && let Some(stream) = self.stream(key)
        {
            stream.phase = Phase::Spent;
        }
    }

    /// Our end was hung up: unless both directions had ended in order, the program has closed.
    fn stream_hung_up(&mut self, key: Key) {
        let Some(link) = self.link(key) else { return };
        if link.in_ended && !link.out_ended {
            let unread = socket::option(link.end.as_fd(), libc::SO_ERROR).is_ok_and(|e| e != 0);
            self.stream_closed(key, unread);
        }
    }

    /// The last descriptor was closed, with or without bytes that the program has not read.
    pub(crate) fn stream_closed(&mut self, key: Key, unread: bool) {
        self.observe_close(key);
        if let Some(stream) = self.stream(key) {
            let (id, now) = (stream.id, self.now);
            if unread && self.host_ref().contains(id) {
                // RFC 2525, 2.17: data was lost, so the peer hears RST instead of FIN.
                self.host().abort(id, now);
            }
        }
        self.forget(key);
    }

    /// The carrier is open in no program any more (found by collecting).
    pub(crate) fn stream_gone(&mut self, key: Key) {
        match self.link(key) {
            Some(link) if !link.in_ended => {
                self.carry_in(key, true);
                // Where the send buffer was full, the rest follows as room comes.
            }
            _ => self.forget(key),
        }
    }
}

/// Writes received bytes into the carrier, from where they lie.
fn put(link: &Link, slices: &[&[u8]]) -> Result<usize, Os> {
    let slices: SmallVec<[IoSlice<'_>; 8]> = slices.iter().map(|s| IoSlice::new(s)).collect();
    rustix::io::writev(&link.end, &slices)
}

/// Gives the program its urgent byte beside the stream; kernels before 5.15 have it in line only.
fn put_urgent(link: &Link, byte: u8) -> Result<usize, Os> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    match send(&link.end, &[byte], flags | SendFlags::OOB) {
        Err(Os::OPNOTSUPP) => send(&link.end, &[byte], flags),
        sent => sent,
    }
}

/// Reads and drops.
fn discard(link: &mut Link) -> Step {
    let mut scrap = [0; 4096];
    match rustix::io::read(&link.end, &mut scrap) {
        Ok(0) => {
            link.in_ended = true;
            Step::Ended
        }
        Ok(_) | Err(Os::INTR) => Step::Moved(0),
        Err(Os::AGAIN) => Step::Idle,
        Err(_) => Step::Discarded,
    }
}

impl Server {
    /// Calls that wait for bytes in this carrier look again.
    pub(crate) fn wake_receivers(&mut self, key: Key) {
        while let Some(held) = self.waiter(key, Wait::Receive) {
            if !self.retry_receive(held) {
                return;
            }
        }
    }
}
