//! redis and nginx under load: client and server in one host, natively and under `sockeye run`.
//!
//! A shell script starts the server, waits for its port, runs the client for as long as the plan says and ends the
//! server; the client's own figure is what counts. Every run has its own port and directory.

use super::programs::{DIRECT, ENGINE, sockeye};
use crate::case::{Pair, Sample};
use crate::measure::{Plan, by_turns};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

pub(crate) fn redis_engine(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, ENGINE, REDIS)
}

pub(crate) fn redis_direct(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, DIRECT, REDIS)
}

pub(crate) fn nginx_engine(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, ENGINE, NGINX)
}

pub(crate) fn nginx_direct(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, DIRECT, NGINX)
}

fn against_kernel(plan: &Plan, way: &[&str], script: Script) -> Result<Vec<Pair>> {
    for program in script.programs {
        ensure!(is_on_path(program), "{program} is not on PATH");
    }
    let load = if plan.quick { script.load_quick } else { script.load };
    let directory = Directory::new()?;
    let run = |way: &[&str]| Ok(Sample::of(script.run(way, load, &directory)?));
    by_turns(plan.program_pairs, || run(way), || run(&[]))
}

/// A server, a client, and what the client is told of the load.
#[derive(Clone, Copy)]
struct Script {
    programs: &'static [&'static str],
    /// Prints the figure; is given port, directory and load.
    text: &'static str,
    load: &'static str,
    load_quick: &'static str,
}

impl Script {
    fn run(&self, way: &[&str], load: &str, directory: &Directory) -> Result<f64> {
        static PORT: AtomicU16 = AtomicU16::new(0);
        let base = 20_000 + (std::process::id() % 100) as u16 * 100;
        let port = base + PORT.fetch_add(1, Ordering::Relaxed) % 100;
        let mut command = Command::new("timeout");
        command.arg("60");
        if !way.is_empty() {
            command.arg(sockeye()?).args(way);
        }
        command.args(["bash", "-c", self.text, "bash", &port.to_string()]).arg(&directory.0).arg(load);
        let output = command.stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = || format!("{:?} {}", text.trim(), String::from_utf8_lossy(&output.stderr).trim());
        text.lines().last().and_then(|line| line.trim().parse().ok()).with_context(said)
    }
}

/// Where the servers keep their files; gone afterwards.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("sockeye-bench.{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).exists())
}

/// Requests per second of GET with 50 clients.
const REDIS: Script = Script {
    programs: &["redis-server", "redis-benchmark"],
    text: r#"
        redis-server --port "$1" --bind 127.0.0.1 --save '' --appendonly no --dir "$2" >"$2/log" 2>&1 &
        server=$!
        for ((n = 0; n < 250; n++)); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && break; sleep 0.02; done
        redis-benchmark -p "$1" -c 50 -n "$3" -t get --csv | sed -n 's/^"GET","\([0-9.]*\)".*/\1/p'
        kill $server; wait $server 2>/dev/null"#,
    load: "60000",
    load_quick: "30000",
};

/// Requests per second of a page of 1 KiB with 50 connections that are kept.
const NGINX: Script = Script {
    programs: &["nginx", "wrk"],
    text: r#"
        head -c 1024 /dev/zero >"$2/page"
        cat >"$2/conf" <<END
        worker_processes 1; daemon off; pid $2/pid;
        events { worker_connections 1024; }
        http { access_log off; keepalive_requests 10000000; client_body_temp_path $2/b; proxy_temp_path $2/p;
               fastcgi_temp_path $2/f; uwsgi_temp_path $2/u; scgi_temp_path $2/s;
               server { listen 127.0.0.1:$1; root $2; } }
END
        chmod 755 "$2"
        nginx -p "$2" -c "$2/conf" -e "$2/log" &
        server=$!
        for ((n = 0; n < 250; n++)); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && break; sleep 0.02; done
        wrk -t 1 -c 50 -d "$3" "http://127.0.0.1:$1/page" >"$2/wrk"
        kill $server; wait $server 2>/dev/null
        grep -qE 'Socket errors|Non-2xx' "$2/wrk" && { cat "$2/wrk" >&2; exit 1; }
        sed -n 's/^Requests.sec: *//p' "$2/wrk""#,
    load: "2s",
    load_quick: "1s",
};
