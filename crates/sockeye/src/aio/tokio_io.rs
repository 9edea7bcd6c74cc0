//! What tokio's own traits and words add to the sockets: the feature `tokio`.

use super::{
    OwnedReadHalf, OwnedWriteHalf, ReadHalf, TcpStream, UdpSocket, UnixDatagram, UnixStream, WriteHalf,
};
use crate::net::{Socket, receive};
use crate::running::wait::Way;
use bytes::BufMut;
use sockeye_core::Readiness;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};

/// Reads straight into what is not filled yet.
fn poll_read(socket: &Socket, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    let answer =
        socket.poll_call(Way::Read, cx, |host, id, now| host.recv(id, buf.initialize_unfilled(), false, now));
    answer.map_ok(|n| buf.advance(n))
}

fn poll_write(socket: &Socket, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
    socket.poll_call(Way::Write, cx, |host, id, now| host.send(id, buf, now))
}

fn poll_write_vectored(
    socket: &Socket,
    cx: &mut Context<'_>,
    bufs: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    socket.poll_call(Way::Write, cx, |host, id, now| {
        crate::net::vectored(bufs.iter(), |buf| buf.len(), |buf| host.send(id, buf, now))
    })
}

fn poll_shutdown(socket: &Socket) -> Poll<io::Result<()>> {
    Poll::Ready(socket.shutdown(Shutdown::Write))
}

macro_rules! async_read {
    ($($name:ty),*) => {$(
        impl AsyncRead for $name {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                poll_read(self.as_ref().get_ref().end(), cx, buf)
            }
        }
    )*};
}

macro_rules! async_write {
    ($($name:ty),*) => {$(
        impl AsyncWrite for $name {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                poll_write(self.as_ref().get_ref().end(), cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                poll_write_vectored(self.as_ref().get_ref().end(), cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                poll_shutdown(self.as_ref().get_ref().end())
            }
        }
    )*};
}

macro_rules! streams {
    ($($name:ty => |$it:ident| $stream:expr;)*) => {$(
        impl $name {
            fn stream(&self) -> &TcpStream {
                let $it = self;
                $stream
            }

            fn end(&self) -> &Socket {
                &self.stream().socket
            }
        }
    )*};
}

streams! {
    TcpStream => |it| it;
    ReadHalf<'_> => |it| it.0;
    OwnedReadHalf => |it| &it.0;
    WriteHalf<'_> => |it| it.0;
    OwnedWriteHalf => |it| &it.stream;
}

impl UnixStream {
    fn end(&self) -> &Socket {
        &self.socket
    }

    /// Waits until one of what is of interest is there. Cancel safe.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        ready(&self.socket, interest).await
    }
}

impl UnixDatagram {
    /// Waits until one of what is of interest is there. Cancel safe.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        ready(&self.socket, interest).await
    }
}

async_read!(TcpStream, UnixStream, ReadHalf<'_>, OwnedReadHalf);
async_write!(TcpStream, UnixStream, WriteHalf<'_>, OwnedWriteHalf);

/// Waits until one of what is of interest is there.
async fn ready(socket: &Socket, interest: Interest) -> io::Result<Ready> {
    let look = |now: Readiness| {
        let mut ready = Ready::EMPTY;
        for (bits, is_wanted, what) in [
            (Readiness::IN | Readiness::ERR, interest.is_readable(), Ready::READABLE),
            (Readiness::RDHUP | Readiness::HUP, interest.is_readable(), Ready::READ_CLOSED),
            (Readiness::OUT, interest.is_writable(), Ready::WRITABLE),
            (Readiness::HUP | Readiness::ERR, interest.is_writable(), Ready::WRITE_CLOSED),
        ] {
            if is_wanted && now.intersects(bits) {
                ready |= what;
            }
        }
        ready
    };
    let (read, write) = (socket.until_readable(), socket.until_writable());
    let (mut read, mut write) = (std::pin::pin!(read), std::pin::pin!(write));
    poll_fn(|cx| {
        let reads = interest.is_readable() && read.as_mut().poll(cx).is_ready();
        let writes = interest.is_writable() && write.as_mut().poll(cx).is_ready();
        if reads || writes { Poll::Ready(Ok(look(socket.readiness()))) } else { Poll::Pending }
    })
    .await
}

/// Asks again after each `WouldBlock`.
async fn async_io<R>(
    socket: &Socket,
    interest: Interest,
    mut f: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    loop {
        ready(socket, interest).await?;
        match f() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            answer => return answer,
        }
    }
}

/// Interest and readiness.
macro_rules! interested {
    ($name:ident) => {
        /// In tokio's words.
        impl $name {
            /// Waits until one of what is of interest is there. Cancel safe.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                ready(&self.socket, interest).await
            }

            /// Makes a call of one's own that may say `WouldBlock`.
            pub fn try_io<R>(&self, _interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                f()
            }

            /// Makes a call of one's own whenever the socket is ready, until it does not say `WouldBlock`.
            pub async fn async_io<R>(
                &self,
                interest: Interest,
                f: impl FnMut() -> io::Result<R>,
            ) -> io::Result<R> {
                async_io(&self.socket, interest, f).await
            }
        }
    };
}

