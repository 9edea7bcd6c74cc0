//! The surface of `tokio::net`, method by method: each line of a table is compiled twice, once against tokio's type and
//! once against ours, with the same arguments and the same answer.
//!
//! The tables have every public method of tokio 1.54's TcpListener, TcpStream, UdpSocket and the halves of a stream,
//! but for: `bind` and `connect`, which here take the host's handle first; the deprecated `tos` and `set_tos`; and the
//! traits of descriptors (`AsFd`, `AsRawFd`, `AsSocket`), since there is no descriptor. `from_std` and `into_std` are
//! those of `sockeye::net` and not in the tables.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{Interest, ReadBuf, Ready};

/// Arguments that calls of the tables need.
struct Arguments<'a> {
    cx: Context<'a>,
    bytes: [u8; 8],
    read_buf: ReadBuf<'a>,
    vec: Vec<u8>,
}

const ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
const BOTH: Interest = Interest::READABLE;

/// Never called: whatever a method consumes.
#[allow(dead_code)]
fn own<T>(_: &mut T) -> T {
    unreachable!("these functions are compiled, not run")
}

#[allow(dead_code)]
fn never<T>() -> T {
    unreachable!("these functions are compiled, not run")
}

macro_rules! surface {
    ($name:ident: $ours:ty, $theirs:ty, |$s:ident, $a:ident| { $($item:ident: $call:expr => $out:ty;)* }) => {
        mod $name {
            use super::*;

            pub(super) const ITEMS: &[&str] = &[$(stringify!($item)),*];

            #[allow(dead_code)]
            async fn ours($s: &mut $ours, $a: &mut Arguments<'_>) {
                $(let _: $out = $call;)*
            }

            #[allow(dead_code)]
            async fn theirs($s: &mut $theirs, $a: &mut Arguments<'_>) {
                $(let _: $out = $call;)*
            }
        }
    };
}

surface!(listener: sockeye::aio::TcpListener, tokio::net::TcpListener, |s, a| {
    accept: s.accept().await.map(|_| ()) => io::Result<()>;
    poll_accept: s.poll_accept(&mut a.cx).map_ok(|_| ()) => Poll<io::Result<()>>;
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    ttl: s.ttl() => io::Result<u32>;
    set_ttl: s.set_ttl(1) => io::Result<()>;
});

surface!(stream: sockeye::aio::TcpStream, tokio::net::TcpStream, |s, a| {
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
    peer_addr: s.peer_addr() => io::Result<SocketAddr>;
    poll_peek: s.poll_peek(&mut a.cx, &mut a.read_buf) => Poll<io::Result<usize>>;
    ready: s.ready(BOTH).await => io::Result<Ready>;
    readable: s.readable().await => io::Result<()>;
    poll_read_ready: s.poll_read_ready(&mut a.cx) => Poll<io::Result<()>>;
    try_read: s.try_read(&mut a.bytes) => io::Result<usize>;
    try_read_vectored: s.try_read_vectored(&mut [IoSliceMut::new(&mut a.bytes)]) => io::Result<usize>;
    try_read_buf: s.try_read_buf(&mut a.vec) => io::Result<usize>;
    writable: s.writable().await => io::Result<()>;
    poll_write_ready: s.poll_write_ready(&mut a.cx) => Poll<io::Result<()>>;
    try_write: s.try_write(&a.bytes) => io::Result<usize>;
    try_write_vectored: s.try_write_vectored(&[IoSlice::new(&a.bytes)]) => io::Result<usize>;
    try_io: s.try_io(BOTH, || Ok(1u8)) => io::Result<u8>;
    async_io: s.async_io(BOTH, || Ok(1u8)).await => io::Result<u8>;
    peek: s.peek(&mut a.bytes).await => io::Result<usize>;
    nodelay: s.nodelay() => io::Result<bool>;
    set_nodelay: s.set_nodelay(true) => io::Result<()>;
    set_zero_linger: s.set_zero_linger() => io::Result<()>;
    ttl: s.ttl() => io::Result<u32>;
    set_ttl: s.set_ttl(1) => io::Result<()>;
    split: { let _ = s.split(); } => ();
    into_split: { let _ = own(s).into_split(); } => ();
});

