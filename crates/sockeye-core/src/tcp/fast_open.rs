//! Fast Open (RFC 7413): data with the SYN, and an answer to it before the handshake is over.
//!
//! In, at the client: what the host remembers of the peer and the data that is to go with the SYN. Out: the first
//! SYN, and what its answer taught ([`OpeningNews`]). In, at the server: a SYN whose cookie the host has found good.
//! Out: a connection in SYN-RECEIVED that reads and writes at once. Cookies are made and kept by the host
//! (`socket/fast_open`). As Linux: tcp_fastopen.c, tcp_send_syn_data, tcp_rcv_fastopen_synack.

use super::block::{Due, Marks};
use super::connection::{Connection, MSS_MIN};
use super::recover::News;
use super::timers::Timer;
use super::{Ctx, Request, Segment, Settings, State};
use crate::packet::Payload;
use crate::wire::tcp::{Cookie, FastOpen, Flags, TcpHeader};
use alloc::boxed::Box;
use bytes::Bytes;

/// How a connection is to be opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opening {
    /// The option of the SYN: with a cookie, or asking for one; none where no cookie is needed.
    pub option: Option<FastOpen>,
    /// Whether data may go with it.
    pub with_data: bool,
    /// The peer's segment size as it was last time.
    pub mss: Option<u16>,
    /// The program waits to write: its data carries the handshake's last acknowledgement.
    pub writer_waits: bool,
}

/// What the answer to the SYN taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpeningNews {
    /// The peer's segment size.
    pub mss: u16,
    /// A cookie for the next time.
    pub cookie: Option<FastOpen>,
    /// A cookie was asked for in this form (experimental or not), and there was none.
    pub refused: Option<bool>,
}

/// What only a connection that was opened so has.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// Goes with the first SYN or SYN|ACK.
    option: Option<Box<FastOpen>>,
    /// Bytes that go with the first SYN.
    data: u32,
    /// A cookie was asked for or shown, in this form.
    form: Option<bool>,
    writer_waits: bool,
    news: Option<OpeningNews>,
}

impl Connection {
    /// The SYN waits for the data that is to go with it (`TCP_FASTOPEN_CONNECT`).
    pub(crate) fn defer(&mut self) {
        self.due -= Due::SYN;
        self.timers.clear(Timer::Retransmit);
        self.marks |= Marks::DEFERRED;
        self.mark_ready();
    }

    /// Whether it does.
    pub(crate) fn is_deferred(&self) -> bool {
        self.marks.contains(Marks::DEFERRED)
    }

    /// The SYN goes out, with as much of `data` as it has room for; says how much that is.
    pub(crate) fn open(&mut self, opening: &Opening, data: &[u8], ctx: &mut Ctx<'_>) -> usize {
        let room = self.snd.mss_path.min(opening.mss.unwrap_or(u16::MAX)).max(MSS_MIN) - OPTIONS_ROOM;
        let n = if opening.with_data { data.len().min(usize::from(room)) } else { 0 };
        if n > 0 {
            self.snd.queue.push_chunk(Bytes::copy_from_slice(&data[..n]), ctx.pool);
            self.end_record();
        }
        self.marks -= Marks::DEFERRED;
        self.due |= Due::SYN;
        self.opened = Some(Box::new(Opened {
            form: opening.option.as_ref().map(|option| option.experimental),
            option: opening.option.clone().map(Box::new),
            data: n as u32,
            writer_waits: opening.writer_waits && n < data.len(),
            news: None,
        }));
        self.arm_retransmit(ctx);
        n
    }

    /// What the first SYN or SYN|ACK carries; what is sent again is a plain one, lest a middlebox drop it too.
    pub(super) fn take_opening(&mut self, ctx: &Ctx<'_>) -> (Option<Box<FastOpen>>, Payload) {
        let Some(opened) = self.opened.as_mut() else { return (None, Payload::new()) };
        let option = opened.option.take();
        if self.state != State::SynSent || self.snd.nxt != self.snd.iss + 1 || opened.data == 0 {
            return (option, Payload::new());
        }
        let payload = self.snd.queue.read_next(opened.data as usize);
        self.snd.nxt = self.snd.nxt + opened.data;
        self.recovery.board.push(self.snd.nxt, ctx.now.0);
        self.totals.bytes_sent += u64::from(opened.data);
        self.totals.data_segs_out += 1;
        (option, payload)
    }

