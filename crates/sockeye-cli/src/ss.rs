//! `sockeye ss` and `sockeye ls`: what the control socket tells, for people and as JSON.

use crate::args::SsArgs;
use anyhow::{Context, Result, bail};
use sockeye_serve::command::{SocketRow, TcpRow};
use sockeye_serve::control::{self, Reply, Request};
use std::io::{Write, stdout};

/// `sockeye ls`.
pub(crate) fn ls(json: bool) -> Result<()> {
    let mut out = stdout().lock();
    for name in control::names().context("cannot list the hosts")? {
        // A host may end between the listing and the question.
        let Ok(reply) = control::ask(&name, &Request::Info) else { continue };
        if json {
            writeln!(out, "{}", serde_json::to_string(&reply)?)?;
        } else if let Reply::Info { name, supervisor, command, .. } = reply {
            writeln!(out, "{name:<16} {supervisor:>8}  {command}")?;
        }
    }
    Ok(())
}

/// `sockeye ss`.
pub(crate) fn ss(args: &SsArgs) -> Result<()> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => only_host()?,
    };
    let reply = control::ask(&name, &Request::Sockets)
        .with_context(|| format!("no host called '{name}' answers (sockeye ls shows the hosts)"))?;
    let Reply::Sockets { sockets } = reply else { bail!("the host answered something else") };
    let rows: Vec<SocketRow> = sockets.into_iter().filter(|row| wanted(args, row)).collect();
    let mut out = stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
        return Ok(());
    }
    let header = "Netid State      Recv-Q Send-Q            Local Address:Port             Peer Address:Port  Path   Process";
    writeln!(out, "{header}")?;
    for row in &rows {
        print_row(&mut out, row, args.info)?;
    }
    Ok(())
}

fn only_host() -> Result<String> {
    let names = control::names().context("cannot list the hosts")?;
    match names.as_slice() {
        [name] => Ok(name.clone()),
        [] => bail!("no host is running"),
        _ => bail!("several hosts are running, name one: {}", names.join(" ")),
    }
}

/// As ss(8) chooses: connected sockets, with -l listening ones, with -a all.
fn wanted(args: &SsArgs, row: &SocketRow) -> bool {
    let kind = match row.netid.as_str() {
        "tcp" => args.tcp || !args.udp,
        "udp" => args.udp || !args.tcp,
        _ => !args.tcp && !args.udp,
    };
    let listening = row.state == "LISTEN" || row.state == "UNCONN";
    kind && (args.all || args.json || listening == args.listening)
}

fn print_row(out: &mut impl Write, row: &SocketRow, info: bool) -> std::io::Result<()> {
    let peer = row.peer.map_or_else(|| "*:*".into(), |p| p.to_string());
    let processes: Vec<String> =
        row.processes.iter().map(|p| format!("(\"{}\",pid={},fd={})", p.command, p.pid, p.fd)).collect();
    let users = if processes.is_empty() { String::new() } else { format!("users:({})", processes.join(",")) };
    let local = row.local.to_string();
    writeln!(
        out,
        "{:<5} {:<10} {:>6} {:>6} {local:>29} {peer:>29}  {:<6} {users}",
        row.netid, row.state, row.recv_q, row.send_q, row.path
    )?;
    match &row.tcp {
        Some(tcp) if info => print_tcp(out, tcp),
        _ => Ok(()),
    }
}

fn print_tcp(out: &mut impl Write, tcp: &TcpRow) -> std::io::Result<()> {
    let ms = |us: u64| us as f64 / 1000.0;
    writeln!(
        out,
        "\t rto:{:.0} rtt:{:.3}/{:.3} mss:{} cwnd:{} ssthresh:{} bytes_sent:{} bytes_acked:{} bytes_received:{} \
         segs_out:{} segs_in:{} unacked:{} retrans:{}",
        ms(tcp.rto_us),
        ms(tcp.rtt_us),
        ms(tcp.rttvar_us),
        tcp.mss,
        tcp.cwnd,
        tcp.ssthresh,
        tcp.bytes_sent,
        tcp.bytes_acked,
        tcp.bytes_received,
        tcp.segs_out,
        tcp.segs_in,
        tcp.unacked,
        tcp.retransmits
    )
}
