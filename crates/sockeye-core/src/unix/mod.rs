//! Unix-domain sockets: streams, datagrams and sequenced packets between the programs of one host, with descriptors
//! and credentials beside the bytes (unix(7)).
//!
//! ```text
//!   send.rs     bytes -> Message, charged to the sender's buffer -> the receiver's queue
//!   receive.rs  queue -> bytes; the charge is given back, which makes room for the sender
//!   call.rs     socketpair, bind, connect, accept, shutdown, close: who is whose peer
//!   collect.rs  sockets that only queues hold which nobody can read
//!   name.rs     addresses, and the host's own names: paths (special files) and the abstract ones
//! ```
//!
//! No packet, no timer, no loss: a message goes into the queue of its receiver inside the call that sends it. What bounds
//! it is the sender's `SO_SNDBUF`, charged as Linux charges its buffers ([`charge`]), and for datagrams and connects the
//! length of the receiver's queue. Names are the host's: two hosts have the same path each for itself, and no file of the
//! machine is touched. A path stays when its socket is closed, as a special file does, until [`Host::unix_unlink`].
//!
//! What is passed on with `SCM_RIGHTS` is opaque here ([`Right`]). Rights that nobody received must not be dropped inside
//! the host, since closing what they stand for is a call on it: they are collected for [`Host::take_unix_discarded`].

mod call;
pub mod charge;
mod collect;
mod name;
mod options;
mod receive;
mod send;
mod store;

pub use name::{UnixAddr, UnixParsed};
pub use receive::UnixReceived;

use crate::errno::{Errno, Result};
use crate::host::{Host, Kind, SocketId, SocketInfo};
use crate::readiness::Readiness;
use crate::socket::table::{Body, Socket};
use crate::tcp::State;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use store::Store;

/// Something that a message hands over (`SCM_RIGHTS`): the layer above knows what it is.
#[derive(Clone)]
pub struct Right(pub Arc<dyn Passed>);

/// What a [`Right`] stands for.
pub trait Passed: Any + Send + Sync {
    /// The socket of this host that it keeps open, if it is one.
    fn socket(&self) -> Option<SocketId> {
        None
    }

    /// How many keep that socket open, rights on their way among them.
    fn holders(&self) -> usize {
        1
    }
}

impl Right {
    /// What it stands for, if it is a `T`.
    pub fn get<T: Passed>(&self) -> Option<&T> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }
}

impl fmt::Debug for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Right")
    }
}

/// Who a program is (`struct ucred`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Process.
    pub pid: i32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Credentials {
    /// What `SO_PEERCRED` says where there is no peer.
    pub const NOBODY: Self = Self { pid: 0, uid: u32::MAX, gid: u32::MAX };
    /// What a message shows whose sender's were not noted (the overflow ids).
    pub const UNKNOWN: Self = Self { pid: 0, uid: 65_534, gid: 65_534 };
}

/// What goes beside the bytes of a message.
#[derive(Clone, Debug, Default)]
pub struct Ancillary {
    /// `SCM_CREDENTIALS`, where the sender names them itself.
    pub credentials: Option<Credentials>,
    /// `SCM_RIGHTS`.
    pub rights: Vec<Right>,
}

/// The most rights of one message (`SCM_MAX_FD`).
pub const RIGHTS_MAX: usize = 253;

/// The Unix-domain half of a socket.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    pub name: Option<UnixAddr>,
    pub role: UnixRole,
    pub peer: Option<SocketId>,
    /// The peer's name, from when it was closed.
    peer_name: Option<UnixAddr>,
    pub queue: VecDeque<Message>,
    /// What messages of this socket charge that others have not read (`sk_wmem_alloc`).
    pub charged: usize,
    /// Who waits until this queue, or this listener's, is shorter.
    waiting: Vec<SocketId>,
    pub owner: Credentials,
    pub peer_owner: Credentials,
    /// `SO_PASSCRED`.
    pub pass_credentials: bool,
    /// `SO_PEEK_OFF`; below 0 it is off.
    pub peek_offset: i32,
}

/// What a socket is at the moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UnixRole {
    Idle,
    Listener { backlog: u32, queue: VecDeque<SocketId> },
    Connected,
}

/// One message, or a piece of a stream.
#[derive(Debug)]
pub(crate) struct Message {
    bytes: Vec<u8>,
    /// How much of them was read.
    read: usize,
    sender: SocketId,
    from: Option<UnixAddr>,
    charge: usize,
    credentials: Credentials,
    rights: Vec<Right>,
}

impl Message {
    /// What was not read.
    fn rest(&self) -> &[u8] {
        &self.bytes[self.read..]
    }
}

