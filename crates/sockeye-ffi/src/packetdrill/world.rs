//! The host with its clock, its descriptors and what has left it.

use super::FD_FIRST;
use super::epoll::Epoll;
use super::pipes::Pipe;
use super::stage::Blocked;
use super::sysctl;
use super::zerocopy::Zerocopy;
use bytes::Bytes;
use ipnet::IpNet;
use sockeye_core::errno::{Errno, Result};
use sockeye_core::host::{Event, IfIndex, InterfaceConfig, RouteConfig};
use sockeye_core::{Host, HostConfig, Instant, Packet, SocketId};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    pub(super) host: Host,
    pub(super) now: Instant,
    /// Packets that have left, and when.
    pub(super) sent: VecDeque<(Vec<u8>, Instant)>,
    pub(super) blocked: Blocked,
    pub(super) call_has_ended: bool,
    files: BTreeMap<i32, File>,
    fd_last: i32,
    flushes: u64,
    told: u64,
}

// SAFETY: what is shared inside (pipes' two ends) never leaves the world, which stands behind one lock.
unsafe impl Send for World {}

/// What a descriptor refers to.
#[derive(Debug)]
pub(super) enum File {
    Socket(Socket),
    Epoll(Epoll),
    Pipe { pipe: Rc<Pipe>, reads: bool, nonblocking: bool },
}

/// A socket's descriptor.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) nonblocking: bool,
    /// Counts what happened to it that a waiter may want to hear of.
    pub(super) news: u64,
    /// `TCP_INQ`: recvmsg tells how much is left.
    pub(super) hints: bool,
    pub(super) zerocopy: Zerocopy,
}

