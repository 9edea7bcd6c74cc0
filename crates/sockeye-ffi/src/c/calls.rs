//! The calls from socket(2) to shutdown(2) whose data is one buffer.

use super::address::{self, Parsed};
use super::parker::Sleeper;
use super::table::{self, Handle, Open};
use super::{Answer, IntoAnswer, answer, answer_int, lab, memory, unix};
use sockeye_core::errno::Errno;
use sockeye_core::host::{Datagram, Domain, Host, Kind, SendControl, SocketId};
use sockeye_core::unix::{Ancillary, UnixAddr, UnixReceived};
use sockeye_core::{Instant, Payload};
use sockeye_rs::net::engine::Way;
use sockeye_rs::net::{Shutdown, Socket};
use std::net::SocketAddr;
use std::sync::Arc;

/// socket(2) on the current host of the thread.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_socket(domain: i32, kind: i32, protocol: i32) -> i32 {
    answer_int((|| {
        let flags = kind & (libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
        let domain = match domain {
            libc::AF_INET => Domain::Inet,
            libc::AF_INET6 => Domain::Inet6,
            libc::AF_UNIX => return unix::open(kind & !flags, protocol, flags),
            _ => return Err(Errno::EAFNOSUPPORT),
        };
        let kind = match kind & !flags {
            libc::SOCK_STREAM => Kind::Stream,
            libc::SOCK_DGRAM => Kind::Datagram,
            libc::SOCK_RAW => Kind::Raw,
            0 | 4..=10 => return Err(Errno::ESOCKTNOSUPPORT),
            _ => return Err(Errno::EINVAL),
        };
        let protocol = match protocol {
            256..=IPPROTO_LAST => return Err(Errno::EPROTONOSUPPORT),
            protocol => u8::try_from(protocol).map_err(|_| Errno::EINVAL)?,
        };
        let socket = Socket::new(&lab::current()?, domain, kind, protocol).or_errno()?;
        give(Handle { socket, domain, kind }, flags)
    })())
}

/// A descriptor for a new socket, with the flags of socket(2).
pub(super) fn give(handle: Handle, flags: i32) -> Answer<i64> {
    handle.socket.set_nonblocking(flags & libc::SOCK_NONBLOCK != 0).or_errno()?;
    table::insert(Arc::new(Open::Socket(handle)), flags & libc::SOCK_CLOEXEC != 0, 0)
}

/// Runs `f` on the socket of a descriptor.
pub(super) fn on<T>(fd: i32, f: impl FnOnce(&Handle) -> Answer<T>) -> Answer<T> {
    let open = table::find(fd).map_err(|errno| if is_system_s(fd) { Errno::ENOTSOCK } else { errno })?;
    f(open.socket()?)
}

/// Whether the system has a number open, which then is no socket of the library's.
fn is_system_s(fd: i32) -> bool {
    // SAFETY: it asks for a flag and touches no memory.
    !table::is_ours(fd) && unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0
}

/// bind(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_bind(fd: i32, addr: *const u8, len: u32) -> i32 {
    answer_int(on(fd, |handle| {
        let bytes = address::read(addr, len)?;
        if handle.is_unix() {
            return handle.unix_bind(&bytes);
        }
        let addr = address::for_bind(handle.domain, &bytes)?;
        handle.socket.bind(addr).or_errno().map(|()| 0)
    }))
}

/// listen(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_listen(fd: i32, backlog: i32) -> i32 {
    answer_int(on(fd, |handle| handle.socket.listen(backlog).or_errno().map(|()| 0)))
}

