//! The halves of a stream.

use super::TcpStream;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

/// The half that reads, borrowed; see [`TcpStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a>(pub(super) &'a TcpStream);

/// The half that writes, borrowed; see [`TcpStream::split`].
#[derive(Debug)]
pub struct WriteHalf<'a>(pub(super) &'a TcpStream);

/// The half that reads; see [`TcpStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf(pub(super) Arc<TcpStream>);

/// The half that writes; see [`TcpStream::into_split`]. Dropping it shuts sending, so that the peer reads the end.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    pub(super) stream: Arc<TcpStream>,
    shuts_when_dropped: bool,
}

pub(super) fn borrowed(stream: &mut TcpStream) -> (ReadHalf<'_>, WriteHalf<'_>) {
    (ReadHalf(stream), WriteHalf(stream))
}

pub(super) fn owned(stream: TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let stream = Arc::new(stream);
    (OwnedReadHalf(Arc::clone(&stream)), OwnedWriteHalf { stream, shuts_when_dropped: true })
}

/// Two halves that are not of one stream.
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tried to reunite halves that are not from the same socket")
    }
}

impl std::error::Error for ReuniteError {}

impl OwnedReadHalf {
    /// The stream again.
    ///
    /// # Errors
    /// Both halves, where they are of different streams.
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        if !Arc::ptr_eq(&self.0, &other.stream) {
            return Err(ReuniteError(self, other));
        }
        drop(self);
        let mut other = other;
        other.shuts_when_dropped = false;
        let stream = Arc::clone(&other.stream);
        drop(other);
        Ok(Arc::try_unwrap(stream).expect("there are no more than two halves"))
    }

    /// See [`TcpStream::read`].
    pub async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).await
    }
}

impl OwnedWriteHalf {
    /// The stream again.
    ///
    /// # Errors
    /// Both halves, where they are of different streams.
    pub fn reunite(self, other: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        other.reunite(self)
    }

    /// Lets go of it without shutting sending.
    pub fn forget(mut self) {
        self.shuts_when_dropped = false;
    }

    /// See [`TcpStream::write`].
    pub async fn write(&self, buf: &[u8]) -> io::Result<usize> {
        self.stream.write(buf).await
    }

    /// See [`TcpStream::write_all`].
    pub async fn write_all(&self, buf: &[u8]) -> io::Result<()> {
        self.stream.write_all(buf).await
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.shuts_when_dropped {
            // A connection that has ended has nothing left to shut.
            let _ = self.stream.socket.shutdown(Shutdown::Write);
        }
    }
}

/// What both kinds of a half have.
macro_rules! half {
    ($name:ty, |$it:ident| $stream:expr) => {
        impl $name {
            /// The peer's address.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                let $it = self;
                $stream.peer_addr()
            }

            /// This end's address.
            pub fn local_addr(&self) -> io::Result<SocketAddr> {
                let $it = self;
                $stream.local_addr()
            }
        }

        impl AsRef<TcpStream> for $name {
            fn as_ref(&self) -> &TcpStream {
                let $it = self;
                $stream
            }
        }
    };
}

half!(ReadHalf<'_>, |it| it.0);
half!(WriteHalf<'_>, |it| it.0);
half!(OwnedReadHalf, |it| &it.0);
half!(OwnedWriteHalf, |it| &it.stream);

macro_rules! reading {
    ($name:ty) => {
        impl $name {
            /// See [`TcpStream::peek`].
            pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.peek(buf).await
            }

            /// See [`TcpStream::readable`].
            pub async fn readable(&self) -> io::Result<()> {
                self.0.readable().await
            }

            /// See [`TcpStream::try_read`].
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.try_read(buf)
            }

            /// See [`TcpStream::try_read_vectored`].
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.0.try_read_vectored(bufs)
            }
        }
    };
}

reading!(ReadHalf<'_>);
reading!(OwnedReadHalf);

macro_rules! writing {
    ($name:ty) => {
        impl $name {
            /// See [`TcpStream::writable`].
            pub async fn writable(&self) -> io::Result<()> {
                let stream: &TcpStream = self.as_ref();
                stream.writable().await
            }

            /// See [`TcpStream::try_write`].
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                let stream: &TcpStream = self.as_ref();
                stream.try_write(buf)
            }

            /// See [`TcpStream::try_write_vectored`].
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let stream: &TcpStream = self.as_ref();
                stream.try_write_vectored(bufs)
            }
        }
    };
}

writing!(WriteHalf<'_>);
writing!(OwnedWriteHalf);
