//! Simulated time: a lab whose clock jumps from one event to the next.
//!
//! In: tasks on hosts. Out: whatever they find, in the same order every time: one thread polls one task after the
//! other, the clock moves only when none can go on, packets meet fates that follow from the seed. An hour in which
//! nothing happens costs nothing.
//!
//! ```text
//!    ready tasks --poll--> calls --> lab settles --> wakers --> ready tasks
//!         none ready: the clock moves to the next deadline of the lab or of a sleep
//! ```
//!
//! Time must be the lab's ([`Net::sleep`](crate::net::Net::sleep), [`Net::timeout`](crate::net::Net::timeout)), sockets
//! those of [`crate::aio`]; threads, the machine's clock and maps in random order are what makes runs differ.
//!
//! [`explore`] runs a test under many seeds and, where one fails, finds a few lost packets that suffice.
//!
//! ```
//! use sockeye::aio::UdpSocket;
//! use sockeye::{Lab, Link};
//! use std::time::Duration;
//!
//! let lossy = Link::new().delay(Duration::from_millis(20)).loss(0.3);
//! let sim = Lab::simulated(3).host("client").host("server").link("client", "server", lossy).build().unwrap();
//! sim.spawn("server", |server| async move {
//!     let socket = UdpSocket::bind(server.net(), "0.0.0.0:7").await.unwrap();
//!     let mut buf = [0; 100];
//!     loop {
//!         let (len, from) = socket.recv_from(&mut buf).await.unwrap();
//!         socket.send_to(&buf[..len], from).await.unwrap();
//!     }
//! });
//! let client = sim.node("client");
//! let tries = sim.block_on(async {
//!     let socket = UdpSocket::bind(client.net(), "0.0.0.0:0").await.unwrap();
//!     for tries in 1.. {
//!         socket.send_to(b"hello", "server:7").await.unwrap();
//!         let mut buf = [0; 100];
//!         if client.net().timeout(Duration::from_secs(1), socket.recv(&mut buf)).await.is_ok() {
//!             return tries;
//!         }
//!     }
//!     unreachable!()
//! });
//! assert!(tries < 20);
//! ```

mod executor;
mod explore;
mod task;

pub(crate) use explore::Observer;
pub use explore::{Failure, explore, replay};
pub use task::{JoinError, JoinHandle};

use crate::Lab;
use crate::net::Net;
use executor::{Executor, Spawner};
use sockeye_core::Instant;
use std::future::Future;
use std::time::Duration;

/// A lab in simulated time, and the tasks on its hosts.
#[derive(Debug)]
pub struct Simulation {
    lab: Lab,
    seed: u64,
    executor: Executor,
}

/// A host, as a task on it sees it.
#[derive(Clone, Debug)]
pub struct Node {
    net: Net,
    spawner: Spawner,
}

impl Node {
    /// What sockets are made on, and the clock.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Starts another task on this host; a crash of the host ends it.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawner.spawn(&self.net, future)
    }
}

impl Simulation {
    pub(crate) fn of(lab: Lab, seed: u64, observer: Option<Observer>) -> Self {
        if let Some(observer) = observer {
            observer.watch(&lab);
        }
        let executor = Executor::new(&lab.running);
        Self { lab, seed, executor }
    }

    /// The lab: its links can be changed and its hosts switched while tasks run. A clone of it can go into a task.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// What everything follows from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The lab's time.
    pub fn now(&self) -> Instant {
        self.lab.now()
    }

    /// A host.
    ///
    /// # Panics
    /// Where no host is called so.
    pub fn node(&self, host: &str) -> Node {
        Node { net: self.lab.host(host).net(), spawner: self.executor.spawner() }
    }

    /// Starts a task on a host; it runs when the simulation does. A crash of the host ends it.
    ///
    /// # Panics
    /// Where no host is called so.
    pub fn spawn<F>(&self, host: &str, program: impl FnOnce(Node) -> F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let node = self.node(host);
        let net = node.net.clone();
        self.executor.spawn(&net, program(node))
    }

    /// What a host does whenever it starts: now, and after each [`crate::LabHost::start`].
    ///
    /// # Panics
    /// Where no host is called so.
    pub fn boot<F>(&self, host: &str, program: impl Fn(Node) -> F + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let node = self.node(host);
        let machine = node.net.machine;
        self.executor.boot(machine, Box::new(move || (node.net.clone(), Box::pin(program(node.clone())))));
    }

    /// Runs until `future` is done. It belongs to no host.
    ///
    /// # Panics
    /// Where it waits for what can never come: no task can go on, and no time is due.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let done = self.executor.run(future, None);
        done.unwrap_or_else(|| panic!("everything waits for ever (seed {}, at {:?})", self.seed, self.now()))
    }

    /// Runs for so much of the lab's time.
    pub fn run_for(&self, time: Duration) {
        let end = self.now() + time;
        let never = self.executor.run(std::future::pending::<()>(), Some(end));
        debug_assert!(never.is_none());
    }

    /// Runs until no task can go on and nothing is due.
    pub fn run(&self) {
        let never = self.executor.run(std::future::pending::<()>(), None);
        debug_assert!(never.is_none());
    }

    /// How many tasks there are.
    pub fn tasks(&self) -> usize {
        self.executor.tasks()
    }

    /// A hash of every packet on the links so far with its time and its fate, and how many there were. Both are 0
    /// where [`crate::SimulationBuilder::capture`] was not called.
    pub fn fingerprint(&self) -> (u64, u64) {
        self.lab.running.call(|state, _| (state.trace.fingerprint, state.trace.packets))
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the simulation that failed was Lab::simulated({})", self.seed);
        }
    }
}
