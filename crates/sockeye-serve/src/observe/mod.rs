//! What a host lets people see while it runs: `--trace`, `--stats`, `--sequence`, `--capture`.
//!
//! In: calls when they begin and end, bytes that went past without a call, packets on the host's links. Out: lines
//! ([`arguments`]), a table ([`statistics`]), a ladder on one time line ([`ladder`]), a capture file ([`capture`]). Nothing here changes what
//! the programs see; a host that nobody watches pays for one look at an Option.

mod arguments;
mod capture;
mod ladder;
mod picture;
mod statistics;

pub(crate) use capture::Capture;
pub use ladder::Choice;
pub(crate) use ladder::{Ladder, Side};
pub(crate) use statistics::Statistics;

use crate::call::{self, Answer, Call, Memory, Outcome};
use crate::served::Key;
use crate::server::Server;
use sockeye::lab::view::View;
use sockeye_core::{Errno, Instant};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

/// How often entries that wait are looked at while nothing happens.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is wanted, and the calls that are not over.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    /// `--trace`.
    pub(crate) lines: Option<File>,
    /// `--stats`.
    pub(crate) statistics: Option<Statistics>,
    /// `--sequence`.
    pub(crate) ladder: Option<Ladder>,
    /// `--capture`.
    pub(crate) capture: Option<Capture>,
    begun: HashMap<u64, Begun>,
}

/// A call that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    call: Call,
    arguments: String,
    at: Instant,
    subject: Option<Key>,
}

impl Observer {
    /// Whether anything is.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wants_calls() || self.capture.is_some()
    }

    /// Whether packets are to be told of.
    pub(crate) fn wants_packets(&self) -> bool {
        self.ladder.is_some() || self.capture.is_some()
    }

    /// When to look again at what waits to be shown.
    pub(crate) fn wait_until(&self, now: Instant) -> Option<Instant> {
        let waiting = self.ladder.as_ref().is_some_and(Ladder::is_waiting);
        waiting.then(|| now + LOOK_AGAIN)
    }

    fn wants_calls(&self) -> bool {
        self.wants_arguments() || self.statistics.is_some()
    }

    /// Whether calls are to be shown with what they were given.
    fn wants_arguments(&self) -> bool {
        self.lines.is_some() || self.ladder.is_some()
    }
}

/// How a call ended, as text; None for the kernel's own business.
fn result(answer: Answer) -> Option<String> {
    Some(match answer {
        Ok(Outcome::Proceed) => return None,
        Ok(Outcome::Value(n) | Outcome::Answered(n)) => n.to_string(),
        Ok(Outcome::Held) => "?".into(),
        Err(Errno(crate::abi::ERESTARTSYS)) => "? ERESTARTSYS (To be restarted or interrupted)".into(),
        Err(errno) => format!("-1 {errno}"),
    })
}

/// Calls.
impl Server {
    /// A call begins; None where nobody wants to see it.
    pub(crate) fn observe_begin(&mut self, call: &Call) -> Option<Begun> {
        let observer = self.observer.as_ref().filter(|o| o.wants_calls())?;
        let shown = observer.wants_arguments();
        self.subject = None;
        self.drain_packets();
        let memory = Memory::new(call, self.listener.as_fd());
        let arguments = if shown { arguments::arguments(call, &memory) } else { String::new() };
        Some(Begun { call: *call, arguments, at: self.clock.now(), subject: None })
    }

    /// It has been run: it is over, or held and its end comes later.
    pub(crate) fn observe_run(&mut self, mut begun: Begun, answer: Answer) {
        begun.subject = self.subject;
        let now = self.clock.now();
        if let Some(statistics) = self.statistics() {
            statistics.count(begun.call.nr, answer, now.since(begun.at));
        }
        if answer != Ok(Outcome::Held) {
            return self.observe_end(&begun, answer);
        }
        let Some(observer) = &mut self.observer else { return };
        if let Some(ladder) = &mut observer.ladder {
            let text = format!("{}({}) ...", call::name(begun.call.nr), begun.arguments);
            ladder.call(self.now, begun.subject, begun.call.tid, text);
        }
        observer.begun.insert(begun.call.id, begun);
    }

    /// A held call is over.
    pub(crate) fn observe_end_held(&mut self, call: &Call, answer: Answer) {
        let begun = self.observer.as_mut().and_then(|o| o.begun.remove(&call.id));
        if let Some(mut begun) = begun {
            if let Some(statistics) = self.statistics() {
                statistics.count_held_end(call.nr, answer);
            }
            self.drain_packets();
            begun.arguments = "...".into();
            self.observe_end(&begun, answer);
        }
    }

