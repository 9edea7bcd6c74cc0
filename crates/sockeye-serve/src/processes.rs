//! What /proc tells of the programs: who has a socket open, with which flags.
//!
//! In: inodes of carriers. Out: processes. Only descendants of this process are looked at, and only when somebody
//! asks (`ss`, a reset).

use std::collections::{HashMap, HashSet};
use std::fs;

/// One descriptor of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    pub(crate) fd: i32,
    pub(crate) command: String,
}

fn numbers(path: &str) -> impl Iterator<Item = u32> {
    let names = fs::read_dir(path).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The fields of /proc/PID/stat behind the command's closing parenthesis.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// All descendants of this process, nearest first.
pub(crate) fn descendants() -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in numbers("/proc") {
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![];
    let mut next = vec![std::process::id()];
    let mut seen = HashSet::new();
    while let Some(pid) = next.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            if seen.insert(child) {
                found.push(child);
                next.push(child);
            }
        }
    }
    found
}

fn socket_inode(pid: u32, fd: u32) -> Option<u64> {
    let target = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Who has which socket open, by inode.
pub(crate) fn holders() -> HashMap<u64, Vec<Holder>> {
    let mut all: HashMap<u64, Vec<Holder>> = HashMap::new();
    for pid in descendants() {
        let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        for fd in numbers(&format!("/proc/{pid}/fd")) {
            if let Some(inode) = socket_inode(pid, fd) {
                let holder = Holder { pid, fd: fd as i32, command: command.trim_end().into() };
                all.entry(inode).or_default().push(holder);
            }
        }
    }
    all
}

/// One process that has the socket open, and its number there.
pub(crate) fn holder_of(inode: u64) -> Option<(u32, i32)> {
    descendants().into_iter().find_map(|pid| {
        numbers(&format!("/proc/{pid}/fd"))
            .find(|fd| socket_inode(pid, *fd) == Some(inode))
            .map(|fd| (pid, fd as i32))
    })
}

/// Whether a descriptor is closed on exec.
pub(crate) fn close_on_exec(tid: u32, fd: i32) -> bool {
    let info = fs::read_to_string(format!("/proc/{tid}/fdinfo/{fd}")).unwrap_or_default();
    let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).map(str::trim);
    flags.and_then(|f| u32::from_str_radix(f, 8).ok()).is_some_and(|f| f & libc::O_CLOEXEC as u32 != 0)
}
