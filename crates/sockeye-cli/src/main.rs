//! The command `sockeye`: arguments in, exit status out. What it does is in `sockeye-serve`.
#![forbid(unsafe_code)]

mod args;
mod demo;
mod demo_client;
mod run;
mod sockopts;
mod ss;

use args::{Args, Command};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// Exit status of our own failures.
const FAILED: u8 = 125;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) => {
            let _ = e.print();
            return if e.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    let result = match args.command {
        Command::Run(run) => run::run(run),
        Command::Exec { name, program } => Ok(sockeye_serve::exec::exec(&name, &program)),
        Command::Ss(options) => ss::ss(&options).map(|()| 0),
        Command::Ls { json } => ss::ls(json).map(|()| 0),
        Command::Sockopts { json } => sockopts::print(json).map(|()| 0),
        Command::Demo => demo::demo(),
        Command::DemoClient { address } => demo_client::fetch(&address).map(|()| 0),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "sockeye", &mut std::io::stdout());
            Ok(0)
        }
        Command::Man { directory } => {
            clap_mangen::generate_to(Args::command(), directory).map(|()| 0).map_err(Into::into)
        }
    };
    match result {
        Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(FAILED)),
        Err(e) if broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("sockeye: {e:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Whoever read our output has enough of it: that is no failure.
fn broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
