//! Unix-domain sockets of a host, after `std::os::unix::net`.
//!
//! [`UnixStream`], [`UnixListener`] and [`UnixDatagram`] have std's methods under std's names; what makes a socket takes
//! the [`Net`] of the host, whose name space the paths are of: no file of the machine is touched. As with the special file
//! of a real one, a path stays after its socket and is `AddrInUse` until [`Net::remove_file`]. Nothing is lost on these
//! sockets: who sends too much waits. [`Socket`]s can be handed over beside the bytes ([`UnixStream::send_with`]).
//!
//! ```
//! use sockeye::Lab;
//! use sockeye::net::{UnixListener, UnixStream};
//! use std::io::{Read, Write};
//!
//! let lab = Lab::builder().host("a").build().unwrap();
//! let net = lab.host("a").net();
//! let listener = UnixListener::bind(&net, "/run/greeter").unwrap();
//! let mut client = UnixStream::connect(&net, "/run/greeter").unwrap();
//! let (mut server, _) = listener.accept().unwrap();
//! server.write_all(b"hello").unwrap();
//! drop(server);
//! let mut text = String::new();
//! client.read_to_string(&mut text).unwrap();
//! assert_eq!(text, "hello");
//! ```

use super::{Domain, Kind, Net, Shutdown, Socket, io_error, socket_type};
use crate::running::wait::Way;
use sockeye_core::unix::{Ancillary, Passed, Right, UnixAddr, UnixReceived};
use sockeye_core::{Errno, SocketId};
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The address of a Unix-domain socket, as `std::os::unix::net::SocketAddr`: a path, an abstract name, or none.
#[derive(Clone, PartialEq, Eq)]
pub struct SocketAddr(Option<UnixAddr>);

impl SocketAddr {
    /// That of a path.
    ///
    /// # Errors
    /// `InvalidInput` for a path with a NUL in it or of more than 107 bytes.
    pub fn from_pathname<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let path = path.as_ref().as_os_str().as_encoded_bytes();
        let name = UnixAddr::from_path(path);
        name.map(|name| Self(Some(name)))
            .map_err(|_| invalid("no path of a socket: empty, too long, or with a NUL"))
    }

    /// An abstract one, which no file stands for.
    ///
    /// # Errors
    /// `InvalidInput` for more than 107 bytes.
    pub fn from_abstract_name<N: AsRef<[u8]>>(name: N) -> io::Result<Self> {
        let name = UnixAddr::from_abstract(name.as_ref());
        name.map(|name| Self(Some(name))).map_err(|_| invalid("an abstract name has at most 107 bytes"))
    }

    /// Whether the socket has no name.
    pub fn is_unnamed(&self) -> bool {
        self.0.is_none()
    }

    /// The path, if it has one that is UTF-8.
    pub fn as_pathname(&self) -> Option<&Path> {
        std::str::from_utf8(self.0.as_ref()?.as_path()?).ok().map(Path::new)
    }

    /// The abstract name, if it has one.
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        self.0.as_ref()?.as_abstract()
    }

    pub(crate) fn new(name: Option<UnixAddr>) -> Self {
        Self(name)
    }

    pub(crate) fn name(&self) -> io::Result<&UnixAddr> {
        self.0.as_ref().ok_or_else(|| invalid("an address without a name"))
    }
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "{name}"),
            None => f.write_str("(unnamed)"),
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

impl Net {
    /// Removes the path of a Unix-domain socket, as `std::fs::remove_file` does on a machine.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn remove_file<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref().as_os_str().as_encoded_bytes();
        self.running.look(|state, _| state.host_mut(self.machine).unix_unlink(path)).map_err(io_error)
    }
}

/// What the three kinds have alike.
impl Socket {
    pub(crate) fn unix(net: &Net, kind: Kind) -> io::Result<Self> {
        net.open(Domain::Unix, kind, 0)
    }

    fn unix_bind(net: &Net, kind: Kind, addr: &SocketAddr) -> io::Result<Self> {
        let (socket, name) = (Self::unix(net, kind)?, addr.name()?);
        socket.call(|host, id, _| host.unix_bind(id, Some(name)))?;
        Ok(socket)
    }

    pub(crate) fn unix_connect(&self, addr: &SocketAddr) -> io::Result<()> {
        let name = addr.name()?;
        self.block(Way::Write, None, |host, id, _| host.unix_connect(id, name))
    }

    pub(crate) fn unix_local_addr(&self) -> io::Result<SocketAddr> {
        self.look(|host, id| host.unix_name(id)).map(SocketAddr)
    }

    pub(crate) fn unix_peer_addr(&self) -> io::Result<SocketAddr> {
        self.look(|host, id| host.unix_peer_name(id)).map(SocketAddr)
    }

