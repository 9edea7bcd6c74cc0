//! The options of `SOL_SOCKET` that have an effect.

use super::seldom::SeldomName;
use super::table::SOL_SOCKET;
use super::timeout::{SO_RCVTIMEO, SO_RCVTIMEO_NEW, SO_SNDTIMEO, SO_SNDTIMEO_NEW};
use super::value::{int, of_bool, of_int};
use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, IfIndex, Kind, OptionValue, SocketId};
use crate::socket::table::{Role, Socket};
use crate::tcp::Settings;
use crate::time::Instant;

impl Host {
    pub(super) fn set_socket_option(
        &mut self,
        id: SocketId,
        name: i32,
        value: &[u8],
        now: Instant,
    ) -> Result<()> {
        match name {
            SO_BINDTODEVICE => {
                let device = self.device_named(value)?;
                self.bind_to_device(id, device);
                return Ok(());
            }
            SO_LINGER => return self.set_linger(id, value, now),
            SO_MAX_PACING_RATE => return self.set_pacing_rate(id, value, now),
            // The program lies in the caller's memory: the layer above reads it and calls attach_filter.
            SO_ATTACH_FILTER => {
                return Err(if value.len() < FPROG_LEN { Errno::EINVAL } else { Errno::EFAULT });
            }
            SO_RCVTIMEO | SO_SNDTIMEO | SO_RCVTIMEO_NEW | SO_SNDTIMEO_NEW => {
                return self.set_timeout(id, name, value);
            }
            _ => {}
        }
        let value = int(value)?;
        let on = value != 0;
        let limits = &self.config.limits;
        let (send_max, receive_max) = (limits.send_buffer_max, limits.receive_buffer_max);
        let socket = self.socket_mut(id)?;
        match name {
            SO_REUSEADDR => socket.options.reuse_addr = on,
            SO_REUSEPORT => socket.options.reuse_port = on,
            SO_BROADCAST => socket.options.broadcast = on,
            SO_BINDTOIFINDEX => {
                let device = self.device_numbered(value)?;
                self.bind_to_device(id, device);
            }
            SO_SNDBUF => self.set_send_buffer(id, (value as u32).min(send_max), now),
            SO_RCVBUF => self.set_receive_buffer(id, (value as u32).min(receive_max), now),
            SO_SNDBUFFORCE => self.set_send_buffer(id, value.max(0) as u32, now),
            SO_RCVBUFFORCE => self.set_receive_buffer(id, value.max(0) as u32, now),
            SO_PEEK_OFF => return self.set_peek_offset(id, value),
            SO_DETACH_FILTER => return self.detach_filter(id),
            SO_LOCK_FILTER => return self.lock_filter(id, on),
            // Nobody would tell when the memory is free again, so it stays off, as where Linux lacks it.
            SO_ZEROCOPY => match value {
                0 => {}
                1 => return Err(Errno::EOPNOTSUPP),
                _ => return Err(Errno::EINVAL),
            },
            SO_KEEPALIVE | SO_OOBINLINE | SO_RCVLOWAT => self.set_shared(id, name, value, now),
            _ => unreachable!("the table sends only what is here"),
        }
        if matches!(name, SO_REUSEADDR | SO_REUSEPORT) {
            self.rebind(id);
        }
        Ok(())
    }

    /// What only a stream acts on, and every socket keeps.
    fn set_shared(&mut self, id: SocketId, name: i32, value: i32, now: Instant) {
        let value = match name {
            SO_RCVLOWAT if value < 0 => i32::MAX,
            SO_RCVLOWAT => value.max(1),
            _ => i32::from(value != 0),
        };
        let value = if name == SO_RCVLOWAT { value.min(self.lowat_max(id)) } else { value };
        if !self.sockets[id].is_tcp_like() {
            return self.sockets[id].options.store(SOL_SOCKET, name, of_int(value));
        }
        self.change_settings(id, now, |settings| match name {
            SO_KEEPALIVE => settings.keepalive = value != 0,
            SO_OOBINLINE => settings.oob_inline = value != 0,
            _ => settings.receive_lowat = value as u32,
        });
    }

    /// tcp_set_rcvlowat: no stream waits for more than half of its buffer, as it was set or may grow.
    fn lowat_max(&self, id: SocketId) -> i32 {
        let socket = &self.sockets[id];
        let Some(settings) = self.settings_in_force(socket) else { return i32::MAX };
        let half = match settings.receive_buffer_locked {
            true => self.buffers(socket).1 / 2,
            false => self.engine.limits.receive_buffer_max / 2,
        };
        i32::try_from(half).unwrap_or(i32::MAX)
    }