/// connect(2); `AF_UNSPEC` dissolves.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_connect(fd: i32, addr: *const u8, len: u32) -> i32 {
    answer_int(on(fd, |handle| {
        let bytes = address::read(addr, len)?;
        if handle.is_unix() {
            return handle.unix_connect(&bytes);
        }
        let parsed = match handle.kind {
            Kind::Datagram => address::for_datagrams(handle.domain, &bytes),
            _ => address::for_connect(handle.domain, &bytes),
        };
        match parsed {
            Ok(Parsed::Address(addr)) => return connect(handle, addr),
            Ok(Parsed::Unspecified) => handle.socket.with(|host, id, now| host.disconnect(id, now)),
            // A stream's address is looked at only where there is something to connect.
            Err(_) if bytes.len() >= 2 && handle.is_stream_in_use() => return connect(handle, ANY),
            // A datagram socket has a port by then (inet_dgram_connect).
            Err(errno) if bytes.len() >= 2 && handle.kind == Kind::Datagram => {
                handle.socket.with(|host, id, _| host.autobind(id).and(Err(errno)))
            }
            Err(errno) => return Err(errno),
        }
        .or_errno()
        .map(|()| 0)
    }))
}

/// Connects, and waits for the outcome where the socket blocks, as long as `SO_SNDTIMEO` says.
fn connect(handle: &Handle, addr: SocketAddr) -> Answer<i64> {
    let done = match handle.socket.nonblocking() {
        true => handle.socket.with(|host, id, now| host.connect(id, addr, now)).or_errno(),
        false => run(handle, Way::Write, 0, |host, id, now| match host.connect(id, addr, now) {
            Err(Errno::EINPROGRESS | Errno::EALREADY) => Err(Errno::EAGAIN),
            answer => answer,
        })
        .map_err(|errno| if errno == Errno::EAGAIN { Errno::EINPROGRESS } else { errno }),
    };
    done.map(|()| 0)
}

/// accept(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_accept(fd: i32, addr: *mut u8, len: *mut u32) -> i32 {
    sockeye_accept4(fd, addr, len, 0)
}

/// accept4(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_accept4(fd: i32, addr: *mut u8, len: *mut u32, flags: i32) -> i32 {
    answer_int(on(fd, |handle| {
        if flags & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) != 0 {
            return Err(Errno::EINVAL);
        }
        let (domain, kind) = (handle.domain, handle.kind);
        let (socket, peer) = match domain {
            Domain::Unix => handle.unix_accept()?,
            _ => {
                let socket = handle.socket.accept_sleeping(&Sleeper::of_thread()?).or_errno()?;
                // A connection that was reset before it was accepted still has a name.
                let peer = socket.with(|host, id, now| match host.peer_addr(id) {
                    Err(errno) => host.info(id, now).and_then(|info| info.remote).ok_or(errno),
                    peer => peer,
                });
                let peer = peer.or_errno()?;
                (socket, address::encode(domain, peer).as_bytes().to_vec())
            }
        };
        let new = give(Handle { socket, domain, kind }, flags)?;
        address::write(&peer, addr, len).inspect_err(|_| {
            let _ = table::close(new as i32);
        })?;
        Ok(new)
    }))
}

/// getsockname(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_getsockname(fd: i32, addr: *mut u8, len: *mut u32) -> i32 {
    answer_int(on(fd, |handle| tell_name(handle, addr, len, false)))
}

/// getpeername(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_getpeername(fd: i32, addr: *mut u8, len: *mut u32) -> i32 {
    answer_int(on(fd, |handle| tell_name(handle, addr, len, true)))
}

fn tell_name(handle: &Handle, addr: *mut u8, len: *mut u32, of_peer: bool) -> Answer<i64> {
    let name = match handle.domain {
        Domain::Unix => handle.unix_name(of_peer)?,
        domain => {
            let ask = |host: &mut Host, id| if of_peer { host.peer_addr(id) } else { host.local_addr(id) };
            let name = handle.socket.with(|host, id, _| ask(host, id)).or_errno()?;
            address::encode(domain, name).as_bytes().to_vec()
        }
    };
    address::write_required(&name, addr, len).map(|()| 0)
}

