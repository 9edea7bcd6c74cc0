//! The options of `IPPROTO_TCP` that have an effect, and `struct tcp_info`.

use super::value::{int, int_in, of_bool, of_int};
use crate::errno::{Errno, Result};
use crate::host::{Host, OptionValue, SocketId};
use crate::socket::table::Role;
use crate::tcp::{Congestion, CookieKeys, Limits, Settings, State, TcpInfo};
use crate::time::Instant;
use alloc::boxed::Box;
use core::time::Duration;

impl Host {
    pub(super) fn set_tcp_option(
        &mut self,
        id: SocketId,
        name: i32,
        value: &[u8],
        now: Instant,
    ) -> Result<()> {
        if name == TCP_CONGESTION {
            let wanted = value.split(|byte| *byte == 0).next().unwrap_or_default();
            let congestion = Congestion::from_name(wanted).ok_or(Errno::ENOENT)?;
            self.change_settings(id, now, |settings| settings.congestion = congestion);
            return Ok(());
        }
        if name == TCP_FASTOPEN_KEY {
            let keys = Box::new(keys_of(value)?);
            self.change_settings(id, now, |settings| settings.fast_open_keys = Some(keys.clone()));
            return Ok(());
        }
        let mut value = int(value)?;
        check_range(name, value)?;
        if matches!(name, TCP_FASTOPEN | TCP_FASTOPEN_CONNECT | TCP_FASTOPEN_NO_COOKIE) {
            value = self.check_fast_open(id, name, value)?;
        }
        if name == TCP_WINDOW_CLAMP {
            let fresh = matches!(self.socket_ref(id)?.role(), Some(Role::Idle));
            value = match value {
                0 if !fresh => return Err(Errno::EINVAL),
                0 => 0,
                clamp => clamp.max(WINDOW_CLAMP_MIN),
            };
        }
        self.change_settings(id, now, |settings| settings.set_number(name, value));
        if name == TCP_NODELAY
            && value != 0
            && let Some(flow) = self.sockets[id].flow()
        {
            let connection = self.flows[flow].connection_mut().expect("a socket's flow is a connection");
            connection.push();
            self.settle(flow, now);
        }
        Ok(())
    }

    pub(super) fn get_tcp_option(&mut self, id: SocketId, name: i32, now: Instant) -> Result<OptionValue> {
        let socket = self.socket_ref(id)?;
        let settings = self.settings_in_force(socket).expect("a stream has settings");
        Ok(match name {
            TCP_NODELAY => of_bool(settings.nodelay),
            TCP_MAXSEG => of_int(self.segment_max(id, now)),
            TCP_CORK => of_bool(settings.cork),
            TCP_KEEPIDLE => of_int(settings.keep_idle_s as i32),
            TCP_KEEPINTVL => of_int(settings.keep_interval_s as i32),
            TCP_KEEPCNT => of_int(i32::from(settings.keep_count)),
            TCP_SYNCNT => of_int(i32::from(settings.syn_count)),
            TCP_SAVE_SYN => of_int(i32::from(settings.save_syn)),
            TCP_LINGER2 => of_int(if settings.linger2_s == 0 { FIN_TIMEOUT_S } else { settings.linger2_s }),
            TCP_DEFER_ACCEPT => of_int(settings.defer_accept_s as i32),
            TCP_WINDOW_CLAMP => of_int(settings.window_clamp as i32),
            TCP_QUICKACK => of_bool(settings.quickack),
            TCP_CONGESTION => {
                let mut name = OptionValue::from_slice(settings.congestion.name().as_bytes());
                name.resize(CONGESTION_NAME_LEN, 0);
                name
            }
            TCP_USER_TIMEOUT => of_int(settings.user_timeout_ms as i32),
            TCP_NOTSENT_LOWAT => of_int(settings.notsent_lowat as i32),
            TCP_FASTOPEN => of_int(settings.fast_open_queue as i32),
            TCP_FASTOPEN_CONNECT => of_bool(settings.fast_open_connect),
            TCP_FASTOPEN_NO_COOKIE => of_bool(settings.fast_open_no_cookie),
            TCP_FASTOPEN_KEY => {
                let keys = settings.fast_open_keys.as_deref().unwrap_or(&self.engine.limits.fast_open_keys);
                keys.iter().flatten().copied().collect()
            }
            TCP_INFO => self.tcp_info(id, now),
            // Neither CUBIC nor Reno has any (Linux: no get_info).
            TCP_CC_INFO if settings.congestion != Congestion::Bbr => OptionValue::new(),
            TCP_CC_INFO => {
                let connection = socket.flow().and_then(|flow| self.flows[flow].connection());
                let words = connection.and_then(|connection| connection.congestion_info());
                words.unwrap_or_default().into_iter().flat_map(u32::to_ne_bytes).collect()
            }
            _ => return Err(Errno::ENOPROTOOPT),
        })
    }

