//! The thread that carries the filter and starts programs.
//!
//! A filter holds for the thread that installs it and for all that it starts. So one thread of the supervisor
//! installs it, which puts the listener straight into the supervisor's own descriptor table, and then forks every
//! program of the host: all share one filter and one listener, and the supervisor is the ancestor of them all.
//! The thread itself makes no call that is notified.

use crate::filter;
use crate::probe::Features;
use crate::sys::launch::{Group, Image, Limit, spawn};
use crate::sys::seccomp;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// A program to start, with the surroundings of whoever asked for it.
#[derive(Debug)]
pub(crate) struct Program {
    /// Name and arguments, as bytes; never empty.
    pub(crate) args: Vec<Vec<u8>>,
    /// `NAME=VALUE` each.
    pub(crate) env: Vec<Vec<u8>>,
    pub(crate) dir: PathBuf,
    pub(crate) umask: u32,
    pub(crate) limits: Vec<Limit>,
    pub(crate) group: Group,
    /// Descriptors that become 0, 1 and 2; None keeps the supervisor's.
    pub(crate) stdio: [Option<OwnedFd>; 3],
}

/// Why a program was not started: the shell's exit status for it, and what to say.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct LaunchError {
    /// 127 not found, 126 not executable, 125 our own failure.
    pub(crate) status: u8,
    pub(crate) text: String,
}

type Request = (Program, Sender<Result<i32, LaunchError>>);

/// The launcher's door.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    requests: Sender<Request>,
}

impl Launcher {
    /// Starts the thread; gives the door and the listener of its filter.
    pub(crate) fn start(features: Features) -> io::Result<(Self, OwnedFd)> {
        let (requests, inbox) = channel();
        let (report, installed) = channel();
        thread::Builder::new().name("launcher".into()).spawn(move || run(features, &report, &inbox))?;
        let listener = installed.recv().map_err(|_| io::Error::other("the launcher thread ended"))??;
        Ok((Self { requests }, listener))
    }

    /// Starts a program; gives its process id.
    pub(crate) fn launch(&self, program: Program) -> Result<i32, LaunchError> {
        let (reply, answer) = channel();
        let gone = |_| LaunchError { status: 125, text: "the launcher thread ended".into() };
        self.requests.send((program, reply)).map_err(|_| gone(()))?;
        answer.recv().map_err(|_| gone(()))?
    }
}

fn run(features: Features, report: &Sender<io::Result<OwnedFd>>, inbox: &Receiver<Request>) {
    let installed = install(features);
    let failed = installed.is_err();
    let _ = report.send(installed);
    if failed {
        return;
    }
    while let Ok((program, reply)) = inbox.recv() {
        let _ = reply.send(start(&program));
    }
}

/// Installs the filter; with no_new_privs only where the kernel asks for it (no CAP_SYS_ADMIN).
fn install(features: Features) -> io::Result<OwnedFd> {
    let program = filter::program();
    match seccomp::install(&program, features.wait_killable) {
        Err(e) if e.raw_os_error() == Some(libc::EACCES) => {
            seccomp::set_no_new_privs()?;
            seccomp::install(&program, features.wait_killable)
        }
        other => other,
    }
}

fn start(program: &Program) -> Result<i32, LaunchError> {
    let c_strings = |list: &[Vec<u8>]| -> Result<Vec<CString>, LaunchError> {
        let nul = |_| LaunchError { status: 125, text: "an argument contains a zero byte".into() };
        list.iter().map(|s| CString::new(s.as_slice()).map_err(nul)).collect()
    };
    let path = resolve(program)?;
    let bytes = |p: &Path| CString::new(p.as_os_str().as_bytes()).unwrap_or_default();
    let stdio = [0, 1, 2].map(|n: usize| program.stdio[n].as_ref().map_or(n as i32, AsRawFd::as_raw_fd));
    let image = Image {
        path: bytes(&path),
        args: c_strings(&program.args)?,
        env: c_strings(&program.env)?,
        dir: bytes(&program.dir),
        stdio,
        group: program.group,
        umask: program.umask,
        limits: program.limits.clone(),
    };
    spawn(&image).map_err(|e| LaunchError {
        status: if e.kind() == io::ErrorKind::NotFound { 127 } else { 126 },
        text: format!("cannot run '{}': {e}", path.display()),
    })
}

/// Finds the program as execvp(3) does: a name with a slash as it is, any other along `PATH`.
fn resolve(program: &Program) -> Result<PathBuf, LaunchError> {
    let name = PathBuf::from(std::ffi::OsString::from_vec(program.args[0].clone()));
    if name.as_os_str().as_bytes().contains(&b'/') {
        return Ok(name);
    }
    let path = program.env.iter().find_map(|v| v.strip_prefix(b"PATH=")).unwrap_or(b"/usr/bin:/bin");
    let mut denied = false;
    for dir in path.split(|b| *b == b':') {
        let dir = if dir.is_empty() { Path::new(".") } else { Path::new(std::ffi::OsStr::from_bytes(dir)) };
        let candidate = program.dir.join(dir).join(&name);
        match std::fs::metadata(&candidate) {
            Ok(m) if m.is_file() && m.permissions().mode() & 0o111 != 0 => return Ok(candidate),
            Ok(m) if m.is_file() => denied = true,
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => denied = true,
            _ => {}
        }
    }
    let name = name.display();
    Err(if denied {
        LaunchError { status: 126, text: format!("cannot run '{name}': permission denied") }
    } else {
        LaunchError { status: 127, text: format!("cannot run '{name}': not found") }
    })
}
