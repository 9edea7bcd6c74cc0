//! The surface of `std::net` and `std::os::unix::net`, method by method: each line is compiled against std's type and against ours, with the same
//! arguments and the same answer. Left out are `bind` and `connect` of streams and listeners, which here take the host's
//! handle first, and the traits of descriptors.

use std::io;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::time::Duration;

const ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
type Time = Option<Duration>;

macro_rules! surface {
    ($name:ident, |$s:ident, $buf:ident| { $($item:ident: $call:expr => $out:ty;)* }) => {
        mod $name {
            use super::*;

            pub(super) const ITEMS: &[&str] = &[$(stringify!($item)),*];

            #[allow(dead_code)]
            fn ours($s: &mut ours_of!($name), $buf: &mut [u8]) {
                $(let _: $out = $call;)*
            }

            #[allow(dead_code)]
            fn theirs($s: &mut theirs_of!($name), $buf: &mut [u8]) {
                $(let _: $out = $call;)*
            }
        }
    };
}

macro_rules! ours_of {
    (listener) => {
        sockeye::net::TcpListener
    };
    (stream) => {
        sockeye::net::TcpStream
    };
    (udp) => {
        sockeye::net::UdpSocket
    };
    (unix_listener) => {
        sockeye::net::UnixListener
    };
    (unix_stream) => {
        sockeye::net::UnixStream
    };
    (unix_datagram) => {
        sockeye::net::UnixDatagram
    };
}

macro_rules! theirs_of {
    (listener) => {
        std::net::TcpListener
    };
    (stream) => {
        std::net::TcpStream
    };
    (udp) => {
        std::net::UdpSocket
    };
    (unix_listener) => {
        std::os::unix::net::UnixListener
    };
    (unix_stream) => {
        std::os::unix::net::UnixStream
    };
    (unix_datagram) => {
        std::os::unix::net::UnixDatagram
    };
}

surface!(listener, |s, _buf| {
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    try_clone: s.try_clone().map(|other| *s = other) => io::Result<()>;
    accept: s.accept().map(|(_, from)| from) => io::Result<SocketAddr>;
    incoming: s.incoming().next().map(|stream| stream.is_ok()) => Option<bool>;
    set_ttl: s.set_ttl(1) => io::Result<()>;
    ttl: s.ttl() => io::Result<u32>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
    set_nonblocking: s.set_nonblocking(true) => io::Result<()>;
});

surface!(stream, |s, buf| {
    peer_addr: s.peer_addr() => io::Result<SocketAddr>;
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    shutdown: s.shutdown(Shutdown::Both) => io::Result<()>;
    try_clone: s.try_clone().map(|other| *s = other) => io::Result<()>;
    set_read_timeout: s.set_read_timeout(None) => io::Result<()>;
    set_write_timeout: s.set_write_timeout(None) => io::Result<()>;
    read_timeout: s.read_timeout() => io::Result<Time>;
    write_timeout: s.write_timeout() => io::Result<Time>;
    peek: s.peek(buf) => io::Result<usize>;
    set_nodelay: s.set_nodelay(true) => io::Result<()>;
    nodelay: s.nodelay() => io::Result<bool>;
    set_ttl: s.set_ttl(1) => io::Result<()>;
    ttl: s.ttl() => io::Result<u32>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
    set_nonblocking: s.set_nonblocking(true) => io::Result<()>;
    read: s.read(buf) => io::Result<usize>;
    read_of_ref: (&*s).read(buf) => io::Result<usize>;
    read_vectored: s.read_vectored(&mut [IoSliceMut::new(buf)]) => io::Result<usize>;
    write: s.write(buf) => io::Result<usize>;
    write_of_ref: (&*s).write(buf) => io::Result<usize>;
    write_vectored: s.write_vectored(&[IoSlice::new(buf)]) => io::Result<usize>;
    flush: s.flush() => io::Result<()>;
});

// Addresses are std's on one side and ours on the other: their common methods stand for them.
#[cfg(unix)]
surface!(unix_listener, |s, _buf| {
    local_addr: s.local_addr().map(|a| (a.is_unnamed(), a.as_pathname().is_some())) => io::Result<(bool, bool)>;
    try_clone: s.try_clone().map(|other| *s = other) => io::Result<()>;
    accept: s.accept().map(|(_, from)| from.is_unnamed()) => io::Result<bool>;
    incoming: s.incoming().next().map(|stream| stream.is_ok()) => Option<bool>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
    set_nonblocking: s.set_nonblocking(true) => io::Result<()>;
});