interested!(TcpStream);
interested!(UdpSocket);

/// With tokio's buffers.
impl TcpStream {
    /// As [`TcpStream::try_read`], behind what the buffer holds.
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        let mut chunk = vec![0; buf.remaining_mut().min(CHUNK_MAX)];
        let n = self.try_read(&mut chunk)?;
        buf.put_slice(&chunk[..n]);
        Ok(n)
    }

    /// As [`TcpStream::peek`]; the last task that polled for reading is woken.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let answer = self
            .socket
            .poll_call(Way::Read, cx, |host, id, now| host.recv(id, buf.initialize_unfilled(), true, now));
        answer.map_ok(|n| {
            buf.advance(n);
            n
        })
    }
}

/// With tokio's buffers.
impl UdpSocket {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        peek: bool,
    ) -> Poll<io::Result<SocketAddr>> {
        let answer = self.socket.poll_call(Way::Read, cx, |host, id, now| {
            receive(host, id, buf.initialize_unfilled(), peek, now)
        });
        answer.map_ok(|(n, from)| {
            buf.advance(n);
            from
        })
    }

    /// As [`UdpSocket::recv_from`], behind what the buffer holds. Cancel safe.
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        let mut chunk = vec![0; buf.remaining_mut().min(CHUNK_MAX)];
        let (n, from) = self.recv_from(&mut chunk).await?;
        buf.put_slice(&chunk[..n]);
        Ok((n, from))
    }

    /// As [`UdpSocket::recv`], behind what the buffer holds. Cancel safe.
    pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.recv_buf_from(buf).await.map(|(n, _)| n)
    }

    /// As [`UdpSocket::try_recv_from`], behind what the buffer holds.
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        let mut chunk = vec![0; buf.remaining_mut().min(CHUNK_MAX)];
        let (n, from) = self.try_recv_from(&mut chunk)?;
        buf.put_slice(&chunk[..n]);
        Ok((n, from))
    }

    /// As [`UdpSocket::try_recv`], behind what the buffer holds.
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.try_recv_buf_from(buf).map(|(n, _)| n)
    }

    /// As [`UdpSocket::recv`]; the last task that polled for receiving is woken.
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_receive(cx, buf, false).map_ok(|_| ())
    }

    /// As [`UdpSocket::recv_from`]; the last task that polled for receiving is woken.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        self.poll_receive(cx, buf, false)
    }

    /// As [`UdpSocket::peek`]; the last task that polled for receiving is woken.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_receive(cx, buf, true).map_ok(|_| ())
    }

    /// As [`UdpSocket::peek_from`]; the last task that polled for receiving is woken.
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        self.poll_receive(cx, buf, true)
    }
}

/// The halves, in tokio's words.
macro_rules! halves {
    (reading $($name:ty),*) => {$(
        /// In tokio's words.
        impl $name {
            /// See [`TcpStream::ready`].
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.stream().ready(interest).await
            }

            /// See [`TcpStream::poll_peek`].
            pub fn poll_peek(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
                self.stream().poll_peek(cx, buf)
            }

            /// See [`TcpStream::try_read_buf`].
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                self.stream().try_read_buf(buf)
            }
        }
    )*};
    (writing $($name:ty),*) => {$(
        /// In tokio's words.
        impl $name {
            /// See [`TcpStream::ready`].
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.stream().ready(interest).await
            }
        }
    )*};
}

halves!(reading ReadHalf<'_>, OwnedReadHalf);
halves!(writing WriteHalf<'_>, OwnedWriteHalf);

/// What one call moves at most: the longest datagram.
const CHUNK_MAX: usize = 65_536;