    fn unix_send(&self, buf: &[u8], to: Option<&UnixAddr>, rights: &[Self]) -> io::Result<usize> {
        let right = |socket: &Self| {
            let id = self.id_of(socket);
            Right(Arc::new(Handed { socket: socket.clone(), id }))
        };
        let mut beside = Ancillary { credentials: None, rights: rights.iter().map(right).collect() };
        self.block(Way::Write, None, |host, id, _| host.unix_send(id, buf, to, &mut beside))
    }

    fn unix_recv(&self, buf: &mut [u8], peek: bool) -> io::Result<UnixReceived> {
        let waits = !self.is_nonblocking();
        self.block(Way::Read, None, |host, id, _| match host.unix_recv(id, buf, peek) {
            // After the end of receiving who would wait reads nothing.
            Err(Errno::EAGAIN) if waits && host.readiness(id).contains(sockeye_core::Readiness::RDHUP) => {
                Ok(UnixReceived::default())
            }
            found => found,
        })
    }
}

/// A socket on its way.
struct Handed {
    socket: Socket,
    /// Its number on this host.
    id: Option<SocketId>,
}

impl Passed for Handed {
    fn socket(&self) -> Option<SocketId> {
        self.id
    }

    fn holders(&self) -> usize {
        self.socket.handles()
    }
}

fn sockets(received: &UnixReceived) -> Vec<Socket> {
    received
        .rights
        .iter()
        .filter_map(|right| right.get::<Handed>().map(|handed| handed.socket.clone()))
        .collect()
}

/// Methods that std's three types have alike.
macro_rules! common {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// Another handle of the same socket.
            pub fn try_clone(&self) -> io::Result<Self> {
                Ok(Self { socket: self.socket.try_clone()? })
            }

            /// This end's address.
            pub fn local_addr(&self) -> io::Result<SocketAddr> {
                self.socket.unix_local_addr()
            }

            /// Whether calls that would wait answer `WouldBlock` instead.
            pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.socket.set_nonblocking(nonblocking)
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

/// Methods of those that have a peer.
macro_rules! peered {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// The peer's address. `NotConnected` without one.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.socket.unix_peer_addr()
            }

            /// Shuts one direction or both.
            pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                self.socket.shutdown(how)
            }

            /// How long a receive waits; None is forever. `InvalidInput` for zero. Rounded up to a tick of 4 ms.
            pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                self.socket.set_read_timeout(timeout)
            }

            /// How long a send waits; None is forever. `InvalidInput` for zero. Rounded up to a tick of 4 ms.
            pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                self.socket.set_write_timeout(timeout)
            }

            /// See `set_read_timeout`.
            pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
                self.socket.read_timeout()
            }

            /// See `set_write_timeout`.
            pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
                self.socket.write_timeout()
            }

            /// Receives without taking.
            pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.socket.unix_recv(buf, true).map(|received| received.len)
            }

            /// Sends, and hands sockets over with the first byte (`SCM_RIGHTS`); at most 253.
            ///
            /// # Errors
            /// As a send; `InvalidInput` for more.
            pub fn send_with(&self, buf: &[u8], sockets: &[Socket]) -> io::Result<usize> {
                self.socket.unix_send(buf, None, sockets)
            }

            /// Receives, and the sockets that came with it.
            ///
            /// # Errors
            /// As a receive.
            pub fn recv_with(&self, buf: &mut [u8]) -> io::Result<(usize, Vec<Socket>)> {
                let received = self.socket.unix_recv(buf, false)?;
                Ok((received.len, sockets(&received)))
            }
        }
    )*};
}
peered!(UnixStream, UnixDatagram);

/// A stream between two programs of a host, as `std::os::unix::net::UnixStream`.
pub struct UnixStream {
    pub(crate) socket: Socket,
}

impl UnixStream {
    /// Connects to the listener at a path.
    ///
    /// # Errors
    /// `NotFound` for a path that is not there, `ConnectionRefused` where nobody listens.
    pub fn connect<P: AsRef<Path>>(net: &Net, path: P) -> io::Result<Self> {
        Self::connect_addr(net, &SocketAddr::from_pathname(path)?)
    }

    /// The same by an address.
    ///
    /// # Errors
    /// As [`UnixStream::connect`].
    pub fn connect_addr(net: &Net, addr: &SocketAddr) -> io::Result<Self> {
        let socket = Socket::unix(net, Kind::Stream)?;
        socket.unix_connect(addr)?;
        Ok(Self { socket })
    }

