//! Calls with several buffers: readv(2) and writev(2), sendmsg(2) and recvmsg(2), sendmmsg(2) and recvmmsg(2).

use super::address;
use super::calls::{LENGTH_MAX, Received, on, receive, send, unsent};
use super::table::{self, Handle};
use super::{Answer, IntoAnswer, answer, answer_int, memory, unix};
use sockeye_core::errno::Errno;
use sockeye_core::host::SendControl;
use sockeye_core::wire::control::{self, Control};
use std::time::{SystemTime, UNIX_EPOCH};

/// sendmsg(2); control messages are those of ip(7) and ipv6(7) that choose source, TTL and class, and UDP_SEGMENT.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_sendmsg(fd: i32, message: *const libc::msghdr, flags: i32) -> isize {
    answer(on(fd, |handle| send_message(handle, message, flags))) as isize
}

/// recvmsg(2), with `MSG_ERRQUEUE` too.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_recvmsg(fd: i32, message: *mut libc::msghdr, flags: i32) -> isize {
    answer(on(fd, |handle| receive_message(handle, message, flags))) as isize
}

/// sendmmsg(2).
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_sendmmsg(fd: i32, messages: *mut libc::mmsghdr, count: u32, flags: i32) -> i32 {
    answer_int(on(fd, |handle| each(messages, count, |message| send_message(handle, message.cast(), flags))))
}

/// recvmmsg(2); the timeout is looked at after each message, as Linux does.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_recvmmsg(
    fd: i32,
    messages: *mut libc::mmsghdr,
    count: u32,
    flags: i32,
    timeout: *const libc::timespec,
) -> i32 {
    answer_int(on(fd, |handle| {
        let until = super::poll::deadline(timeout)?;
        let mut first = true;
        each(messages, count, |message| {
            let late = !first && until.is_some_and(|until| until <= std::time::Instant::now());
            let rest = !first && flags & libc::MSG_WAITFORONE != 0;
            first = false;
            if late {
                return Err(Errno::EAGAIN);
            }
            let flags = flags & !libc::MSG_WAITFORONE | if rest { libc::MSG_DONTWAIT } else { 0 };
            receive_message(handle, message.cast(), flags)
        })
    }))
}