    /// The SYN|ACK has come: what it acknowledges of the SYN's data, and what the host should remember.
    pub(super) fn take_opening_answer(&mut self, header: &TcpHeader, news: &mut News, ctx: &mut Ctx<'_>) {
        let Some(data) = self.opened.as_ref().map(|opened| opened.data) else { return };
        if self.snd.una.lt(header.ack) {
            news.acked = header.ack.diff(self.snd.una) as u32;
            self.advance(header.ack, ctx);
            self.hear_acknowledged(header.ack, news, ctx.now);
        }
        if data > 0 && self.snd.una == self.snd.nxt {
            self.marks |= Marks::SYN_DATA;
            // Linux counts SYN and data as one then.
            let segments = news.delivered.div_ceil(u32::from(self.snd.mss));
            self.totals.delivered = self.totals.delivered.wrapping_sub(segments);
        }
        let timed_out = self.totals.retrans > 0;
        let Some(opened) = self.opened.as_mut() else { return };
        let cookie = header.options.fast_open.as_deref().filter(|option| !option.cookie.is_empty());
        let cookie = cookie.filter(|_| opened.form.is_some()).cloned();
        let refused = opened.form.filter(|_| cookie.is_none() && data == 0 && !timed_out);
        opened.news = Some(OpeningNews { mss: self.snd.mss_peer, cookie, refused });
    }

    /// What the SYN's answer did not take goes out again at once; nothing says that the network lost it (Linux:
    /// tcp_non_congestion_loss_retransmit).
    pub(super) fn send_untaken(&mut self, ctx: &Ctx<'_>) {
        if self.snd.una.lt(self.snd.nxt) {
            self.resend_all(ctx);
        }
    }

    /// What the host should remember of the peer; once.
    pub(crate) fn take_opening_news(&mut self) -> Option<OpeningNews> {
        self.opened.as_mut()?.news.take()
    }

    /// Whether the handshake's last acknowledgement waits for the program's data.
    pub(super) fn writer_waits(&self) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.writer_waits)
    }

    /// The SYN's data does not get through, so the SYN goes out alone (Linux: tcp_simple_retransmit).
    pub(super) fn reopen_plainly(&mut self) {
        if self.state == State::SynSent && self.opened.as_ref().is_some_and(|opened| opened.data > 0) {
            self.due |= Due::SYN;
        }
    }

    /// Whether it may be used although its handshake is not over.
    pub(super) fn is_open_early(&self) -> bool {
        self.state == State::SynReceived && self.marks.contains(Marks::FAST_OPEN)
    }

    /// The same for the host, which counts those.
    pub(crate) fn counts_as_early(&self) -> bool {
        self.is_open_early()
    }

    /// The client's SYN comes again: so does the answer.
    pub(super) fn answers_again(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) -> bool {
        let flags = segment.header.flags & (Flags::SYN | Flags::ACK | Flags::RST);
        let again = self.is_open_early() && flags == Flags::SYN && segment.header.seq == self.rcv.irs;
        if again && self.challenge(true, ctx) {
            self.due -= Due::ACK;
            self.due |= Due::SYN;
        }
        again
    }
}

impl Request {
    /// The server's side: the cookie was good (or none is needed), so the SYN's data is taken, and the connection is
    /// the program's before its handshake is over (RFC 7413, 4.2.2). `offer` goes back with the SYN|ACK.
    pub(crate) fn open_early(
        &self,
        syn: Segment,
        offer: Option<FastOpen>,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> Box<Connection> {
        ctx.counters.passive_opens += 1;
        let mut connection = Box::new(self.connection(settings, ctx));
        connection.marks |= Marks::FAST_OPEN;
        connection.opened = Some(Box::new(Opened { option: offer.map(Box::new), ..Opened::default() }));
        connection.due |= Due::SYN;
        connection.arm_retransmit(ctx);
        connection.totals.segs_in += 1;
        if !syn.payload.is_empty() {
            connection.marks |= Marks::SYN_DATA;
            connection.totals.data_segs_in += 1;
            connection.deliver(syn.payload, ctx);
            connection.mark_ready();
        }
        connection
    }
}

/// The cookie for a client (RFC 7413, 4.1.2), as Linux makes it: a keyed hash of both addresses.
pub(crate) fn cookie(key: &[u8; 16], client: core::net::IpAddr, server: core::net::IpAddr) -> Cookie {
    use core::hash::Hasher;
    use core::net::IpAddr;
    let word = |at: usize| u64::from_le_bytes(core::array::from_fn(|i| key[at + i]));
    let mut hasher = siphasher::sip::SipHasher24::new_with_keys(word(0), word(8));
    for ip in [client, server] {
        match ip {
            IpAddr::V4(ip) => hasher.write(&ip.octets()),
            IpAddr::V6(ip) => hasher.write(&ip.octets()),
        }
    }
    hasher.finish().to_le_bytes().into_iter().collect()
}

/// Linux leaves room for all options that a middlebox may add.
const OPTIONS_ROOM: u16 = 40;
