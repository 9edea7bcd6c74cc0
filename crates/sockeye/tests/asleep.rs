//! An idle lab costs nothing: a process of its own, since other tests have labs that do not sleep.

use sockeye::Lab;
use sockeye::net::{TcpListener, TcpStream};
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

#[test]
fn a_lab_is_asleep_when_nothing_happens() {
    let lab = Lab::builder().host("only").build().unwrap();
    let net = lab.host("only").net();
    let listener = TcpListener::bind(&net, "0.0.0.0:80").unwrap();
    let mut client = TcpStream::connect(&net, "only:80").unwrap();
    let mut server = listener.accept().unwrap().0;
    client.write_all(b"x").unwrap();
    server.read_exact(&mut [0]).unwrap();
    let Some(before) = voluntary_switches() else { return };
    // Long enough for whatever timers the exchange has left behind, and then some.
    thread::sleep(Duration::from_millis(1000));
    let woken = voluntary_switches().unwrap() - before;
    assert!(woken < 10, "the lab's thread woke {woken} times in a second");
}

/// How often the lab threads of this process have gone to sleep, where the system tells.
fn voluntary_switches() -> Option<u64> {
    let mut total = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let status = std::fs::read_to_string(task.ok()?.path().join("status")).unwrap_or_default();
        if status.contains("sockeye-lab") {
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            total += line.trim().parse::<u64>().ok()?;
        }
    }
    Some(total)
}
