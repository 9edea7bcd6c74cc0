//! An axum server in a lab, asked by hyper-util's pooling client through the lab's connector.
//!
//!     cargo run -p sockeye --features hyper --example axum

use axum::extract::Path;
use axum::routing::get;
use axum::{Router, serve};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use sockeye::aio::{TcpListener, TcpStream};
use sockeye::connector::Connector;
use sockeye::{Lab, Link};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// axum takes any listener that has its trait; the trait is axum's, so the type must be the program's.
struct Listener(TcpListener);

impl serve::Listener for Listener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(connection) => return connection,
                Err(error) => eprintln!("accept: {error}"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let link = Link::new().delay(Duration::from_millis(5));
    let lab = Lab::builder().host("client").host("server").link("client", "server", link).build()?;

    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/double/{n}", get(|Path(n): Path<u64>| async move { (2 * n).to_string() }));
    let listener = TcpListener::bind(&lab.host("server").net(), "0.0.0.0:8080").await?;
    tokio::spawn(serve(Listener(listener), app).into_future());

    let connector = Connector::new(lab.host("client").net());
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    for path in ["", "double/21", "nothing"] {
        let response = client.get(format!("http://server:8080/{path}").parse()?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("/{path}: {status} {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
