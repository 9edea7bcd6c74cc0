//! Sockets for tasks, after `tokio::net`.
//!
//! One core serves every executor: a call is tried under the lab's lock, and where it would wait the task's waker is
//! left with the socket under that same lock. So these types work in a [`crate::sim::Simulation`] and, in a lab in
//! real time, under tokio or any other executor; the same server source runs in both. Nothing is ever half done when a
//! future is dropped: a read that was not answered has taken nothing, a write has sent nothing.
//!
//! With the feature `tokio` the streams have tokio's `AsyncRead` and `AsyncWrite`, and `TcpStream::ready` speaks
//! tokio's `Interest` and `Ready`.
//!
//! ```
//! use sockeye::aio::{TcpListener, TcpStream};
//! use sockeye::{Lab, Link};
//! use std::time::Duration;
//!
//! let hour = Link::new().delay(Duration::from_secs(3600));
//! let sim = Lab::simulated(7).host("a").host("b").link("a", "b", hour).build().unwrap();
//! sim.spawn("b", |b| async move {
//!     let listener = TcpListener::bind(b.net(), "0.0.0.0:80").await.unwrap();
//!     let (stream, _) = listener.accept().await.unwrap();
//!     stream.write_all(b"hello").await.unwrap();
//! });
//! let a = sim.node("a");
//! // A handshake gives up after two minutes: nobody answers over such a link.
//! let answer = sim.block_on(TcpStream::connect(a.net(), "b:80"));
//! assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
//! ```

mod split;
mod stream;
mod tcp;
#[cfg(feature = "tokio")]
mod tokio_io;
mod udp;
mod unix;

pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use stream::TcpStream;
pub use tcp::TcpListener;
pub use udp::UdpSocket;
pub use unix::{UnixDatagram, UnixListener, UnixStream};

use crate::net::Socket;
use crate::running::wait::Way;
use sockeye_core::host::Host;
use sockeye_core::{Errno, Instant, Readiness, SocketId};
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

/// A future that waits for a socket, as far as the socket knows of it.
struct Waiting<'a> {
    socket: &'a Socket,
    way: Way,
    number: u64,
    is_known: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_known {
            self.socket.forget(self.way, self.number);
        }
    }
}

/// Waiting, as tasks do.
impl Socket {
    /// Makes a call again and again until it no longer says EAGAIN.
    pub(crate) async fn answer<R>(
        &self,
        way: Way,
        mut f: impl FnMut(&mut Host, SocketId, Instant) -> Result<R, Errno>,
    ) -> io::Result<R> {
        let number = self.net().running.next_number();
        let mut waiting = Waiting { socket: self, way, number, is_known: false };
        poll_fn(|cx| {
            let answer = self.poll(way, number, cx, &mut f);
            waiting.is_known = answer.is_pending();
            answer
        })
        .await
    }

    /// Makes a call on behalf of a `poll_` method.
    pub(crate) fn poll_call<R>(
        &self,
        way: Way,
        cx: &mut Context<'_>,
        f: impl FnOnce(&mut Host, SocketId, Instant) -> Result<R, Errno>,
    ) -> Poll<io::Result<R>> {
        self.poll(way, 0, cx, f)
    }

    pub(crate) async fn until_readable(&self) -> io::Result<()> {
        self.answer(Way::Read, |host, id, _| ready_or_wait(host, id, READABLE)).await
    }

    pub(crate) async fn until_writable(&self) -> io::Result<()> {
        self.answer(Way::Write, |host, id, _| ready_or_wait(host, id, WRITABLE)).await
    }

    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_call(Way::Read, cx, |host, id, _| ready_or_wait(host, id, READABLE))
    }

    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_call(Way::Write, cx, |host, id, _| ready_or_wait(host, id, WRITABLE))
    }
}

/// Bytes of a stream whatever its family, and datagrams of the Unix domain.
impl Socket {
    pub(crate) async fn read_some(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.answer(Way::Read, |host, id, now| host.recv(id, buf, false, now)).await
    }

    pub(crate) async fn read_exactly(&self, mut buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len();
        while !buf.is_empty() {
            match self.read_some(buf).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => buf = &mut buf[n..],
            }
        }
        Ok(len)
    }

    pub(crate) async fn read_all(&self, out: &mut Vec<u8>) -> io::Result<usize> {
        let before = out.len();
        let mut buf = vec![0; CHUNK_BYTES];
        loop {
            match self.read_some(&mut buf).await? {
                0 => return Ok(out.len() - before),
                n => out.extend_from_slice(&buf[..n]),
            }
        }
    }

    pub(crate) async fn write_some(&self, buf: &[u8]) -> io::Result<usize> {
        self.answer(Way::Write, |host, id, now| host.send(id, buf, now)).await
    }

    pub(crate) async fn write_whole(&self, mut buf: &[u8]) -> io::Result<()> {
        while !buf.is_empty() {
            let n = self.write_some(buf).await?;
            buf = &buf[n..];
        }
        Ok(())
    }
}

/// Read at once by [`Socket::read_all`].
const CHUNK_BYTES: usize = 16 * 1024;

/// EAGAIN until the socket is ready for one of these.
pub(crate) fn ready_or_wait(host: &Host, id: SocketId, what: Readiness) -> Result<(), Errno> {
    if host.readiness(id).intersects(what) { Ok(()) } else { Err(Errno::EAGAIN) }
}

/// When a read does not wait: it may also fail, or find the end.
pub(crate) const READABLE: Readiness =
    Readiness::IN.union(Readiness::RDHUP).union(Readiness::HUP).union(Readiness::ERR);
/// When a write does not wait: it may also fail.
pub(crate) const WRITABLE: Readiness = Readiness::OUT.union(Readiness::HUP).union(Readiness::ERR);