#[cfg(unix)]
surface!(unix_stream, |s, buf| {
    peer_addr: s.peer_addr().map(|a| a.is_unnamed()) => io::Result<bool>;
    local_addr: s.local_addr().map(|a| a.is_unnamed()) => io::Result<bool>;
    shutdown: s.shutdown(Shutdown::Both) => io::Result<()>;
    try_clone: s.try_clone().map(|other| *s = other) => io::Result<()>;
    set_read_timeout: s.set_read_timeout(None) => io::Result<()>;
    set_write_timeout: s.set_write_timeout(None) => io::Result<()>;
    read_timeout: s.read_timeout() => io::Result<Time>;
    write_timeout: s.write_timeout() => io::Result<Time>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
    set_nonblocking: s.set_nonblocking(true) => io::Result<()>;
    read: s.read(buf) => io::Result<usize>;
    read_of_ref: (&*s).read(buf) => io::Result<usize>;
    read_vectored: s.read_vectored(&mut [IoSliceMut::new(buf)]) => io::Result<usize>;
    write: s.write(buf) => io::Result<usize>;
    write_of_ref: (&*s).write(buf) => io::Result<usize>;
    write_vectored: s.write_vectored(&[IoSlice::new(buf)]) => io::Result<usize>;
    flush: s.flush() => io::Result<()>;
});

#[cfg(unix)]
surface!(unix_datagram, |s, buf| {
    peer_addr: s.peer_addr().map(|a| a.is_unnamed()) => io::Result<bool>;
    local_addr: s.local_addr().map(|a| a.is_unnamed()) => io::Result<bool>;
    shutdown: s.shutdown(Shutdown::Both) => io::Result<()>;
    try_clone: s.try_clone().map(|other| *s = other) => io::Result<()>;
    set_read_timeout: s.set_read_timeout(None) => io::Result<()>;
    set_write_timeout: s.set_write_timeout(None) => io::Result<()>;
    read_timeout: s.read_timeout() => io::Result<Time>;
    write_timeout: s.write_timeout() => io::Result<Time>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
    set_nonblocking: s.set_nonblocking(true) => io::Result<()>;
    connect: s.connect("/path") => io::Result<()>;
    send: s.send(buf) => io::Result<usize>;
    send_to: s.send_to(buf, "/path") => io::Result<usize>;
    recv: s.recv(buf) => io::Result<usize>;
    recv_from: s.recv_from(buf).map(|(n, from)| (n, from.is_unnamed())) => io::Result<(usize, bool)>;
});

surface!(udp, |s, buf| {
    recv_from: s.recv_from(buf) => io::Result<(usize, SocketAddr)>;
    peek_from: s.peek_from(buf) => io::Result<(usize, SocketAddr)>;
    send_to: s.send_to(buf, ADDR) => io::Result<usize>;
    peer_addr: s.peer_addr() => io::Result<SocketAddr>;
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    try_clone: s.try_clone().map(|other| *s = other) => io::Result<()>;
    set_read_timeout: s.set_read_timeout(None) => io::Result<()>;
    set_write_timeout: s.set_write_timeout(None) => io::Result<()>;
    read_timeout: s.read_timeout() => io::Result<Time>;
    write_timeout: s.write_timeout() => io::Result<Time>;
    set_broadcast: s.set_broadcast(true) => io::Result<()>;
    broadcast: s.broadcast() => io::Result<bool>;
    set_multicast_loop_v4: s.set_multicast_loop_v4(true) => io::Result<()>;
    multicast_loop_v4: s.multicast_loop_v4() => io::Result<bool>;
    set_multicast_ttl_v4: s.set_multicast_ttl_v4(1) => io::Result<()>;
    multicast_ttl_v4: s.multicast_ttl_v4() => io::Result<u32>;
    set_multicast_loop_v6: s.set_multicast_loop_v6(true) => io::Result<()>;
    multicast_loop_v6: s.multicast_loop_v6() => io::Result<bool>;
    set_ttl: s.set_ttl(1) => io::Result<()>;
    ttl: s.ttl() => io::Result<u32>;
    join_multicast_v4: s.join_multicast_v4(&Ipv4Addr::LOCALHOST, &Ipv4Addr::LOCALHOST) => io::Result<()>;
    join_multicast_v6: s.join_multicast_v6(&Ipv6Addr::LOCALHOST, 1) => io::Result<()>;
    leave_multicast_v4: s.leave_multicast_v4(&Ipv4Addr::LOCALHOST, &Ipv4Addr::LOCALHOST) => io::Result<()>;
    leave_multicast_v6: s.leave_multicast_v6(&Ipv6Addr::LOCALHOST, 1) => io::Result<()>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
    connect: s.connect(ADDR) => io::Result<()>;
    send: s.send(buf) => io::Result<usize>;
    recv: s.recv(buf) => io::Result<usize>;
    peek: s.peek(buf) => io::Result<usize>;
    set_nonblocking: s.set_nonblocking(true) => io::Result<()>;
});

#[test]
fn the_tables_are_whole() {
    let mut tables = vec![listener::ITEMS, stream::ITEMS, udp::ITEMS];
    // Of the Unix domain std has them on Unix alone.
    #[cfg(unix)]
    tables.extend([unix_listener::ITEMS, unix_stream::ITEMS, unix_datagram::ITEMS]);
    for table in &tables {
        let mut names = table.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.len(), "no method stands twice");
    }
    let matched: usize = tables.iter().map(|table| table.len()).sum();
    println!("{matched} methods of std are compiled against both");
    assert_eq!(matched, if cfg!(unix) { 98 } else { 60 });
}
