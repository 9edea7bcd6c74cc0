//! A day of five nodes that ask each other over lossy links, and ask again where no answer comes; in simulated time.
//!
//!     cargo run --release -p sockeye --example simulated_day [SEED]

use sockeye::aio::{TcpListener, TcpStream};
use sockeye::core::rng::Rng;
use sockeye::sim::Node;
use sockeye::{Lab, Link};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

const NAMES: [&str; 5] = ["ash", "birch", "cedar", "elm", "fir"];
const DAY: Duration = Duration::from_secs(86_400);
/// Asked, tried, answered, given up.
type Counts = Rc<RefCell<[u64; 4]>>;

async fn serve(node: Node) {
    let listener = TcpListener::bind(node.net(), "0.0.0.0:80").await.expect("the port is free");
    while let Ok((stream, _)) = listener.accept().await {
        node.spawn(async move {
            let mut question = [0; 64];
            stream.read_exact(&mut question).await?;
            stream.write_all(&question).await
        });
    }
}

async fn ask(node: &Node, peer: &str) -> io::Result<usize> {
    let stream = TcpStream::connect(node.net(), (peer, 80)).await?;
    stream.write_all(&[7; 64]).await?;
    stream.read_exact(&mut [0; 64]).await
}

/// Asks somebody every ten seconds or so; three tries, each with more patience.
async fn client(node: Node, mut rng: Rng, counts: Counts) {
    loop {
        node.net().sleep(Duration::from_millis(5000 + u64::from(rng.below(10_000)))).await;
        counts.borrow_mut()[0] += 1;
        let peer = NAMES[rng.below(5) as usize];
        let (mut end, mut patience) = (3, [1, 4, 16].into_iter());
        while let (3, Some(seconds)) = (end, patience.next()) {
            counts.borrow_mut()[1] += 1;
            let answer = node.net().timeout(Duration::from_secs(seconds), ask(&node, peer)).await;
            end = if let Ok(Ok(_)) = answer { 2 } else { 3 };
        }
        counts.borrow_mut()[end] += 1;
    }
}

fn main() {
    let seed = std::env::args().nth(1).map_or(1, |seed| seed.parse().expect("a number"));
    let link = Link::new().delay(Duration::from_millis(30)).jitter(Duration::from_millis(10)).loss(0.05);
    let builder = NAMES.iter().fold(Lab::simulated(seed), |builder, name| builder.host(name));
    let (sim, counts) = (builder.full_mesh(link).build().expect("five hosts"), Counts::default());
    for (n, name) in NAMES.into_iter().enumerate() {
        sim.boot(name, serve);
        let counts = Rc::clone(&counts);
        sim.boot(name, move |node| client(node, Rng::new(seed + n as u64), Rc::clone(&counts)));
    }
    let lab = sim.lab().clone();
    sim.spawn("ash", |ash| async move {
        ash.net().sleep(DAY / 4).await;
        lab.partition("birch", "cedar");
        lab.host("elm").crash();
        ash.net().sleep(DAY / 24).await;
        lab.repair("birch", "cedar");
        lab.host("elm").start();
    });
    let before = Instant::now();
    for hour in (4..=24).step_by(4) {
        sim.run_for(DAY / 6);
        let [asked, tries, answered, given_up] = *counts.borrow();
        println!("{hour:02}:00 asked {asked} in {tries} tries, answered {answered}, gave up {given_up}");
    }
    let pairs = NAMES.iter().flat_map(|a| NAMES.iter().filter(move |b| a != *b).map(move |b| (a, b)));
    let lost: u64 = pairs.map(|(a, b)| sim.lab().counts(a, b).lost).sum();
    println!("seed {seed}: {lost} packets lost; the day took {:.2?}", before.elapsed());
}
