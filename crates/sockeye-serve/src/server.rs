//! The host thread: one thread owns a host, its notifications and its carriers.
//!
//! In: notified calls, readiness of our ends of carriers, commands of other threads, time. Out: answers, bytes
//! in carriers. One turn: wait; read the clock once; do what woke us; let the lab settle and hand on what its
//! events say; look after held calls. It never blocks on a program and does bounded work per turn.

use crate::call::{Answer, Call, Outcome};
use crate::carrier::direct::Attempt;
use crate::carrier::senders::Senders;
use crate::command::Command;
use crate::find::Finder;
use crate::held::{Held, HeldKey};
use crate::names::Names;
use crate::observe::Observer;
use crate::probe::Features;
use crate::reactor::{Reactor, Wake};
use crate::served::{self, Key, Kind, Served};
use crate::sys::{seccomp, socket};
use crate::watch::Watch;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use slotmap::SlotMap;
use smallvec::SmallVec;
use sockeye::Clock;
use sockeye::lab::{HostId, Lab};
use sockeye::standard::Standard;
use sockeye_core::host::{Event, Host, SocketId};
use sockeye_core::{Errno, Instant};
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Notifications taken in one turn.
const NOTIFICATIONS_MAX: usize = 64;
/// Looks for a second notification after one was found, and how often at least.
const LOOKS_AFTER_SUCCESS: u32 = 32;
const LOOK_AT_LEAST_EVERY: u32 = 8;
/// Rounds of settling in one turn; what is left is done in the next.
const SETTLE_ROUNDS_MAX: usize = 16;

/// All that the host thread owns.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) lab: Lab,
    pub(crate) host_id: HostId,
    pub(crate) listener: OwnedFd,
    pub(crate) reactor: Reactor,
    pub(crate) watch: Watch,
    pub(crate) finder: Finder,
    pub(crate) names: Names,
    /// Our own listening Unix socket: carriers that connect are joined to us through it.
    pub(crate) junction: OwnedFd,
    /// A descriptor to give up where none is left.
    pub(crate) reserve: Option<OwnedFd>,
    /// Connections that no listening carrier has been told of, for want of descriptors: listener, connection.
    pub(crate) stranded: Vec<(Key, Key)>,
    pub(crate) served: SlotMap<Key, Served>,
    pub(crate) cookies: HashMap<u64, Key, foldhash::fast::RandomState>,
    pub(crate) held: SlotMap<HeldKey, Held>,
    pub(crate) senders: Senders,
    pub(crate) resolver: crate::resolver::Service,
    pub(crate) published: crate::publish::Published,
    pub(crate) observer: Option<Observer>,
    /// The socket that the running call is about.
    pub(crate) subject: Option<Key>,
    pub(crate) direct: bool,
    pub(crate) own_pid: rustix::process::Pid,
    pub(crate) clock: Clock,
    pub(crate) now: Instant,
    commands: Receiver<Command>,
    pub(crate) over: bool,
    /// Sockets with something left to do after their share of a turn.
    pub(crate) again: Vec<Key>,
    /// A connect call is being run: held accepts get its connection only once it is answered.
    pub(crate) connecting: bool,
    /// Connections that wait for that: listener, connection.
    pub(crate) deferred: Vec<(Key, Key)>,
    /// The connect that is looking for the direct path.
    pub(crate) attempt: Option<Attempt>,
    /// A connection went to a listener that no program had any more.
    pub(crate) listener_died: bool,
    /// Something was changed since the lab settled last.
    pub(crate) unsettled: bool,
    pub(crate) collect_at: usize,
    pub(crate) examine_at: Instant,
    /// Counts down; see [`Server::another_waits`].
    looks: u32,
}

/// What a server is made from.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) standard: Standard,
    pub(crate) clock: Clock,
    pub(crate) listener: OwnedFd,
    pub(crate) features: Features,
    pub(crate) resolver: sockeye::names::Resolver,
    pub(crate) published: Vec<(std::net::TcpListener, u16)>,
    pub(crate) observer: Option<Observer>,
    pub(crate) direct: bool,
    pub(crate) commands: Receiver<Command>,
}