    /// do_tcp_setsockopt: in which state, and to what, Fast Open's options may be set.
    fn check_fast_open(&self, id: SocketId, name: i32, value: i32) -> Result<i32> {
        let role = self.socket_ref(id)?.role();
        let (idle, listens) = (matches!(role, Some(Role::Idle)), matches!(role, Some(Role::Listener(_))));
        match name {
            TCP_FASTOPEN if value >= 0 && (idle || listens) => {
                Ok(value.min(self.config.limits.somaxconn as i32))
            }
            TCP_FASTOPEN_CONNECT if !(0..=1).contains(&value) => Err(Errno::EINVAL),
            TCP_FASTOPEN_CONNECT if !self.engine.limits.allows(Limits::FAST_OPEN_CLIENT) => {
                Err(Errno::EOPNOTSUPP)
            }
            TCP_FASTOPEN_CONNECT if idle => Ok(value),
            TCP_FASTOPEN_NO_COOKIE if (0..=1).contains(&value) && (idle || listens) => Ok(value),
            _ => Err(Errno::EINVAL),
        }
    }

    fn segment_max(&self, id: SocketId, now: Instant) -> i32 {
        let socket = &self.sockets[id];
        let connection = socket.flow().and_then(|flow| self.flows[flow].connection());
        match connection {
            Some(connection) if connection.state() != State::Closed => connection.info(now).snd_mss as i32,
            // Linux says TCP_MSS_DEFAULT before anything is known.
            _ => self
                .settings_in_force(socket)
                .filter(|s| s.max_segment > 0)
                .map_or(536, |s| i32::from(s.max_segment)),
        }
    }

    fn tcp_info(&self, id: SocketId, now: Instant) -> OptionValue {
        let socket = &self.sockets[id];
        let connection = socket.flow().and_then(|flow| self.flows[flow].connection());
        let mut info = connection.map(|connection| connection.info(now)).unwrap_or_default();
        if let Some(Role::Listener(listener)) = socket.role() {
            // tcp_get_info shows a listener's queue and backlog here.
            info.state = State::Listen;
            (info.unacked, info.sacked, info.lost) = (listener.queue.len() as u32, 0, 0);
            let mut bytes = info_bytes(&info);
            bytes[28..32].copy_from_slice(&listener.backlog.to_ne_bytes());
            return bytes;
        }
        info_bytes(&info)
    }
}

/// One key or two (`TCP_FASTOPEN_KEY`).
fn keys_of(value: &[u8]) -> Result<CookieKeys> {
    if !matches!(value.len(), 16 | 32) {
        return Err(Errno::EINVAL);
    }
    Ok(value.chunks_exact(16).map(|key| key.try_into().expect("sixteen bytes")).collect())
}

/// What Linux answers EINVAL to.
fn check_range(name: i32, value: i32) -> Result<()> {
    let (min, max) = match name {
        TCP_MAXSEG if value == 0 => (0, 0),
        TCP_MAXSEG => (88, 32767),
        TCP_KEEPIDLE | TCP_KEEPINTVL => (1, 32767),
        TCP_KEEPCNT | TCP_SYNCNT => (1, 127),
        TCP_SAVE_SYN => (0, 2),
        TCP_USER_TIMEOUT => (0, i32::MAX),
        _ => (i32::MIN, i32::MAX),
    };
    int_in(value, min, max).map(|_| ())
}

impl Settings {
    fn set_number(&mut self, name: i32, value: i32) {
        let on = value != 0;
        match name {
            TCP_NODELAY => self.nodelay = on,
            TCP_MAXSEG => self.max_segment = value as u16,
            TCP_CORK => self.cork = on,
            TCP_KEEPIDLE => self.keep_idle_s = value as u32,
            TCP_KEEPINTVL => self.keep_interval_s = value as u32,
            TCP_KEEPCNT => self.keep_count = value as u8,
            TCP_SYNCNT => self.syn_count = value as u8,
            TCP_SAVE_SYN => self.save_syn = value as u8,
            TCP_LINGER2 => self.linger2_s = value.clamp(-1, FIN_TIMEOUT_MAX_S),
            TCP_DEFER_ACCEPT => self.defer_accept_s = whole_retries(value.max(0) as u32),
            TCP_WINDOW_CLAMP => self.window_clamp = value.max(0) as u32,
            TCP_QUICKACK => self.quickack = on,
            TCP_USER_TIMEOUT => self.user_timeout_ms = value as u32,
            TCP_NOTSENT_LOWAT => self.notsent_lowat = value as u32,
            TCP_FASTOPEN => self.fast_open_queue = value as u32,
            TCP_FASTOPEN_CONNECT => self.fast_open_connect = on,
            TCP_FASTOPEN_NO_COOKIE => self.fast_open_no_cookie = on,
            _ => unreachable!("the table sends only what is here"),
        }
    }
}

/// Linux counts `TCP_DEFER_ACCEPT` in retransmissions, so that 5 s become 7 (secs_to_retrans).
fn whole_retries(seconds: u32) -> u32 {
    const TIMEOUT_MAX_S: u32 = 120;
    let (mut total, mut timeout, mut retries) = (0u32, 1, 0u8);
    while total < seconds && retries < u8::MAX {
        retries += 1;
        total = total.saturating_add(timeout);
        timeout = (timeout * 2).min(TIMEOUT_MAX_S);
    }
    total
}