surface!(read_half: sockeye::aio::OwnedReadHalf, tokio::net::tcp::OwnedReadHalf, |s, a| {
    poll_peek: s.poll_peek(&mut a.cx, &mut a.read_buf) => Poll<io::Result<usize>>;
    peek: s.peek(&mut a.bytes).await => io::Result<usize>;
    ready: s.ready(BOTH).await => io::Result<Ready>;
    readable: s.readable().await => io::Result<()>;
    try_read: s.try_read(&mut a.bytes) => io::Result<usize>;
    try_read_vectored: s.try_read_vectored(&mut [IoSliceMut::new(&mut a.bytes)]) => io::Result<usize>;
    try_read_buf: s.try_read_buf(&mut a.vec) => io::Result<usize>;
    peer_addr: s.peer_addr() => io::Result<SocketAddr>;
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    reunite: { let r = own(s); drop(r.reunite(never())); } => ();
});

surface!(write_half: sockeye::aio::OwnedWriteHalf, tokio::net::tcp::OwnedWriteHalf, |s, a| {
    forget: own(s).forget() => ();
    ready: s.ready(BOTH).await => io::Result<Ready>;
    writable: s.writable().await => io::Result<()>;
    try_write: s.try_write(&a.bytes) => io::Result<usize>;
    try_write_vectored: s.try_write_vectored(&[IoSlice::new(&a.bytes)]) => io::Result<usize>;
    peer_addr: s.peer_addr() => io::Result<SocketAddr>;
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    reunite: { let w = own(s); drop(w.reunite(never())); } => ();
});

surface!(udp: sockeye::aio::UdpSocket, tokio::net::UdpSocket, |s, a| {
    local_addr: s.local_addr() => io::Result<SocketAddr>;
    peer_addr: s.peer_addr() => io::Result<SocketAddr>;
    connect: s.connect(ADDR).await => io::Result<()>;
    ready: s.ready(BOTH).await => io::Result<Ready>;
    writable: s.writable().await => io::Result<()>;
    poll_send_ready: s.poll_send_ready(&mut a.cx) => Poll<io::Result<()>>;
    send: s.send(&a.bytes).await => io::Result<usize>;
    poll_send: s.poll_send(&mut a.cx, &a.bytes) => Poll<io::Result<usize>>;
    try_send: s.try_send(&a.bytes) => io::Result<usize>;
    readable: s.readable().await => io::Result<()>;
    poll_recv_ready: s.poll_recv_ready(&mut a.cx) => Poll<io::Result<()>>;
    recv: s.recv(&mut a.bytes).await => io::Result<usize>;
    poll_recv: s.poll_recv(&mut a.cx, &mut a.read_buf) => Poll<io::Result<()>>;
    try_recv: s.try_recv(&mut a.bytes) => io::Result<usize>;
    try_recv_buf: s.try_recv_buf(&mut a.vec) => io::Result<usize>;
    recv_buf: s.recv_buf(&mut a.vec).await => io::Result<usize>;
    try_recv_buf_from: s.try_recv_buf_from(&mut a.vec) => io::Result<(usize, SocketAddr)>;
    recv_buf_from: s.recv_buf_from(&mut a.vec).await => io::Result<(usize, SocketAddr)>;
    send_to: s.send_to(&a.bytes, ADDR).await => io::Result<usize>;
    poll_send_to: s.poll_send_to(&mut a.cx, &a.bytes, ADDR) => Poll<io::Result<usize>>;
    try_send_to: s.try_send_to(&a.bytes, ADDR) => io::Result<usize>;
    recv_from: s.recv_from(&mut a.bytes).await => io::Result<(usize, SocketAddr)>;
    poll_recv_from: s.poll_recv_from(&mut a.cx, &mut a.read_buf) => Poll<io::Result<SocketAddr>>;
    try_recv_from: s.try_recv_from(&mut a.bytes) => io::Result<(usize, SocketAddr)>;
    try_io: s.try_io(BOTH, || Ok(1u8)) => io::Result<u8>;
    async_io: s.async_io(BOTH, || Ok(1u8)).await => io::Result<u8>;
    peek: s.peek(&mut a.bytes).await => io::Result<usize>;
    poll_peek: s.poll_peek(&mut a.cx, &mut a.read_buf) => Poll<io::Result<()>>;
    try_peek: s.try_peek(&mut a.bytes) => io::Result<usize>;
    peek_from: s.peek_from(&mut a.bytes).await => io::Result<(usize, SocketAddr)>;
    poll_peek_from: s.poll_peek_from(&mut a.cx, &mut a.read_buf) => Poll<io::Result<SocketAddr>>;
    try_peek_from: s.try_peek_from(&mut a.bytes) => io::Result<(usize, SocketAddr)>;
    peek_sender: s.peek_sender().await => io::Result<SocketAddr>;
    poll_peek_sender: s.poll_peek_sender(&mut a.cx) => Poll<io::Result<SocketAddr>>;
    try_peek_sender: s.try_peek_sender() => io::Result<SocketAddr>;
    broadcast: s.broadcast() => io::Result<bool>;
    set_broadcast: s.set_broadcast(true) => io::Result<()>;
    multicast_loop_v4: s.multicast_loop_v4() => io::Result<bool>;
    set_multicast_loop_v4: s.set_multicast_loop_v4(true) => io::Result<()>;
    multicast_ttl_v4: s.multicast_ttl_v4() => io::Result<u32>;
    set_multicast_ttl_v4: s.set_multicast_ttl_v4(1) => io::Result<()>;
    multicast_loop_v6: s.multicast_loop_v6() => io::Result<bool>;
    set_multicast_loop_v6: s.set_multicast_loop_v6(true) => io::Result<()>;
    ttl: s.ttl() => io::Result<u32>;
    set_ttl: s.set_ttl(1) => io::Result<()>;
    tos_v4: s.tos_v4() => io::Result<u32>;
    set_tos_v4: s.set_tos_v4(1) => io::Result<()>;
    join_multicast_v4: s.join_multicast_v4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST) => io::Result<()>;
    join_multicast_v6: s.join_multicast_v6(&Ipv6Addr::LOCALHOST, 1) => io::Result<()>;
    leave_multicast_v4: s.leave_multicast_v4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST) => io::Result<()>;
    leave_multicast_v6: s.leave_multicast_v6(&Ipv6Addr::LOCALHOST, 1) => io::Result<()>;
    take_error: s.take_error() => io::Result<Option<io::Error>>;
});

