//! Simulated time: the same seed is the same run, time costs nothing, hosts crash and links change under way.

use sockeye::aio::{TcpListener, TcpStream, UdpSocket};
use sockeye::sim::{Node, Simulation, explore, replay};
use sockeye::time::yield_now;
use sockeye::{Lab, Link, SimulationBuilder};
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn lossy() -> Link {
    Link::new().delay(Duration::from_millis(20)).loss(0.1).duplicate(0.05).reorder(0.05).jitter(SECOND / 100)
}

fn two(builder: SimulationBuilder, link: Link) -> Simulation {
    builder.host("a").host("b").link("a", "b", link).capture().build().unwrap()
}

/// Echoes every connection until its end.
async fn echo(node: Node) {
    let listener = TcpListener::bind(node.net(), "0.0.0.0:7").await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        node.spawn(async move {
            let mut buf = [0; 4096];
            while let Ok(n @ 1..) = stream.read(&mut buf).await {
                if stream.write_all(&buf[..n]).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn ask(node: &Node, text: &[u8]) -> io::Result<Vec<u8>> {
    let stream = TcpStream::connect(node.net(), "b:7").await?;
    stream.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[test]
fn the_same_seed_is_the_same_packets_byte_for_byte() {
    let run = |seed| {
        let sim = two(Lab::simulated(seed), lossy());
        sim.boot("b", echo);
        let a = sim.node("a");
        let data: Vec<u8> = (0..100_000u32).map(|n| (n / 11) as u8).collect();
        let ends: Vec<_> = (0..5)
            .map(|n| {
                let (a, data) = (a.clone(), data[n * 1000..].to_vec());
                sim.spawn("a", |_| async move { ask(&a, &data).await.unwrap() == data })
            })
            .collect();
        sim.block_on(async {
            for end in ends {
                assert!(end.await.unwrap());
            }
        });
        (sim.fingerprint(), sim.now(), sim.lab().capture())
    };
    let first = run(5);
    assert!(first.0.1 > 400, "{:?}", first.0);
    for _ in 0..20 {
        assert!(run(5) == first);
    }
    assert_ne!(run(6).0, first.0);
}

#[test]
fn a_year_of_waiting_takes_no_time() {
    let before = Instant::now();
    let sim = two(Lab::simulated(1), Link::new());
    let (a, start) = (sim.node("a"), sim.now());
    sim.block_on(async {
        let mut ticks = a.net().interval(Duration::from_secs(3600));
        for _ in 0..=24 * 365 {
            ticks.tick().await;
        }
    });
    assert_eq!(sim.now().since(start), Duration::from_secs(365 * 86_400));
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[test]
fn timeouts_cancel_and_lose_nothing() {
    let sim = two(Lab::simulated(1), Link::new().delay(SECOND));
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.block_on(async {
        let socket = UdpSocket::bind(b.net(), "0.0.0.0:9").await.unwrap();
        let client = UdpSocket::bind(a.net(), "0.0.0.0:0").await.unwrap();
        client.send_to(b"late", "b:9").await.unwrap();
        let mut buf = [0; 8];
        let early = b.net().timeout(SECOND / 2, socket.recv_from(&mut buf)).await;
        assert!(early.is_err());
        let before = b.net().now();
        let (len, from) = socket.recv_from(&mut buf).await.unwrap();
        assert_eq!((&buf[..len], from.port()), (&b"late"[..], client.local_addr().unwrap().port()));
        assert_eq!(b.net().now().since(before), SECOND / 2);
    });
}

#[test]
fn a_partition_delays_and_its_end_heals() {
    let sim = two(Lab::simulated(2), Link::new().delay(SECOND / 100));
    sim.boot("b", echo);
    let (a, lab) = (sim.node("a"), sim.lab().clone());
    sim.block_on(async {
        let stream = TcpStream::connect(a.net(), "b:7").await.unwrap();
        lab.partition("a", "b");
        stream.write_all(b"x").await.unwrap();
        let waits = a.net().timeout(30 * SECOND, stream.readable()).await;
        assert!(waits.is_err(), "nothing comes through");
        lab.repair("a", "b");
        a.net().timeout(60 * SECOND, stream.readable()).await.expect("sent again").unwrap();
        assert_eq!(stream.try_read(&mut [0; 4]).unwrap(), 1);
        assert_eq!(stream.try_read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
    assert!(lab.counts("a", "b").partitioned >= 4);
}

#[test]
fn a_crash_takes_sockets_and_tasks_and_a_start_brings_the_boot_program() {
    let sim = two(Lab::simulated(3), Link::new().delay(SECOND / 100));
    sim.boot("b", echo);
    let lives = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&lives);
    sim.boot("b", move |_| {
        *counted.borrow_mut() += 1;
        std::future::pending()
    });
    let (a, lab) = (sim.node("a"), sim.lab().clone());
    sim.block_on(async {
        assert_eq!(ask(&a, b"one").await.unwrap(), b"one");
        let stream = TcpStream::connect(a.net(), "b:7").await.unwrap();
        let on_b = sim.spawn("b", |b| async move { b.net().sleep(1000 * SECOND).await });
        a.net().sleep(SECOND).await;
        lab.host("b").crash();
        assert!(on_b.await.is_err(), "its task is gone");
        stream.write_all(b"anybody?").await.unwrap();
        assert!(a.net().timeout(5 * SECOND, stream.readable()).await.is_err(), "silence, no reset");
        let refused = a.net().timeout(5 * SECOND, TcpStream::connect(a.net(), "b:7")).await;
        assert!(refused.is_err(), "nobody answers at all");
        lab.host("b").start();
        let mut buf = [0; 8];
        assert_eq!(stream.read(&mut buf).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(ask(&a, b"two").await.unwrap(), b"two");
    });
    assert_eq!(*lives.borrow(), 2);
}

#[test]
fn a_peer_that_never_comes_back_times_out() {
    let sim = two(Lab::simulated(3), Link::new().delay(SECOND / 100));
    sim.boot("b", echo);
    let (a, lab) = (sim.node("a"), sim.lab().clone());
    sim.block_on(async {
        let stream = TcpStream::connect(a.net(), "b:7").await.unwrap();
        lab.host("b").crash();
        stream.write_all(b"anybody?").await.unwrap();
        let before = a.net().now();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::TimedOut);
        // tcp_retries2: fifteen retransmissions, backed off to two minutes each.
        let minutes = a.net().now().since(before).as_secs() / 60;
        assert!((13..31).contains(&minutes), "{minutes} minutes");
    });
}

#[test]
fn tasks_join_abort_and_yield() {
    let sim = two(Lab::simulated(1), Link::new());
    let order = Rc::new(RefCell::new(Vec::new()));
    let [first, second] = ["first", "second"].map(|name| {
        let order = Rc::clone(&order);
        sim.spawn("a", move |_| async move {
            for n in 0..3 {
                order.borrow_mut().push((name, n));
                yield_now().await;
            }
            name
        })
    });
    let never = sim.spawn("b", |_| std::future::pending::<()>());
    sim.block_on(async {
        assert_eq!((first.await.unwrap(), second.await.unwrap()), ("first", "second"));
        never.abort();
        assert!(never.await.is_err());
    });
    let turns: Vec<u32> = order.borrow().iter().map(|(_, n)| *n).collect();
    assert_eq!(turns, [0, 0, 1, 1, 2, 2]);
    sim.run();
    assert_eq!(sim.tasks(), 0);
}

#[test]
fn waiting_for_ever_is_a_panic_that_names_the_seed() {
    let stuck = catch_unwind(AssertUnwindSafe(|| {
        two(Lab::simulated(77), Link::new()).block_on(std::future::pending::<()>());
    }));
    let message = stuck.unwrap_err().downcast_ref::<String>().unwrap().clone();
    assert!(message.contains("seed 77"), "{message}");
}

#[test]
fn blocking_calls_are_refused() {
    let sim = two(Lab::simulated(1), Link::new());
    let listener = sockeye::net::TcpListener::bind(sim.node("a").net(), "0.0.0.0:80").unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::Unsupported);
}

/// Fails where both the first and the second of thirty datagrams are lost.
fn first_two(builder: SimulationBuilder) {
    let sim = two(builder, Link::new().delay(SECOND / 100).loss(0.3));
    let (a, b) = (sim.node("a"), sim.node("b"));
    sim.block_on(async {
        let server = UdpSocket::bind(b.net(), "0.0.0.0:7").await.unwrap();
        let client = UdpSocket::bind(a.net(), "0.0.0.0:4000").await.unwrap();
        let mut came = Vec::new();
        for n in 0..30 {
            client.send_to(&[n], "b:7").await.unwrap();
            let mut buf = [0];
            if b.net().timeout(SECOND, server.recv(&mut buf)).await.is_ok() {
                came.push(buf[0]);
            }
        }
        assert!(came.contains(&0) || came.contains(&1), "both are missing");
    });
}

#[test]
fn a_failing_seed_is_shrunk_to_the_losses_that_matter() {
    let failure = explore(0..1000, first_two).unwrap_err();
    assert_eq!(failure.message, "both are missing");
    assert_eq!(failure.lost.len(), 2, "{failure}");
    assert!(failure.lost_at_first > 4, "{failure}");
    let text = format!("{failure}");
    assert!(text.contains(&format!("Lab::simulated({})", failure.seed)), "{text}");
    assert!(text.contains("10.0.0.1:4000 > 10.0.0.2:7"), "{text}");
    let again = catch_unwind(AssertUnwindSafe(|| replay(&failure, first_two)));
    assert_eq!(*again.unwrap_err().downcast_ref::<&str>().unwrap(), "both are missing");
    let passing = failure.seed;
    assert_eq!(explore(0..passing, first_two).unwrap(), passing, "the seeds before it pass");
}
