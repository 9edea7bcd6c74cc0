//! What connections have to send, on its way: straight to its receiver when that is this host, else as a
//! packet.
//!
//! Senders stand in one queue and each is drained up to a quota, so that one bulk transfer does not keep the
//! others waiting. A segment to this host is handed over as it is: no header is written, nothing is summed.

use super::flow::{FlowId, FlowKind};
use crate::Packet;
use crate::host::{Host, IfIndex};
use crate::ip::input::{Meta, TTL_DEFAULT};
use crate::ip::output::Outgoing;
use crate::ip::route::Path;
use crate::tcp::Segment;
use crate::time::Instant;
use crate::wire::protocol;
use crate::wire::segment;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// A segment that answers without a connection: resets, TIME-WAIT's acknowledgements.
#[derive(Debug)]
pub(crate) struct Reply {
    path: Path,
    local: SocketAddr,
    remote: SocketAddr,
    segment: Segment,
}

impl Host {
    /// Queues an answer.
    pub(crate) fn reply(&mut self, path: Path, local: SocketAddr, remote: SocketAddr, segment: Segment) {
        if self.replies.len() < self.config.limits.output_packets_max {
            self.replies.push_back(Reply { path, local, remote, segment });
        } else {
            self.counters.ip_out_discards += 1;
        }
    }

    /// See [`Host::transmit`].
    pub(crate) fn drain(&mut self, now: Instant, budget: usize, out: &mut Vec<(IfIndex, Packet)>) -> bool {
        let mut left = budget;
        loop {
            while left > 0
                && let Some(packet) = self.packets.pop_front()
            {
                out.push(packet);
                left -= 1;
            }
            if left == 0 {
                break;
            }
            if let Some(reply) = self.replies.pop_front() {
                self.emit(reply.path, reply.local, reply.remote, (TTL_DEFAULT, 0), reply.segment, now);
                left -= 1;
            } else if let Some(id) = self.senders.pop_front() {
                left -= self.drain_flow(id, left.min(QUOTA), now);
            } else {
                break;
            }
        }
        !(self.packets.is_empty() && self.replies.is_empty() && self.senders.is_empty())
    }

    /// Sends what a flow has, at most `quota` segments; says how many.
    fn drain_flow(&mut self, id: FlowId, quota: usize, now: Instant) -> usize {
        for sent in 0..quota {
            let Some(flow) = self.flows.get_mut(id) else { return sent };
            let mut ctx = self.engine.ctx(now);
            let segment = match &mut flow.kind {
                FlowKind::Connection { connection, .. } => connection.transmit(&mut ctx),
                FlowKind::Request { request, .. } => request.transmit(&mut ctx),
                FlowKind::TimeWait(_) => None,
            };
            let (path, local, remote, fields) = (flow.path, flow.local, flow.remote, (flow.ttl, flow.tos));
            let Some(segment) = segment else {
                self.settle_sender(id, now);
                return sent;
            };
            self.emit(path, local, remote, fields, segment, now);
        }
        self.senders.push_back(id);
        quota
    }

    /// It leaves the queue only afterwards: who has just said that there is nothing is not asked again before
    /// something happens to it.
    fn settle_sender(&mut self, id: FlowId, now: Instant) {
        match self.flows[id].kind {
            FlowKind::Connection { .. } => self.settle(id, now),
            _ => self.sync_timer(id),
        }
        if let Some(flow) = self.flows.get_mut(id) {
            flow.sending = false;
        }
    }

    fn emit(
        &mut self,
        path: Path,
        local: SocketAddr,
        remote: SocketAddr,
        (ttl, tos): (u8, u8),
        segment: Segment,
        now: Instant,
    ) {
        let (src, dst) = (local.ip(), remote.ip());
        let tos = tos & !3 | segment.header.ecn;
        let Path::Out(interface) = path else {
            let meta = Meta { ttl, tos, ..Meta::own(src, dst, protocol::TCP, now) };
            if !self.raws.of(src.is_ipv6(), protocol::TCP).is_empty() {
                self.raw_arrives(&meta, &segment::put(segment.clone(), src, dst));
            }
            return self.segment_arrives(&meta, segment);
        };
        let Some(mtu) = self.routing.interface(interface).map(|i| i.mtu) else { return };
        let out = Outgoing { src, dst, protocol: protocol::TCP, ttl, tos, interface, whole: true, mtu };
        let packet = segment::put(segment, src, dst);
        // Segments follow the path's MTU; one that does not is dropped there, as any router would.
        if self.ip_send(&out, packet).is_err() {
            self.counters.ip_out_discards += 1;
        }
    }
}

/// Segments of one sender at a time.
const QUOTA: usize = 32;
