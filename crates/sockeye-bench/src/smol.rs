//! smoltcp's side in process: two interfaces and the packets moved between them.
//!
//! It gets what it is best with: the IP medium, buffers that fit the second-level cache, packet buffers used again
//! without being cleared, no congestion control where nothing is lost, checksums off where the case is without. Its
//! sockets live in one set for each host, as it asks for.

use anyhow::{Result, anyhow, ensure};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, ChecksumCapabilities, Device, DeviceCapabilities, Medium};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use std::collections::VecDeque;

/// A packet buffer with the length of what is in it.
pub(crate) type Frame = (Vec<u8>, usize);

/// A card: frames that came, frames to go, frames to be used again.
pub(crate) struct Card {
    mtu: usize,
    checksums: bool,
    pub(crate) arrived: VecDeque<Frame>,
    pub(crate) sent: VecDeque<Frame>,
    spare: Vec<Vec<u8>>,
}

impl Device for Card {
    type RxToken<'a> = Arrived<'a>;
    type TxToken<'a> = Sending<'a>;

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        if !self.checksums {
            capabilities.checksum = ChecksumCapabilities::ignored();
        }
        capabilities
    }

    fn receive(&mut self, _: Instant) -> Option<(Arrived<'_>, Sending<'_>)> {
        let frame = self.arrived.pop_front()?;
        // The answer's token and this one both want the spare frames; the answer goes first.
        let Self { sent, spare, mtu, .. } = self;
        let answer = spare.pop().unwrap_or_else(|| vec![0; *mtu]);
        Some((Arrived { frame, spare }, Sending { room: Room::Taken(answer), sent }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        let Self { sent, spare, mtu, .. } = self;
        Some(Sending { room: Room::Spare(spare, *mtu), sent })
    }
}

pub(crate) struct Arrived<'a> {
    frame: Frame,
    spare: &'a mut Vec<Vec<u8>>,
}

impl phy::RxToken for Arrived<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        let result = read(&self.frame.0[..self.frame.1]);
        self.spare.push(self.frame.0);
        result
    }
}

enum Room<'a> {
    Taken(Vec<u8>),
    Spare(&'a mut Vec<Vec<u8>>, usize),
}

pub(crate) struct Sending<'a> {
    room: Room<'a>,
    sent: &'a mut VecDeque<Frame>,
}

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut buffer = match self.room {
            Room::Taken(buffer) => buffer,
            Room::Spare(spare, mtu) => spare.pop().unwrap_or_else(|| vec![0; mtu]),
        };
        let result = write(&mut buffer[..len]);
        self.sent.push_back((buffer, len));
        result
    }
}

/// A host.
pub(crate) struct End {
    pub(crate) card: Card,
    pub(crate) interface: Interface,
    pub(crate) sockets: SocketSet<'static>,
}

impl End {
    pub(crate) fn new(last: u8, mtu: usize, checksums: bool, seed: u64) -> Self {
        let mut card =
            Card { mtu, checksums, arrived: VecDeque::new(), sent: VecDeque::new(), spare: Vec::new() };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut card, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            let _ = addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, last), 24));
        });
        Self { card, interface, sockets: SocketSet::new(vec![]) }
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.card, &mut self.sockets);
    }

    pub(crate) fn tcp(&mut self, socket: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(socket)
    }

    pub(crate) fn udp(&mut self, socket: SocketHandle) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(socket)
    }

    /// A TCP socket that sends at once.
    pub(crate) fn add_tcp(&mut self, buffer_bytes: usize) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; buffer_bytes]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        self.sockets.add(socket)
    }

    pub(crate) fn open(&mut self, socket: SocketHandle, port: u16, local_port: u16) -> Result<()> {
        let Self { interface, sockets, .. } = self;
        let socket = sockets.get_mut::<tcp::Socket<'_>>(socket);
        let server = (IpAddress::v4(10, 0, 0, 2), port);
        socket.connect(interface.context(), server, local_port).map_err(|error| anyhow!("{error:?}"))
    }
}

/// The client's host and the server's.
pub(crate) struct Smol {
    pub(crate) now: Instant,
    pub(crate) client: End,
    pub(crate) server: End,
    /// Packets that went over.
    pub(crate) carried: u64,
}

impl Smol {
    pub(crate) fn new(mtu: usize, checksums: bool, seed: u64) -> Self {
        let end = |last, seed| End::new(last, mtu, checksums, seed);
        Self { now: Instant::ZERO, client: end(1, seed), server: end(2, seed + 1), carried: 0 }
    }

    /// Polls both by turns until no packet is under way.
    pub(crate) fn exchange(&mut self) {
        loop {
            self.client.poll(self.now);
            let there = self.hand_over(true);
            self.server.poll(self.now);
            let back = self.hand_over(false);
            if there + back == 0 {
                return;
            }
        }
    }

    fn hand_over(&mut self, there: bool) -> usize {
        let (from, to) = match there {
            true => (&mut self.client.card, &mut self.server.card),
            false => (&mut self.server.card, &mut self.client.card),
        };
        let moved = from.sent.len();
        to.arrived.append(&mut from.sent);
        // Used frames go back to who sends the most.
        if !there {
            to.spare.append(&mut from.spare);
        }
        self.carried += moved as u64;
        moved
    }

    /// A connection with buffers of that size at all four places.
    pub(crate) fn connected(&mut self, buffer_bytes: usize) -> Result<(SocketHandle, SocketHandle)> {
        self.connected_at(buffer_bytes, 80, 40000)
    }

    pub(crate) fn connected_at(
        &mut self,
        buffer_bytes: usize,
        port: u16,
        local_port: u16,
    ) -> Result<(SocketHandle, SocketHandle)> {
        let server = self.server.add_tcp(buffer_bytes);
        self.server.tcp(server).listen(port).map_err(|error| anyhow!("{error:?}"))?;
        let client = self.client.add_tcp(buffer_bytes);
        self.client.open(client, port, local_port)?;
        self.exchange();
        ensure!(self.client.tcp(client).may_send() && self.server.tcp(server).may_send(), "not connected");
        Ok((client, server))
    }

    /// Two bound datagram sockets with room for `datagrams` of 1500 bytes.
    pub(crate) fn datagrams(&mut self, datagrams: usize) -> Result<(SocketHandle, SocketHandle)> {
        let bound = |end: &mut End, port: u16| {
            let buffer = || {
                udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; datagrams], vec![0; datagrams * 1500])
            };
            let mut socket = udp::Socket::new(buffer(), buffer());
            socket.bind(port).map_err(|error| anyhow!("{error:?}"))?;
            Ok::<_, anyhow::Error>(end.sockets.add(socket))
        };
        Ok((bound(&mut self.client, 40000)?, bound(&mut self.server, 53)?))
    }
}
