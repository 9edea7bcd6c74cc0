//! Unmodified programs: the same static C program on the kernel's loopback TCP and under `sockeye run`, on the engine
//! path and on the direct one.
//!
//! The program is benches/programs.c, which benches/programs.sh measures too; gcc builds it at the first case. The
//! command under test is $SOCKEYE, or else the `sockeye` that lies beside this benchmark, or else the one that cargo
//! builds there. Figures are by the wall, since several processes share the work.

use crate::case::{Pair, Sample};
use crate::measure::{Plan, by_turns};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

pub(crate) const ENGINE: &[&str] = &["run", "--"];
pub(crate) const DIRECT: &[&str] = &["run", "--direct", "--"];

pub(crate) fn roundtrip_engine(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, ENGINE, "roundtrip")
}

pub(crate) fn messages_engine(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, ENGINE, "messages-64")
}

pub(crate) fn bulk_engine(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, ENGINE, "bulk-64k")
}

pub(crate) fn connect_engine(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, ENGINE, "connect")
}

pub(crate) fn roundtrip_direct(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, DIRECT, "roundtrip")
}

pub(crate) fn messages_direct(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, DIRECT, "messages-64")
}

pub(crate) fn bulk_direct(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, DIRECT, "bulk-64k")
}

pub(crate) fn connect_direct(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, DIRECT, "connect")
}

fn against_kernel(plan: &Plan, way: &[&str], mode: &str) -> Result<Vec<Pair>> {
    let programs = Programs::new()?;
    let ours = || Ok(Sample::of(programs.measure(way, mode, plan.program_s)?));
    let peer = || Ok(Sample::of(programs.measure(&[], mode, plan.program_s)?));
    by_turns(plan.program_pairs, ours, peer)
}

/// How much longer `sockeye run true` takes than `true`; the peer's figure is `true` alone.
pub(crate) fn startup(plan: &Plan) -> Result<Vec<Pair>> {
    let sockeye = sockeye()?;
    let time = |program: &Path, arguments: &[&str]| {
        let begun = Instant::now();
        for _ in 0..STARTS {
            ensure!(Command::new(program).args(arguments).status()?.success(), "{} fails", program.display());
        }
        Ok(begun.elapsed().as_secs_f64() / f64::from(STARTS))
    };
    let plain = || time(Path::new("true"), &[]);
    let ours = || Ok(Sample::of(time(&sockeye, &["run", "--", "true"])? - plain()?));
    by_turns(plan.pairs.min(11), ours, || Ok(Sample::of(plain()?)))
}

/// The measured program and the command under test.
pub(crate) struct Programs {
    program: PathBuf,
    sockeye: PathBuf,
}

impl Programs {
    pub(crate) fn new() -> Result<Self> {
        static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let program = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}"))).clone();
        Ok(Self { program: program.map_err(|error| anyhow!(error))?, sockeye: sockeye()? })
    }

    /// The program's figure: natively without `way`, else as `sockeye WAY program`.
    pub(crate) fn measure(&self, way: &[&str], mode: &str, seconds: f64) -> Result<f64> {
        let mut command = Command::new(if way.is_empty() { &self.program } else { &self.sockeye });
        command.args(way);
        if !way.is_empty() {
            command.arg(&self.program);
        }
        let output = command.args([mode, &seconds.to_string()]).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{mode}: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    }
}

/// Compiles the program beside this one.
fn build() -> Result<PathBuf> {
    let program = own_directory()?.join("sockeye-bench-programs");
    let source = program.with_extension("c");
    std::fs::write(&source, include_str!("../../../../benches/programs.c"))?;
    let gcc = Command::new("gcc").args(["-O2", "-static", "-o"]).arg(&program).arg(&source).status();
    ensure!(gcc.context("gcc is not on PATH")?.success(), "gcc fails");
    Ok(program)
}

/// The command under test.
pub(crate) fn sockeye() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SOCKEYE") {
        return Ok(path.into());
    }
    let path = own_directory()?.join("sockeye");
    if !path.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo).args(["build", "-q", "--release", "-p", "sockeye-cli"]).status();
        ensure!(status.context("cargo is not on PATH")?.success(), "cargo does not build sockeye");
    }
    if !path.exists() {
        bail!("no sockeye beside the benchmark, and SOCKEYE does not say where it is");
    }
    Ok(path)
}

fn own_directory() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().context("a program lies in a directory")?.to_path_buf())
}

/// Starts of one sample.
const STARTS: u32 = 5;