/// shutdown(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_shutdown(fd: i32, how: i32) -> i32 {
    answer_int(on(fd, |handle| {
        let how = match how {
            libc::SHUT_RD => Shutdown::Read,
            libc::SHUT_WR => Shutdown::Write,
            libc::SHUT_RDWR => Shutdown::Both,
            _ => return Err(Errno::EINVAL),
        };
        handle.socket.shutdown(how).or_errno().map(|()| 0)
    }))
}

/// send(2). With EPIPE a stream's caller gets SIGPIPE, unless the flags say `MSG_NOSIGNAL`.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_send(fd: i32, buffer: *const u8, len: usize, flags: i32) -> isize {
    sockeye_sendto(fd, buffer, len, flags, std::ptr::null(), 0)
}

/// sendto(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_sendto(
    fd: i32,
    buffer: *const u8,
    len: usize,
    flags: i32,
    addr: *const u8,
    addr_len: u32,
) -> isize {
    answer(on(fd, |handle| {
        if handle.is_unix() {
            let to = handle.unix_destination(addr, addr_len)?;
            let bytes =
                memory::read(buffer, handle.bounded(len)?).or_else(|errno| unsent(handle, flags, errno))?;
            return unix::send(handle, &bytes, flags, to.as_ref(), Ancillary::default());
        }
        let to = handle.destination(addr, addr_len)?;
        let bytes =
            memory::read(buffer, handle.bounded(len)?).or_else(|errno| unsent(handle, flags, errno))?;
        send(handle, &bytes, flags, to, &SendControl::default())
    })) as isize
}

/// recv(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_recv(fd: i32, buffer: *mut u8, len: usize, flags: i32) -> isize {
    sockeye_recvfrom(fd, buffer, len, flags, std::ptr::null_mut(), std::ptr::null_mut())
}

/// recvfrom(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_recvfrom(
    fd: i32,
    buffer: *mut u8,
    len: usize,
    flags: i32,
    addr: *mut u8,
    addr_len: *mut u32,
) -> isize {
    answer(on(fd, |handle| {
        let received = receive(handle, len, flags)?;
        memory::write(buffer, received.kept(len))?;
        let name = received.name(handle.domain);
        address::write(&name, addr, addr_len)?;
        Ok(received.told(len, flags))
    })) as isize
}

/// What a receive has found.
pub(super) enum Received {
    Bytes(Vec<u8>),
    /// Bytes of a stream that the caller did not want to see (`MSG_TRUNC`).
    Dropped(usize),
    Datagram(Box<Datagram>, Vec<u8>),
    /// Bytes of a Unix-domain socket.
    Unix(Box<UnixReceived>, Vec<u8>),
}

impl Received {
    /// As much as there is room for.
    pub(super) fn kept(&self, room: usize) -> &[u8] {
        match self {
            Self::Bytes(bytes) | Self::Datagram(_, bytes) | Self::Unix(_, bytes) => {
                &bytes[..bytes.len().min(room)]
            }
            Self::Dropped(_) => &[],
        }
    }

    /// Who sent it, as `struct sockaddr`; nothing on a stream.
    pub(super) fn name(&self, domain: Domain) -> Vec<u8> {
        match self {
            Self::Bytes(_) | Self::Dropped(_) => vec![],
            Self::Unix(received, _) => {
                received.from.as_ref().map_or(vec![], |name| UnixAddr::encode(Some(name)))
            }
            Self::Datagram(datagram, _) => address::encode(domain, datagram.from).as_bytes().to_vec(),
        }
    }

    /// The result of the call: with `MSG_TRUNC` a datagram's whole length.
    pub(super) fn told(&self, room: usize, flags: i32) -> i64 {
        match self {
            Self::Dropped(n) => *n as i64,
            Self::Unix(received, _) if flags & libc::MSG_TRUNC != 0 => received.whole as i64,
            Self::Datagram(_, bytes) if flags & libc::MSG_TRUNC != 0 => bytes.len() as i64,
            _ => self.kept(room).len() as i64,
        }
    }

