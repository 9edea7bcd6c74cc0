//! The same program on the system's sockets and in simulated time; both print the same lines, and so does
//! `sockeye run` of the first.
//!
//!     cargo run -p sockeye --features tokio --example twin -- native
//!     cargo run -p sockeye --features tokio --example twin -- simulated

mod program;
mod sockets;

use program::program;
use sockets::{Native, OfLab};
use sockeye::{Lab, Link};
use std::io;
use std::time::Duration;

fn simulated() -> io::Result<Vec<String>> {
    let link = Link::new().delay(Duration::from_millis(5));
    let sim = Lab::simulated(1).host("server").host("client").link("server", "client", link).build()?;
    let [server, client] = ["server", "client"].map(|host| sim.node(host).net().clone());
    sim.block_on(program(&OfLab { server, client }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let lines = match std::env::args().nth(1).as_deref() {
        Some("native") => program(&Native).await?,
        Some("simulated") => simulated()?,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "say 'native' or 'simulated'")),
    };
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}
