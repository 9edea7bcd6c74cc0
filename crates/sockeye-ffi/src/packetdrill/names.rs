//! Addresses as C passes them.

use libc::{sockaddr, sockaddr_in, sockaddr_in6, socklen_t};
use sockeye_core::errno::{Errno, Result};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Name {
    Internet(SocketAddr),
    /// `AF_UNSPEC`.
    Nobody,
}

/// Reads `struct sockaddr`, as the kernel's inet calls do.
///
/// # Safety
/// `addr` is null or has `len` bytes.
pub(super) unsafe fn read(addr: *const sockaddr, len: socklen_t) -> Result<Name> {
    if addr.is_null() {
        return Err(Errno::EFAULT);
    }
    let len = len as usize;
    if len < size_of::<libc::sa_family_t>() {
        return Err(Errno::EINVAL);
    }
    // SAFETY: the family is within `len`.
    let family = i32::from(unsafe { addr.cast::<libc::sa_family_t>().read_unaligned() });
    match family {
        libc::AF_UNSPEC => Ok(Name::Nobody),
        libc::AF_INET if len >= size_of::<sockaddr_in>() => {
            // SAFETY: it has that many bytes.
            let v4 = unsafe { addr.cast::<sockaddr_in>().read_unaligned() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Ok(Name::Internet(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into()))
        }
        libc::AF_INET6 if len >= V6_LEN_MIN => {
            let mut v6 = [0u8; size_of::<sockaddr_in6>()];
            let n = len.min(v6.len());
            // SAFETY: `n` bytes are there and fit.
            unsafe { std::ptr::copy_nonoverlapping(addr.cast::<u8>(), v6.as_mut_ptr(), n) };
            let port = u16::from_be_bytes([v6[2], v6[3]]);
            let octets: [u8; 16] = v6[8..24].try_into().expect("sixteen");
            let scope = u32::from_ne_bytes(v6[24..28].try_into().expect("four"));
            Ok(Name::Internet(SocketAddrV6::new(Ipv6Addr::from(octets), port, 0, scope).into()))
        }
        libc::AF_INET | libc::AF_INET6 => Err(Errno::EINVAL),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// Writes an address as getsockname(2) would: cut to what there is room for, its whole length told.
///
/// # Safety
/// `len` is null, or points to the size of what `out` points to.
pub(super) unsafe fn write(name: SocketAddr, out: *mut sockaddr, len: *mut socklen_t) {
    if out.is_null() || len.is_null() {
        return;
    }
    let mut bytes = Vec::with_capacity(size_of::<sockaddr_in6>());
    match name {
        SocketAddr::V4(v4) => {
            bytes.extend((libc::AF_INET as u16).to_ne_bytes());
            bytes.extend(v4.port().to_be_bytes());
            bytes.extend(v4.ip().octets());
            bytes.extend([0; 8]);
        }
        SocketAddr::V6(v6) => {
            bytes.extend((libc::AF_INET6 as u16).to_ne_bytes());
            bytes.extend(v6.port().to_be_bytes());
            bytes.extend([0; 4]);
            bytes.extend(v6.ip().octets());
            bytes.extend(v6.scope_id().to_ne_bytes());
        }
    }
    // SAFETY: both pointers are the caller's, who says how much room there is.
    unsafe {
        let n = bytes.len().min(*len as usize);
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), out.cast::<u8>(), n);
        *len = bytes.len() as socklen_t;
    }
}

/// `SIN6_LEN_RFC2133`.
const V6_LEN_MIN: usize = 24;