    fn observe_end(&mut self, begun: &Begun, answer: Answer) {
        let now = self.clock.now();
        let (Some(result), Some(observer)) = (result(answer), &mut self.observer) else { return };
        let Begun { call, arguments, .. } = begun;
        let name = call::name(call.nr);
        if let Some(out) = &mut observer.lines {
            let took_s = now.since(begun.at).as_secs_f64();
            let _ = writeln!(out, "[{}] {name}({arguments}) = {result} <{took_s:.6}>", call.tid);
        }
        if let Some(ladder) = &mut observer.ladder {
            let done = answer.is_ok() || answer == Err(Errno::EINPROGRESS);
            if let (Some(key), true) = (begun.subject, done) {
                match call.nr {
                    libc::SYS_connect => ladder.set_side(key, Side::Client),
                    libc::SYS_bind | libc::SYS_listen => ladder.set_side(key, Side::Server),
                    _ => {}
                }
            }
            ladder.call(self.now, begun.subject, call.tid, format!("{name}({arguments}) = {result}"));
        }
    }

    /// Bytes went past without a notified call: taken from the program, or given to it.
    pub(crate) fn observe_bytes(&mut self, key: Key, taken: bool, n: usize) {
        if n == 0 || self.observer.is_none() {
            return;
        }
        self.drain_packets();
        let Some(observer) = &mut self.observer else { return };
        let (tid, fd) = self.served.get(key).map_or((0, -1), |s| s.hint);
        let what = if taken { "taken from" } else { "given to" };
        if let Some(out) = &mut observer.lines {
            let _ = writeln!(out, "[{tid}] {n} bytes {what} descriptor {fd}");
        }
        if let Some(ladder) = &mut observer.ladder {
            ladder.bytes(self.now, key, (tid, fd), taken, n);
        }
    }

    /// The program has closed its socket.
    pub(crate) fn observe_close(&mut self, key: Key) {
        let (now, hint) = (self.now, self.served.get(key).map_or((0, -1), |s| s.hint));
        self.drain_packets();
        if let Some(ladder) = self.ladder() {
            ladder.call(now, Some(key), hint.0, format!("close({})", hint.1));
        }
    }

    /// A connection has come in: its socket is a server's.
    pub(crate) fn observe_arrival(&mut self, child: Key) {
        if let Some(ladder) = self.ladder() {
            ladder.set_side(child, Side::Server);
        }
    }

    fn statistics(&mut self) -> Option<&mut Statistics> {
        self.observer.as_mut()?.statistics.as_mut()
    }

    fn ladder(&mut self) -> Option<&mut Ladder> {
        self.observer.as_mut()?.ladder.as_mut()
    }
}

/// Packets.
impl Server {
    /// Writes what is complete. Once a turn.
    pub(crate) fn observe_packets(&mut self) {
        self.drain_packets();
        let Some(observer) = &mut self.observer else { return };
        if let Some(ladder) = &mut observer.ladder {
            ladder.write(self.clock.now(), false);
        }
        if let Some(capture) = &mut observer.capture {
            capture.flush();
        }
    }

    /// Hands on what the lab tells of its links: before everything else that is told, so that the order is true.
    fn drain_packets(&mut self) {
        if self.observer.as_ref().is_none_or(|o| !o.wants_packets()) {
            return;
        }
        while let Some(tap) = self.lab.next_tap() {
            let view = View::of(&tap.packet);
            let ends = view.as_ref().map_or([None; 2], |view| self.ends(view));
            let hints = ends.map(|key| key.and_then(|key| self.served.get(key)).map(|s| s.hint));
            let Some(observer) = &mut self.observer else { return };
            if let (Some(ladder), Some(view)) = (&mut observer.ladder, &view) {
                ladder.packet(&tap, view, ends);
            }
            if let Some(capture) = &mut observer.capture {
                capture.packet(&tap, hints);
            }
        }
    }

    /// The host ends: what still waits is written.
    pub(crate) fn observe_all(&mut self) {
        self.observe_packets();
        let now = self.clock.now();
        if let Some(ladder) = self.ladder() {
            ladder.write(now, true);
        }
        if let Some(statistics) = self.statistics() {
            // Nobody is left to be told of a failure.
            let _ = statistics.write();
        }
    }

    /// The sockets at both ends of a packet, the sender's first.
    fn ends(&self, view: &View) -> [Option<Key>; 2] {
        [(view.src, view.dst), (view.dst, view.src)].map(|(local, remote)| {
            let host = self.host_ref();
            let id = host.socket_between(view.protocol, local, remote)?;
            Some(crate::served::key(host.owner_tag(id))).filter(|key| self.served.contains_key(*key))
        })
    }
}
