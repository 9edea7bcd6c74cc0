//! Unix-domain sockets in C: names of the host, and what goes beside the bytes (`SCM_RIGHTS`, `SCM_CREDENTIALS`).
//!
//! Descriptors that are handed over are the library's or the system's; both arrive as new numbers of their kind.

use super::calls::{Received, give, pause, run, signal_broken};
use super::parker::Sleeper;
use super::table::{self, Handle, Open};
use super::{Answer, IntoAnswer, address, answer_int, lab, memory};
use sockeye_core::errno::Errno;
use sockeye_core::host::{Domain, Kind};
use sockeye_core::unix::{
    Ancillary, Credentials, Passed, RIGHTS_MAX, Right, UnixAddr, UnixParsed, UnixReceived,
};
use sockeye_core::wire::control::Control;
use sockeye_core::{Readiness, SocketId};
use sockeye_rs::net::Socket;
use sockeye_rs::net::engine::Way;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// What a message hands over.
enum Handed {
    /// With the socket's number, if it is one of the host that the message is sent on.
    Ours(Arc<Open>, Option<SocketId>),
    System(OwnedFd),
}

impl Passed for Handed {
    fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Ours(_, id) => *id,
            Self::System(_) => None,
        }
    }

    fn holders(&self) -> usize {
        match self {
            Self::Ours(open, _) => Arc::strong_count(open),
            Self::System(_) => 1,
        }
    }
}

/// socketpair(2) on the current host of the thread.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_socketpair(domain: i32, kind: i32, protocol: i32, ends: *mut i32) -> i32 {
    answer_int((|| {
        let flags = kind & (libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
        match domain {
            libc::AF_UNIX => {}
            libc::AF_INET | libc::AF_INET6 => return Err(Errno::EOPNOTSUPP),
            _ => return Err(Errno::EAFNOSUPPORT),
        }
        memory::write(ends.cast(), &[0xff; 8])?;
        let (kind, protocol) = kind_of(kind & !flags, protocol)?;
        let [one, other] = Socket::unix_pair(&lab::current()?, kind, protocol).or_errno()?;
        for socket in [&one, &other] {
            socket.with(|host, id, _| host.set_unix_credentials(id, own(), own())).or_errno()?;
        }
        let give_end = |socket| give(Handle { socket, domain: Domain::Unix, kind }, flags);
        let first = give_end(one)?;
        let second = give_end(other).inspect_err(|_| {
            let _ = table::close(first as i32);
        })?;
        let numbers = [(first as i32).to_ne_bytes(), (second as i32).to_ne_bytes()].concat();
        memory::write(ends.cast(), &numbers).map(|()| 0)
    })())
}

/// unlink(2) of a path that a socket of the current host has; another path is the system's.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_unlink(path: *const libc::c_char) -> i32 {
    let text = memory::read_text(path);
    if let (Ok(text), Ok(net)) = (text, lab::current())
        && net.remove_file(text).is_ok()
    {
        return 0;
    }
    // SAFETY: the caller's argument, to the call it is for.
    unsafe { libc::unlink(path) }
}

/// A kind of the family, and its protocol.
pub(super) fn kind_of(kind: i32, protocol: i32) -> Answer<(Kind, u8)> {
    let kind = match kind {
        libc::SOCK_STREAM => Kind::Stream,
        libc::SOCK_DGRAM | libc::SOCK_RAW => Kind::Datagram,
        libc::SOCK_SEQPACKET => Kind::SeqPacket,
        0..=10 => return Err(Errno::ESOCKTNOSUPPORT),
        _ => return Err(Errno::EINVAL),
    };
    Ok((kind, u8::try_from(protocol).map_err(|_| Errno::EPROTONOSUPPORT)?))
}

/// socket(2) of the family.
pub(super) fn open(kind: i32, protocol: i32, flags: i32) -> Answer<i64> {
    let (kind, protocol) = kind_of(kind, protocol)?;
    let socket = Socket::new(&lab::current()?, Domain::Unix, kind, protocol).or_errno()?;
    socket.with(|host, id, _| host.set_unix_credentials(id, own(), Credentials::NOBODY)).or_errno()?;
    give(Handle { socket, domain: Domain::Unix, kind }, flags)
}

/// This process.
fn own() -> Credentials {
    // SAFETY: they touch no memory and do not fail.
    unsafe { Credentials { pid: libc::getpid(), uid: libc::getuid(), gid: libc::getgid() } }
}

impl Handle {
    pub(super) fn is_unix(&self) -> bool {
        self.domain == Domain::Unix
    }

