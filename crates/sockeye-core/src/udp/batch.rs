//! Datagrams that are sent together: one that is written in parts (`UDP_CORK`, `MSG_MORE`), and a batch that is written
//! as one and cut (`UDP_SEGMENT`), which who asked for it (`UDP_GRO`) also receives as one.

use super::PAYLOAD_MAX_V4;
use crate::errno::{Errno, Result};
use crate::host::{Host, SendControl, SocketId};
use crate::packet::Payload;
use crate::time::Instant;
use crate::wire::udp;
use alloc::boxed::Box;
use core::net::SocketAddr;

/// A datagram that is not whole yet. Where it goes is what its first part said.
#[derive(Clone, Debug)]
pub(crate) struct Corked {
    payload: Payload,
    to: SocketAddr,
    control: SendControl,
}

impl Host {
    /// Sends, or adds to what waits to be whole.
    pub(crate) fn udp_send_part(
        &mut self,
        id: SocketId,
        payload: Payload,
        to: SocketAddr,
        control: &SendControl,
        now: Instant,
    ) -> Result<usize> {
        let seldom = self.sockets[id].options.seldom.as_deref();
        let (holds, waits) = seldom.map_or((false, false), |s| (s.cork, s.corked.is_some()));
        if !(holds || waits || control.more) {
            return self.udp_send(id, payload, to, control, now);
        }
        let len = payload.len();
        if !waits {
            // What would be said of the whole is said of the first part.
            self.udp_way(id, len, to, control)?;
        }
        let seldom = self.sockets[id].options.seldom.get_or_insert_default();
        let corked = seldom
            .corked
            .get_or_insert_with(|| Box::new(Corked { payload: Payload::new(), to, control: *control }));
        if corked.payload.len() + len > PAYLOAD_MAX_V4 {
            return Err(Errno::EMSGSIZE);
        }
        payload.into_slices().for_each(|slice| corked.payload.push(slice));
        if !(holds || control.more) {
            self.uncork(id, now)?;
        }
        Ok(len)
    }

    /// Sends what waits.
    pub(crate) fn uncork(&mut self, id: SocketId, now: Instant) -> Result<()> {
        let corked = self.sockets[id].options.seldom.as_mut().and_then(|seldom| seldom.corked.take());
        let Some(Corked { payload, to, control }) = corked.map(|corked| *corked) else { return Ok(()) };
        self.udp_send(id, payload, to, &control, now).map(drop)
    }

    /// The length of a batch's datagrams, if what is sent is one.
    ///
    /// # Errors
    /// As udp_send_skb: EMSGSIZE where not even one fits the way, EINVAL for too many.
    pub(super) fn batch_of(
        &self,
        id: SocketId,
        len: usize,
        to: SocketAddr,
        control: &SendControl,
        mtu: u32,
    ) -> Result<u16> {
        let own = self.sockets[id].options.seldom.as_deref().map_or(0, |seldom| seldom.segment);
        let segment = control.segment.unwrap_or(own);
        if segment == 0 {
            return Ok(0);
        }
        let header = udp::HEADER_LEN + if to.is_ipv4() { 20 } else { 40 };
        if header + len.min(usize::from(segment)) > mtu as usize {
            return Err(Errno::EMSGSIZE);
        }
        if len > usize::from(segment) * SEGMENTS_MAX {
            return Err(Errno::EINVAL);
        }
        Ok(if len > usize::from(segment) { segment } else { 0 })
    }
}

/// The datagrams of a batch: pieces of `segment` bytes, the last perhaps shorter; all of it for 0.
pub(crate) fn cut(payload: Payload, segment: u16) -> impl Iterator<Item = Payload> {
    let step = usize::from(segment);
    let mut rest = Some(payload);
    core::iter::from_fn(move || match &mut rest {
        Some(more) if step != 0 && more.len() > step => Some(more.split_to(step)),
        // What is left is the last, and given away: the single datagram costs nothing here.
        last => last.take(),
    })
}

/// `UDP_MAX_SEGMENTS`.
const SEGMENTS_MAX: usize = 128;
