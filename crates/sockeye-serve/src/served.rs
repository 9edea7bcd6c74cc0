//! What the supervisor knows of each socket that it serves.
//!
//! A [`Served`] joins a kernel socket (the carrier, named by its cookie) with a socket of the host. Where our end
//! of the carrier is, what it has been told and what is still to be told stands in its kind.

use crate::address::Family;
use crate::held::HeldKey;
use slotmap::{Key as _, KeyData};
use smallvec::SmallVec;
use sockeye_core::Errno;
use sockeye_core::host::{Datagram, SocketId};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

slotmap::new_key_type! {
    /// A served socket.
    pub(crate) struct Key;
}

/// The key as one word, for epoll and for names; never below 2^32.
pub(crate) fn token(key: Key) -> u64 {
    key.data().as_ffi()
}

/// The key of a word.
pub(crate) fn key(token: u64) -> Key {
    KeyData::from_ffi(token).into()
}

/// One served socket.
#[derive(Debug)]
pub(crate) struct Served {
    /// `SO_COOKIE` of the carrier; zero until a program has it.
    pub(crate) cookie: u64,
    /// Thread and number that last named it: where to look first.
    pub(crate) hint: (u32, i32),
    /// Calls that wait on it, oldest first.
    pub(crate) waiters: SmallVec<[HeldKey; 1]>,
    pub(crate) kind: Kind,
}

/// What stands behind a carrier.
#[derive(Debug)]
pub(crate) enum Kind {
    Stream(Stream),
    Datagram(Datagrams),
    Netlink(Netlink),
}

/// A stream socket.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: SocketId,
    pub(crate) family: Family,
    /// Whether the carrier has its abstract name.
    pub(crate) named: bool,
    /// The program has shut its sending side.
    pub(crate) write_shut: bool,
    /// The program has shut its receiving side: what still arrives is thrown away.
    pub(crate) read_shut: bool,
    /// Options that the carrier carries out as well: a connection takes them over from its listener.
    pub(crate) carrier_options: Vec<(i32, Vec<u8>)>,
    /// An option was set that only the host's TCP can carry out.
    pub(crate) engine_only: bool,
    /// The host's error, taken and not yet told by `SO_ERROR`.
    pub(crate) error: Option<Errno>,
    pub(crate) phase: Phase,
}

impl Stream {
    /// A stream whose carrier is not joined yet.
    pub(crate) fn new(id: SocketId, family: Family) -> Self {
        Self {
            id,
            family,
            named: false,
            write_shut: false,
            read_shut: false,
            carrier_options: vec![],
            engine_only: false,
            error: None,
            phase: Phase::Fresh,
        }
    }

    /// Whether plain calls on the carrier say what TCP would: it has, or had, a peer.
    pub(crate) fn is_carried(&self) -> bool {
        !matches!(self.phase, Phase::Fresh | Phase::Listening(_))
    }

    /// Whether the carrier has a peer, so that the kernel knows what has come over it.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Linked(_) | Phase::Direct { .. })
    }
}

/// Where a stream's carrier stands.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Not connected to anything.
    Fresh,
    /// A real listening socket.
    Listening(Listening),
    /// A non-blocking or held connect is under way.
    Connecting(Connecting),
    /// Joined with our end: bytes are carried through the host's TCP.
    Linked(Link),
    /// Joined straight with another program's carrier.
    Direct {
        /// The other carrier.
        peer: Key,
    },
    /// The carrier has been hung up, or has no more to carry; a new use needs a new carrier.
    Spent,
}

/// A listening carrier.
#[derive(Debug, Default)]
pub(crate) struct Listening {
    /// Accepted for a call that was gone before it could be answered: given to the next one, oldest first.
    pub(crate) parked: VecDeque<(Key, OwnedFd)>,
    /// Taken from the carrier's queue before their turn in the host's.
    pub(crate) early: Vec<(Key, OwnedFd)>,
}

/// A connect whose outcome is open.
#[derive(Debug)]
pub(crate) struct Connecting {
    /// Our end, when the carrier was made to look unconnected (see carrier/filler.rs).
    pub(crate) filler: Option<Filler>,
}

/// A carrier that is connected but full, so that it looks as one that is still connecting.
#[derive(Debug)]
pub(crate) struct Filler {
    pub(crate) end: OwnedFd,
    /// Bytes of filling that the program must never see the effect of.
    pub(crate) bytes: usize,
    /// The send buffer that the carrier had.
    pub(crate) send_buffer: i32,
}

/// Our end of a stream's carrier.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) end: OwnedFd,
    /// A program has the carrier (an arrival that waits to be accepted has none yet).
    pub(crate) accepted: bool,
    /// Bytes of the program wait for room in the host's send buffer.
    pub(crate) in_blocked: bool,
    /// Bytes of the host wait for room in the carrier.
    pub(crate) out_blocked: bool,
    /// The reactor tells of room: it was missed once.
    pub(crate) room_told: bool,
    /// All that the program sent has been read, and it will send no more.
    pub(crate) in_ended: bool,
    /// The program has been told that its peer sends no more.
    pub(crate) out_ended: bool,
}

impl Link {
    pub(crate) fn new(end: OwnedFd, accepted: bool) -> Self {
        Self {
            end,
            accepted,
            in_blocked: false,
            out_blocked: false,
            room_told: false,
            in_ended: false,
            out_ended: false,
        }
    }
}

/// A datagram socket.
#[derive(Debug)]
pub(crate) struct Datagrams {
    pub(crate) id: SocketId,
    pub(crate) family: Family,
    pub(crate) named: bool,
    /// Our end, while the socket is connected.
    pub(crate) end: Option<OwnedFd>,
    /// A socket of ours that is told when the carrier's full queue has room again.
    pub(crate) waiter: Option<OwnedFd>,
    /// Taken from the host, not yet in the carrier; oldest first.
    pub(crate) pending: VecDeque<Datagram>,
    /// The host's error, taken and shown by the carrier: whoever asks first, a plain call or a notified one, has it.
    pub(crate) error: Option<Errno>,
}

impl Datagrams {
    /// A socket without name and peer.
    pub(crate) fn new(id: SocketId, family: Family) -> Self {
        Self { id, family, named: false, end: None, waiter: None, pending: VecDeque::new(), error: None }
    }
}

/// A netlink socket: its carrier is joined with our end from birth.
#[derive(Debug)]
pub(crate) struct Netlink {
    pub(crate) end: OwnedFd,
    pub(crate) protocol: i32,
    /// The port id that it is bound to; zero before.
    pub(crate) port: u32,
}
