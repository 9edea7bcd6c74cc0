//! Calls with several buffers: readv(2) and writev(2), sendmsg(2) and recvmsg(2), sendmmsg(2) and recvmmsg(2).

use super::address;
use super::calls::{Received, on, receive, send};
use super::table::{self, Handle};
use super::{Answer, IntoAnswer, answer, answer_int, memory};
use sockeye_core::errno::Errno;
use sockeye_core::host::{Domain, IfIndex, QueuedError, SendControl};
use std::net::{IpAddr, SocketAddr};

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
        let parts = Parts::read(parts, usize::try_from(count).map_err(|_| Errno::EINVAL)?)?;
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
        let parts = Parts::read(parts, usize::try_from(count).map_err(|_| Errno::EINVAL)?)?;
        send(handle, &parts.gather()?, 0, None, &SendControl::default())
    })) as isize
}

fn read_header(message: *const libc::msghdr) -> Answer<libc::msghdr> {
    let bytes = memory::read(message.cast(), size_of::<libc::msghdr>())?;
    // SAFETY: as many bytes as the struct has, which holds numbers and pointers only.
    Ok(unsafe { bytes.as_ptr().cast::<libc::msghdr>().read_unaligned() })
}

fn send_message(handle: &Handle, message: *const libc::msghdr, flags: i32) -> Answer<i64> {
    let header = read_header(message)?;
    let to = handle.destination(header.msg_name.cast(), header.msg_namelen)?;
    let bytes = Parts::read(header.msg_iov, header.msg_iovlen as _)?.gather()?;
    let control = match header.msg_control.is_null() {
        true => SendControl::default(),
        false => {
            read_controls(&memory::read(header.msg_control.cast(), header.msg_controllen.min(CONTROL_MAX))?)?
        }
    };
    send(handle, &bytes, flags, to, &control)
}

fn receive_message(handle: &Handle, message: *mut libc::msghdr, flags: i32) -> Answer<i64> {
    let header = read_header(message)?;
    let parts = Parts::read(header.msg_iov, header.msg_iovlen as _)?;
    if flags & libc::MSG_ERRQUEUE != 0 {
        let error = handle.socket.with(|host, id, _| host.recv_error(id)).or_errno()?;
        let payload = error.payload.to_vec();
        let written = parts.scatter(&payload[..payload.len().min(parts.len())])?;
        let cut = if (written as usize) < payload.len() { libc::MSG_TRUNC } else { 0 };
        let controls = [control_of(&error, handle.domain)];
        let name = address::encode(handle.domain, error.destination).as_bytes().to_vec();
        finish(message, &header, &name, &controls, libc::MSG_ERRQUEUE | cut)?;
        return Ok(written);
    }
    let received = receive(handle, parts.len(), flags)?;
    parts.scatter(received.kept(parts.len()))?;
    let name = received.name(handle.domain);
    let controls = match &received {
        Received::Datagram(datagram, _) => asked_for(handle, datagram)?,
        Received::Bytes(_) | Received::Dropped(_) => vec![],
    };
    let cut = if received.is_cut(parts.len()) { libc::MSG_TRUNC } else { 0 };
    finish(message, &header, &name, &controls, cut)?;
    Ok(received.told(parts.len(), flags))
}

type Control = (i32, i32, Vec<u8>);

/// The control messages that the socket's options ask for.
fn asked_for(handle: &Handle, datagram: &sockeye_core::host::Datagram) -> Answer<Vec<Control>> {
    let (ttl, tos) = (i32::from(datagram.ttl), i32::from(datagram.tos));
    let interface = datagram.interface.0.to_ne_bytes();
    let mut controls = vec![];
    if datagram.segment > 0 {
        controls.push((libc::SOL_UDP, libc::UDP_GRO, i32::from(datagram.segment).to_ne_bytes().to_vec()));
    }
    let on = |level, name| {
        let value = handle.socket.with(|host, id, now| host.getsockopt(id, level, name, 4, now));
        value.is_ok_and(|value| value.iter().any(|byte| *byte != 0))
    };
    match datagram.to {
        IpAddr::V4(to) => {
            let info = [&interface[..], &to.octets(), &to.octets()].concat();
            let of = [
                (libc::IP_PKTINFO, libc::IP_PKTINFO, info),
                (libc::IP_RECVTTL, libc::IP_TTL, ttl.to_ne_bytes().to_vec()),
                (libc::IP_RECVTOS, libc::IP_TOS, vec![datagram.tos]),
            ];
            let wanted = of.into_iter().filter(|(option, ..)| on(libc::IPPROTO_IP, *option));
            controls.extend(wanted.map(|(_, kind, data)| (libc::IPPROTO_IP, kind, data)));
        }
        IpAddr::V6(to) => {
            let of = [
                (libc::IPV6_RECVPKTINFO, libc::IPV6_PKTINFO, [&to.octets()[..], &interface].concat()),
                (libc::IPV6_RECVHOPLIMIT, libc::IPV6_HOPLIMIT, ttl.to_ne_bytes().to_vec()),
                (libc::IPV6_RECVTCLASS, libc::IPV6_TCLASS, tos.to_ne_bytes().to_vec()),
            ];
            let wanted = of.into_iter().filter(|(option, ..)| on(libc::IPPROTO_IPV6, *option));
            controls.extend(wanted.map(|(_, kind, data)| (libc::IPPROTO_IPV6, kind, data)));
        }
    }
    Ok(controls)
}