    pub(super) fn get_socket_option(&mut self, id: SocketId, name: i32) -> Result<OptionValue> {
        if name == SO_ERROR {
            return Ok(of_int(self.take_error(id).map_or(0, |errno| i32::from(errno.0))));
        }
        if name == SO_PEEK_OFF {
            return self.get_seldom_option(id, SeldomName::PeekOffset);
        }
        let socket = self.socket_ref(id)?;
        let options = &socket.options;
        if !socket.is_tcp_like()
            && let Some(value) = options.stored(SOL_SOCKET, name)
        {
            return Ok(value.clone());
        }
        let default = Settings::default();
        let settings = self.settings_in_force(socket).unwrap_or(&default);
        Ok(match name {
            SO_TYPE => of_int(type_number(socket.kind)),
            SO_MAX_PACING_RATE => OptionValue::from_slice(&settings.pacing_rate_max.to_ne_bytes()),
            SO_DOMAIN => of_int(match socket.domain {
                Domain::Inet => AF_INET,
                Domain::Inet6 => AF_INET6,
                Domain::Unix => AF_UNIX,
            }),
            SO_PROTOCOL => of_int(i32::from(socket.protocol)),
            SO_ACCEPTCONN => of_bool(matches!(socket.role(), Some(Role::Listener(_)))),
            SO_REUSEADDR => of_bool(options.reuse_addr),
            SO_REUSEPORT => of_bool(options.reuse_port),
            SO_BROADCAST => of_bool(options.broadcast),
            SO_SNDBUF => of_int(self.buffers(socket).0 as i32),
            SO_RCVBUF => of_int(self.buffers(socket).1 as i32),
            SO_KEEPALIVE => of_bool(settings.keepalive),
            SO_OOBINLINE => of_bool(settings.oob_inline),
            SO_RCVLOWAT => of_int(settings.receive_lowat as i32),
            SO_SNDLOWAT => of_int(1),
            SO_RCVTIMEO | SO_SNDTIMEO | SO_RCVTIMEO_NEW | SO_SNDTIMEO_NEW => options.timeout(name),
            SO_LINGER => {
                let mut value = of_bool(settings.linger_s.is_some());
                value.extend_from_slice(&settings.linger_s.unwrap_or(0).to_ne_bytes());
                value
            }
            SO_BINDTODEVICE => self.device_name(options.device),
            SO_BINDTOIFINDEX => of_int(options.device.map_or(0, |device| device.0 as i32)),
            SO_ATTACH_FILTER if !self.has_filter(id) => OptionValue::new(),
            SO_LOCK_FILTER => of_bool(self.filter_is_locked(id)?),
            SO_INCOMING_NAPI_ID | SO_ZEROCOPY => of_int(0),
            SO_MEMINFO => self.memory(socket),
            SO_COOKIE => OptionValue::from_slice(&socket.inode.to_ne_bytes()),
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// `SK_MEMINFO_*`: received, its limit, sent and not yet sent, its limit, reserved, to be sent, options, backlog,
    /// dropped.
    fn memory(&self, socket: &Socket) -> OptionValue {
        let connection = socket.flow().and_then(|flow| self.flows[flow].connection());
        let (received, queued) =
            connection.map_or((0, 0), |c| (c.received() as u32, c.send_charged() as u32));
        let (send, receive) = self.buffers(socket);
        let words = [received, receive, queued, send, 0, queued, 0, 0, 0];
        words.into_iter().flat_map(u32::to_ne_bytes).collect()
    }

    /// `struct linger`: two ints.
    fn set_linger(&mut self, id: SocketId, value: &[u8], now: Instant) -> Result<()> {
        let seconds = int(value.get(4..).ok_or(Errno::EINVAL)?)?;
        let linger = (int(value)? != 0).then_some(seconds.max(0) as u32);
        if !self.sockets[id].is_tcp_like() {
            let mut kept = of_bool(linger.is_some());
            kept.extend_from_slice(&linger.unwrap_or(0).to_ne_bytes());
            self.sockets[id].options.store(SOL_SOCKET, SO_LINGER, kept);
        }
        self.change_settings(id, now, |settings| settings.linger_s = linger);
        Ok(())
    }

    /// Four bytes or eight; all ones is no limit.
    fn set_pacing_rate(&mut self, id: SocketId, value: &[u8], now: Instant) -> Result<()> {
        let rate = match value.get(..8).and_then(|word| word.try_into().ok()) {
            Some(word) => u64::from_ne_bytes(word),
            None => match int(value)? as u32 {
                u32::MAX => u64::MAX,
                rate => u64::from(rate),
            },
        };
        if !self.sockets[id].is_tcp_like() {
            let kept = OptionValue::from_slice(&rate.to_ne_bytes());
            self.sockets[id].options.store(SOL_SOCKET, SO_MAX_PACING_RATE, kept);
        }
        self.change_settings(id, now, |settings| settings.pacing_rate_max = rate);
        Ok(())
    }

    /// What is asked for is doubled for Linux's bookkeeping, and there is a least size.
    fn set_send_buffer(&mut self, id: SocketId, asked: u32, now: Instant) {
        let bytes = asked.min(i32::MAX as u32 / 2).saturating_mul(2).max(SEND_BUFFER_MIN);
        self.sockets[id].options.send_buffer = bytes;
        self.change_settings(id, now, |settings| {
            settings.send_buffer = bytes;
            settings.send_buffer_locked = true;
        });
    }

    fn set_receive_buffer(&mut self, id: SocketId, asked: u32, now: Instant) {
        let bytes = asked.min(i32::MAX as u32 / 2).saturating_mul(2).max(RECEIVE_BUFFER_MIN);
        self.sockets[id].options.receive_buffer = bytes;
        self.change_settings(id, now, |settings| {
            settings.receive_buffer = bytes;
            settings.receive_buffer_locked = true;
        });
    }

    fn buffers(&self, socket: &Socket) -> (u32, u32) {
        let connection = socket.flow().and_then(|flow| self.flows[flow].connection());
        match (connection, socket.settings()) {
            (Some(connection), _) => (connection.send_buffer() as u32, connection.receive_buffer() as u32),
            (None, Some(settings)) => (settings.send_buffer, settings.receive_buffer),
            (None, None) => (socket.options.send_buffer, socket.options.receive_buffer),
        }
    }

    /// TCP's options as they are: the connection's, or those that it will have.
    pub(super) fn settings_in_force<'a>(&'a self, socket: &'a Socket) -> Option<&'a Settings> {
        let connection = socket.flow().and_then(|flow| self.flows[flow].connection());
        connection.map(|connection| connection.settings()).or_else(|| socket.settings())
    }

    /// Changes TCP's options, the connection's if there is one; nothing on a datagram socket.
    pub(super) fn change_settings(&mut self, id: SocketId, now: Instant, change: impl Fn(&mut Settings)) {
        let socket = &mut self.sockets[id];
        if let Some(settings) = socket.settings_mut() {
            return change(settings);
        }
        let Some(flow) = socket.flow() else { return };
        let connection = self.flows[flow].connection_mut().expect("a socket's flow is a connection");
        change(connection.settings_mut());
        connection.settings_changed(&mut self.engine.ctx(now));
        self.settle(flow, now);
    }

    fn bind_to_device(&mut self, id: SocketId, device: Option<IfIndex>) {
        self.sockets[id].options.device = device;
        self.rebind(id);
    }

    fn device_named(&self, value: &[u8]) -> Result<Option<IfIndex>> {
        let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
        if name.is_empty() {
            return Ok(None);
        }
        let interface = self.routing.interfaces().iter().find(|i| i.name.as_bytes() == name);
        interface.map(|i| Some(i.index)).ok_or(Errno::ENODEV)
    }

    pub(super) fn device_numbered(&self, index: i32) -> Result<Option<IfIndex>> {
        match index {
            0 => Ok(None),
            index => {
                let interface = self.routing.interface(IfIndex(index as u32));
                interface.map(|i| Some(i.index)).ok_or(Errno::ENODEV)
            }
        }
    }

    fn device_name(&self, device: Option<IfIndex>) -> OptionValue {
        let interface = device.and_then(|device| self.routing.interface(device));
        let mut name = OptionValue::from_slice(interface.map_or("", |i| &i.name).as_bytes());
        if !name.is_empty() {
            name.push(0);
        }
        name
    }
}

/// `SOCK_STREAM` and so on.
fn type_number(kind: Kind) -> i32 {
    match kind {
        Kind::Stream => 1,
        Kind::Datagram => 2,
        Kind::Raw => 3,
        Kind::SeqPacket => 5,
    }
}

const AF_UNIX: i32 = 1;
const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;
/// `sizeof(struct sock_fprog)`.
const FPROG_LEN: usize = 16;
/// `SOCK_MIN_SNDBUF`.
const SEND_BUFFER_MIN: u32 = 4608;
/// `SOCK_MIN_RCVBUF`.
const RECEIVE_BUFFER_MIN: u32 = 2304;

const SO_REUSEADDR: i32 = 2;
const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_BROADCAST: i32 = 6;
pub(crate) const SO_SNDBUF: i32 = 7;
pub(crate) const SO_RCVBUF: i32 = 8;
const SO_KEEPALIVE: i32 = 9;
const SO_OOBINLINE: i32 = 10;
const SO_LINGER: i32 = 13;
const SO_REUSEPORT: i32 = 15;
const SO_RCVLOWAT: i32 = 18;
const SO_PEEK_OFF: i32 = 42;
const SO_SNDLOWAT: i32 = 19;
const SO_BINDTODEVICE: i32 = 25;
const SO_ATTACH_FILTER: i32 = 26;
const SO_DETACH_FILTER: i32 = 27;
const SO_ACCEPTCONN: i32 = 30;
const SO_SNDBUFFORCE: i32 = 32;
const SO_RCVBUFFORCE: i32 = 33;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;
const SO_LOCK_FILTER: i32 = 44;
const SO_MAX_PACING_RATE: i32 = 47;
const SO_INCOMING_NAPI_ID: i32 = 56;
const SO_COOKIE: i32 = 57;
const SO_MEMINFO: i32 = 55;
const SO_ZEROCOPY: i32 = 60;
const SO_BINDTOIFINDEX: i32 = 62;
