//! What a host is made from: its name, interfaces, routes and limits. Plain data; nothing here changes later.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use ipnet::IpNet;

/// The configuration of a host. `lo` (127.0.0.1/8, ::1/128, index 1) is always there.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The host's name.
    pub name: String,
    /// Interfaces beside `lo`; they get the indices 2, 3, ...
    pub interfaces: Vec<InterfaceConfig>,
    /// The MTU of `lo` in bytes where it is a link like others: what the host sends to itself then leaves by
    /// [`crate::Host::transmit`], and whoever owns the host brings it back. None: it stays inside, and the MTU is
    /// Linux's 65536.
    pub linked_loopback: Option<u32>,
    /// Routes beside those that the interfaces' addresses make.
    pub routes: Vec<RouteConfig>,
    /// Whether sockets may bind to and send from addresses that the host does not have.
    pub any_source: bool,
    /// First and last port that connect and bind pick from (`net.ipv4.ip_local_port_range`).
    pub ephemeral_ports: (u16, u16),
    /// Ticks a second (`CONFIG_HZ`): `SO_RCVTIMEO` and `SO_SNDTIMEO` are rounded up to whole ones. At least 1.
    pub ticks_per_second: u32,
    /// Bounds of queues and tables.
    pub limits: HostLimits,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            name: String::from("localhost"),
            interfaces: Vec::new(),
            linked_loopback: None,
            routes: Vec::new(),
            any_source: false,
            ephemeral_ports: (32768, 60999),
            ticks_per_second: 250,
            limits: HostLimits::default(),
        }
    }
}

/// An interface.
#[derive(Clone, Debug)]
pub struct InterfaceConfig {
    /// `eth0` and so on.
    pub name: String,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// Its link address, if it has one.
    pub mac: Option<[u8; 6]>,
    /// Addresses with their networks; each makes a connected route.
    pub addresses: Vec<IpNet>,
    /// Whoever sends by it may have any source address, loopback too; connections that come in by it are
    /// answered by it, whatever their peer.
    pub trusted_gate: bool,
}

impl InterfaceConfig {
    /// An Ethernet-sized interface with these addresses.
    pub fn new(name: &str, addresses: Vec<IpNet>) -> Self {
        Self { name: String::from(name), mtu: 1500, mac: None, addresses, trusted_gate: false }
    }
}

/// A route.
#[derive(Clone, Debug)]
pub struct RouteConfig {
    /// Where to; `0.0.0.0/0` or `::/0` is the default route.
    pub destination: IpNet,
    /// The next hop, if it is not on the link.
    pub gateway: Option<IpAddr>,
    /// The name of the interface.
    pub interface: String,
}

/// Every queue and table has a bound; these are the ones that can be chosen.
#[derive(Clone, Debug)]
pub struct HostLimits {
    /// Sockets at once; beyond, socket(2) says ENFILE.
    pub sockets_max: usize,
    /// `net.core.somaxconn`.
    pub somaxconn: u32,
    /// `net.ipv4.tcp_max_syn_backlog`: half-open connections per listener.
    pub syn_backlog_max: usize,
    /// `net.ipv4.tcp_max_tw_buckets`.
    pub time_waits_max: usize,
    /// `net.ipv4.tcp_max_orphans`.
    pub orphans_max: usize,
    /// `net.core.rmem_max`, bytes.
    pub receive_buffer_max: u32,
    /// `net.core.wmem_max`, bytes.
    pub send_buffer_max: u32,
    /// Packets that wait for [`crate::Host::transmit`], beyond connections' own buffers.
    pub output_packets_max: usize,
    /// IP datagrams under reassembly at once.
    pub reassemblies_max: usize,
    /// Error queue entries per socket.
    pub queued_errors_max: usize,
    /// Datagrams in a socket's receive queue, whatever their size.
    pub datagrams_max: usize,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            sockets_max: 4 << 20,
            somaxconn: 4096,
            syn_backlog_max: 4096,
            time_waits_max: 262_144,
            orphans_max: 262_144,
            receive_buffer_max: 212_992,
            send_buffer_max: 212_992,
            output_packets_max: 4096,
            reassemblies_max: 64,
            queued_errors_max: 64,
            datagrams_max: 16_384,
        }
    }
}
