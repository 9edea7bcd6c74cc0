//! The program's sockets: the system's (tokio's), and those of a lab.

use super::program::Sockets;
use sockeye::net::Net;
use std::io;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(50);

/// The operating system's, or what stands for it under `sockeye run`.
pub(crate) struct Native;

#[allow(deprecated, reason = "the lingering is of zero seconds: nothing waits")]
impl Sockets for Native {
    type Listener = tokio::net::TcpListener;
    type Stream = tokio::net::TcpStream;

    async fn bind(&self, port: u16) -> io::Result<Self::Listener> {
        tokio::net::TcpListener::bind(("127.0.0.1", port)).await
    }

    fn port(&self, listener: &Self::Listener) -> u16 {
        listener.local_addr().map_or(0, |addr| addr.port())
    }

    async fn accept(&self, listener: &Self::Listener) -> io::Result<Self::Stream> {
        Ok(listener.accept().await?.0)
    }

    async fn connect(&self, port: u16) -> io::Result<Self::Stream> {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await
    }

    fn reset_at_close(&self, stream: &Self::Stream) -> io::Result<()> {
        stream.set_zero_linger()
    }

    async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// A lab's, in whatever time it runs: the server is on the first host, the client on the second.
pub(crate) struct OfLab {
    pub(crate) server: Net,
    pub(crate) client: Net,
}

impl Sockets for OfLab {
    type Listener = sockeye::aio::TcpListener;
    type Stream = sockeye::aio::TcpStream;

    async fn bind(&self, port: u16) -> io::Result<Self::Listener> {
        sockeye::aio::TcpListener::bind(&self.server, (self.server.addresses()[0], port)).await
    }

    fn port(&self, listener: &Self::Listener) -> u16 {
        listener.local_addr().map_or(0, |addr| addr.port())
    }

    async fn accept(&self, listener: &Self::Listener) -> io::Result<Self::Stream> {
        Ok(listener.accept().await?.0)
    }

    async fn connect(&self, port: u16) -> io::Result<Self::Stream> {
        sockeye::aio::TcpStream::connect(&self.client, (self.server.addresses()[0], port)).await
    }

    fn reset_at_close(&self, stream: &Self::Stream) -> io::Result<()> {
        stream.set_zero_linger()
    }

    async fn pause(&self) {
        self.client.sleep(PAUSE).await;
    }
}