// Methods that tokio has on Linux only, or not on Windows.
#[cfg(target_os = "linux")]
surface!(stream_linux: sockeye::aio::TcpStream, tokio::net::TcpStream, |s, _a| {
    quickack: s.quickack() => io::Result<bool>;
    set_quickack: s.set_quickack(true) => io::Result<()>;
});
#[cfg(target_os = "linux")]
surface!(udp_linux: sockeye::aio::UdpSocket, tokio::net::UdpSocket, |s, _a| {
    tclass_v6: s.tclass_v6() => io::Result<u32>;
    set_tclass_v6: s.set_tclass_v6(1) => io::Result<()>;
    device: s.device() => io::Result<Option<Vec<u8>>>;
    bind_device: s.bind_device(Some(b"eth0")) => io::Result<()>;
});

/// tokio has marked `set_linger` as deprecated: it stands apart, so that the rest may have no warnings.
#[allow(deprecated, dead_code)]
mod linger {
    use super::*;
    pub(super) const ITEMS: &[&str] = &["linger", "set_linger"];
    fn ours(s: &sockeye::aio::TcpStream) -> (io::Result<Option<Duration>>, io::Result<()>) {
        (s.linger(), s.set_linger(None))
    }
    fn theirs(s: &tokio::net::TcpStream) -> (io::Result<Option<Duration>>, io::Result<()>) {
        (s.linger(), s.set_linger(None))
    }
}

#[test]
fn the_tables_are_whole() {
    let mut tables =
        vec![listener::ITEMS, stream::ITEMS, linger::ITEMS, read_half::ITEMS, write_half::ITEMS, udp::ITEMS];
    #[cfg(target_os = "linux")]
    tables.extend([stream_linux::ITEMS, udp_linux::ITEMS]);
    for table in &tables {
        let mut names = table.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.len(), "no method stands twice");
    }
    let matched: usize = tables.iter().map(|table| table.len()).sum();
    println!("{matched} methods of tokio::net are compiled against both");
    assert!(matched >= if cfg!(target_os = "linux") { 107 } else { 101 }, "{matched}");
}

/// The traits that generic code asks for.
#[test]
fn streams_have_tokio_s_traits() {
    fn whole<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + Sync + 'static>() -> usize {
        size_of::<T>()
    }
    fn reads<T: tokio::io::AsyncRead + Unpin + Send>() {}
    fn writes<T: tokio::io::AsyncWrite + Unpin + Send>() {}
    assert_eq!(whole::<sockeye::aio::TcpStream>(), size_of::<usize>());
    whole::<tokio::net::TcpStream>();
    reads::<sockeye::aio::OwnedReadHalf>();
    reads::<sockeye::aio::ReadHalf<'_>>();
    writes::<sockeye::aio::OwnedWriteHalf>();
    writes::<sockeye::aio::WriteHalf<'_>>();
}
