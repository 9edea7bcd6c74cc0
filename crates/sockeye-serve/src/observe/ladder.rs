//! `--sequence`: calls and packets in the order in which they happened, on one time line.
//!
//! In: calls, bytes and packets as they come. Out: one entry each, with the side it belongs to: the client's (whoever
//! connected, or sent the first datagram) or the server's. A socket's side is known only some calls after its birth,
//! so entries wait, in order, until the first one's side is known or a short time is over.

use super::picture::Picture;
use crate::served::Key;
use sockeye::lab::Tap;
use sockeye::lab::link::Outcome;
use sockeye::lab::view::View;
use sockeye_core::Instant;
use sockeye_core::wire::tcp::{Flags, Seq};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::net::SocketAddr;
use std::time::Duration;

/// How long an entry waits for its side to be known; longer where one connection is chosen, since that is known
/// only when it begins.
const PATIENCE: Duration = Duration::from_millis(300);
const PATIENCE_FOR_CHOICE: Duration = Duration::from_secs(10);
/// Entries that wait; beyond, the first is written as it is.
const WAITING_MAX: usize = 16_384;
/// Conversations and sockets that are remembered; beyond, all is forgotten and numbers go on.
const REMEMBERED_MAX: usize = 65_536;

/// What is to be shown of a sequence, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice {
    /// The connection of that number only, in the order of their first packets, from 1.
    pub connection: Option<u32>,
    /// A JSON object a line instead of a picture.
    pub json: bool,
}

/// Whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// Something that happened.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Instant,
    pub(super) key: Option<Key>,
    pub(super) side: Side,
    pub(super) connection: Option<u32>,
    pub(super) body: Body,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Body {
    Call { tid: u32, text: String },
    Bytes { tid: u32, fd: i32, taken: bool, n: usize },
    Packet(Box<Passage>),
}

/// A packet on its way.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) src: SocketAddr,
    pub(super) dst: SocketAddr,
    pub(super) what: What,
    /// Bytes behind the headers.
    pub(super) len: usize,
    pub(super) resent: u32,
    pub(super) outcome: Outcome,
    pub(super) verdict: String,
}

/// What kind of packet; numbers of TCP count from the connection's beginning.
#[derive(Debug)]
pub(super) enum What {
    Tcp { flags: Flags, seq: u32, ack: u32, window: u16 },
    Udp,
    Other { protocol: u8 },
}

/// Two addresses that talk.
#[derive(Clone, Copy, Debug)]
struct Conversation {
    number: u32,
    client: SocketAddr,
    /// The client's and the server's.
    isn: [Option<Seq>; 2],
}

/// The entries and what is known of sockets and connections.
#[derive(Debug)]
pub(crate) struct Ladder {
    choice: Choice,
    picture: Picture,
    waiting: VecDeque<Entry>,
    sides: HashMap<Key, Side>,
    connections: HashMap<Key, u32>,
    conversations: HashMap<(SocketAddr, SocketAddr, u8), Conversation>,
    last_number: u32,
}

impl Ladder {
    /// Writes to `out`; times count from `start`.
    pub(crate) fn new(choice: Choice, out: File, start: Instant) -> Self {
        Self {
            choice,
            picture: Picture::new(out, start, choice.json),
            waiting: VecDeque::new(),
            sides: HashMap::new(),
            connections: HashMap::new(),
            conversations: HashMap::new(),
            last_number: 0,
        }
    }

    /// From now on a socket's side is known.
    pub(super) fn set_side(&mut self, key: Key, side: Side) {
        if self.sides.len() >= REMEMBERED_MAX {
            self.sides.clear();
        }
        self.sides.insert(key, side);
    }

    pub(super) fn call(&mut self, at: Instant, key: Option<Key>, tid: u32, text: String) {
        self.push(at, key, Body::Call { tid, text });
    }

    pub(super) fn bytes(&mut self, at: Instant, key: Key, (tid, fd): (u32, i32), taken: bool, n: usize) {
        self.push(at, Some(key), Body::Bytes { tid, fd, taken, n });
    }

    fn push(&mut self, at: Instant, key: Option<Key>, body: Body) {
        self.waiting.push_back(Entry { at, key, side: Side::Client, connection: None, body });
    }

