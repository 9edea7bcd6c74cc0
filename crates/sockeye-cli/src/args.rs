//! The command line, as plain data.

use clap::{Parser, Subcommand};
use sockeye::lab::units;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Runs unmodified programs on a socket layer and TCP/IP stack of their own, without root.
#[derive(Debug, Parser)]
#[command(name = "sockeye", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a program, with all that it starts, in a host of its own
    ///
    /// The exit status is the program's; 125 is a failure of sockeye itself, 126 a program that cannot be
    /// executed, 127 one that is not found, 128+N the end by signal N.
    Run(RunArgs),
    /// Run one more program in a running host
    Exec {
        /// The host's name, as `sockeye ls` shows it
        name: String,
        /// The program and its arguments
        #[arg(trailing_var_arg = true, required = true, num_args = 1..)]
        program: Vec<OsString>,
    },
    /// List a host's sockets: state, queues, addresses, processes
    Ss(SsArgs),
    /// List the hosts that are running
    Ls {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// List the socket options: what each is here
    Sockopts {
        /// One JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show on this machine, in seconds, what sockeye does
    Demo,
    /// The demo's client: fetches a page with the standard library's TcpStream
    #[command(hide = true)]
    DemoClient {
        /// ADDRESS:PORT
        address: String,
    },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Write the manual pages into a directory
    Man { directory: PathBuf },
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The host's name; a short one is made otherwise
    #[arg(long, value_parser = host_name)]
    pub(crate) name: Option<String>,
    /// Join streams between programs of the host straight through the kernel (see docs/COMPATIBILITY.md)
    #[arg(long)]
    pub(crate) direct: bool,
    /// Write a line for each socket call to standard error
    #[arg(long)]
    pub(crate) trace: bool,
    /// Write what the socket calls cost to standard error at the end: count, mean and p99 by name
    #[arg(long)]
    pub(crate) stats: bool,
    /// Open a TCP port of the machine that leads to PORT of the host
    ///
    /// HOSTADDR is 127.0.0.1 unless written; HOSTPORT 0 picks a free port and prints it.
    #[arg(short = 'p', long = "publish", value_name = "[HOSTADDR:]HOSTPORT:PORT", value_parser = publish)]
    pub(crate) publish: Vec<Publish>,
    /// What all randomness of the host and its link follows from
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// Draw calls and packets on one time line, on standard error: client left, server right
    #[arg(long)]
    pub(crate) sequence: bool,
    /// Of the sequence, only the connection of that number, in the order of their first packets
    #[arg(long, value_name = "N", requires = "sequence")]
    pub(crate) connection: Option<u32>,
    /// The sequence as JSON, an object a line
    #[arg(long, requires = "sequence")]
    pub(crate) json: bool,
    /// Print what this kernel offers, and run nothing
    #[arg(long)]
    pub(crate) check: bool,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, required_unless_present = "check", num_args = 1..)]
    pub(crate) program: Vec<OsString>,
}

/// The link on which the host's traffic to itself goes; each direction is like this.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Link of the host's own traffic")]
pub(crate) struct LinkArgs {
    /// How long each packet is under way, in each direction
    #[arg(long, value_name = "TIME", value_parser = units::time)]
    pub(crate) delay: Option<Duration>,
    /// Each packet is late by up to so much more
    #[arg(long, value_name = "TIME", value_parser = units::time)]
    pub(crate) jitter: Option<Duration>,
    /// Share of packets that are lost
    #[arg(long, value_name = "SHARE%", value_parser = units::share_ppm)]
    pub(crate) loss: Option<u32>,
    /// Share of packets that arrive twice
    #[arg(long, value_name = "SHARE%", value_parser = units::share_ppm)]
    pub(crate) duplicate: Option<u32>,
    /// Share of packets that do not wait for the delay, so that they overtake others
    #[arg(long, value_name = "SHARE%", value_parser = units::share_ppm, requires = "delay")]
    pub(crate) reorder: Option<u32>,
    /// Share of packets in which one bit is wrong
    #[arg(long, value_name = "SHARE%", value_parser = units::share_ppm)]
    pub(crate) corrupt: Option<u32>,
    /// Bits per second: 10mbit, 1gbit, 500kbit
    #[arg(long, value_name = "RATE", value_parser = units::rate_bps)]
    pub(crate) rate: Option<u64>,
    /// Bytes that may wait for the rate; what the link sends in 100 ms unless written
    #[arg(long, value_name = "BYTES", value_parser = units::bytes, requires = "rate")]
    pub(crate) queue: Option<u64>,
    /// Largest IP packet in bytes; 1500 as soon as any of these is given
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1280..=65535))]
    pub(crate) mtu: Option<u32>,
    /// Write every packet to a pcapng file, with a comment that says what became of it
    #[arg(long, value_name = "FILE")]
    pub(crate) capture: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SsArgs {
    /// The host's name; may be left out while only one is running
    pub(crate) name: Option<String>,
    /// TCP sockets
    #[arg(short = 't', long)]
    pub(crate) tcp: bool,
    /// UDP sockets
    #[arg(short = 'u', long)]
    pub(crate) udp: bool,
    /// Listening sockets only
    #[arg(short = 'l', long)]
    pub(crate) listening: bool,
    /// Listening sockets as well
    #[arg(short = 'a', long)]
    pub(crate) all: bool,
    /// Numbers, not names (always so; for habit's sake)
    #[arg(short = 'n', long)]
    pub(crate) numeric: bool,
    /// Show processes (always so; for habit's sake)
    #[arg(short = 'p', long)]
    pub(crate) processes: bool,
    /// TCP's figures
    #[arg(short = 'i', long)]
    pub(crate) info: bool,
    /// All of it, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// One `-p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) address: IpAddr,
    pub(crate) machine_port: u16,
    pub(crate) host_port: u16,
}