    pub(super) fn unix_bind(&self, bytes: &[u8]) -> Answer<i64> {
        let name = match UnixAddr::parse(bytes)? {
            UnixParsed::Named(name) => Some(name),
            UnixParsed::Family => None,
            UnixParsed::Unspecified => return Err(Errno::EINVAL),
        };
        self.socket.with(|host, id, _| host.unix_bind(id, name.as_ref())).or_errno().map(|()| 0)
    }

    pub(super) fn unix_connect(&self, bytes: &[u8]) -> Answer<i64> {
        let done = match UnixAddr::parse(bytes)? {
            UnixParsed::Named(name) => {
                return run(self, Way::Write, 0, |host, id, _| host.unix_connect(id, &name)).map(|()| 0);
            }
            UnixParsed::Unspecified => self.socket.with(|host, id, _| host.unix_disconnect(id)),
            UnixParsed::Family => return Err(Errno::EINVAL),
        };
        done.or_errno().map(|()| 0)
    }

    /// The name of this end, or of the peer's, as `struct sockaddr_un`.
    pub(super) fn unix_name(&self, of_peer: bool) -> Answer<Vec<u8>> {
        let name = self.socket.with(|host, id, _| match of_peer {
            true => host.unix_peer_name(id),
            false => host.unix_name(id),
        });
        Ok(UnixAddr::encode(name.or_errno()?.as_ref()))
    }

    /// accept(2) of the family: the connection, and its peer's name.
    pub(super) fn unix_accept(&self) -> Answer<(Socket, Vec<u8>)> {
        let socket = self.socket.accept_sleeping(&Sleeper::of_thread()?).or_errno()?;
        let name = socket.with(|host, id, _| host.unix_peer_name(id)).or_errno()?;
        Ok((socket, UnixAddr::encode(name.as_ref())))
    }