impl Server {
    pub(crate) fn new(parts: Parts) -> std::io::Result<Self> {
        let watch = Watch::new()?;
        let reactor = Reactor::new(parts.listener.as_fd(), watch.hang_ups())?;
        let names = Names::new()?;
        let junction = socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )?;
        bind(&junction, &names.lab())?;
        listen(&junction, 4096)?;
        let clock = parts.clock;
        let mut server = Self {
            lab: parts.standard.lab,
            host_id: parts.standard.host,
            listener: parts.listener,
            reactor,
            watch,
            finder: Finder::new(parts.features),
            names,
            reserve: rustix::io::fcntl_dupfd_cloexec(&junction, 3).ok(),
            stranded: Vec::new(),
            junction,
            served: SlotMap::with_key(),
            cookies: HashMap::default(),
            held: SlotMap::with_key(),
            senders: Senders::default(),
            resolver: crate::resolver::Service::new(parts.resolver),
            published: crate::publish::Published::new(parts.standard.gate, parts.published),
            observer: parts.observer,
            subject: None,
            direct: parts.direct,
            own_pid: rustix::process::getpid(),
            clock,
            now: clock.now(),
            commands: parts.commands,
            over: false,
            again: Vec::new(),
            connecting: false,
            deferred: Vec::new(),
            attempt: None,
            listener_died: false,
            unsettled: true,
            collect_at: crate::collect::COLLECT_MIN,
            examine_at: Instant::ZERO,
            looks: 0,
        };
        server.start_resolver().map_err(|e| std::io::Error::from_raw_os_error(i32::from(e.0)))?;
        server.start_published()?;
        Ok(server)
    }

    /// The programs' host.
    pub(crate) fn host(&mut self) -> &mut Host {
        self.unsettled = true;
        self.lab.host_mut(self.host_id)
    }

    /// The programs' host, to be read.
    pub(crate) fn host_ref(&self) -> &Host {
        self.lab.host(self.host_id)
    }

    /// Runs until nobody is left to serve.
    pub(crate) fn run(mut self) {
        crate::sys::launch::ask_for_short_slices();
        let mut wakes = Vec::new();
        while !self.over {
            let timeout = self.timeout();
            self.reactor.wait(timeout, &mut wakes);
            self.now = self.clock.now();
            for wake in &wakes {
                self.wake(*wake);
            }
            for key in std::mem::take(&mut self.again) {
                self.key_ready(key);
            }
            self.settle();
            self.examine_held();
            self.observe_packets();
        }
        self.observe_all();
    }

    fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Notifications { over, waiting } => {
                self.over |= over;
                if waiting {
                    self.notifications();
                }
            }
            Wake::Commands => {
                while let Ok(command) = self.commands.try_recv() {
                    self.command(command);
                }
            }
            Wake::HangUps => self.hang_ups(),
            Wake::Published(number) => self.published_event(number),
            Wake::End(key, flags) => self.end_event(key, flags),
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        if self.unsettled || !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let deadline = self.lab.next_deadline();
        let examine = (!self.held.is_empty() || !self.stranded.is_empty()).then_some(self.examine_at);
        let shown = self.observer.as_ref().and_then(|o| o.wait_until(self.now));
        let next = [deadline, examine, shown].into_iter().flatten().min()?;
        Some(next.since(self.clock.now()))
    }

    /// Receives what waits, then runs it: a call that is received is shielded from signals, one that is not may
    /// still be interrupted.
    ///
    /// Receiving blocks where no notification was made since the last one received: the first was just seen, and
    /// one whose thread is gone meanwhile is still counted.
    fn notifications(&mut self) {
        let mut calls = SmallVec::<[Call; 8]>::new();
        while calls.is_empty() || calls.len() < NOTIFICATIONS_MAX && self.another_waits(calls.len()) {
            match seccomp::receive(self.listener.as_fd()) {
                Ok(Some(n)) => {
                    calls.push(Call { id: n.id, tid: n.tid, nr: i64::from(n.nr), args: n.args });
                }
                Ok(None) => break,
                // ENOTCONN and the like: nobody uses the filter any more.
                Err(_) => {
                    self.over = true;
                    break;
                }
            }
        }
        for call in &calls {
            self.begin(call);
        }
    }

    /// Looks for one more notification, after `received` of this turn. Where calls come one by one this would
    /// find nothing each time, so that it is done only while it pays.
    fn another_waits(&mut self, received: usize) -> bool {
        self.looks = self.looks.wrapping_sub(1);
        let due = self.looks < LOOKS_AFTER_SUCCESS || self.looks.is_multiple_of(LOOK_AT_LEAST_EVERY);
        if received == 1 && !due {
            return false;
        }
        let found = is_readable(&self.listener);
        if found {
            self.looks = LOOKS_AFTER_SUCCESS;
        }
        found
    }

    fn begin(&mut self, call: &Call) {
        let begun = self.observe_begin(call);
        let answer = self.dispatch(call);
        if let Some(begun) = begun {
            self.observe_run(begun, answer);
        }
        self.reply(call, answer);
        self.offer_deferred();
    }

    /// Sends a call's answer to the kernel. Says whether the call was still there to take it.
    pub(crate) fn reply(&mut self, call: &Call, answer: Answer) -> bool {
        let listener = self.listener.as_fd();
        match answer {
            Ok(Outcome::Value(value)) => seccomp::answer(listener, call.id, Ok(value)),
            Ok(Outcome::Proceed) => seccomp::proceed(listener, call.id),
            Ok(Outcome::Held | Outcome::Answered(_)) => true,
            Err(errno) => seccomp::answer(listener, call.id, Err(errno.0)),
        }
    }

    /// Lets timers run and packets flow, and hands on what has happened, until all is quiet.
    pub(crate) fn settle(&mut self) {
        for _ in 0..SETTLE_ROUNDS_MAX {
            self.unsettled = self.lab.settle(self.now);
            let mut events = false;
            while let Some(event) = self.lab.host_mut(self.host_id).next_event() {
                events = true;
                match event {
                    Event::Ready(id) => self.ready(id),
                    Event::Acceptable { listener, child } => self.arrived(listener, child),
                }
            }
            events |= self.settle_published();
            if !events && !self.unsettled {
                return;
            }
        }
    }

    fn ready(&mut self, id: SocketId) {
        let token = self.host_ref().owner_tag(id);
        if self.resolver_ready(id) || token == 0 {
            return;
        }
        self.key_ready(served::key(token));
    }

    fn key_ready(&mut self, key: Key) {
        match self.served.get(key).map(|s| &s.kind) {
            Some(Kind::Stream(_)) => self.stream_ready(key),
            Some(Kind::Datagram(_)) => self.datagram_ready(key),
            _ => {}
        }
    }

    fn arrived(&mut self, listener: SocketId, child: SocketId) {
        if self.resolver_arrived(listener, child) {
            return;
        }
        let token = self.host_ref().owner_tag(listener);
        if token != 0 {
            self.connection_arrived(served::key(token), child);
        }
    }

    fn end_event(&mut self, key: Key, flags: rustix::event::epoll::EventFlags) {
        match self.served.get(key).map(|s| &s.kind) {
            Some(Kind::Stream(_)) => self.stream_event(key, flags),
            Some(Kind::Datagram(_)) => self.datagram_event(key),
            Some(Kind::Netlink(_)) => self.netlink_event(key),
            None => {}
        }
    }
}

