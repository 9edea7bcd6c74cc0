//! `sockeye run`: from plain arguments to what the supervisor needs.

use crate::args::{Publish, RunArgs};
use anyhow::{Context, Result};
use sockeye_serve::probe::Features;
use sockeye_serve::run::{self, Options};
use std::net::TcpListener;

/// Runs a program; gives the exit status.
pub(crate) fn run(args: RunArgs) -> Result<i32> {
    if args.check {
        print!("{}", Features::probe().report());
        return Ok(0);
    }
    let published = args.publish.iter().map(open).collect::<Result<_>>()?;
    Ok(run::run(Options {
        name: args.name,
        args: args.program,
        direct: args.direct,
        trace: args.trace,
        published,
        seed: args.seed,
    }))
}

fn open(publish: &Publish) -> Result<(TcpListener, u16)> {
    let Publish { address, machine_port, host_port } = *publish;
    let listener = TcpListener::bind((address, machine_port))
        .with_context(|| format!("cannot open port {machine_port} of {address} on the machine"))?;
    if machine_port == 0 {
        eprintln!("sockeye: {} leads to port {host_port} of the host", listener.local_addr()?);
    }
    Ok((listener, host_port))
}