/// Runs a call for each message until one fails; what the first says is the answer where none succeeded.
fn each(
    messages: *mut libc::mmsghdr,
    count: u32,
    mut one: impl FnMut(*mut libc::mmsghdr) -> Answer<i64>,
) -> Answer<i64> {
    let mut done = 0;
    for index in 0..count.min(libc::UIO_MAXIOV as u32) as usize {
        let message = messages.wrapping_add(index);
        match one(message) {
            Ok(n) => {
                let len_at = message.cast::<u8>().wrapping_add(size_of::<libc::msghdr>());
                memory::write(len_at, &(n as u32).to_ne_bytes())?;
                done += 1;
            }
            Err(errno) if done == 0 => return Err(errno),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// readv(2); a descriptor that is not the library's goes to the system.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_readv(fd: i32, parts: *const libc::iovec, count: i32) -> isize {
    if !table::is_ours(fd) {
        // SAFETY: the caller's arguments, to the call they are for.
        return unsafe { libc::readv(fd, parts, count) };
    }
    answer(on(fd, |handle| {
        let parts = Parts::counted(parts, count)?;
        let received = receive(handle, parts.len(), 0)?;
        parts.scatter(received.kept(parts.len()))
    })) as isize
}

/// writev(2); likewise.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_writev(fd: i32, parts: *const libc::iovec, count: i32) -> isize {
    if !table::is_ours(fd) {
        // SAFETY: the caller's arguments, to the call they are for.
        return unsafe { libc::writev(fd, parts, count) };
    }
    answer(on(fd, |handle| {
        let parts = Parts::counted(parts, count)?;
        let bytes = parts.gather().or_else(|errno| unsent(handle, 0, errno))?;
        send(handle, &bytes, 0, None, &SendControl::default())
    })) as isize
}

fn read_header(message: *const libc::msghdr) -> Answer<libc::msghdr> {
    let bytes = memory::read(message.cast(), size_of::<libc::msghdr>())?;
    // SAFETY: as many bytes as the struct has, which holds numbers and pointers only.
    Ok(unsafe { bytes.as_ptr().cast::<libc::msghdr>().read_unaligned() })
}

fn send_message(handle: &Handle, message: *const libc::msghdr, flags: i32) -> Answer<i64> {
    let header = read_header(message)?;
    if handle.is_unix() {
        return send_unix(handle, &header, flags);
    }
    let to = handle.destination(header.msg_name.cast(), header.msg_namelen)?;
    let parts = Parts::read(header.msg_iov, header.msg_iovlen as _)?;
    let bytes = parts.gather().or_else(|errno| unsent(handle, flags, errno))?;
    let control = SendControl::read(&read_controls(&header)?)?;
    send(handle, &bytes, flags, to, &control)
}

fn send_unix(handle: &Handle, header: &libc::msghdr, flags: i32) -> Answer<i64> {
    let to = handle.unix_destination(header.msg_name.cast(), header.msg_namelen)?;
    let parts = Parts::read(header.msg_iov, header.msg_iovlen as _)?;
    let beside = unix::ancillary(handle, &read_controls(header)?)?;
    let bytes = parts.gather().or_else(|errno| unsent(handle, flags, errno))?;
    unix::send(handle, &bytes, flags, to.as_ref(), beside)
}

fn read_controls(header: &libc::msghdr) -> Answer<Vec<Control>> {
    if header.msg_control.is_null() {
        return Ok(vec![]);
    }
    control::parse(&memory::read(header.msg_control.cast(), header.msg_controllen.min(CONTROL_MAX))?)
}

fn receive_message(handle: &Handle, message: *mut libc::msghdr, flags: i32) -> Answer<i64> {
    let header = read_header(message)?;
    let parts = Parts::read(header.msg_iov, header.msg_iovlen as _)?;
    if flags & libc::MSG_ERRQUEUE != 0 && !handle.is_unix() {
        let error = handle.socket.with(|host, id, _| host.recv_error(id)).or_errno()?;
        let payload = error.payload.to_vec();
        let written = parts.scatter(&payload[..payload.len().min(parts.len())])?;
        let cut = if (written as usize) < payload.len() { libc::MSG_TRUNC } else { 0 };
        let controls = [error.control(handle.domain)];
        let name = address::encode(handle.domain, error.destination).as_bytes().to_vec();
        finish(message, &header, &name, &controls, libc::MSG_ERRQUEUE | cut)?;
        return Ok(written);
    }
    let received = receive(handle, parts.len(), flags)?;
    parts.scatter(received.kept(parts.len()))?;
    let name = received.name(handle.domain);
    let controls = match &received {
        Received::Datagram(datagram, _) => {
            let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            handle.socket.with(|host, id, _| Ok(host.receive_controls(id, datagram, wall))).or_errno()?
        }
        Received::Unix(..) => vec![],
        Received::Bytes(_) | Received::Dropped(_) => {
            let told = handle.socket.with(|host, id, _| Ok(host.inq_control(id, || 0))).or_errno()?;
            told.into_iter().collect()
        }
    };
    let room = if header.msg_control.is_null() { 0 } else { header.msg_controllen };
    let (beside, controls_cut) = received.unix_controls(room, flags)?;
    let controls = if beside.is_empty() { controls } else { beside };
    let truncated = if controls_cut { libc::MSG_CTRUNC } else { 0 };
    let cut = truncated | if received.is_cut(parts.len()) { libc::MSG_TRUNC } else { 0 };
    finish(message, &header, &name, &controls, cut | flags & libc::MSG_OOB)?;
    Ok(received.told(parts.len(), flags))
}

/// Writes what recvmsg tells beside the bytes, as put_cmsg does where there is little room.
fn finish(
    message: *mut libc::msghdr,
    header: &libc::msghdr,
    name: &[u8],
    controls: &[Control],
    mut flags: i32,
) -> Answer<()> {
    let mut told = *header;
    if !header.msg_name.is_null() {
        let room = name.len().min(header.msg_namelen as usize);
        memory::write(header.msg_name.cast(), &name[..room])?;
        told.msg_namelen = name.len() as u32;
    }
    let room_max = if header.msg_control.is_null() { 0 } else { header.msg_controllen };
    let (area, cut) = control::lay_out(controls, room_max);
    flags |= if cut { libc::MSG_CTRUNC } else { 0 };
    memory::write(header.msg_control.cast(), &area)?;
    told.msg_controllen = area.len() as _;
    told.msg_flags = flags;
    // SAFETY: a struct of plain numbers and pointers, seen as its bytes.
    let bytes =
        unsafe { std::slice::from_raw_parts((&raw const told).cast::<u8>(), size_of::<libc::msghdr>()) };
    memory::write(message.cast(), bytes)
}

/// Buffers of a call.
struct Parts(Vec<(*mut u8, usize)>);

impl Parts {
    /// Those of readv(2) and writev(2), which have another error for too many.
    fn counted(parts: *const libc::iovec, count: i32) -> Answer<Self> {
        match usize::try_from(count) {
            Ok(count) if count <= libc::UIO_MAXIOV as usize => Self::read(parts, count),
            _ => Err(Errno::EINVAL),
        }
    }

    fn read(parts: *const libc::iovec, count: usize) -> Answer<Self> {
        if count > libc::UIO_MAXIOV as usize {
            return Err(Errno::EMSGSIZE);
        }
        let bytes = memory::read(parts.cast(), count * size_of::<libc::iovec>())?;
        let word = |at: usize| usize::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let part = |index: usize| match word(16 * index + 8) {
            len if isize::try_from(len).is_err() => Err(Errno::EINVAL),
            len => Ok((word(16 * index) as *mut u8, len)),
        };
        (0..count).map(part).collect::<Answer<_>>().map(Self)
    }

    fn len(&self) -> usize {
        self.0.iter().fold(0, |sum: usize, (_, len)| sum.saturating_add(*len)).min(LENGTH_MAX)
    }

    fn gather(&self) -> Answer<Vec<u8>> {
        let mut all = vec![];
        for (from, len) in &self.0 {
            all.extend(memory::read(*from, (*len).min(LENGTH_MAX - all.len()))?);
        }
        Ok(all)
    }

    fn scatter(&self, bytes: &[u8]) -> Answer<i64> {
        let mut at = 0;
        for (to, len) in &self.0 {
            let take = (*len).min(bytes.len() - at);
            memory::write(*to, &bytes[at..at + take])?;
            at += take;
        }
        Ok(at as i64)
    }
}

/// Bytes of control messages that are read.
const CONTROL_MAX: usize = 64 * 1024;
