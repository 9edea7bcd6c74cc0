//! Fast Open's cookies (RFC 7413): those that this host gives to its clients, and those that it has from servers.
//!
//! In: a SYN for a listener. Out: whether its data may be taken, and the cookie that the answer offers. In: what an
//! answer taught. Out: how the next connection to that peer is opened. As Linux: tcp_try_fastopen,
//! tcp_fastopen_cookie_check and the cookies in tcp_metrics.

use super::flow::FlowId;
use crate::host::{Host, SocketId};
use crate::tcp::{CookieKeys, Limits, Opening, OpeningNews, Segment, Settings, cookie};
use crate::wire::tcp::{Cookie, FastOpen};
use core::net::IpAddr;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// What the host remembers of peers.
#[derive(Debug, Default)]
pub(crate) struct Peers(HashMap<IpAddr, Known, FixedState>);

#[derive(Clone, Debug, Default)]
struct Known {
    mss: u16,
    cookie: Option<FastOpen>,
    /// A cookie was asked for in vain: once, so that the older form of the option is tried; then in that form too.
    asked_in_vain: u8,
}

/// What a listener makes of a SYN.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Its data is taken and the connection given to the program.
    pub accept: bool,
    /// The cookie that the answer carries.
    pub offer: Option<FastOpen>,
}

impl Peers {
    fn learn(&mut self, peer: IpAddr, news: OpeningNews) {
        if self.0.len() >= PEERS_MAX && !self.0.contains_key(&peer) {
            self.0.clear();
        }
        let known = self.0.entry(peer).or_default();
        known.mss = news.mss;
        if news.cookie.is_some() {
            known.cookie = news.cookie;
        } else if let (Some(experimental), None) = (news.refused, &known.cookie) {
            known.asked_in_vain = known.asked_in_vain.max(if experimental { 2 } else { 1 });
        }
    }
}

impl Host {
    /// Forgets what is remembered of peers (`ip tcp_metrics flush`).
    pub fn forget_peers(&mut self) {
        self.peers = Peers::default();
    }

    /// How a connection to this peer is opened.
    pub(crate) fn opening_to(&self, peer: IpAddr, settings: &Settings) -> Opening {
        let known = self.peers.0.get(&peer);
        let mss = known.map(|known| known.mss);
        let needs_no_cookie =
            settings.fast_open_no_cookie || self.engine.limits.allows(Limits::FAST_OPEN_CLIENT_NO_COOKIE);
        if needs_no_cookie {
            return Opening { option: None, with_data: true, mss, writer_waits: false };
        }
        let cookie = known.and_then(|known| known.cookie.clone());
        let with_data = cookie.is_some();
        let experimental = known.is_some_and(|known| known.asked_in_vain == 1);
        let option = cookie.unwrap_or(FastOpen { experimental, ..FastOpen::default() });
        Opening { option: Some(option), with_data, mss, writer_waits: false }
    }

    /// A connection that was in SYN-SENT has heard something.
    pub(crate) fn learn_from_opening(&mut self, id: FlowId) {
        let Some(flow) = self.flows.get_mut(id) else { return };
        let peer = flow.remote.ip();
        let Some(news) = flow.connection_mut().and_then(|connection| connection.take_opening_news()) else {
            return;
        };
        self.peers.learn(peer, news);
    }

    /// RFC 7413, 4.2.2: what becomes of a SYN.
    pub(crate) fn decide_opening(
        &self,
        listener: SocketId,
        server: IpAddr,
        client: IpAddr,
        syn: &Segment,
    ) -> Decision {
        let limits = &self.engine.limits;
        let shown = syn.header.options.fast_open.as_deref();
        if !limits.allows(Limits::FAST_OPEN_SERVER) || (shown.is_none() && syn.payload.is_empty()) {
            return Decision::default();
        }
        let socket = &self.sockets[listener];
        let (Some(settings), Some(queue)) = (socket.settings(), socket.listener()) else {
            return Decision::default();
        };
        if queue.open_early >= settings.fast_open_queue {
            return Decision::default();
        }
        if settings.fast_open_no_cookie || limits.allows(Limits::FAST_OPEN_SERVER_NO_COOKIE) {
            return Decision { accept: true, offer: None };
        }
        let Some(shown) = shown else { return Decision::default() };
        let keys = settings.fast_open_keys.as_deref().unwrap_or(&limits.fast_open_keys);
        judge_cookie(keys, &shown.cookie, shown.experimental, client, server)
    }

    /// Whether a listener takes part without having asked (`tcp_fastopen`, 0x400).
    pub(crate) fn tune_listener(&mut self, id: SocketId, backlog: u32) {
        let limits = &self.engine.limits;
        let every =
            limits.allows(Limits::FAST_OPEN_EVERY_LISTENER) && limits.allows(Limits::FAST_OPEN_SERVER);
        if let Some(settings) = self.sockets[id].settings_mut().filter(|s| every && s.fast_open_queue == 0) {
            settings.fast_open_queue = backlog;
        }
    }

    /// A connection that was given away early is so no more: its listener has room for another.
    pub(crate) fn is_early_no_more(&mut self, id: FlowId) {
        let Some(listener) = self.flows[id].opener.take() else { return };
        if let Some(queue) = self.sockets.get_mut(listener).and_then(|socket| socket.listener_mut()) {
            queue.open_early -= 1;
        }
    }
}

/// A cookie of the first key is good; of another it is too, and the answer brings a new one.
fn judge_cookie(
    keys: &CookieKeys,
    shown: &Cookie,
    experimental: bool,
    client: IpAddr,
    server: IpAddr,
) -> Decision {
    let Some(first) = keys.first() else { return Decision::default() };
    let fresh = cookie(first, client, server);
    let offer = Some(FastOpen { cookie: fresh.clone(), experimental });
    if *shown == fresh {
        return Decision { accept: true, offer: None };
    }
    let old = !shown.is_empty() && keys.iter().skip(1).any(|key| cookie(key, client, server) == *shown);
    Decision { accept: old, offer }
}

/// Peers that are remembered at once; beyond, all are forgotten.
const PEERS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the cookie of Linux: `tcp_fastopen_key` a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4.
    #[test]
    fn cookies_are_those_of_linux() {
        let mut key = [0; 16];
        for (four, byte) in key.chunks_mut(4).zip([0xa1, 0xb2, 0xc3, 0xd4]) {
            four.fill(byte);
        }
        let (client, server) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 168, 0, 1]));
        let cookie = cookie(&key, client, server);
        assert_eq!(cookie[..], [0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb]);
        let keys = CookieKeys::from_iter([[7; 16], key]);
        let old = judge_cookie(&keys, &cookie, false, client, server);
        assert!(old.accept && old.offer.is_some(), "an older key is good, and a new cookie comes back");
        let wrong = judge_cookie(&keys, &Cookie::from_iter([1, 2, 3, 4]), false, client, server);
        assert!(!wrong.accept && wrong.offer.is_some());
    }
}