impl World {
    /// A host as the flags describe it: `local=ADDRESS/PREFIX` (several), `mtu=BYTES`.
    pub(super) fn new(flags: &str) -> core::result::Result<Self, String> {
        let mut addresses: Vec<IpNet> = vec![];
        let mut mtu = 1500;
        for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
            let wrong = || format!("{flag}: local=ADDRESS/PREFIX and mtu=BYTES are known");
            match flag.split_once('=').ok_or_else(wrong)? {
                ("local", value) => addresses.push(value.parse().map_err(|_| wrong())?),
                ("mtu", value) => mtu = value.parse().map_err(|_| wrong())?,
                _ => return Err(wrong()),
            }
        }
        if addresses.is_empty() {
            addresses = DEFAULT_ADDRESSES.map(|net| net.parse().expect("an address")).to_vec();
        }
        let interface = InterfaceConfig { mtu, ..InterfaceConfig::new("tun0", addresses) };
        let routes = ["0.0.0.0/0", "::/0"].map(|net| RouteConfig {
            destination: net.parse().expect("a network"),
            gateway: None,
            interface: String::from("tun0"),
        });
        let config =
            HostConfig { interfaces: vec![interface], routes: routes.to_vec(), ..HostConfig::default() };
        let mut world = Self {
            host: Host::new(config, SEED),
            now: START,
            sent: VecDeque::new(),
            blocked: Blocked::Nobody,
            call_has_ended: false,
            files: BTreeMap::new(),
            fd_last: FD_FIRST,
            flushes: 0,
            told: 0,
        };
        world.follow_sysctls();
        Ok(world)
    }

    /// The namespace's settings are the host's.
    pub(super) fn follow_sysctls(&mut self) {
        sysctl::follow(&mut self.host);
        let flushes = sysctl::flushes();
        if core::mem::replace(&mut self.flushes, flushes) != flushes {
            self.host.forget_peers();
        }
    }

    pub(super) fn open(&mut self, file: File) -> i32 {
        self.fd_last += 1;
        self.files.insert(self.fd_last, file);
        self.fd_last
    }

    pub(super) fn open_socket(&mut self, id: SocketId, nonblocking: bool) -> i32 {
        let fd = self.open(File::Socket(Socket {
            id,
            nonblocking,
            news: 0,
            hints: false,
            zerocopy: Zerocopy::default(),
        }));
        self.host.set_owner_tag(id, u64::from(fd.unsigned_abs()));
        fd
    }

    pub(super) fn close(&mut self, fd: i32) -> Result<()> {
        match self.files.remove(&fd).ok_or(Errno::EBADF)? {
            File::Socket(socket) => self.host.close(socket.id, self.now),
            File::Pipe { pipe, reads, .. } => pipe.end_gone(reads),
            File::Epoll(_) => {}
        }
        for file in self.files.values_mut() {
            if let File::Epoll(epoll) = file {
                epoll.forget(fd);
            }
        }
        Ok(())
    }

    pub(super) fn file(&mut self, fd: i32) -> Result<&mut File> {
        self.files.get_mut(&fd).ok_or(Errno::EBADF)
    }

    pub(super) fn socket(&mut self, fd: i32) -> Result<&mut Socket> {
        match self.file(fd)? {
            File::Socket(socket) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    pub(super) fn sockets(&self) -> impl Iterator<Item = (i32, &Socket)> {
        self.files.iter().filter_map(|(fd, file)| match file {
            File::Socket(socket) => Some((*fd, socket)),
            _ => None,
        })
    }

    /// What poll(2) would say of a descriptor.
    pub(super) fn readiness(&self, fd: i32) -> Option<u32> {
        Some(match self.files.get(&fd)? {
            File::Socket(socket) => {
                let mut bits = u32::from(self.host.readiness(socket.id).bits());
                if socket.zerocopy.has_news() {
                    bits |= libc::POLLERR as u32;
                }
                let (readable, writable) = ((libc::POLLIN as u32), (libc::POLLOUT as u32));
                let more_in = if bits & readable != 0 { libc::POLLRDNORM as u32 } else { 0 };
                let more_out = if bits & writable != 0 { WRITE_KINDS } else { 0 };
                bits | more_in | more_out
            }
            File::Epoll(_) => 0,
            File::Pipe { pipe, reads, .. } => pipe.readiness(*reads),
        })
    }

    /// How often something has happened to a descriptor.
    pub(super) fn news(&self, fd: i32) -> u64 {
        match self.files.get(&fd) {
            Some(File::Socket(socket)) => socket.news,
            _ => 0,
        }
    }

    /// The timers that are due.
    pub(super) fn advance(&mut self) {
        self.host.advance(self.now);
        self.drain();
    }

    pub(super) fn deliver(&mut self, bytes: &[u8]) {
        let packet = Packet::from_bytes(Bytes::copy_from_slice(bytes));
        self.host.deliver(DEVICE, packet, self.now);
    }

    /// Takes what leaves, and what happened.
    pub(super) fn drain(&mut self) {
        let mut out = vec![];
        while self.host.transmit(self.now, 1024, &mut out) {}
        for (_, packet) in out {
            let mut bytes = vec![];
            packet.write_to(&mut bytes);
            self.sent.push_back((bytes, self.now));
        }
        while let Some(event) = self.host.next_event() {
            let id = match event {
                Event::Ready(id) => id,
                Event::Acceptable { listener, .. } => listener,
            };
            let fd = self.host.owner_tag(id) as i32;
            if let Some(File::Socket(socket)) = self.files.get_mut(&fd) {
                socket.news += 1;
            }
        }
        self.complete_zerocopies();
        sysctl::tell_counters(&self.host, &mut self.told);
    }
}

const DEVICE: IfIndex = IfIndex(2);
/// Simulated time begins at the second day, so that no difference of times is negative.
const START: Instant = Instant(86_400 * 1_000_000_000);
const SEED: u64 = 1;
/// The addresses of packetdrill's own defaults.
const DEFAULT_ADDRESSES: [&str; 2] = ["192.168.0.1/16", "fd3d:0a0b:17d6::1/48"];
const WRITE_KINDS: u32 = (libc::POLLWRNORM | libc::POLLWRBAND) as u32;
