//! Two threads and a host: 1-byte round trips, streams, datagrams, through the blocking sockets.
//!
//!     cargo run --release -p sockeye --example speed

use sockeye::net::{TcpListener, TcpStream, UdpSocket};
use sockeye::{Lab, Link};
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(1);

fn main() -> std::io::Result<()> {
    [65_535, 1500].into_iter().try_for_each(measure)
}

fn measure(mtu: u32) -> std::io::Result<()> {
    println!("an ideal link with an MTU of {mtu} bytes:");
    let lab = Lab::builder().host("a").host("b").link("a", "b", Link::new().mtu(mtu)).build()?;
    let (a, b) = (lab.host("a").net(), lab.host("b").net());
    let listener = TcpListener::bind(&b, "0.0.0.0:80")?;
    let mut client = TcpStream::connect(&a, "b:80")?;
    let mut server = listener.accept()?.0;
    client.set_nodelay(true)?;

    let echo = thread::spawn(move || {
        let mut byte = [0];
        while server.read(&mut byte)? == 1 {
            server.write_all(&byte)?;
        }
        std::io::Result::Ok(())
    });
    let (before, mut trips) = (Instant::now(), 0);
    while before.elapsed() < TIME {
        client.write_all(&[1])?;
        client.read_exact(&mut [0])?;
        trips += 1;
    }
    println!("1-byte round trip: {:.2} us", before.elapsed().as_secs_f64() * 1e6 / f64::from(trips));
    drop(client);
    echo.join().expect("no panic")?;

    let mut client = TcpStream::connect(&a, "b:80")?;
    let mut server = listener.accept()?.0;
    let sink = thread::spawn(move || {
        let (mut buf, mut total) = (vec![0; 1 << 20], 0);
        loop {
            match server.read(&mut buf)? {
                0 => return std::io::Result::Ok(total),
                n => total += n,
            }
        }
    });
    let (before, chunk) = (Instant::now(), vec![7; 128 * 1024]);
    while before.elapsed() < TIME {
        client.write_all(&chunk)?;
    }
    drop(client);
    let bytes = sink.join().expect("no panic")?;
    println!("one stream: {:.2} GB/s", bytes as f64 / before.elapsed().as_secs_f64() / 1e9);

    let (from, to) = (UdpSocket::bind(&a, "0.0.0.0:0")?, UdpSocket::bind(&b, "0.0.0.0:9")?);
    from.connect("b:9")?;
    let (before, mut datagrams) = (Instant::now(), 0);
    while before.elapsed() < TIME {
        from.send(&[7; 1024])?;
        to.recv(&mut [0; 1024])?;
        datagrams += 1;
    }
    println!(
        "datagrams of 1 KiB, one thread: {:.2} us",
        before.elapsed().as_secs_f64() * 1e6 / f64::from(datagrams)
    );
    Ok(())
}
