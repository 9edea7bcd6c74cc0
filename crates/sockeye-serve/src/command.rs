//! What other threads ask of the host thread, and what a socket looks like to `sockeye ss`.

use crate::processes;
use crate::served::{self, Phase};
use crate::server::Server;
use serde::{Deserialize, Serialize};
use sockeye_core::host::{Kind, SocketInfo};
use sockeye_core::tcp::{State, TcpInfo};
use std::net::SocketAddr;
use std::sync::mpsc::Sender;

/// A question for the host thread.
#[derive(Debug)]
pub(crate) enum Command {
    /// Every socket.
    Sockets(Sender<Vec<SocketRow>>),
    /// The end: nobody is left, or somebody said so.
    Stop,
}

/// One socket, as the control protocol shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SocketRow {
    /// `tcp`, `udp`, `raw` or `icmp`.
    pub netid: String,
    /// Linux's name of the state: `ESTAB`, `LISTEN`, `UNCONN`, ...
    pub state: String,
    /// Bytes to be read; of a listener, connections to be accepted.
    pub recv_q: usize,
    /// Bytes not acknowledged; of a listener, its backlog.
    pub send_q: usize,
    pub local: SocketAddr,
    pub peer: Option<SocketAddr>,
    pub v6only: bool,
    /// `engine` or `direct`: which way the bytes of a stream go.
    pub path: String,
    /// Who has it open.
    pub processes: Vec<Process>,
    /// TCP's figures.
    pub tcp: Option<TcpRow>,
}

/// A process that has a socket open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    pub fd: i32,
    pub command: String,
}

/// TCP's figures of one connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TcpRow {
    pub rto_us: u64,
    pub rtt_us: u64,
    pub rttvar_us: u64,
    /// Bytes.
    pub mss: u32,
    /// Segments.
    pub cwnd: u32,
    /// Segments.
    pub ssthresh: u32,
    pub unacked: u32,
    pub bytes_sent: u64,
    pub bytes_acked: u64,
    pub bytes_received: u64,
    pub segs_out: u32,
    pub segs_in: u32,
    pub retransmits: u32,
}

impl TcpRow {
    fn new(info: &TcpInfo) -> Self {
        let us = |d: std::time::Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        Self {
            rto_us: us(info.rto),
            rtt_us: us(info.rtt),
            rttvar_us: us(info.rttvar),
            mss: info.snd_mss,
            cwnd: info.snd_cwnd,
            ssthresh: info.snd_ssthresh,
            unacked: info.unacked,
            bytes_sent: info.bytes_sent,
            bytes_acked: info.bytes_acked,
            bytes_received: info.bytes_received,
            segs_out: info.segs_out,
            segs_in: info.segs_in,
            retransmits: info.total_retrans,
        }
    }
}

impl Server {
    pub(crate) fn command(&mut self, command: Command) {
        match command {
            Command::Sockets(reply) => {
                let _ = reply.send(self.rows());
            }
            Command::Stop => self.over = true,
        }
    }

    /// Every socket that lives: first those of programs, then the connections that no program has any more.
    fn rows(&mut self) -> Vec<SocketRow> {
        self.collect();
        self.settle();
        let holders = processes::holders();
        let alive = self.watch.alive().unwrap_or_default();
        let now = self.now;
        let ids: Vec<_> = self.host_ref().sockets().filter(|id| !self.is_resolver(*id)).collect();
        let mut rows = vec![];
        for id in ids {
            let Some(info) = self.host_ref().info(id, now) else { continue };
            let key = served::key(info.owner_tag);
            let direct = matches!(self.stream(key).map(|s| &s.phase), Some(Phase::Direct { .. }));
            let inode = alive.get(&key);
            let processes = inode.and_then(|i| holders.get(i)).into_iter().flatten().map(|h| Process {
                pid: h.pid,
                fd: h.fd,
                command: h.command.clone(),
            });
            rows.push(SocketRow::new(info, direct, processes.collect()));
        }
        let unowned = self.host_ref().unowned(now);
        rows.extend(unowned.into_iter().map(|info| SocketRow::new(info, false, vec![])));
        rows
    }
}

impl SocketRow {
    fn new(info: SocketInfo, direct: bool, processes: Vec<Process>) -> Self {
        let netid = match (info.kind, info.protocol) {
            (Kind::Stream, _) => "tcp",
            (Kind::Datagram, 17) => "udp",
            (Kind::Datagram, _) => "icmp",
            (Kind::Raw, _) => "raw",
            (Kind::SeqPacket, _) => "u_seq",
        };
        let path = match (info.kind, direct) {
            (Kind::Stream, true) => "direct",
            _ => "engine",
        };
        Self {
            netid: netid.into(),
            state: state_name(info.kind, info.state).into(),
            recv_q: info.recv_q,
            send_q: info.send_q,
            local: info.local,
            peer: info.remote,
            v6only: info.v6only,
            path: path.into(),
            processes,
            tcp: info.tcp.map(|t| TcpRow::new(&t)),
        }
    }
}

/// The names that ss(8) uses.
fn state_name(kind: Kind, state: State) -> &'static str {
    match state {
        State::Closed => "UNCONN",
        State::Established => "ESTAB",
        _ if kind != Kind::Stream => "UNCONN",
        State::Listen => "LISTEN",
        State::SynSent => "SYN-SENT",
        State::SynReceived => "SYN-RECV",
        State::FinWait1 => "FIN-WAIT-1",
        State::FinWait2 => "FIN-WAIT-2",
        State::CloseWait => "CLOSE-WAIT",
        State::Closing => "CLOSING",
        State::LastAck => "LAST-ACK",
        State::TimeWait => "TIME-WAIT",
    }
}