    /// The name that a send is for.
    pub(super) fn unix_destination(&self, addr: *const u8, len: u32) -> Answer<Option<UnixAddr>> {
        if addr.is_null() || len == 0 {
            return Ok(None);
        }
        let bytes = address::read(addr, len)?;
        match UnixAddr::parse(&bytes) {
            Ok(UnixParsed::Named(name)) => Ok(Some(name)),
            // Streams and sequenced packets do not read it.
            _ if self.kind == Kind::Stream => UnixAddr::from_path(b"-").map(Some),
            _ if self.kind == Kind::SeqPacket => Ok(None),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// Sends bytes and what goes beside them; a stream that blocks takes all of them.
pub(super) fn send(
    handle: &Handle,
    bytes: &[u8],
    flags: i32,
    to: Option<&UnixAddr>,
    mut beside: Ancillary,
) -> Answer<i64> {
    if flags & libc::MSG_OOB != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    let mut sent = 0;
    loop {
        let more =
            run(handle, Way::Write, flags, |host, id, _| host.unix_send(id, &bytes[sent..], to, &mut beside));
        match more {
            Ok(n) => sent += n,
            Err(_) if sent > 0 => return Ok(sent as i64),
            Err(errno) => {
                if handle.kind != Kind::Datagram {
                    signal_broken(errno, flags);
                }
                return Err(errno);
            }
        }
        if sent >= bytes.len() || !pause(handle, flags) {
            return Ok(sent as i64);
        }
    }
}

/// What a send says whose bytes cannot be read.
pub(super) fn unsent(handle: &Handle) -> Answer<()> {
    match handle.kind {
        Kind::Stream => {
            let mut none = Ancillary::default();
            handle.socket.with(|host, id, _| host.unix_send(id, &[], None, &mut none)).or_errno().map(drop)
        }
        _ => Ok(()),
    }
}

/// Receives what is there, or waits for it.
pub(super) fn receive(handle: &Handle, len: usize, flags: i32) -> Answer<Received> {
    if flags & libc::MSG_OOB != 0 {
        return Err(if handle.kind == Kind::Stream { Errno::EINVAL } else { Errno::EOPNOTSUPP });
    }
    if flags & libc::MSG_ERRQUEUE != 0 {
        return Err(Errno::EAGAIN);
    }
    let peek = flags & libc::MSG_PEEK != 0;
    let waits = pause(handle, flags);
    let mut buffer = vec![0; len.min(super::calls::LENGTH_MAX)];
    let (mut all, mut low) = (UnixReceived::default(), 1);
    loop {
        let more = run(handle, Way::Read, flags, |host, id, _| {
            low = host.unix_low_water(id);
            match host.unix_recv(id, &mut buffer[all.len..], peek) {
                // After the end of receiving who would wait reads nothing.
                Err(Errno::EAGAIN) if waits && host.readiness(id).contains(Readiness::RDHUP) => {
                    Ok(UnixReceived::default())
                }
                found => found,
            }
        });
        let more = match more {
            Ok(more) => more,
            Err(_) if all.len > 0 => break,
            Err(errno) => return Err(errno),
        };
        let is_end = more.len == 0;
        if all.len == 0 {
            all = more;
        } else {
            (all.len, all.rights) = (all.len + more.len, more.rights);
        }
        let wanted = if flags & libc::MSG_WAITALL != 0 { buffer.len() } else { low.min(buffer.len()) };
        let is_enough = all.len >= wanted || handle.kind != Kind::Stream || peek;
        if is_end || is_enough || !all.rights.is_empty() {
            break;
        }
    }
    buffer.truncate(all.len);
    Ok(Received::Unix(Box::new(all), buffer))
}

/// What the control messages of sendmsg(2) ask for.
pub(super) fn ancillary(over: &Handle, controls: &[Control]) -> Answer<Ancillary> {
    let mut beside = Ancillary::default();
    for control in controls.iter().filter(|control| control.level == libc::SOL_SOCKET) {
        match control.kind {
            libc::SCM_RIGHTS => {
                for number in control.data.chunks_exact(4) {
                    let fd = i32::from_ne_bytes(number.try_into().expect("four bytes"));
                    beside.rights.push(Right(Arc::new(pass(over, fd)?)));
                }
                if beside.rights.len() > RIGHTS_MAX {
                    return Err(Errno::EINVAL);
                }
            }
            libc::SCM_CREDENTIALS => {
                let told = Credentials::parse(&control.data).filter(|_| control.data.len() == 12);
                let told = told.ok_or(Errno::EINVAL)?;
                if told != own() && own().uid != 0 {
                    return Err(Errno::EPERM);
                }
                beside.credentials = Some(told);
            }
            _ => return Err(Errno::EINVAL),
        }
    }
    Ok(beside)
}

fn pass(over: &Handle, fd: i32) -> Answer<Handed> {
    if table::is_ours(fd) {
        let open = table::find(fd)?;
        let id = open.socket().ok().and_then(|handle| over.socket.id_of(&handle.socket));
        return Ok(Handed::Ours(open, id));
    }
    // SAFETY: it asks for a flag and touches no memory.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: the number was open a moment ago; the program that closes it meanwhile gets an error from dup.
    let system = unsafe { BorrowedFd::borrow_raw(fd) };
    system.try_clone_to_owned().map(Handed::System).map_err(|_| Errno::EMFILE)
}

impl Received {
    /// What recvmsg(2) tells beside the bytes, with new descriptors as far as there is room; and whether there was not.
    pub(super) fn unix_controls(&self, room: usize, flags: i32) -> Answer<(Vec<Control>, bool)> {
        let Self::Unix(received, _) = self else { return Ok((vec![], false)) };
        let mut controls = vec![];
        let mut left = room;
        if let Some(credentials) = received.credentials {
            controls.push(Control::new(
                libc::SOL_SOCKET,
                libc::SCM_CREDENTIALS,
                credentials.encode().to_vec(),
            ));
            left = left.saturating_sub(CREDENTIALS_LEN);
        }
        if received.rights.is_empty() {
            return Ok((controls, false));
        }
        let fits = left.saturating_sub(HEADER_LEN) / 4;
        let mut numbers: Vec<u8> = vec![];
        let mut is_cut = fits < received.rights.len();
        for right in received.rights.iter().take(fits) {
            let Some(handed) = right.get::<Handed>() else { continue };
            match install(handed, flags & libc::MSG_CMSG_CLOEXEC != 0) {
                Ok(fd) => numbers.extend(fd.to_ne_bytes()),
                Err(_) => {
                    is_cut = true;
                    break;
                }
            }
        }
        if !numbers.is_empty() {
            controls.push(Control::new(libc::SOL_SOCKET, libc::SCM_RIGHTS, numbers));
        }
        Ok((controls, is_cut))
    }
}

/// A new number for what was handed over.
fn install(handed: &Handed, close_on_exec: bool) -> Answer<i32> {
    match handed {
        Handed::Ours(open, _) => table::insert(Arc::clone(open), close_on_exec, 0).map(|fd| fd as i32),
        Handed::System(fd) => {
            let command = if close_on_exec { libc::F_DUPFD_CLOEXEC } else { libc::F_DUPFD };
            // SAFETY: a descriptor that this message holds open; no memory is touched.
            match unsafe { libc::fcntl(fd.as_raw_fd(), command, 0) } {
                -1 => Err(Errno::EMFILE),
                fd => Ok(fd),
            }
        }
    }
}

/// `CMSG_LEN(0)`.
const HEADER_LEN: usize = 16;
/// `CMSG_SPACE(sizeof(struct ucred))`.
const CREDENTIALS_LEN: usize = 32;