fn host_name(text: &str) -> Result<String, String> {
    if sockeye_serve::control::name_is_valid(text) {
        Ok(text.into())
    } else {
        Err("a name is made of letters, digits, '-', '_' and '.', at most 64 of them".into())
    }
}

fn publish(text: &str) -> Result<Publish, String> {
    let (rest, host_port) = text.rsplit_once(':').ok_or("expected [HOSTADDR:]HOSTPORT:PORT")?;
    let (address, machine_port) = rest.rsplit_once(':').map_or(("127.0.0.1", rest), |(a, p)| (a, p));
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("'{text}' is not a port (0 to 65535)"));
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    let address = bare.parse().map_err(|_| format!("'{address}' is not an address of the machine"))?;
    let (machine_port, host_port) = (port(machine_port)?, port(host_port)?);
    if host_port == 0 {
        return Err("the host's port cannot be 0".into());
    }
    Ok(Publish { address, machine_port, host_port })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    /// Every long option of `sockeye run`, as it stands in text.
    fn run_options() -> Vec<String> {
        let command = Args::command();
        let run = command.find_subcommand("run").expect("there is run");
        run.get_arguments().filter_map(|a| a.get_long()).map(String::from).collect()
    }

    #[test]
    fn manual_pages_name_every_option() {
        let directory = std::env::temp_dir().join(format!("sockeye-man-{}", std::process::id()));
        std::fs::create_dir(&directory).expect("a directory");
        clap_mangen::generate_to(Args::command(), &directory).expect("pages");
        // In roff a minus sign is written with a backslash.
        let page = std::fs::read_to_string(directory.join("sockeye-run.1")).expect("a page of run");
        let page = page.replace('\\', "");
        std::fs::remove_dir_all(&directory).expect("our own directory");
        let options = run_options();
        assert!(options.len() > 15);
        for option in options {
            assert!(page.contains(&format!("--{option}")), "{option}");
        }
    }

    #[test]
    fn completions_know_every_option() {
        use clap_complete::Shell::{Bash, Fish, Zsh};
        for shell in [Bash, Fish, Zsh] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "sockeye", &mut script);
            let script = String::from_utf8(script).expect("text");
            for option in run_options() {
                assert!(script.contains(&option), "{option} in {shell}");
            }
        }
    }

    #[test]
    fn published_ports_are_read() {
        let p = |text: &str| publish(text).map(|p| (p.address.to_string(), p.machine_port, p.host_port));
        assert_eq!(p("8080:80"), Ok(("127.0.0.1".into(), 8080, 80)));
        assert_eq!(p("0.0.0.0:0:80"), Ok(("0.0.0.0".into(), 0, 80)));
        assert_eq!(p("[::1]:8080:80"), Ok(("::1".into(), 8080, 80)));
        for wrong in ["80", "x:80", "8080:x", "8080:0", "70000:80", "nowhere:1:2"] {
            assert!(publish(wrong).is_err(), "{wrong}");
        }
    }
}
