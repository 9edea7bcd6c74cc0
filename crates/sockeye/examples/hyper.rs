//! hyper's HTTP/1 server and client, unchanged but for where their connections come from.
//!
//!     cargo run -p sockeye --features hyper --example hyper

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sockeye::aio::{TcpListener, TcpStream};
use sockeye::{Lab, Link};
use std::convert::Infallible;
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from(format!("hello, you asked for {}", request.uri().path()))))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let link = Link::new().delay(Duration::from_millis(10)).loss(0.02);
    let lab = Lab::builder().host("client").host("server").link("client", "server", link).build()?;

    let listener = TcpListener::bind(&lab.host("server").net(), "0.0.0.0:80").await?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service_fn(hello)));
        }
    });

    let stream = TcpStream::connect(&lab.host("client").net(), "server:80").await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    for path in ["/one", "/two"] {
        let request = Request::get(path).header("host", "server").body(Full::<Bytes>::default())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        println!("{status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
