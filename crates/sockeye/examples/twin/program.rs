//! One program for any sockets: bytes, ends, resets and error numbers, as lines.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What differs from one kind of sockets to another.
pub(crate) trait Sockets {
    type Listener;
    type Stream: AsyncRead + AsyncWrite + Unpin;

    async fn bind(&self, port: u16) -> io::Result<Self::Listener>;
    fn port(&self, listener: &Self::Listener) -> u16;
    async fn accept(&self, listener: &Self::Listener) -> io::Result<Self::Stream>;
    async fn connect(&self, port: u16) -> io::Result<Self::Stream>;
    fn reset_at_close(&self, stream: &Self::Stream) -> io::Result<()>;
    /// Until what was sent has come.
    async fn pause(&self);
}

/// `n`, or the number of the error.
fn say(answer: io::Result<usize>) -> String {
    match answer {
        Ok(n) => n.to_string(),
        Err(error) => format!("errno {}", error.raw_os_error().unwrap_or(-1)),
    }
}

async fn pair<S: Sockets>(sockets: &S, listener: &S::Listener) -> io::Result<(S::Stream, S::Stream)> {
    let (client, server) = tokio::join!(sockets.connect(sockets.port(listener)), sockets.accept(listener));
    Ok((client?, server?))
}

/// Runs it all; a line for each thing that was found.
pub(crate) async fn program<S: Sockets>(sockets: &S) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut buf = [0; 1024];
    let listener = sockets.bind(0).await?;
    let again = sockets.bind(sockets.port(&listener)).await.map(|_| 0);
    lines.push(format!("bind to a port that is taken: {}", say(again)));

    let closed = sockets.bind(0).await?;
    let port = sockets.port(&closed);
    drop(closed);
    lines.push(format!("connect where nobody listens: {}", say(sockets.connect(port).await.map(|_| 0))));

    let (mut client, mut server) = pair(sockets, &listener).await?;
    let data: Vec<u8> = (0..50_000u32).map(|n| (n / 7) as u8).collect();
    let sending = async {
        client.write_all(&data).await?;
        client.shutdown().await
    };
    let mut came = Vec::new();
    let (sent, received) = tokio::join!(sending, server.read_to_end(&mut came));
    sent.and(received)?;
    lines.push(format!("bytes and end: {}", came == data));

    let (client, mut server) = pair(sockets, &listener).await?;
    sockets.reset_at_close(&client)?;
    drop(client);
    lines.push(format!("read after a reset: {}", say(server.read(&mut buf).await)));
    lines.push(format!("and again: {}", say(server.read(&mut buf).await)));
    lines.push(format!("write after a reset: {}", say(server.write(b"x").await)));

    let (mut client, server) = pair(sockets, &listener).await?;
    client.write_all(b"never read").await?;
    sockets.pause().await;
    drop(server);
    lines.push(format!("the peer closed and had not read: {}", say(client.read(&mut buf).await)));

    let (mut client, mut server) = pair(sockets, &listener).await?;
    server.write_all(b"last words").await?;
    drop(server);
    sockets.pause().await;
    lines.push(format!("write to a peer that has closed: {}", say(client.write(b"x").await)));
    sockets.pause().await;
    lines.push(format!("and again: {}", say(client.write(b"x").await)));
    lines.push(format!("its last words: {}", say(client.read(&mut buf).await)));
    lines.push(format!("its end: {}", say(client.read(&mut buf).await)));
    Ok(lines)
}
