//! A running lab, as a handle.

use crate::builder::{Builder, LabBuilder, SimulationBuilder};
use crate::link::Link;
use crate::net::Net;
use crate::running::Running;
use crate::running::state::State;
use sockeye_core::Instant;
use sockeye_lab::link::Counts;
use std::sync::Arc;

/// Hosts and links that run: in real time with a thread of their own, or in simulated time inside a
/// [`Simulation`](crate::sim::Simulation). A handle; clones are the same lab. It ends with the last handle of the lab, a
/// host of it or a socket.
///
/// ```
/// use sockeye::net::{TcpListener, TcpStream};
/// use sockeye::{Lab, Link};
/// use std::io::{Read, Write};
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// let slow = Link::new().delay(Duration::from_millis(5));
/// let lab = Lab::builder().seed(7).host("a").host("b").link("a", "b", slow).build()?;
/// let listener = TcpListener::bind(&lab.host("b").net(), "0.0.0.0:80")?;
/// let server = std::thread::spawn(move || -> std::io::Result<String> {
///     let mut text = String::new();
///     listener.accept()?.0.read_to_string(&mut text)?;
///     Ok(text)
/// });
/// TcpStream::connect(&lab.host("a").net(), "b:80")?.write_all(b"hello")?;
/// assert_eq!(server.join().unwrap()?, "hello");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Lab {
    pub(crate) running: Arc<Running>,
}

/// A host of a lab, to be called or switched.
#[derive(Clone, Debug)]
pub struct LabHost(Net);

impl LabHost {
    /// What its sockets are made on.
    pub fn net(&self) -> Net {
        self.0.clone()
    }

    /// The power goes: its sockets vanish without a word. Peers hear nothing from it until it is started again, and
    /// then a reset for whatever they still send to sockets of its last life. Calls on those answer `EBADF`.
    pub fn crash(&self) {
        self.0.running.call(|state, _| state.crash(self.0.machine));
    }

    /// The power comes back, with nothing open. Nothing happens where the host runs.
    pub fn start(&self) {
        self.0.running.call(|state, _| state.start(self.0.machine));
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.0.running.look(|state, _| state.machines[self.0.machine].is_up)
    }
}

impl Lab {
    /// A lab in real time, to be described.
    pub fn builder() -> LabBuilder {
        LabBuilder(Builder::default())
    }

    /// A lab in simulated time, to be described: see [`crate::sim`]. All that happens follows from the seed.
    pub fn simulated(seed: u64) -> SimulationBuilder {
        SimulationBuilder(Builder::default()).seed(seed)
    }

    pub(crate) fn of(running: Arc<Running>) -> Self {
        Self { running }
    }

    /// A host by one of its names.
    ///
    /// # Panics
    /// Where no host is called so.
    pub fn host(&self, name: &str) -> LabHost {
        let machine = self.running.look(|state, _| state.find(name));
        let machine = machine.unwrap_or_else(|| panic!("the lab has no host '{name}'"));
        LabHost(Net { running: Arc::clone(&self.running), machine })
    }

    /// The hosts' names, in the order in which they were added.
    pub fn host_names(&self) -> Vec<String> {
        self.running.look(|state, _| state.machines.iter().map(|m| m.name().to_string()).collect())
    }

    /// The lab's time.
    pub fn now(&self) -> Instant {
        self.running.look(|_, now| now)
    }

    /// Makes the links between two hosts like this from now on, in both directions. The MTU stays.
    ///
    /// # Panics
    /// Where a host or a link between them is not there.
    pub fn set_link(&self, a: &str, b: &str, link: Link) {
        self.set_link_one_way(a, b, link);
        self.set_link_one_way(b, a, link);
    }

    /// The same in the direction from `from` to `to` only.
    ///
    /// # Panics
    /// Where a host or a link between them is not there.
    pub fn set_link_one_way(&self, from: &str, to: &str, link: Link) {
        self.on_links(from, to, |state, id, way| state.lab.set_path(id, way, link.path));
    }

    /// Cuts the links between two hosts, in both directions; what is under way still arrives.
    ///
    /// # Panics
    /// Where a host or a link between them is not there.
    pub fn partition(&self, a: &str, b: &str) {
        self.set_cut(a, b, true);
        self.set_cut(b, a, true);
    }

    /// Mends the links between two hosts, in both directions.
    ///
    /// # Panics
    /// Where a host or a link between them is not there.
    pub fn repair(&self, a: &str, b: &str) {
        self.set_cut(a, b, false);
        self.set_cut(b, a, false);
    }

    /// Cuts (or mends) only the direction from `from` to `to`.
    ///
    /// # Panics
    /// Where a host or a link between them is not there.
    pub fn set_cut(&self, from: &str, to: &str, cut: bool) {
        self.on_links(from, to, |state, id, way| state.lab.set_partitioned(id, way, cut));
    }

    /// What became of the packets from one host to another; an ideal link does not count.
    ///
    /// # Panics
    /// Where a host or a link between them is not there.
    pub fn counts(&self, from: &str, to: &str) -> Counts {
        let mut sum = Counts::default();
        self.on_links(from, to, |state, id, way| {
            let counts = state.lab.counts(id, way);
            sum.carried += counts.carried;
            sum.lost += counts.lost;
            sum.duplicated += counts.duplicated;
            sum.overflowed += counts.overflowed;
            sum.partitioned += counts.partitioned;
        });
        sum
    }

    fn on_links(&self, from: &str, to: &str, mut f: impl FnMut(&mut State, sockeye_lab::LinkId, usize)) {
        let [from_at, to_at] = [from, to].map(|name| self.host(name).0.machine);
        let any = self.running.call(|state, _| {
            let links = state.links_between(from_at, to_at);
            links.iter().for_each(|(link, way)| f(state, *link, *way));
            !links.is_empty()
        });
        assert!(any, "no link leads from '{from}' to '{to}'");
    }

    /// The packets so far as a pcapng file, each with a comment that says what became of it; empty where
    /// [`LabBuilder::capture`] was not called. It ends after a gigabyte.
    pub fn capture(&self) -> Vec<u8> {
        self.running.call(|state, _| state.trace.capture.clone().unwrap_or_default())
    }
}