    /// A packet between the sockets `ends`, the sender's first.
    pub(super) fn packet(&mut self, tap: &Tap, view: &View, ends: [Option<Key>; 2]) {
        let conversation = self.conversation(view);
        let from_client = conversation.client == view.src;
        let [client, server] = if from_client { ends } else { [ends[1], ends[0]] };
        for (key, side) in [(client, Side::Client), (server, Side::Server)] {
            let Some(key) = key else { continue };
            self.sides.entry(key).or_insert(side);
            if self.connections.len() >= REMEMBERED_MAX {
                self.connections.clear();
            }
            self.connections.entry(key).or_insert(conversation.number);
        }
        let what = match &view.tcp {
            Some(header) => {
                let [own, other] = if from_client { [0, 1] } else { [1, 0] };
                let from = |isn: Option<Seq>, n: Seq| isn.map_or(n.0, |isn| n.0.wrapping_sub(isn.0));
                let seq = from(conversation.isn[own], header.seq);
                let ack = from(conversation.isn[other], header.ack);
                What::Tcp { flags: header.flags, seq, ack, window: header.window }
            }
            None if view.protocol == libc::IPPROTO_UDP as u8 => What::Udp,
            None => What::Other { protocol: view.protocol },
        };
        let passage = Passage {
            src: view.src,
            dst: view.dst,
            what,
            len: view.payload_len,
            resent: tap.resent,
            outcome: tap.outcome,
            verdict: tap.verdict(),
        };
        self.waiting.push_back(Entry {
            at: tap.at,
            key: None,
            side: if from_client { Side::Client } else { Side::Server },
            connection: Some(conversation.number),
            body: Body::Packet(Box::new(passage)),
        });
    }

    /// The conversation of a packet; a SYN or a first packet begins one.
    fn conversation(&mut self, view: &View) -> Conversation {
        let (there, back) = ((view.src, view.dst, view.protocol), (view.dst, view.src, view.protocol));
        let flags = view.tcp.as_ref().map_or(Flags::empty(), |tcp| tcp.flags);
        let seq = view.tcp.as_ref().map(|tcp| tcp.seq);
        let key = if self.conversations.contains_key(&back) && !self.conversations.contains_key(&there) {
            back
        } else {
            there
        };
        let begins = flags & (Flags::SYN | Flags::ACK) == Flags::SYN;
        let known = self.conversations.get(&key).copied();
        let mut conversation = match known {
            Some(known) if !begins || known.isn[0] == seq => known,
            _ => {
                if self.conversations.len() >= REMEMBERED_MAX {
                    self.conversations.clear();
                }
                self.last_number += 1;
                Conversation { number: self.last_number, client: view.src, isn: [None; 2] }
            }
        };
        let own = usize::from(conversation.client != view.src);
        if flags.contains(Flags::SYN) {
            conversation.isn[own] = seq;
        }
        self.conversations.insert(key, conversation);
        conversation
    }

    /// Whether an entry waits for its side to be known.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes, in order, what is complete; with `all`, everything.
    pub(super) fn write(&mut self, now: Instant, all: bool) {
        let patience = if self.choice.connection.is_some() { PATIENCE_FOR_CHOICE } else { PATIENCE };
        while let Some(entry) = self.waiting.front() {
            let known = self.is_known(entry);
            let patient = !all && self.waiting.len() < WAITING_MAX && now.since(entry.at) < patience;
            if !known && patient {
                break;
            }
            let Some(mut entry) = self.waiting.pop_front() else { break };
            if let Some(key) = entry.key {
                entry.side = self.sides.get(&key).copied().unwrap_or(Side::Client);
                entry.connection = self.connections.get(&key).copied();
            }
            if self.choice.connection.is_none_or(|number| entry.connection == Some(number)) {
                self.picture.entry(&entry);
            }
        }
        self.picture.flush();
    }

    fn is_known(&self, entry: &Entry) -> bool {
        entry.key.is_none_or(|key| {
            let connection = self.choice.connection.is_none() || self.connections.contains_key(&key);
            connection && self.sides.contains_key(&key)
        })
    }
}
