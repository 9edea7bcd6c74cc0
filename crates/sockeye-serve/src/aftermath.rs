//! After a supervisor that was killed: waking programs that would wait for ever.
//!
//! Joined streams see the end by themselves, and held calls get ENOSYS from the kernel. A program that polls a
//! listening or a datagram carrier would see nothing: so the front, which lives on, connects once to each listening
//! carrier and sends an empty datagram to each datagram carrier of the lab. Their next calls then say ENOSYS.

use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, sendto, socket_with,
};
use std::fs;

/// Wakes every carrier whose abstract name starts with `prefix`.
pub(crate) fn wake_carriers(prefix: &str) {
    if prefix.is_empty() {
        return;
    }
    // Names are bytes of any kind; those that we wake are readable.
    let names = fs::read("/proc/net/unix").unwrap_or_default();
    for name in
        String::from_utf8_lossy(&names).lines().filter_map(|l| l.rsplit(' ').next()?.strip_prefix('@'))
    {
        let Ok(address) = SocketAddrUnix::new_abstract_name(name.as_bytes()) else { continue };
        if name.starts_with(prefix) {
            wake(&address);
        }
    }
}

fn wake(address: &SocketAddrUnix) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    if let Ok(stream) = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        && connect(&stream, address).is_ok()
    {
        return;
    }
    if let Ok(datagram) = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None) {
        let _ = sendto(&datagram, &[], SendFlags::NOSIGNAL | SendFlags::DONTWAIT, address);
    }
}
