//! Unix-domain sockets of a host, for tasks, after `tokio::net`; see [`crate::net::unix`] for their names.

use crate::net::unix::{self, SocketAddr};
use crate::net::{Kind, Net, Shutdown, Socket, socket_type};
use crate::running::wait::Way;
use std::io;
use std::path::Path;
use std::task::{Context, Poll};

/// A stream between two programs of a host.
pub struct UnixStream {
    pub(crate) socket: Socket,
}

/// A stream socket that listens.
pub struct UnixListener {
    pub(crate) socket: Socket,
}

/// A datagram socket: boundaries are kept and nothing is lost.
pub struct UnixDatagram {
    pub(crate) socket: Socket,
}

/// What tokio's three types have alike.
macro_rules! common {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// The same socket for tasks.
            pub fn from_std(socket: unix::$kind) -> io::Result<Self> {
                Ok(Self { socket: socket.socket })
            }

            /// The same socket for threads.
            pub fn into_std(self) -> io::Result<unix::$kind> {
                Ok(unix::$kind { socket: self.socket })
            }

            /// This end's address.
            pub fn local_addr(&self) -> io::Result<SocketAddr> {
                self.socket.unix_local_addr()
            }

            /// `SO_ERROR`: the pending error, once.
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.socket.take_error()
            }
        }

        socket_type!($kind);
    )*};
}
common!(UnixStream, UnixListener, UnixDatagram);

/// What those have that have a peer.
macro_rules! peered {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// Two that are connected to each other.
            ///
            /// # Errors
            /// `ENFILE` beyond the host's limit.
            pub fn pair(net: &Net) -> io::Result<(Self, Self)> {
                let (one, other) = unix::$kind::pair(net)?;
                Ok((Self { socket: one.socket }, Self { socket: other.socket }))
            }

            /// The peer's address. `NotConnected` without one.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.socket.unix_peer_addr()
            }

            /// Waits until a receive would not. Cancel safe.
            pub async fn readable(&self) -> io::Result<()> {
                self.socket.until_readable().await
            }

            /// Waits until a send would not. Cancel safe.
            pub async fn writable(&self) -> io::Result<()> {
                self.socket.until_writable().await
            }
        }
    )*};
}
peered!(UnixStream, UnixDatagram);

impl UnixStream {
    /// Connects to the listener at a path; waits while its queue is full.
    ///
    /// # Errors
    /// `NotFound` for a path that is not there, `ConnectionRefused` where nobody listens.
    pub async fn connect<P: AsRef<Path>>(net: &Net, path: P) -> io::Result<Self> {
        Self::connect_addr(net, &SocketAddr::from_pathname(path)?).await
    }

    /// The same by an address.
    ///
    /// # Errors
    /// As [`UnixStream::connect`].
    pub async fn connect_addr(net: &Net, addr: &SocketAddr) -> io::Result<Self> {
        let (socket, name) = (Socket::unix(net, Kind::Stream)?, addr.name()?);
        socket.answer(Way::Write, |host, id, _| host.unix_connect(id, name)).await?;
        Ok(Self { socket })
    }

    /// Waits for bytes and takes what fits; 0 is the end. Cancel safe.
    pub async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_some(buf).await
    }

    /// Takes everything up to the end. Not cancel safe.
    pub async fn read_to_end(&self, out: &mut Vec<u8>) -> io::Result<usize> {
        self.socket.read_all(out).await
    }

    /// Takes exactly so many bytes as the buffer has. Not cancel safe: some may have been taken.
    ///
    /// # Errors
    /// `UnexpectedEof` where the stream ends before.
    pub async fn read_exact(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_exactly(buf).await
    }

    /// Waits for room and sends what fits. Cancel safe.
    pub async fn write(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write_some(buf).await
    }

    /// Sends all of it. Not cancel safe: some may have been sent.
    pub async fn write_all(&self, buf: &[u8]) -> io::Result<()> {
        self.socket.write_whole(buf).await
    }

    /// Takes what is there. `WouldBlock` where nothing is.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.call(|host, id, now| host.recv(id, buf, false, now))
    }

    /// Sends what fits. `WouldBlock` without room.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.call(|host, id, now| host.send(id, buf, now))
    }

    /// Shuts one direction or both, at once. (`AsyncWriteExt::shutdown` shuts sending.)
    pub fn shut(&self, how: Shutdown) -> io::Result<()> {
        self.socket.shutdown(how)
    }
}

impl UnixListener {
    /// Listens at a path, which is made.
    ///
    /// # Errors
    /// `AddrInUse` where the path is there, if only as another socket's that is gone.
    pub fn bind<P: AsRef<Path>>(net: &Net, path: P) -> io::Result<Self> {
        Self::from_std(unix::UnixListener::bind(net, path)?)
    }

    /// The same by an address.
    ///
    /// # Errors
    /// As [`UnixListener::bind`].
    pub fn bind_addr(net: &Net, addr: &SocketAddr) -> io::Result<Self> {
        Self::from_std(unix::UnixListener::bind_addr(net, addr)?)
    }

    /// Waits for a connection. Cancel safe: a connection is taken only when it is given.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let id = self.socket.answer(Way::Read, |host, id, _| host.accept(id)).await?;
        self.accepted(id)
    }

    /// As [`UnixListener::accept`]; the last task that polled is woken.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let answer = self.socket.poll_call(Way::Read, cx, |host, id, _| host.accept(id));
        answer.map(|id| self.accepted(id?))
    }

    fn accepted(&self, id: sockeye_core::SocketId) -> io::Result<(UnixStream, SocketAddr)> {
        let stream = UnixStream { socket: self.socket.adopt(id) };
        let addr = stream.peer_addr()?;
        Ok((stream, addr))
    }
}

impl UnixDatagram {
    /// One with a path, which is made.
    ///
    /// # Errors
    /// `AddrInUse` where the path is there.
    pub fn bind<P: AsRef<Path>>(net: &Net, path: P) -> io::Result<Self> {
        Self::from_std(unix::UnixDatagram::bind(net, path)?)
    }

    /// One without a name.
    ///
    /// # Errors
    /// `ENFILE` beyond the host's limit.
    pub fn unbound(net: &Net) -> io::Result<Self> {
        Self::from_std(unix::UnixDatagram::unbound(net)?)
    }

    /// Whom [`UnixDatagram::send`] is for.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused`; `PermissionDenied` where that socket hears another only.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.socket.unix_connect(&SocketAddr::from_pathname(path)?)
    }

    /// Sends to the peer; waits while its queue is full. Cancel safe.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write_some(buf).await
    }

    /// Sends to a path. Cancel safe.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let addr = SocketAddr::from_pathname(path)?;
        let (name, mut none) = (addr.name()?, sockeye_core::unix::Ancillary::default());
        self.socket.answer(Way::Write, |host, id, _| host.unix_send(id, buf, Some(name), &mut none)).await
    }

    /// Waits for a datagram; what does not fit is lost. Cancel safe.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_some(buf).await
    }

    /// The same, with who sent it. Cancel safe.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = self.socket.answer(Way::Read, |host, id, _| host.unix_recv(id, buf, false)).await?;
        Ok((received.len, SocketAddr::new(received.from)))
    }

    /// Sends at once. `WouldBlock` without room.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.call(|host, id, now| host.send(id, buf, now))
    }

    /// Receives at once. `WouldBlock` where nothing is there.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.call(|host, id, now| host.recv(id, buf, false, now))
    }

    /// Shuts one direction or both.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.shutdown(how)
    }
}