/// Finding what a call is about.
impl Server {
    /// The socket that argument 0 names, with a copy of the descriptor; None lets the kernel run the call: it is
    /// not a socket of ours, or none at all (the kernel knows the error).
    pub(crate) fn find(&mut self, call: &Call) -> Result<Option<(Key, OwnedFd)>, Errno> {
        self.find_number(call, call.int(0))
    }

    pub(crate) fn find_number(&mut self, call: &Call, number: i32) -> Result<Option<(Key, OwnedFd)>, Errno> {
        let copy = match self.finder.borrow(call.tid, number) {
            Ok(copy) => copy,
            // Our own table is full: the program hears what the kernel says when the machine's is.
            Err(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => return Err(Errno::ENFILE),
            Err(_) => return Ok(None),
        };
        let Ok(cookie) = socket::cookie(copy.as_fd()) else { return Ok(None) };
        let Some(&key) = self.cookies.get(&cookie) else { return Ok(None) };
        let Some(served) = self.served.get_mut(key) else { return Ok(None) };
        served.hint = (call.tid, number);
        self.subject = Some(key);
        Ok(Some((key, copy)))
    }

    /// The stream record of `key`.
    pub(crate) fn stream(&mut self, key: Key) -> Option<&mut served::Stream> {
        match &mut self.served.get_mut(key)?.kind {
            Kind::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// The datagram record of `key`.
    pub(crate) fn datagrams(&mut self, key: Key) -> Option<&mut served::Datagrams> {
        match &mut self.served.get_mut(key)?.kind {
            Kind::Datagram(datagrams) => Some(datagrams),
            _ => None,
        }
    }

    /// The host's socket behind `key`.
    pub(crate) fn socket_id(&self, key: Key) -> Option<SocketId> {
        match &self.served.get(key)?.kind {
            Kind::Stream(stream) => Some(stream.id),
            Kind::Datagram(datagrams) => Some(datagrams.id),
            Kind::Netlink(_) => None,
        }
    }
}

/// Whether something waits, without waiting for it.
pub(crate) fn is_readable(fd: &OwnedFd) -> bool {
    is_ready(fd, PollFlags::IN)
}

/// Whether a socket of ours has room, without waiting for it.
pub(crate) fn is_writable(fd: &OwnedFd) -> bool {
    is_ready(fd, PollFlags::OUT)
}

/// Whether a socket has an error to tell, which stays.
pub(crate) fn is_failed(fd: &OwnedFd) -> bool {
    is_ready(fd, PollFlags::ERR)
}

/// Whether the receiving side of a program's socket was shut.
pub(crate) fn is_shut(fd: &OwnedFd) -> bool {
    is_ready(fd, PollFlags::RDHUP)
}

fn is_ready(fd: &OwnedFd, what: PollFlags) -> bool {
    let mut fds = [PollFd::new(fd, what)];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok() && fds[0].revents().contains(what)
}

/// What a failure of our own means to a program.
pub(crate) fn supervisor_error(error: rustix::io::Errno) -> Errno {
    match error {
        rustix::io::Errno::MFILE | rustix::io::Errno::NFILE => Errno::ENFILE,
        rustix::io::Errno::NOMEM => Errno::ENOMEM,
        _ => Errno::ENOBUFS,
    }
}