    /// Whether there was more than room.
    pub(super) fn is_cut(&self, room: usize) -> bool {
        match self {
            Self::Datagram(_, bytes) => bytes.len() > room,
            Self::Unix(received, _) => received.whole > received.len,
            Self::Bytes(_) | Self::Dropped(_) => false,
        }
    }
}

/// Makes a call of the engine as often as the flags say: once with `MSG_DONTWAIT`.
pub(super) fn run<T>(
    handle: &Handle,
    way: Way,
    flags: i32,
    f: impl FnMut(&mut Host, SocketId, Instant) -> Answer<T>,
) -> Answer<T> {
    match flags & libc::MSG_DONTWAIT {
        0 if !handle.socket.nonblocking() => handle.socket.with_sleeping(&Sleeper::of_thread()?, way, f),
        _ => handle.socket.with(f),
    }
    .or_errno()
}

/// Sends bytes; a stream that blocks takes all of them.
pub(super) fn send(
    handle: &Handle,
    bytes: &[u8],
    flags: i32,
    to: Option<SocketAddr>,
    control: &SendControl,
) -> Answer<i64> {
    if handle.is_unix() {
        return unix::send(handle, bytes, flags, None, Ancillary::default());
    }
    if handle.kind == Kind::Stream {
        return send_stream(handle, bytes, flags).inspect_err(|errno| signal_broken(*errno, flags));
    }
    if flags & libc::MSG_OOB != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    let control = SendControl { more: flags & libc::MSG_MORE != 0, ..*control };
    let payload = Payload::from(bytes::Bytes::copy_from_slice(bytes));
    let sent =
        run(handle, Way::Write, flags, |host, id, now| host.send_to(id, payload.clone(), to, &control, now));
    sent.map(|n| n as i64)
}

/// SIGPIPE for the calling thread, where a stream's EPIPE comes with one.
pub(super) fn signal_broken(errno: Errno, flags: i32) {
    if errno == Errno::EPIPE && flags & libc::MSG_NOSIGNAL == 0 {
        // SAFETY: it touches no memory; what the program does with the signal is its own.
        unsafe { libc::raise(libc::SIGPIPE) };
    }
}

fn send_stream(handle: &Handle, bytes: &[u8], flags: i32) -> Answer<i64> {
    if flags & libc::MSG_OOB != 0 {
        let sent = run(handle, Way::Write, flags, |host, id, now| host.send_urgent(id, bytes, now));
        return sent.map(|n| n as i64);
    }
    let mut sent = 0;
    loop {
        match run(handle, Way::Write, flags, |host, id, now| host.send(id, &bytes[sent..], now)) {
            Ok(n) => sent += n,
            // What was taken is told, the error with the next call.
            Err(_) if sent > 0 => return Ok(sent as i64),
            Err(errno) => return Err(errno),
        }
        if sent >= bytes.len() || !pause(handle, flags) {
            return Ok(sent as i64);
        }
    }
}

/// Whether a call with these flags waits.
pub(super) fn pause(handle: &Handle, flags: i32) -> bool {
    flags & libc::MSG_DONTWAIT == 0 && !handle.socket.nonblocking()
}

/// What a send says whose bytes cannot be read: a stream's state comes before its bytes.
pub(super) fn unsent<T>(handle: &Handle, flags: i32, errno: Errno) -> Answer<T> {
    if handle.kind == Kind::Stream {
        let state = match handle.is_unix() {
            true => unix::unsent(handle),
            false => handle.socket.with(|host, id, now| host.send(id, &[], now)).or_errno().map(drop),
        };
        match state {
            Ok(()) | Err(Errno::EAGAIN) => {}
            Err(state) => {
                signal_broken(state, flags);
                return Err(state);
            }
        }
    }
    Err(errno)
}

