//! `TCP_SAVE_SYN` and `TCP_SAVED_SYN`: the headers of the SYN that began a connection, for a server that tells clients apart
//! by them.
//!
//! In: the SYN of a request whose listener asks for it. Out: its IP and TCP headers once, from the accepted socket; with 2
//! an Ethernet header before them, of zeros but for the type, as on Linux's loopback. A connection that a SYN cookie
//! brought back has none.

use super::flow::FlowKind;
use crate::Packet;
use crate::errno::{Errno, Result};
use crate::host::{Host, OptionValue, SocketId};
use crate::ip::input::Meta;
use crate::options::table::IPPROTO_TCP;
use crate::tcp::Segment;
use crate::wire::{ipv4::Ipv4Header, ipv6::Ipv6Header, protocol, segment, to_v6};
use alloc::boxed::Box;
use alloc::vec;
use core::net::IpAddr;

/// The headers of a SYN, as they came; the identification of IPv4 and the flow label of IPv6 are not kept and stand as 0.
pub(super) fn headers(meta: &Meta, syn: &Segment, form: u8) -> Box<[u8]> {
    let mut packet: Packet = segment::put(syn.clone(), meta.src, meta.dst);
    let ethernet_type: u16 = match (meta.src, meta.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let header = Ipv4Header {
                src,
                dst,
                protocol: protocol::TCP,
                ttl: meta.ttl,
                tos: meta.tos,
                id: 0,
                dont_fragment: true,
                more_fragments: false,
                fragment_offset: 0,
            };
            header.put(&mut packet);
            0x0800
        }
        (src, dst) => {
            let header = Ipv6Header {
                src: to_v6(src),
                dst: to_v6(dst),
                protocol: protocol::TCP,
                hop_limit: meta.ttl,
                traffic_class: meta.tos,
                flow_label: 0,
                fragment: None,
            };
            header.put(&mut packet);
            0x86dd
        }
    };
    let mut bytes = if form == WITH_ETHERNET { vec![0; ETHERNET_ADDRESSES] } else { vec![] };
    if form == WITH_ETHERNET {
        bytes.extend(ethernet_type.to_be_bytes());
    }
    bytes.extend(packet.header());
    bytes.into()
}

impl Host {
    /// A connection that was accepted gets what its request kept.
    pub(super) fn inherit_saved_syn(&mut self, child: SocketId, flow: super::flow::FlowId) {
        let FlowKind::Request { request, .. } = &mut self.flows[flow].kind else { return };
        if let Some(syn) = request.saved_syn.take() {
            let value = OptionValue::from_slice(&syn);
            self.sockets[child].options.store(IPPROTO_TCP, TCP_SAVED_SYN, value);
        }
    }

    /// `TCP_SAVED_SYN`: once; empty where there is none.
    ///
    /// # Errors
    /// EINVAL where it does not fit, and it stays.
    pub(crate) fn take_saved_syn(&mut self, id: SocketId, max_len: usize) -> Result<OptionValue> {
        let options = &mut self.socket_mut(id)?.options;
        match options.stored(IPPROTO_TCP, TCP_SAVED_SYN) {
            None => Ok(OptionValue::new()),
            Some(syn) if syn.len() > max_len => Err(Errno::EINVAL),
            Some(_) => Ok(options.unstore(IPPROTO_TCP, TCP_SAVED_SYN).unwrap_or_default()),
        }
    }
}

/// The value of `TCP_SAVE_SYN` that asks for the link's header too.
const WITH_ETHERNET: u8 = 2;
/// The two addresses of an Ethernet header.
const ETHERNET_ADDRESSES: usize = 12;
/// The option's number.
pub(crate) const TCP_SAVED_SYN: i32 = 28;
