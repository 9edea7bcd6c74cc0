//! The control socket: a documented protocol of JSON lines (docs/control.md).
//!
//! `$XDG_RUNTIME_DIR/sockeye/NAME.sock` (else below the temporary directory), mode 0600 in a directory of mode
//! 0700: only the user can ask. One request a connection, then answers, a line each. `exec` passes the
//! descriptors that become 0, 1 and 2 with its request.

use crate::command::SocketRow;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

/// Longest line of either side, in bytes.
const LINE_MAX: usize = 8 * 1024 * 1024;

/// What a client asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "lowercase")]
pub enum Request {
    /// What is this host?
    Info,
    /// Every socket.
    Sockets,
    /// Start one more program.
    Exec(Box<ExecRequest>),
    /// Pass a signal to the program that this connection started.
    Signal { signal: i32 },
}

/// A program for a running host; bytes are arrays of numbers, since they need not be UTF-8.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExecRequest {
    pub args: Vec<Vec<u8>>,
    pub env: Vec<Vec<u8>>,
    pub dir: PathBuf,
    pub umask: u32,
    pub limits: Vec<(u32, u64, u64)>,
    /// Descriptor 0 is a terminal that the program is to control.
    pub terminal: bool,
}

/// What the supervisor answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Reply {
    Info { name: String, supervisor: u32, program: Option<i32>, command: String },
    Sockets { sockets: Vec<SocketRow> },
    Started { pid: i32 },
    Stopped { pid: i32 },
    Exited { status: i32 },
    Signaled { signal: i32 },
    Failed { status: u8, text: String },
}

/// The directory of control sockets, made if need be.
///
/// # Errors
/// When it cannot be made, or belongs to somebody else.
pub fn directory() -> io::Result<PathBuf> {
    let own = rustix::process::getuid().as_raw();
    let dir = match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(base) if !base.is_empty() && std::path::Path::new(&base).is_dir() => {
            PathBuf::from(base).join("sockeye")
        }
        _ => std::env::temp_dir().join(format!("sockeye-{own}")),
    };
    match std::fs::DirBuilder::new().mode(0o700).create(&dir) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    let meta = std::fs::symlink_metadata(&dir)?;
    if !meta.is_dir() || meta.uid() != own || meta.permissions().mode() & 0o077 != 0 {
        let text = format!("{} is not a private directory of this user", dir.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(dir)
}

/// Whether a name can be a host's: letters, digits, `-`, `_` and `.`, at most 64 of them.
pub fn name_is_valid(name: &str) -> bool {
    let character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 64 && !name.starts_with(['.', '-']) && name.chars().all(character)
}

fn path_of(name: &str) -> io::Result<PathBuf> {
    Ok(directory()?.join(format!("{name}.sock")))
}

/// Connects to the host called `name`.
///
/// # Errors
/// When there is none.
pub fn connect(name: &str) -> io::Result<UnixStream> {
    UnixStream::connect(path_of(name)?)
}

/// The names of all hosts of this user that answer; what is left of dead ones is removed.
///
/// # Errors
/// When the directory cannot be read.
pub fn names() -> io::Result<Vec<String>> {
    let mut names = vec![];
    for entry in std::fs::read_dir(directory()?)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()?.strip_suffix(".sock")) else { continue };
        match UnixStream::connect(&path) {
            Ok(_) => names.push(name.to_string()),
            Err(_) => drop(std::fs::remove_file(&path)),
        }
    }
    names.sort();
    Ok(names)
}

/// Takes the name: listens on its socket.
///
/// # Errors
/// `AddrInUse` when a living host has the name.
pub(crate) fn listen(name: &str) -> io::Result<(UnixListener, PathBuf)> {
    let path = path_of(name)?;
    let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let mut listener = UnixListener::bind(&path);
    if listener.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::AddrInUse)
        && UnixStream::connect(&path).is_err()
    {
        // Left behind by a supervisor that was killed.
        let _ = std::fs::remove_file(&path);
        listener = UnixListener::bind(&path);
    }
    rustix::process::umask(old);
    Ok((listener?, path))
}

/// Sends one line, descriptors with it.
///
/// # Errors
/// As the socket's.
pub fn send<T: Serialize>(
    stream: &UnixStream,
    message: &T,
    fds: &[std::os::fd::BorrowedFd<'_>],
) -> io::Result<()> {
    let mut line = serde_json::to_vec(message).map_err(io::Error::other)?;
    line.push(b'\n');
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(fds));
    }
    let n = rustix::net::sendmsg(stream, &[IoSlice::new(&line)], &mut ancillary, SendFlags::NOSIGNAL)?;
    let mut stream = stream;
    stream.write_all(&line[n..])
}

/// Receives the first line of a connection, and the descriptors that came with it.
pub(crate) fn receive_request(stream: &UnixStream) -> io::Result<(Request, Vec<OwnedFd>)> {
    let mut line = vec![];
    let mut fds = vec![];
    let mut buffer = vec![0; 65_536];
    while !line.ends_with(b"\n") {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let got = rustix::net::recvmsg(stream.as_fd(), &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        if got.bytes == 0 || line.len() + got.bytes > LINE_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no whole request"));
        }
        line.extend_from_slice(&buffer[..got.bytes]);
    }
    let request = serde_json::from_slice(&line).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok((request, fds))
}

/// Reads lines one by one.
pub fn lines<T: for<'a> Deserialize<'a>>(stream: UnixStream) -> impl Iterator<Item = io::Result<T>> {
    BufReader::new(stream)
        .lines()
        .map(|line| line.and_then(|l| serde_json::from_str(&l).map_err(io::Error::other)))
}

/// Asks one question that has one answer.
///
/// # Errors
/// When there is no such host, or its answer cannot be read.
pub fn ask(name: &str, request: &Request) -> io::Result<Reply> {
    let stream = connect(name)?;
    send(&stream, request, &[])?;
    lines(stream).next().unwrap_or_else(|| Err(io::Error::other("the host did not answer")))
}
