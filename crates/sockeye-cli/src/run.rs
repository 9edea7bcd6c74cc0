//! `sockeye run`: from plain arguments to what the supervisor needs.

use crate::args::{LinkArgs, Publish, RunArgs};
use anyhow::{Context, Result, bail};
use sockeye::lab::impair::Impairment;
use sockeye::lab::link::Path;
use sockeye::standard::OwnLink;
use sockeye_serve::observe::Choice;
use sockeye_serve::probe::Features;
use sockeye_serve::run::{self, Options, Show};
use std::fs::File;
use std::net::TcpListener;

/// Runs a program; gives the exit status.
pub(crate) fn run(args: RunArgs) -> Result<i32> {
    if args.check {
        print!("{}", Features::probe().report());
        return Ok(0);
    }
    let own_link = link(&args.link, args.sequence);
    if own_link.is_some() && args.direct {
        bail!("--direct leaves no packets: it cannot be combined with a link, a capture or a sequence");
    }
    let capture = args.link.capture.as_ref().map(|path| {
        File::create(path).with_context(|| format!("cannot write the capture '{}'", path.display()))
    });
    let show = Show {
        trace: args.trace,
        stats: args.stats,
        sequence: args.sequence.then_some(Choice { connection: args.connection, json: args.json }),
        capture: capture.transpose()?,
    };
    let published = args.publish.iter().map(open).collect::<Result<_>>()?;
    Ok(run::run(Options {
        name: args.name,
        args: args.program,
        direct: args.direct,
        own_link,
        show,
        published,
        seed: args.seed,
    }))
}

/// The link of the host's own traffic: wherever one of its properties is asked for, or packets are to be seen.
fn link(args: &LinkArgs, sequence: bool) -> Option<OwnLink> {
    let impairment = Impairment {
        loss_ppm: args.loss.unwrap_or(0),
        duplicate_ppm: args.duplicate.unwrap_or(0),
        reorder_ppm: args.reorder.unwrap_or(0),
        corrupt_ppm: args.corrupt.unwrap_or(0),
        jitter: args.jitter.unwrap_or_default(),
        ..Impairment::default()
    };
    let mtu = args.mtu.unwrap_or(MTU);
    // A tenth of a second, and never less than a few packets.
    let queue = args.rate.map(|bps| args.queue.unwrap_or((bps / 80).max(10 * u64::from(mtu))));
    let path =
        Path { rate_bps: args.rate, delay: args.delay.unwrap_or_default(), queue_bytes: queue, impairment };
    let wanted = !path.is_ideal() || args.mtu.is_some() || args.capture.is_some() || sequence;
    wanted.then_some(OwnLink { path, mtu })
}

const MTU: u32 = 1500;

fn open(publish: &Publish) -> Result<(TcpListener, u16)> {
    let Publish { address, machine_port, host_port } = *publish;
    let listener = TcpListener::bind((address, machine_port))
        .with_context(|| format!("cannot open port {machine_port} of {address} on the machine"))?;
    if machine_port == 0 {
        eprintln!("sockeye: {} leads to port {host_port} of the host", listener.local_addr()?);
    }
    Ok((listener, host_port))
}
