//! The kernel's side in process: its loopback TCP, its Unix sockets and its datagrams, both ends in this thread.
//!
//! The calls are those that a program would make; nothing waits, because what was sent on loopback has arrived when
//! the call is over. The processor's time is the thread's own, in user and kernel.

use anyhow::Result;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

/// Both ends of a stream.
pub(crate) struct Streams<S> {
    pub(crate) client: S,
    pub(crate) server: S,
}

/// Loopback TCP, without Nagle's algorithm and without blocking.
pub(crate) fn tcp() -> Result<Streams<TcpStream>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
    }
    Ok(Streams { client, server })
}

/// A pair of Unix stream sockets, without blocking.
pub(crate) fn unix() -> Result<Streams<UnixStream>> {
    let (client, server) = UnixStream::pair()?;
    client.set_nonblocking(true)?;
    server.set_nonblocking(true)?;
    Ok(Streams { client, server })
}

impl<S: Read + Write> Streams<S> {
    /// Writes until the kernel takes no more, then reads until it has no more; says how much was read.
    pub(crate) fn bulk(&mut self, data: &[u8], buf: &mut [u8]) -> Result<usize> {
        let mut moved = 0;
        // A few writes at once: more only push the bytes out of the cache.
        for _ in 0..WRITES {
            match self.client.write(data) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        loop {
            match self.server.read(buf) {
                Ok(n) => moved += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(moved),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A byte there and back.
    pub(crate) fn round_trip(&mut self) -> Result<()> {
        let mut byte = [1];
        self.client.write_all(&byte)?;
        self.server.read_exact(&mut byte)?;
        self.server.write_all(&byte)?;
        Ok(self.client.read_exact(&mut byte)?)
    }
}

const WRITES: usize = 4;