/// Receives what is there, or waits for it.
pub(super) fn receive(handle: &Handle, len: usize, flags: i32) -> Answer<Received> {
    if handle.is_unix() {
        return unix::receive(handle, len, flags);
    }
    let peek = flags & libc::MSG_PEEK != 0;
    if flags & libc::MSG_ERRQUEUE != 0 {
        let error = handle.socket.with(|host, id, _| host.recv_error(id)).or_errno()?;
        return Ok(Received::Bytes(error.payload.to_vec()));
    }
    if handle.kind != Kind::Stream {
        if flags & libc::MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let datagram = run(handle, Way::Read, flags, |host, id, now| {
            let found = host.recv_from(id, peek, now);
            // After the end of receiving who would wait reads nothing.
            let ended = flags & libc::MSG_DONTWAIT == 0
                && host.readiness(id).contains(sockeye_core::Readiness::RDHUP);
            if found.as_ref().is_err_and(|errno| *errno == Errno::EAGAIN) && ended {
                Ok(None)
            } else {
                found.map(Some)
            }
        })?;
        let Some(datagram) = datagram else { return Ok(Received::Bytes(vec![])) };
        let bytes = datagram.payload.to_vec();
        if peek {
            let seen = bytes.len().min(len);
            handle
                .socket
                .with(|host, id, _| {
                    host.peeked(id, seen);
                    Ok(())
                })
                .or_errno()?;
        }
        return Ok(Received::Datagram(Box::new(datagram), bytes));
    }
    if flags & libc::MSG_OOB != 0 {
        let byte = handle.socket.with(|host, id, _| host.recv_urgent(id, peek)).or_errno()?;
        return Ok(Received::Bytes(byte.into_iter().collect()));
    }
    let mut buffer = vec![0; handle.bounded(len)?];
    let mut have = 0;
    loop {
        let more =
            run(handle, Way::Read, flags, |host, id, now| host.recv(id, &mut buffer[have..], peek, now));
        match more {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(_) if have > 0 => break,
            Err(errno) => return Err(errno),
        }
        if flags & libc::MSG_WAITALL == 0 || peek || have == buffer.len() {
            break;
        }
    }
    buffer.truncate(have);
    Ok(if flags & libc::MSG_TRUNC != 0 { Received::Dropped(have) } else { Received::Bytes(buffer) })
}

impl Handle {
    /// The address of a send; a stream has no use for it, but reads it.
    pub(super) fn destination(&self, addr: *const u8, len: u32) -> Answer<Option<SocketAddr>> {
        if addr.is_null() {
            return Ok(None);
        }
        let bytes = address::read(addr, len)?;
        if self.kind == Kind::Stream {
            return Ok(None);
        }
        // From now on datagrams can come for it, whatever becomes of this one.
        self.socket.with(|host, id, _| host.autobind(id)).or_errno()?;
        match address::for_send(self.domain, &bytes)? {
            Parsed::Address(addr) => Ok(Some(addr)),
            Parsed::Unspecified => Ok(None),
        }
    }

    /// Whether it is a stream that listens, is connected or on the way there.
    fn is_stream_in_use(&self) -> bool {
        self.kind == Kind::Stream && self.socket.with(|host, id, _| Ok(!host.is_idle(id))).unwrap_or(false)
    }

    /// A length that a call looks at: longer ones are cut on streams, as each call may take less than it was given.
    fn bounded(&self, len: usize) -> Answer<usize> {
        match self.kind {
            Kind::Stream => Ok(len.min(LENGTH_MAX)),
            _ if self.is_unix() => Ok(len.min(LENGTH_MAX)),
            _ if len > usize::from(u16::MAX) => Err(Errno::EMSGSIZE),
            _ => Ok(len),
        }
    }
}

/// An address where none is looked at.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);
/// The highest protocol number that Linux knows (MPTCP).
const IPPROTO_LAST: i32 = 262;
/// Bytes that one call on a stream moves at most.
pub(super) const LENGTH_MAX: usize = 1 << 24;
