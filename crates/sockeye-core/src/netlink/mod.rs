//! Netlink: what programs ask to learn the host's interfaces, addresses and routes (`NETLINK_ROUTE`, rtnetlink(7)) and
//! its sockets (`NETLINK_SOCK_DIAG`, in [`diag`]).
//!
//! In: the bytes of one send. Out: the datagrams that the program then receives. Answered are dumps of links,
//! addresses and routes, and single links and routes (`RTM_GETLINK`, `RTM_GETADDR`, `RTM_GETROUTE`); rules and
//! neighbours are empty lists; whatever would change something is EPERM, as for any user without privilege.

mod bytecode;
pub mod diag;
mod dump;

use crate::errno::Errno;
use crate::host::Host;
use crate::wire::netlink::{MessageHeader, MessageWriter};
use alloc::vec::Vec;

/// One request's answer under construction.
struct Answer {
    request: MessageHeader,
    port: u32,
    /// Datagrams, the last still open.
    datagrams: Vec<Vec<u8>>,
}

/// Netlink.
impl Host {
    /// Answers the messages of one `NETLINK_ROUTE` request: the datagrams for the program, in order. `port` is
    /// the program's netlink port (`nl_pid`).
    pub fn netlink_route(&self, request: &[u8], port: u32) -> Vec<Vec<u8>> {
        answer_each(request, port, |answer, body| self.answer_route(answer, body))
    }

    fn answer_route(&self, answer: &mut Answer, body: &[u8]) {
        let request = answer.request;
        let is_dump = request.flags & NLM_F_DUMP == NLM_F_DUMP;
        let family = body.first().copied().unwrap_or(0);
        match request.kind {
            RTM_GETLINK if is_dump => self.dump_links(answer),
            RTM_GETADDR if is_dump => self.dump_addresses(answer, family),
            RTM_GETROUTE if is_dump => self.dump_routes(answer, family),
            RTM_GETRULE | RTM_GETNEIGH if is_dump => {}
            RTM_GETLINK => return self.one_link(answer, body),
            RTM_GETROUTE => return self.one_route(answer, body),
            kind if kind % 4 == GET => return answer.error(Some(Errno::EOPNOTSUPP), body),
            _ => return answer.error(Some(Errno::EPERM), body),
        }
        answer.done();
    }
}

/// Lets `one` answer each request of a datagram; gives the datagrams of all answers.
fn answer_each(request: &[u8], port: u32, mut one: impl FnMut(&mut Answer, &[u8])) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    let mut rest = request;
    while let Some((header, body, next)) = MessageHeader::parse(rest) {
        rest = next;
        // NLMSG_NOOP and its kin are passed over, and so is what is no request (netlink_rcv_skb).
        if header.flags & NLM_F_REQUEST == 0 || header.kind < RTM_BASE {
            continue;
        }
        let mut answer = Answer { request: header, port, datagrams: Vec::from([Vec::new()]) };
        one(&mut answer, body);
        datagrams.extend(answer.datagrams.into_iter().filter(|datagram| !datagram.is_empty()));
    }
    datagrams
}

impl Answer {
    /// A message of the answer, on its own or part of a dump.
    fn message(&mut self, kind: u16, is_dump: bool) -> MessageWriter<'_> {
        if self.datagrams.last().is_none_or(|datagram| datagram.len() > DATAGRAM_FULL) {
            self.datagrams.push(Vec::new());
        }
        let flags = if is_dump { NLM_F_MULTI } else { 0 };
        let header = MessageHeader { kind, flags, sequence: self.request.sequence, port: self.port };
        MessageWriter::new(self.datagrams.last_mut().expect("one is open"), header)
    }

    /// The end of a dump, in a datagram of its own as Linux sends it.
    fn done(&mut self) {
        self.datagrams.push(Vec::new());
        self.message(NLMSG_DONE, true).bytes(&0i32.to_ne_bytes()).finish();
    }

    /// `NLMSG_ERROR` with the request; `None` is an acknowledgement.
    fn error(&mut self, errno: Option<Errno>, body: &[u8]) {
        let request = self.request;
        let code = errno.map_or(0, |errno| -i32::from(errno.0));
        let mut quote = Vec::new();
        MessageWriter::new(&mut quote, request).bytes(body).finish();
        self.message(NLMSG_ERROR, false).bytes(&code.to_ne_bytes()).bytes(&quote).finish();
    }
}

const NLM_F_REQUEST: u16 = 1;
const NLM_F_MULTI: u16 = 2;
/// `NLM_F_ROOT | NLM_F_MATCH`.
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

const RTM_BASE: u16 = 16;
/// Kinds come in fours: new, delete, get, set.
const GET: u16 = 2;
const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
const RTM_GETNEIGH: u16 = 30;
const RTM_GETRULE: u16 = 34;

/// A dump goes on in a new datagram when one is this full; glibc reads with a buffer of a page.
const DATAGRAM_FULL: usize = 3000;
