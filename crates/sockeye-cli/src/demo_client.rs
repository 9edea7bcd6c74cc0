//! A client in Rust for the demo: the standard library's TcpStream, nothing of ours.

use anyhow::{Context, Result};
use std::io::{Read, Write, stdout};
use std::net::TcpStream;
use std::time::Duration;

/// Fetches `/` from `address` and writes the body to standard output.
pub(crate) fn fetch(address: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET /data HTTP/1.0\r\n\r\n")?;
    let mut answer = vec![];
    stream.read_to_end(&mut answer)?;
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n").context("no end of the header")? + 4;
    stdout().write_all(&answer[body..])?;
    Ok(())
}