/// The names and the leftovers of a host.
#[derive(Debug, Default)]
pub(crate) struct UnixTable {
    /// Special files; the socket may be gone.
    paths: BTreeMap<UnixAddr, SocketId>,
    /// Abstract names are each kind's own.
    names: HashMap<(Kind, UnixAddr), SocketId, FixedState>,
    /// Autobind begins its search behind the last one.
    autobind_last: u32,
    discarded: Vec<Right>,
    store: Store,
    /// Rights that keep sockets open may be on their way.
    is_flying: bool,
}

impl UnixSocket {
    pub(crate) fn new() -> Self {
        Self {
            name: None,
            role: UnixRole::Idle,
            peer: None,
            peer_name: None,
            queue: VecDeque::new(),
            charged: 0,
            waiting: Vec::new(),
            // Whoever knows better says so (`set_unix_credentials`).
            owner: Credentials { pid: 1, uid: 0, gid: 0 },
            peer_owner: Credentials::NOBODY,
            pass_credentials: false,
            peek_offset: -1,
        }
    }

    /// What `ss` shows.
    pub(crate) fn show(&self, info: &mut SocketInfo) {
        (info.recv_q, info.send_q) = (self.queued(), self.charged);
        info.state = match &self.role {
            UnixRole::Idle => State::Closed,
            UnixRole::Connected => State::Established,
            UnixRole::Listener { backlog, queue } => {
                (info.recv_q, info.send_q) = (queue.len(), *backlog as usize);
                State::Listen
            }
        };
    }

    /// Bytes that wait to be read.
    pub(crate) fn queued(&self) -> usize {
        self.queue.iter().map(|message| message.rest().len()).sum()
    }
}

impl Socket {
    pub(crate) fn unix(&self) -> Option<&UnixSocket> {
        match &self.body {
            Body::Unix(unix) => Some(unix),
            _ => None,
        }
    }

    pub(crate) fn unix_mut(&mut self) -> Option<&mut UnixSocket> {
        match &mut self.body {
            Body::Unix(unix) => Some(unix),
            _ => None,
        }
    }

    /// unix_writable: a quarter of the buffer may be charged.
    pub(crate) fn unix_has_room(&self) -> bool {
        let listens = |unix: &UnixSocket| matches!(unix.role, UnixRole::Listener { .. });
        self.unix()
            .is_some_and(|unix| !listens(unix) && unix.charged << 2 <= self.options.send_buffer as usize)
    }
}

/// What is to be seen.
impl Host {
    /// unix_poll and unix_dgram_poll.
    pub(crate) fn unix_readiness(&self, id: SocketId) -> Readiness {
        let socket = &self.sockets[id];
        let unix = socket.unix().expect("the caller has looked");
        let mut ready = Readiness::empty();
        ready.set(Readiness::ERR, socket.error.is_some());
        ready.set(Readiness::RDHUP | Readiness::IN, socket.shut_read);
        let waits = match &unix.role {
            UnixRole::Listener { queue, .. } => !queue.is_empty(),
            _ => !unix.queue.is_empty(),
        };
        ready |= if waits { Readiness::IN } else { Readiness::empty() };
        let unconnected = socket.kind != Kind::Datagram && unix.role == UnixRole::Idle;
        ready.set(Readiness::HUP, socket.shut_read && socket.shut_write || unconnected);
        let is_held_up =
            socket.kind == Kind::Datagram && unix.peer.is_some_and(|peer| self.unix_is_full(peer, id));
        ready.set(Readiness::OUT, socket.unix_has_room() && !is_held_up);
        ready
    }

    /// Whether a queue takes no more from this sender: a mutual peer's is never too long.
    fn unix_is_full(&self, receiver: SocketId, sender: SocketId) -> bool {
        let Some(unix) = self.sockets.get(receiver).and_then(Socket::unix) else { return false };
        unix.peer != Some(sender) && unix.queue.len() > DATAGRAMS_MAX
    }

    /// Rights of messages that nobody will receive. The owner drops them, outside of every lock: that may close sockets.
    pub fn take_unix_discarded(&mut self) -> Vec<Right> {
        core::mem::take(&mut self.unix.discarded)
    }

    /// The same before the host itself goes: those of every message that waits.
    pub fn take_unix_rights(&mut self) -> Vec<Right> {
        let mut rights = self.take_unix_discarded();
        for socket in self.sockets.values_mut().filter_map(Socket::unix_mut) {
            socket.queue.iter_mut().for_each(|message| rights.append(&mut message.rights));
        }
        rights
    }

    /// Says who made a Unix-domain socket, and who its peer is.
    ///
    /// # Errors
    /// EBADF, EAFNOSUPPORT.
    pub fn set_unix_credentials(&mut self, id: SocketId, own: Credentials, peer: Credentials) -> Result<()> {
        let unix = self.socket_mut(id)?.unix_mut().ok_or(Errno::EAFNOSUPPORT)?;
        (unix.owner, unix.peer_owner) = (own, peer);
        Ok(())
    }
}

/// `net.unix.max_dgram_qlen`.
const DATAGRAMS_MAX: usize = 10;