/// `struct sock_extended_err` and the address of who sent the message.
fn control_of(error: &QueuedError, domain: Domain) -> Control {
    let mut data = u32::from(error.errno.0).to_ne_bytes().to_vec();
    data.extend([error.origin, error.icmp_type, error.icmp_code, 0]);
    data.extend(error.info.to_ne_bytes());
    data.extend(0u32.to_ne_bytes());
    match error.offender {
        Some(offender) => data.extend(address::encode(domain, SocketAddr::new(offender, 0)).as_bytes()),
        None => data.resize(data.len() + if domain == Domain::Inet { 16 } else { 28 }, 0),
    }
    match domain {
        Domain::Inet => (libc::IPPROTO_IP, libc::IP_RECVERR, data),
        Domain::Inet6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR, data),
    }
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
    let mut area = vec![];
    for (level, kind, data) in controls {
        let (whole, room) = (CONTROL_HEADER_LEN + data.len(), room_max - area.len());
        let len = whole.min(room);
        flags |= if len < whole { libc::MSG_CTRUNC } else { 0 };
        if len < CONTROL_HEADER_LEN {
            break;
        }
        area.extend((len as u64).to_ne_bytes());
        area.extend(level.to_ne_bytes());
        area.extend(kind.to_ne_bytes());
        area.extend(&data[..len - CONTROL_HEADER_LEN]);
        area.resize(area.len().next_multiple_of(8).min(room_max), 0);
    }
    memory::write(header.msg_control.cast(), &area)?;
    told.msg_controllen = area.len() as _;
    told.msg_flags = flags;
    // SAFETY: a struct of plain numbers and pointers, seen as its bytes.
    let bytes =
        unsafe { std::slice::from_raw_parts((&raw const told).cast::<u8>(), size_of::<libc::msghdr>()) };
    memory::write(message.cast(), bytes)
}

/// The control messages of a datagram that is sent.
fn read_controls(area: &[u8]) -> Answer<SendControl> {
    let mut control = SendControl::default();
    let mut at = 0;
    while at + CONTROL_HEADER_LEN <= area.len() {
        let word = |at: usize| i32::from_ne_bytes(area[at..at + 4].try_into().expect("four bytes"));
        let len = usize::from_ne_bytes(area[at..at + 8].try_into().expect("eight bytes"));
        let end = at.checked_add(len).filter(|end| len >= CONTROL_HEADER_LEN && *end <= area.len());
        let data = &area[at + CONTROL_HEADER_LEN..end.ok_or(Errno::EINVAL)?];
        read_control(&mut control, word(at + 8), word(at + 12), data)?;
        at += len.next_multiple_of(8);
    }
    Ok(control)
}

fn read_control(control: &mut SendControl, level: i32, kind: i32, data: &[u8]) -> Answer<()> {
    let int = || data.first_chunk().map(|b| i32::from_ne_bytes(*b)).ok_or(Errno::EINVAL);
    let byte = |n: i32| u8::try_from(n).map_err(|_| Errno::EINVAL);
    let mut source = |index: i32, ip: IpAddr| {
        control.interface = (index != 0).then_some(IfIndex(index as u32));
        control.source = (!ip.is_unspecified()).then_some(ip);
    };
    match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) if data.len() >= 12 => {
            source(int()?, IpAddr::from(<[u8; 4]>::try_from(&data[4..8]).expect("four bytes")));
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if data.len() >= 20 => {
            let index = i32::from_ne_bytes(data[16..20].try_into().expect("four bytes"));
            source(index, IpAddr::from(<[u8; 16]>::try_from(&data[..16]).expect("sixteen bytes")));
        }
        (libc::IPPROTO_IP, libc::IP_TTL) => control.ttl = Some(byte(int()?)?),
        (libc::IPPROTO_IP, libc::IP_TOS) if data.len() == 1 => control.tos = Some(data[0]),
        (libc::IPPROTO_IP, libc::IP_TOS) => control.tos = Some(byte(int()?)?),
        (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
            control.ttl = if int()? == -1 { None } else { Some(byte(int()?)?) }
        }
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
            control.tos = if int()? == -1 { None } else { Some(byte(int()?)?) }
        }
        (libc::SOL_UDP, libc::UDP_SEGMENT) => {
            control.segment = Some(u16::from_ne_bytes(data.try_into().map_err(|_| Errno::EINVAL)?));
        }
        (libc::SOL_SOCKET, _) => {}
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// Buffers of a call.
struct Parts(Vec<(*mut u8, usize)>);

impl Parts {
    fn read(parts: *const libc::iovec, count: usize) -> Answer<Self> {
        if count > libc::UIO_MAXIOV as usize {
            return Err(Errno::EMSGSIZE);
        }
        let bytes = memory::read(parts.cast(), count * size_of::<libc::iovec>())?;
        let word = |at: usize| usize::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let all = (0..count).map(|index| (word(16 * index) as *mut u8, word(16 * index + 8)));
        Ok(Self(all.collect()))
    }

    fn len(&self) -> usize {
        self.0.iter().fold(0, |sum: usize, (_, len)| sum.saturating_add(*len)).min(1 << 24)
    }

    fn gather(&self) -> Answer<Vec<u8>> {
        let mut all = vec![];
        for (from, len) in &self.0 {
            all.extend(memory::read(*from, (*len).min((1 << 24) - all.len()))?);
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

/// Length of `struct cmsghdr`.
const CONTROL_HEADER_LEN: usize = 16;
/// Bytes of control messages that are read.
const CONTROL_MAX: usize = 64 * 1024;
