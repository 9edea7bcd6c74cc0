//! rustls over a lab: a certificate for the lab's name, a handshake over a lossy link.
//!
//!     cargo run -p sockeye --features tokio --example tls

use sockeye::aio::{TcpListener, TcpStream};
use sockeye::{Lab, Link};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let link = Link::new().delay(Duration::from_millis(10)).loss(0.05);
    let lab = Lab::builder().host("client").host("server").link("client", "server", link).build()?;

    let made = rcgen::generate_simple_self_signed([String::from("server")])?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![made.cert.der().clone()], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone())?;
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();

    let listener = TcpListener::bind(&lab.host("server").net(), "0.0.0.0:443").await?;
    let serving = tokio::spawn(async move {
        let (stream, from) = listener.accept().await?;
        let mut tls = acceptor.accept(stream).await?;
        let mut question = String::new();
        tls.read_to_string(&mut question).await?;
        println!("server: {from} asks {question:?}");
        tls.write_all(question.to_uppercase().as_bytes()).await?;
        tls.shutdown().await
    });

    let stream = TcpStream::connect(&lab.host("client").net(), "server:443").await?;
    let connector = TlsConnector::from(Arc::new(client));
    let mut tls = connector.connect(ServerName::try_from("server")?, stream).await?;
    tls.write_all(b"is anybody there?").await?;
    tls.shutdown().await?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer).await?;
    println!("client: {:?} over {:?}", answer, tls.get_ref().1.protocol_version());
    serving.await??;
    Ok(())
}
