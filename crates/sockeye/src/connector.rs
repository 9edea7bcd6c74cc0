//! Clients of hyper-util over a lab: the feature `hyper`.
//!
//! In: the URI of a request. Out: a connection to its host and port, names being those of the lab. It speaks plain
//! HTTP; TLS is for whoever wraps it.

use crate::aio::TcpStream;
use crate::net::Net;
use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_service::Service;

/// A connector for `hyper_util::client::legacy::Client`, and whatever takes a tower service from `Uri` to a connection.
///
/// ```no_run
/// # use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// # fn client(net: sockeye::net::Net) {
/// let connector = sockeye::connector::Connector::new(net);
/// let client: Client<_, String> = Client::builder(TokioExecutor::new()).build(connector);
/// # let _ = client.get("http://server/".parse().unwrap());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Connector {
    net: Net,
}

impl Connector {
    /// Connects from the host of `net`.
    pub fn new(net: Net) -> Self {
        Self { net }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let net = self.net.clone();
        Box::pin(async move {
            let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "a URI without a host");
            let host = uri.host().ok_or_else(invalid)?;
            let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
            let stream = TcpStream::connect(&net, (host, uri.port_u16().unwrap_or(usual))).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        })
    }
}

impl Connection for TcpStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
