//! Under tokio, in real time: halves, cancelled futures, crowds, readiness; and the same code in simulated time.

use sockeye::aio::{TcpListener, TcpStream, UdpSocket};
use sockeye::net::Net;
use sockeye::{Lab, Link};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};

const SHORT: Duration = Duration::from_millis(20);

fn two_hosts(link: Link) -> (Lab, Net, Net) {
    let lab = Lab::builder().seed(2).host("a").host("b").link("a", "b", link).build().unwrap();
    let (a, b) = (lab.host("a").net(), lab.host("b").net());
    (lab, a, b)
}

async fn pair(a: &Net, b: &Net) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(b, "0.0.0.0:80").await.unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(a, "b:80"), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// What a server and a client do, whoever runs them: both sides of [`the_same_source_runs_in_both_kinds_of_time`].
async fn serve_one(net: &Net) -> String {
    let listener = TcpListener::bind(net, "0.0.0.0:8080").await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    AsyncWriteExt::write_all(&mut stream, text.to_uppercase().as_bytes()).await.unwrap();
    net.sleep(SHORT).await;
    text
}

async fn ask_one(net: &Net) -> String {
    let mut stream = loop {
        match TcpStream::connect(net, "b:8080").await {
            Ok(stream) => break stream,
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
        }
        net.sleep(SHORT).await;
    };
    AsyncWriteExt::write_all(&mut stream, b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    net.timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_source_runs_in_both_kinds_of_time() {
    let lossy = Link::new().delay(Duration::from_millis(3)).loss(0.05);
    let (_lab, a, b) = two_hosts(lossy);
    let server = tokio::spawn(async move { serve_one(&b).await });
    let real = ask_one(&a).await;
    let real = (real, server.await.unwrap());

    let simulated = tokio::task::spawn_blocking(move || {
        let sim = Lab::simulated(2).host("a").host("b").link("a", "b", lossy).build().unwrap();
        let server = sim.spawn("b", |b| async move { serve_one(b.net()).await });
        let a = sim.node("a");
        sim.block_on(async { (ask_one(a.net()).await, server.await.unwrap()) })
    });
    assert_eq!(real, simulated.await.unwrap());
    assert_eq!(real, (String::from("HELLO"), String::from("hello")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halves_carry_megabytes_both_ways_and_meet_again() {
    let (_lab, a, b) = two_hosts(Link::new().delay(Duration::from_millis(1)).loss(0.005));
    let (client, server) = pair(&a, &b).await;
    let data: Vec<u8> = (0..2_000_000u32).map(|n| (n / 5) as u8).collect();
    let exchange = |stream: TcpStream, data: Vec<u8>| {
        tokio::spawn(async move {
            let (mut reader, mut writer) = stream.into_split();
            let writing = tokio::spawn(async move {
                AsyncWriteExt::write_all(&mut writer, &data).await.unwrap();
                writer.shutdown().await.unwrap();
                writer
            });
            let mut received = Vec::new();
            reader.read_to_end(&mut received).await.unwrap();
            let stream = reader.reunite(writing.await.unwrap()).unwrap();
            (received, stream.peer_addr().is_ok())
        })
    };
    let (one, other) = (exchange(client, data.clone()), exchange(server, data.clone()));
    assert!(one.await.unwrap().0 == data && other.await.unwrap().0 == data);
}

#[tokio::test]
async fn a_dropped_writing_half_is_an_end_and_halves_of_others_do_not_fit() {
    let (_lab, a, b) = two_hosts(Link::new());
    let (client, mut server) = pair(&a, &b).await;
    let (other, _server) = pair(&a, &b).await;
    let (reader, writer) = client.into_split();
    let (_other_reader, other_writer) = other.into_split();
    let error = reader.reunite(other_writer).unwrap_err();
    drop(writer);
    let mut end = Vec::new();
    assert_eq!(AsyncReadExt::read_to_end(&mut server, &mut end).await.unwrap(), 0);
    drop(error);
}

#[tokio::test]
async fn cancelled_reads_and_accepts_lose_nothing() {
    let (_lab, a, b) = two_hosts(Link::new());
    let listener = TcpListener::bind(&b, "0.0.0.0:80").await.unwrap();
    assert!(tokio::time::timeout(SHORT, listener.accept()).await.is_err());
    let mut client = TcpStream::connect(&a, "b:80").await.unwrap();
    let (mut server, _) = tokio::time::timeout(10 * SHORT, listener.accept()).await.unwrap().unwrap();
    let mut buf = [0; 8];
    for n in 0..50u8 {
        // One time in two the read is given up before anything has come.
        if n % 2 == 0 {
            let early =
                tokio::time::timeout(Duration::from_millis(1), AsyncReadExt::read(&mut server, &mut buf))
                    .await;
            assert!(early.is_err());
        }
        AsyncWriteExt::write_all(&mut client, &[n]).await.unwrap();
        assert_eq!(AsyncReadExt::read(&mut server, &mut buf).await.unwrap(), 1);
        assert_eq!(buf[0], n);
    }
}

#[tokio::test]
async fn readiness_follows_what_is_there() {
    let (_lab, a, b) = two_hosts(Link::new());
    let (mut client, server) = pair(&a, &b).await;
    let ready = server.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap();
    assert!(ready.is_writable() && !ready.is_readable());
    assert!(tokio::time::timeout(SHORT, server.readable()).await.is_err());
    AsyncWriteExt::write_all(&mut client, b"abc").await.unwrap();
    server.readable().await.unwrap();
    assert!(server.ready(Interest::READABLE).await.unwrap().is_readable());
    let mut buf = Vec::with_capacity(2);
    assert_eq!(server.peek(&mut [0; 8]).await.unwrap(), 3);
    assert_eq!(server.try_read(&mut [0; 2]).unwrap(), 2);
    assert_eq!(server.try_read_buf(&mut buf).unwrap(), 1);
    assert_eq!(server.try_read_buf(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    // A full buffer is not writable until the other side takes some.
    let chunk = vec![0; 64 * 1024];
    while client.try_write(&chunk).is_ok() {}
    assert!(tokio::time::timeout(SHORT, client.writable()).await.is_err());
    let taken = tokio::spawn(async move {
        let mut buf = vec![0; 1 << 20];
        while matches!(tokio::time::timeout(SHORT, server.read(&mut buf)).await, Ok(Ok(1..))) {}
        server
    });
    client.writable().await.unwrap();
    drop(client);
    let ended = taken.await.unwrap();
    assert!(ended.ready(Interest::READABLE).await.unwrap().is_read_closed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_a_datagram_socket_and_a_listener() {
    let (_lab, a, b) = two_hosts(Link::new());
    let server = std::sync::Arc::new(UdpSocket::bind(&b, "0.0.0.0:53").await.unwrap());
    let waiting: Vec<_> = (0..16)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move {
                let mut buf = [0; 4];
                let (len, from) = server.recv_from(&mut buf).await.unwrap();
                server.send_to(&buf[..len], from).await.unwrap();
                buf[0]
            })
        })
        .collect();
    let client = UdpSocket::bind(&a, "0.0.0.0:0").await.unwrap();
    client.connect("b:53").await.unwrap();
    let mut answers = Vec::new();
    for n in 0..16 {
        client.send(&[n]).await.unwrap();
        let mut buf = [0; 4];
        client.recv(&mut buf).await.unwrap();
        answers.push(buf[0]);
    }
    assert_eq!(answers, (0..16).collect::<Vec<u8>>());
    for task in waiting {
        assert!(task.await.unwrap() < 16);
    }

    let listener = TcpListener::bind(&b, "0.0.0.0:80").await.unwrap();
    let serving = tokio::spawn(async move {
        let mut served = Vec::new();
        for _ in 0..200 {
            served.push(listener.accept().await.unwrap());
        }
    });
    let clients: Vec<_> = (0..200)
        .map(|_| {
            let a = a.clone();
            tokio::spawn(async move { TcpStream::connect(&a, "b:80").await.is_ok() })
        })
        .collect();
    for client in clients {
        assert!(client.await.unwrap());
    }
    serving.await.unwrap();
}

#[tokio::test]
async fn an_aborted_connect_leaves_nothing_behind() {
    let (lab, a, _b) = two_hosts(Link::new());
    lab.partition("a", "b");
    let connect = tokio::time::timeout(SHORT, TcpStream::connect(&a, "b:80")).await;
    assert!(connect.is_err());
    assert!(a.sockets().iter().all(|socket| socket.id.is_none()), "the socket is closed");
}

#[tokio::test]
async fn a_task_that_never_waits_lets_others_have_their_turn() {
    let (_lab, a, _b) = two_hosts(Link::new());
    let socket = UdpSocket::bind(&a, "127.0.0.1:9").await.unwrap();
    let busy = tokio::spawn(async move {
        // Each of these is answered at once.
        loop {
            socket.send_to(b"x", "127.0.0.1:9").await.unwrap();
            socket.recv(&mut [0; 4]).await.unwrap();
        }
    });
    // One thread runs both: this is reached again only because the other task gave way.
    tokio::time::sleep(SHORT).await;
    assert!(!busy.is_finished());
    busy.abort();
}

/// hyper knows nothing of the clock: twenty seconds each way cost nothing.
#[test]
fn hyper_runs_in_simulated_time() {
    use http_body_util::{BodyExt, Empty, Full};
    use hyper::body::{Bytes, Incoming};
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;

    let link = Link::new().delay(Duration::from_secs(20)).loss(0.1);
    let sim = Lab::simulated(9).host("a").host("b").link("a", "b", link).build().unwrap();
    sim.spawn("b", |b| async move {
        let listener = TcpListener::bind(b.net(), "0.0.0.0:80").await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let answer = |request: Request<Incoming>| async move {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from(
                request.uri().path().to_string(),
            )))
        };
        let http = hyper::server::conn::http1::Builder::new();
        http.serve_connection(TokioIo::new(stream), service_fn(answer)).await.unwrap();
    });
    let (a, before) = (sim.node("a"), sim.now());
    let body = sim.block_on(async {
        let stream = TcpStream::connect(a.net(), "b:80").await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        sim.spawn("a", |_| connection);
        let request = Request::get("/path").header("host", "b").body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    });
    assert_eq!(&body[..], b"/path");
    assert!(sim.now().since(before) >= Duration::from_secs(80), "two round trips");
}
