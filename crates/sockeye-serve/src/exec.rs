//! `sockeye exec`: one more program in a running host, from another terminal.
//!
//! On a terminal the program gets a pseudo-terminal of its own, whose other end is copied to and from ours in raw
//! mode; descriptors that are no terminals are passed as they are. Signals that come to us are passed on.

use crate::control::{self, ExecRequest, Reply, Request};
use crate::sys::signals;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::thread;

/// Exit status of our own failures.
const FAILED: i32 = 125;
const FORWARDED: [i32; 6] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

/// Runs a program in the host called `name`; gives the exit status for the shell.
pub fn exec(name: &str, args: &[OsString]) -> i32 {
    match try_exec(name, args) {
        Ok(status) => status,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            eprintln!("sockeye: no host is called '{name}' (sockeye ls shows the hosts)");
            FAILED
        }
        Err(e) => {
            eprintln!("sockeye: {e}");
            FAILED
        }
    }
}

fn try_exec(name: &str, args: &[OsString]) -> io::Result<i32> {
    let stream = control::connect(name)?;
    let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let terminal = if isatty(stdio[0]) { Some(Terminal::open(stdio[0])?) } else { None };
    let fds = stdio.map(|fd| match &terminal {
        Some(terminal) if isatty(fd) => terminal.inner.as_fd(),
        _ => fd,
    });
    control::send(&stream, &request(args, terminal.is_some())?, &fds)?;
    let resize: &[i32] = if terminal.is_some() { &[libc::SIGWINCH] } else { &[] };
    let signals = signals::open(&[&FORWARDED[..], resize].concat())?;
    let raw = terminal.as_ref().map(|_| RawMode::enter(stdio[0])).transpose()?;
    let outer = terminal.map(|t| t.outer);
    let status = follow(&stream, &signals, outer.as_ref());
    drop(raw);
    status
}

fn request(args: &[OsString], terminal: bool) -> io::Result<Request> {
    let umask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::umask(umask);
    Ok(Request::Exec(Box::new(ExecRequest {
        args: args.iter().map(|a| a.as_bytes().to_vec()).collect(),
        env: std::env::vars_os().map(|(k, v)| [k.as_bytes(), b"=", v.as_bytes()].concat()).collect(),
        dir: std::env::current_dir()?,
        umask: umask.as_raw_mode(),
        limits: signals::limits(),
        terminal,
    })))
}

/// A pseudo-terminal: `inner` is the program's.
struct Terminal {
    outer: OwnedFd,
    inner: OwnedFd,
}

impl Terminal {
    fn open(like: BorrowedFd<'_>) -> io::Result<Self> {
        let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&outer)?;
        unlockpt(&outer)?;
        let path = ptsname(&outer, vec![])?;
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        let inner = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
        let _ = tcsetattr(&inner, OptionalActions::Now, &tcgetattr(like)?);
        let _ = tcsetwinsize(&inner, tcgetwinsize(like)?);
        Ok(Self { outer, inner })
    }
}

/// Our terminal in raw mode, until dropped.
struct RawMode<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> RawMode<'a> {
    fn enter(terminal: BorrowedFd<'a>) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(terminal, OptionalActions::Flush, &raw)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for RawMode<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Copies the terminal, passes signals on, until the program is over.
fn follow(stream: &UnixStream, signals: &OwnedFd, outer: Option<&OwnedFd>) -> io::Result<i32> {
    let (done, ended) = std::sync::mpsc::channel();
    let reader = stream.try_clone()?;
    let (bell_in, bell_out) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    thread::spawn(move || {
        for reply in control::lines::<Reply>(reader) {
            let _ = done.send(reply);
        }
        drop(bell_out);
    });
    loop {
        let stdin = rustix::stdio::stdin();
        let mut fds = vec![PollFd::new(signals, PollFlags::IN), PollFd::new(&bell_in, PollFlags::IN)];
        if let Some(outer) = outer {
            fds.push(PollFd::new(outer, PollFlags::IN));
            fds.push(PollFd::new(&stdin, PollFlags::IN));
        }
        let _ = poll(&mut fds, None);
        let ready: Vec<bool> = fds.iter().map(|f| !f.revents().is_empty()).collect();
        while let Some(arrived) = signals::next(signals) {
            match outer {
                Some(outer) if arrived.signal == libc::SIGWINCH => {
                    let _ = tcgetwinsize(stdin).and_then(|size| tcsetwinsize(outer, size));
                }
                _ => control::send(stream, &Request::Signal { signal: arrived.signal }, &[])?,
            }
        }
        if let Some(outer) = outer {
            if ready[2] {
                copy(outer.as_fd(), rustix::stdio::stdout());
            }
            if ready[3] {
                copy(stdin, outer.as_fd());
            }
        }
        if ready[1] {
            if let Some(outer) = outer {
                drain(outer);
            }
            return last_word(&ended);
        }
    }
}

fn last_word(replies: &std::sync::mpsc::Receiver<io::Result<Reply>>) -> io::Result<i32> {
    for reply in replies {
        match reply? {
            Reply::Exited { status } => return Ok(status),
            Reply::Signaled { signal } => return Ok(128 + signal),
            Reply::Failed { status, text } => {
                eprintln!("sockeye: {text}");
                return Ok(i32::from(status));
            }
            _ => {}
        }
    }
    Err(io::Error::other("the host is gone"))
}

fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    let mut buffer = [0; 4096];
    if let Ok(n) = rustix::io::read(from, &mut buffer) {
        let mut left = &buffer[..n];
        while !left.is_empty() {
            match rustix::io::write(to, left) {
                Ok(n) => left = &left[n..],
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

/// What the program wrote last.
fn drain(outer: &OwnedFd) {
    let _ = rustix::io::ioctl_fionbio(outer, true);
    let mut buffer = [0; 4096];
    while let Ok(n) = rustix::io::read(outer, &mut buffer) {
        if n == 0 || rustix::io::write(rustix::stdio::stdout(), &buffer[..n]).is_err() {
            return;
        }
    }
}