/// `struct tcp_info` of Linux.
pub(crate) fn info_bytes(info: &TcpInfo) -> OptionValue {
    let mut out = OptionValue::with_capacity(INFO_LEN);
    let us = |time: Duration| time.as_micros().min(u128::from(u32::MAX)) as u32;
    let ms = |time: Duration| time.as_millis().min(u128::from(u32::MAX)) as u32;
    let options = u8::from(info.timestamps)
        | u8::from(info.sack) << 1
        | u8::from(info.snd_wscale | info.rcv_wscale != 0) << 2
        | u8::from(info.ecn) << 3
        | u8::from(info.syn_data) << 5;
    out.extend_from_slice(&[state_number(info.state), info.ca_state, info.retransmits, info.probes]);
    let app_limited = u8::from(info.delivery_rate_app_limited);
    out.extend_from_slice(&[info.backoff, options, info.snd_wscale | info.rcv_wscale << 4, app_limited]);
    for word in [us(info.rto), us(info.ato), info.snd_mss, info.rcv_mss] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    for word in [info.unacked, info.sacked, info.lost, info.retrans, 0] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    for word in [ms(info.last_data_sent), 0, ms(info.last_data_recv), ms(info.last_ack_recv), info.pmtu] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    // rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering, rcv_rtt, rcv_space, total_retrans.
    for word in [info.rcv_wnd, us(info.rtt), us(info.rttvar), info.snd_ssthresh, info.snd_cwnd] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    for word in [info.advmss, info.reordering, us(info.rcv_rtt), info.rcv_space, info.total_retrans] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    for word in [info.pacing_rate, info.max_pacing_rate, info.bytes_acked, info.bytes_received] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    for word in [info.segs_out, info.segs_in, info.notsent_bytes, us(info.min_rtt)] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    for word in [info.data_segs_in, info.data_segs_out] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    out.extend_from_slice(&info.delivery_rate.to_ne_bytes());
    for time in [info.busy, info.rwnd_limited, info.sndbuf_limited] {
        out.extend_from_slice(&(time.as_micros() as u64).to_ne_bytes());
    }
    // delivered, delivered_ce.
    out.extend_from_slice(&info.delivered.to_ne_bytes());
    out.extend_from_slice(&[0; 4]);
    for word in [info.bytes_sent, info.bytes_retrans] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    // dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash.
    for word in [0, info.reord_seen, info.rcv_ooopack, info.snd_wnd, info.rcv_wnd, 0] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    // Timeouts and the time in them, AccECN: not measured.
    out.resize(INFO_LEN, 0);
    out
}

/// The states' numbers in `tcp_states.h`, which datagram sockets borrow.
pub(crate) fn state_number(state: State) -> u8 {
    match state {
        State::Established => 1,
        State::SynSent => 2,
        State::SynReceived => 3,
        State::FinWait1 => 4,
        State::FinWait2 => 5,
        State::TimeWait => 6,
        State::Closed => 7,
        State::CloseWait => 8,
        State::LastAck => 9,
        State::Listen => 10,
        State::Closing => 11,
    }
}

const INFO_LEN: usize = 280;
/// `net.ipv4.tcp_fin_timeout`.
const FIN_TIMEOUT_S: i32 = 60;
/// Half of `SOCK_MIN_RCVBUF`.
const WINDOW_CLAMP_MIN: i32 = 1152;
/// `TCP_CA_NAME_MAX`.
pub(crate) const CONGESTION_NAME_LEN: usize = 16;
/// `TCP_FIN_TIMEOUT_MAX`.
const FIN_TIMEOUT_MAX_S: i32 = 120;

const TCP_NODELAY: i32 = 1;
const TCP_MAXSEG: i32 = 2;
const TCP_CORK: i32 = 3;
const TCP_KEEPIDLE: i32 = 4;
const TCP_KEEPINTVL: i32 = 5;
const TCP_KEEPCNT: i32 = 6;
const TCP_SYNCNT: i32 = 7;
const TCP_SAVE_SYN: i32 = 27;
const TCP_LINGER2: i32 = 8;
const TCP_DEFER_ACCEPT: i32 = 9;
const TCP_WINDOW_CLAMP: i32 = 10;
pub(crate) const TCP_INFO: i32 = 11;
const TCP_QUICKACK: i32 = 12;
pub(crate) const TCP_CONGESTION: i32 = 13;
const TCP_USER_TIMEOUT: i32 = 18;
const TCP_FASTOPEN: i32 = 23;
const TCP_FASTOPEN_CONNECT: i32 = 30;
const TCP_FASTOPEN_KEY: i32 = 33;
const TCP_FASTOPEN_NO_COOKIE: i32 = 34;
const TCP_NOTSENT_LOWAT: i32 = 25;
const TCP_CC_INFO: i32 = 26;
