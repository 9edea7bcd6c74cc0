//! getaddrinfo(3) by the names of the lab: its hosts, `localhost`, addresses written out. Services are numbers.

use super::{Answer, lab, memory};
use sockeye_core::Errno;
use sockeye_core::host::Domain;
use sockeye_core::wire::sockaddr::encode;
use std::ffi::{CString, c_char};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ptr;

/// What is wanted of the answers: `struct addrinfo` as hints.
#[derive(Clone, Copy, Debug, Default)]
struct Hints {
    flags: i32,
    family: i32,
    kind: i32,
    protocol: i32,
}

/// getaddrinfo(3) on the current host of the thread; the answer is 0 or an `EAI_` code. Free the list with
/// [`sockeye_freeaddrinfo`].
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
    found: *mut *mut libc::addrinfo,
) -> i32 {
    match look_up(node, service, hints) {
        Err(code) => code,
        Ok(list) => match memory::write(found.cast(), &(list as usize).to_ne_bytes()) {
            Ok(()) => 0,
            Err(_) => {
                // SAFETY: the list was just made.
                unsafe { sockeye_freeaddrinfo(list) };
                libc::EAI_SYSTEM
            }
        },
    }
}

/// freeaddrinfo(3).
///
/// # Safety
/// `list` is null, or one that [`sockeye_getaddrinfo`] gave and nobody has freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sockeye_freeaddrinfo(mut list: *mut libc::addrinfo) {
    while !list.is_null() {
        // SAFETY: each entry, its address and its name were made by `entry`, with these layouts.
        unsafe {
            let one = Box::from_raw(list);
            list = one.ai_next;
            drop(Box::from_raw(one.ai_addr.cast::<libc::sockaddr_storage>()));
            if !one.ai_canonname.is_null() {
                drop(CString::from_raw(one.ai_canonname));
            }
        }
    }
}

fn look_up(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
) -> Result<*mut libc::addrinfo, i32> {
    let hints = read_hints(hints).map_err(|_| libc::EAI_SYSTEM)?;
    if node.is_null() && service.is_null() {
        return Err(libc::EAI_NONAME);
    }
    if ![libc::AF_UNSPEC, libc::AF_INET, libc::AF_INET6].contains(&hints.family) {
        return Err(libc::EAI_FAMILY);
    }
    let port = match service.is_null() {
        true => 0,
        false => {
            let text = memory::read_text(service).map_err(|_| libc::EAI_SYSTEM)?;
            text.parse::<u16>().map_err(|_| libc::EAI_SERVICE)?
        }
    };
    let name =
        if node.is_null() { None } else { Some(memory::read_text(node).map_err(|_| libc::EAI_SYSTEM)?) };
    let addresses = addresses(name.as_deref(), hints)?;
    let kinds: Vec<(i32, i32)> = KINDS
        .into_iter()
        .filter(|(kind, protocol)| {
            (hints.kind == 0 || hints.kind == *kind)
                && (hints.protocol == 0 || *protocol == 0 || hints.protocol == *protocol)
        })
        .collect();
    if kinds.is_empty() {
        return Err(libc::EAI_SOCKTYPE);
    }
    let canonical = name.filter(|_| hints.flags & libc::AI_CANONNAME != 0);
    let mut list = ptr::null_mut();
    for (at, ip) in addresses.iter().enumerate().rev() {
        for (nth, kind) in kinds.iter().enumerate().rev() {
            let name = canonical.as_deref().filter(|_| at == 0 && nth == 0);
            list = entry(SocketAddr::new(*ip, port), *kind, name, list);
        }
    }
    if list.is_null() { Err(libc::EAI_NONAME) } else { Ok(list) }
}

fn addresses(name: Option<&str>, hints: Hints) -> Result<Vec<IpAddr>, i32> {
    let all = match name {
        None if hints.flags & libc::AI_PASSIVE != 0 => {
            vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
        }
        None => vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
        Some(name) => match name.parse() {
            Ok(ip) => vec![ip],
            Err(_) if hints.flags & libc::AI_NUMERICHOST != 0 => return Err(libc::EAI_NONAME),
            Err(_) => {
                let net = lab::current().map_err(|_| libc::EAI_SYSTEM)?;
                net.resolve(name).map_err(|_| libc::EAI_NONAME)?
            }
        },
    };
    let fits = |ip: &IpAddr| match hints.family {
        libc::AF_INET => ip.is_ipv4(),
        libc::AF_INET6 => ip.is_ipv6(),
        _ => true,
    };
    Ok(all.into_iter().filter(fits).collect())
}

fn entry(
    addr: SocketAddr,
    (kind, protocol): (i32, i32),
    name: Option<&str>,
    next: *mut libc::addrinfo,
) -> *mut libc::addrinfo {
    let (domain, family) =
        if addr.is_ipv4() { (Domain::Inet, libc::AF_INET) } else { (Domain::Inet6, libc::AF_INET6) };
    let raw = encode(domain, addr);
    // SAFETY: all-zero is a valid value of this plain struct.
    let mut room: Box<libc::sockaddr_storage> = Box::new(unsafe { std::mem::zeroed() });
    // SAFETY: 28 bytes at most go into a struct of 128.
    unsafe {
        ptr::copy_nonoverlapping(
            raw.as_bytes().as_ptr(),
            (&raw mut *room).cast::<u8>(),
            raw.as_bytes().len(),
        );
    }
    Box::into_raw(Box::new(libc::addrinfo {
        ai_flags: 0,
        ai_family: family,
        ai_socktype: kind,
        ai_protocol: protocol,
        ai_addrlen: raw.as_bytes().len() as libc::socklen_t,
        ai_addr: Box::into_raw(room).cast(),
        ai_canonname: name
            .and_then(|name| CString::new(name).ok())
            .map_or(ptr::null_mut(), CString::into_raw),
        ai_next: next,
    }))
}

fn read_hints(hints: *const libc::addrinfo) -> Answer<Hints> {
    if hints.is_null() {
        return Ok(Hints::default());
    }
    let bytes = memory::read(hints.cast(), 16)?;
    let int = |at: usize| i32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let hints = Hints { flags: int(0), family: int(4), kind: int(8), protocol: int(12) };
    if hints.flags & !FLAGS != 0 { Err(Errno::EINVAL) } else { Ok(hints) }
}

/// The kinds of sockets, in glibc's order, with their protocols; 0 is any.
const KINDS: [(i32, i32); 3] =
    [(libc::SOCK_STREAM, libc::IPPROTO_TCP), (libc::SOCK_DGRAM, libc::IPPROTO_UDP), (libc::SOCK_RAW, 0)];
const FLAGS: i32 = libc::AI_PASSIVE
    | libc::AI_CANONNAME
    | libc::AI_NUMERICHOST
    | libc::AI_NUMERICSERV
    | libc::AI_ADDRCONFIG
    | libc::AI_V4MAPPED
    | libc::AI_ALL;
