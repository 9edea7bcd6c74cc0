//! `sockeye demo`: two hosts at once, each with a server on port 80, and clients of three languages.
//!
//! Every line comes from a check that can fail; the last line counts them. Needs Python and bash, no rights.

use anyhow::{Context, Result, bail, ensure};
use sockeye_serve::command::SocketRow;
use sockeye_serve::control::{self, Reply, Request};
use sockeye_serve::signals;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of each server's file.
const DATA_LEN: usize = 3_000_000;
/// How long a server may take to listen.
const READY_MAX: Duration = Duration::from_secs(10);

const PYTHON_CLIENT: &str = "import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen('http://localhost/data').read())";
const BASH_CLIENT: &str = "exec 3<>/dev/tcp/10.0.0.1/80
printf 'GET /data HTTP/1.0\\r\\n\\r\\n' >&3
while IFS= read -r line <&3; do [ \"$line\" = $'\\r' ] && break; done
exec cat <&3";

/// Both ends of a transfer; says what came, then keeps the connection until standard input ends.
const LOSSY_TRANSFER: &str = "import socket, sys, threading
data = bytes(n * n // 7 % 256 for n in range(1000000))
server = socket.create_server(('127.0.0.1', 80))
client = socket.create_connection(('127.0.0.1', 80))
threading.Thread(target=client.sendall, args=(data,)).start()
accepted, _ = server.accept()
got = bytearray()
while len(got) < len(data): got += accepted.recv(65536)
print(len(got), bytes(got) == data, flush=True)
sys.stdin.read()";

/// A running host with its web server.
struct Site {
    name: String,
    data: Vec<u8>,
    child: Child,
    /// Where its published port is on the machine.
    published: SocketAddr,
}

impl Drop for Site {
    fn drop(&mut self) {
        signals::kill(self.child.id() as i32, 15);
        let _ = self.child.wait();
    }
}

/// A directory that goes when the demo does.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the demo; gives the exit status.
pub(crate) fn demo() -> Result<i32> {
    let scratch = Scratch(std::env::temp_dir().join(format!("sockeye-demo-{}", std::process::id())));
    fs::create_dir(&scratch.0).context("cannot make a directory for the demo")?;
    let port_80_before = machine_listeners()?.contains(&80);
    let sites = [site("a", &scratch.0)?, site("b", &scratch.0)?];
    println!(
        "two hosts, each with python3 -m http.server on port 80: {} and {}\n",
        sites[0].name, sites[1].name
    );
    let mut passed = 0;
    for site in &sites {
        passed += check_clients(site)?;
        passed += check_sockets(site)?;
    }
    passed += check_machine(port_80_before)?;
    passed += check_published(&sites[0])?;
    passed += check_lossy()?;
    println!("\n{passed} checks passed");
    Ok(0)
}

fn site(letter: &str, scratch: &Path) -> Result<Site> {
    let name = format!("demo-{letter}-{}", std::process::id());
    let dir = scratch.join(letter);
    fs::create_dir(&dir)?;
    let data: Vec<u8> = (0..DATA_LEN).map(|i| (i * i / 7) as u8 ^ letter.as_bytes()[0]).collect();
    fs::write(dir.join("data"), &data)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["run", "--name", &name, "-p", "0:80", "--", "python3", "-m", "http.server", "80", "-d"])
        .arg(&dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start sockeye run")?;
    let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
    let first = lines.next().context("sockeye run said nothing")??;
    let published = first
        .strip_prefix("sockeye: ")
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .with_context(|| format!("sockeye run said: {first}"))?;
    // The server's own log is read on, so that it never waits for us.
    thread::spawn(move || lines.for_each(drop));
    let site = Site { name, data, child, published };
    let started = Instant::now();
    while !rows(&site.name).is_ok_and(|rows| rows.iter().any(|r| r.state == "LISTEN" && r.local.port() == 80))
    {
        ensure!(started.elapsed() < READY_MAX, "the server of {} does not listen", site.name);
        thread::sleep(Duration::from_millis(20));
    }
    Ok(site)
}

fn rows(name: &str) -> Result<Vec<SocketRow>> {
    match control::ask(name, &Request::Sockets)? {
        Reply::Sockets { sockets } => Ok(sockets),
        other => bail!("{name} answered {other:?}"),
    }
}

/// FNV-1a, to show.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

fn check_clients(site: &Site) -> Result<usize> {
    let own = std::env::current_exe()?;
    let own = own.to_str().context("a printable path")?;
    let clients: [(&str, Vec<&str>); 3] = [
        ("Python, localhost", vec!["python3", "-c", PYTHON_CLIENT]),
        ("bash, /dev/tcp", vec!["bash", "-c", BASH_CLIENT]),
        ("Rust, TcpStream", vec![own, "demo-client", "10.0.0.1:80"]),
    ];
    for (what, args) in &clients {
        let output = Command::new(own).args(["exec", &site.name, "--"]).args(args).output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{what} in {} failed: {text}", site.name);
        ensure!(output.stdout == site.data, "{what} in {} got other bytes", site.name);
        println!(
            "{}: {what:<18} {} bytes, checksum {:016x}",
            site.name,
            output.stdout.len(),
            checksum(&output.stdout)
        );
    }
    Ok(clients.len())
}

fn check_sockets(site: &Site) -> Result<usize> {
    let rows = rows(&site.name)?;
    let server = rows.iter().find(|r| r.state == "LISTEN" && r.local.port() == 80).context("no listener")?;
    let process = server.processes.iter().find(|p| p.command.starts_with("python3"));
    let process = process.context("the listener has no process")?;
    println!(
        "{}: ss shows {} {} of {} (pid {})",
        site.name, server.state, server.local, process.command, process.pid
    );
    Ok(1)
}

/// The ports that the machine itself listens on (/proc/net/tcp, state 0A).
fn machine_listeners() -> Result<Vec<u16>> {
    let mut ports = vec![];
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = fs::read_to_string(file).unwrap_or_default();
        for line in text.lines().skip(1) {
            let mut fields = line.split_whitespace().skip(1);
            let (local, state) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
            if state == "0A" {
                let port = local.rsplit_once(':').and_then(|(_, p)| u16::from_str_radix(p, 16).ok());
                ports.extend(port);
            }
        }
    }
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

fn check_machine(port_80_before: bool) -> Result<usize> {
    let ports = machine_listeners()?;
    ensure!(ports.contains(&80) == port_80_before, "port 80 has appeared on the machine");
    let where_from = if port_80_before { ", port 80 being its own from before" } else { ": no port 80" };
    println!("the machine itself listens on {ports:?}{where_from}");
    Ok(1)
}

fn check_published(site: &Site) -> Result<usize> {
    let mut stream = TcpStream::connect(site.published)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let own = stream.local_addr()?;
    // A dual-stack server's socket shows the client mapped.
    let is_own = |peer: SocketAddr| peer.port() == own.port() && peer.ip().to_canonical() == own.ip();
    let seen = |rows: &[SocketRow]| rows.iter().any(|r| r.peer.is_some_and(is_own) && r.local.port() == 80);
    let started = Instant::now();
    while !seen(&rows(&site.name)?) {
        ensure!(started.elapsed() < READY_MAX, "the host does not see {own} as its peer");
        thread::sleep(Duration::from_millis(5));
    }
    write!(stream, "GET /data HTTP/1.0\r\n\r\n")?;
    let mut answer = vec![];
    stream.read_to_end(&mut answer)?;
    ensure!(answer.ends_with(&site.data), "the published port gave other bytes");
    println!(
        "{}: -p: {} of the machine leads to port 80, which sees its client {own}",
        site.name, site.published
    );
    Ok(1)
}

/// A transfer over a link that loses packets: the bytes are right, and TCP says how often it sent again.
fn check_lossy() -> Result<usize> {
    let name = format!("demo-lossy-{}", std::process::id());
    let mut child = Command::new(std::env::current_exe()?)
        .args(["run", "--name", &name, "--delay", "5ms", "--loss", "2%", "--seed", "1", "--"])
        .args(["python3", "-c", LOSSY_TRANSFER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start sockeye run")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
    let sent_again = rows(&name)?.iter().filter_map(|r| r.tcp.as_ref()).map(|tcp| tcp.retransmits).max();
    drop(child.stdin.take());
    ensure!(child.wait()?.success(), "the lossy transfer failed");
    ensure!(line.trim() == "1000000 True", "the lossy transfer gave '{}'", line.trim());
    let sent_again = sent_again.filter(|n| *n > 0).context("nothing was sent again over a lossy link")?;
    println!("--delay 5ms --loss 2%: 1000000 bytes, right; ss -i of the sender: retrans:{sent_again}");
    Ok(1)
}