    /// Two that are connected to each other.
    ///
    /// # Errors
    /// `ENFILE` beyond the host's limit.
    pub fn pair(net: &Net) -> io::Result<(Self, Self)> {
        let [one, other] = Socket::unix_pair(net, Kind::Stream, 0)?;
        Ok((Self { socket: one }, Self { socket: other }))
    }
}

impl Read for &UnixStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.unix_recv(buf, false).map(|received| received.len)
    }
}

impl Write for &UnixStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.unix_send(buf, None, &[])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for UnixStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Write for UnixStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream socket that listens, as `std::os::unix::net::UnixListener`.
pub struct UnixListener {
    pub(crate) socket: Socket,
}

impl UnixListener {
    /// Listens at a path, which is made.
    ///
    /// # Errors
    /// `AddrInUse` where the path is there, if only as another socket's that is gone.
    pub fn bind<P: AsRef<Path>>(net: &Net, path: P) -> io::Result<Self> {
        Self::bind_addr(net, &SocketAddr::from_pathname(path)?)
    }

    /// The same by an address.
    ///
    /// # Errors
    /// As [`UnixListener::bind`].
    pub fn bind_addr(net: &Net, addr: &SocketAddr) -> io::Result<Self> {
        let socket = Socket::unix_bind(net, Kind::Stream, addr)?;
        socket.listen(BACKLOG)?;
        Ok(Self { socket })
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// `WouldBlock` where it may not wait.
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let stream = UnixStream { socket: self.socket.accept_unnamed()? };
        let addr = stream.peer_addr()?;
        Ok((stream, addr))
    }

    /// An iterator over connections, which never ends.
    pub fn incoming(&self) -> impl Iterator<Item = io::Result<UnixStream>> + '_ {
        std::iter::repeat_with(|| self.accept().map(|(stream, _)| stream))
    }
}

/// A datagram socket, as `std::os::unix::net::UnixDatagram`: boundaries are kept and nothing is lost.
pub struct UnixDatagram {
    pub(crate) socket: Socket,
}

impl UnixDatagram {
    /// One with a path, which is made.
    ///
    /// # Errors
    /// `AddrInUse` where the path is there.
    pub fn bind<P: AsRef<Path>>(net: &Net, path: P) -> io::Result<Self> {
        Self::bind_addr(net, &SocketAddr::from_pathname(path)?)
    }

    /// The same by an address.
    ///
    /// # Errors
    /// As [`UnixDatagram::bind`].
    pub fn bind_addr(net: &Net, addr: &SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: Socket::unix_bind(net, Kind::Datagram, addr)? })
    }

    /// One without a name.
    ///
    /// # Errors
    /// `ENFILE` beyond the host's limit.
    pub fn unbound(net: &Net) -> io::Result<Self> {
        Ok(Self { socket: Socket::unix(net, Kind::Datagram)? })
    }

    /// Two that are connected to each other.
    ///
    /// # Errors
    /// `ENFILE` beyond the host's limit.
    pub fn pair(net: &Net) -> io::Result<(Self, Self)> {
        let [one, other] = Socket::unix_pair(net, Kind::Datagram, 0)?;
        Ok((Self { socket: one }, Self { socket: other }))
    }

    /// Whom [`UnixDatagram::send`] is for.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused`; `PermissionDenied` where that socket hears another only.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// The same by an address.
    ///
    /// # Errors
    /// As [`UnixDatagram::connect`].
    pub fn connect_addr(&self, addr: &SocketAddr) -> io::Result<()> {
        self.socket.unix_connect(addr)
    }

    /// Sends to the peer.
    ///
    /// # Errors
    /// `NotConnected`, `ConnectionRefused` where the peer is gone, `EMSGSIZE` beyond the send buffer.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.unix_send(buf, None, &[])
    }

    /// Sends to a path.
    ///
    /// # Errors
    /// As [`UnixDatagram::send`], and `NotFound`.
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
    }

    /// Sends to an address.
    ///
    /// # Errors
    /// As [`UnixDatagram::send_to`].
    pub fn send_to_addr(&self, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
        self.socket.unix_send(buf, Some(addr.name()?), &[])
    }

    /// Waits for a datagram; what does not fit is lost.
    ///
    /// # Errors
    /// `WouldBlock`, the pending error.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.unix_recv(buf, false).map(|received| received.len)
    }

    /// The same, with who sent it.
    ///
    /// # Errors
    /// As [`UnixDatagram::recv`].
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.unix_recv(buf, false).map(|received| (received.len, SocketAddr(received.from)))
    }

    /// The same without taking it.
    ///
    /// # Errors
    /// As [`UnixDatagram::recv`].
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.unix_recv(buf, true).map(|received| (received.len, SocketAddr(received.from)))
    }
}

/// As std asks for.
const BACKLOG: i32 = 128;
