//! The supervisor's first thread: programs' lives, and whoever asks.
//!
//! In: the end of children, connections of the control socket, the front's messages. Out: exit statuses, answers.
//! It owns no socket of the host; what it needs of them it asks of the host thread. The supervisor lives as long
//! as one program does, and goes with its front if that is killed.

use crate::command::Command;
use crate::control::{self, ExecRequest, Reply, Request};
use crate::launcher::{LaunchError, Launcher, Program};
use crate::reactor;
use crate::sys::launch::Group;
use crate::sys::signals::{self, Ended};
use rustix::event::{PollFd, PollFlags, poll};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Connections of the control socket at once.
const CLIENTS_MAX: usize = 128;
/// How long the supervisor waits for clients to take the last answer.
const LAST_WORDS_MAX: Duration = Duration::from_millis(500);

/// What the threads of the control socket share with the steward.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) command: String,
    pub(crate) launcher: Launcher,
    pub(crate) commands: Sender<Command>,
    pub(crate) doorbell: OwnedFd,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whoever wants to hear of a program's end, by process id.
    jobs: HashMap<i32, Sender<Ended>>,
    /// Ends that came before anybody asked for them: a program may be over before its job is written down.
    early: HashMap<i32, Ended>,
    program: Option<i32>,
    clients: usize,
    /// Clients whose programs' ends have not been told yet.
    execs: usize,
    /// Programs that are being started right now.
    starting: usize,
}

impl Shared {
    pub(crate) fn new(
        name: String,
        command: String,
        launcher: Launcher,
        commands: Sender<Command>,
        doorbell: OwnedFd,
    ) -> Self {
        Self { name, command, launcher, commands, doorbell, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn command(&self, command: Command) {
        let _ = self.commands.send(command);
        reactor::ring(self.doorbell.as_fd());
    }

    /// Starts a program and gives its process id and the news of it.
    pub(crate) fn start(
        &self,
        program: Program,
    ) -> Result<(i32, std::sync::mpsc::Receiver<Ended>), LaunchError> {
        self.state().starting += 1;
        let launched = self.launcher.launch(program);
        let (news, inbox) = channel();
        let mut state = self.state();
        state.starting -= 1;
        let pid = launched?;
        if let Some(ended) = state.early.remove(&pid) {
            let _ = news.send(ended);
        }
        state.jobs.insert(pid, news);
        state.program.get_or_insert(pid);
        Ok((pid, inbox))
    }

    /// Lets the clients that started programs hear of their ends.
    pub(crate) fn last_words(&self) {
        let started = std::time::Instant::now();
        while self.state().execs > 0 && started.elapsed() < LAST_WORDS_MAX {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn told(&self, pid: i32, ended: Ended) {
        let mut state = self.state();
        let over = matches!(ended, Ended::Exited(_) | Ended::Signaled(_));
        match state.jobs.get(&pid) {
            Some(job) => {
                let _ = job.send(ended);
                if over {
                    state.jobs.remove(&pid);
                }
            }
            // Kept only while a start is under way: any other orphan's end interests nobody.
            None if over && state.starting > 0 => drop(state.early.insert(pid, ended)),
            None => {}
        }
    }
}

/// Why a host ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// No program is left, or somebody asked for it.
    Done,
    /// The front was killed while its program ran.
    FrontKilled { program: i32 },
}

/// Serves until the last program is gone. `front` is the process that stands in the shell's job.
pub(crate) fn run(shared: &Arc<Shared>, listener: UnixListener, front: &UnixStream, news: &OwnedFd) -> Over {
    let clients = Arc::clone(shared);
    let _ = thread::Builder::new().name("control".into()).spawn(move || accept_clients(&clients, &listener));
    let mut front_open = true;
    loop {
        if !reap(shared) && shared.state().starting == 0 {
            return Over::Done;
        }
        let mut fds = vec![PollFd::new(news, PollFlags::IN)];
        if front_open {
            fds.push(PollFd::new(front, PollFlags::IN));
        }
        let _ = poll(&mut fds, None);
        if front_open && !fds[1].revents().is_empty() && !front_message(shared, front) {
            let program = shared.state().program;
            if let Some(program) = program.filter(|pid| shared.state().jobs.contains_key(pid)) {
                return Over::FrontKilled { program };
            }
            front_open = false;
        }
        while let Some(arrived) = signals::next(news) {
            if arrived.signal != libc::SIGCHLD {
                return Over::Done;
            }
        }
    }
}

/// Passes on what became of children; false when none is left.
fn reap(shared: &Shared) -> bool {
    loop {
        match signals::wait_any() {
            Ok(Some((pid, ended))) => shared.told(pid, ended),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// A signal for the program, as one byte; false at the end of file.
fn front_message(shared: &Shared, front: &UnixStream) -> bool {
    let mut signal = [0];
    match rustix::io::read(front, &mut signal) {
        Ok(1) => {
            if let Some(pid) = shared.state().program {
                signals::kill(pid, i32::from(signal[0]));
            }
            true
        }
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => true,
        _ => false,
    }
}

fn accept_clients(shared: &Arc<Shared>, listener: &UnixListener) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        if shared.state().clients >= CLIENTS_MAX {
            let text = "too many clients of the control socket".into();
            let _ = control::send(&stream, &Reply::Failed { status: 125, text }, &[]);
            continue;
        }
        shared.state().clients += 1;
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            let _ = client(&shared, &stream);
            shared.state().clients -= 1;
        });
    }
}

fn client(shared: &Arc<Shared>, stream: &UnixStream) -> io::Result<()> {
    let (request, fds) = match control::receive_request(stream) {
        Ok(request) => request,
        Err(e) => {
            let reply = Reply::Failed { status: 125, text: format!("unreadable request: {e}") };
            return control::send(stream, &reply, &[]);
        }
    };
    match request {
        Request::Info => {
            let program = shared.state().program;
            let (name, command) = (shared.name.clone(), shared.command.clone());
            control::send(
                stream,
                &Reply::Info { name, supervisor: std::process::id(), program, command },
                &[],
            )
        }
        Request::Sockets => {
            let (reply, rows) = channel();
            shared.command(Command::Sockets(reply));
            let sockets = rows.recv_timeout(Duration::from_secs(10)).map_err(io::Error::other)?;
            control::send(stream, &Reply::Sockets { sockets }, &[])
        }
        Request::Exec(request) => {
            shared.state().execs += 1;
            let answer = exec(shared, stream, *request, fds);
            shared.state().execs -= 1;
            answer
        }
        Request::Signal { .. } => {
            let text = "this connection has started no program".into();
            control::send(stream, &Reply::Failed { status: 125, text }, &[])
        }
    }
}

fn exec(
    shared: &Arc<Shared>,
    stream: &UnixStream,
    request: ExecRequest,
    fds: Vec<OwnedFd>,
) -> io::Result<()> {
    if request.args.is_empty() {
        let text = "no program named".into();
        return control::send(stream, &Reply::Failed { status: 125, text }, &[]);
    }
    let mut fds = fds.into_iter();
    let program = Program {
        args: request.args,
        env: request.env,
        dir: request.dir,
        umask: request.umask,
        limits: request.limits,
        group: if request.terminal { Group::NewSession } else { Group::New },
        stdio: [fds.next(), fds.next(), fds.next()],
    };
    let (pid, news) = match shared.start(program) {
        Ok(started) => started,
        Err(e) => return control::send(stream, &Reply::Failed { status: e.status, text: e.text }, &[]),
    };
    control::send(stream, &Reply::Started { pid }, &[])?;
    let reader = stream.try_clone()?;
    thread::spawn(move || {
        for request in control::lines::<Request>(reader) {
            match request {
                Ok(Request::Signal { signal }) => signals::kill(-pid, signal),
                _ => break,
            }
        }
        // Whoever asked is gone: as when a terminal goes.
        signals::kill(-pid, libc::SIGHUP);
        signals::kill(-pid, libc::SIGCONT);
    });
    for ended in news {
        let reply = match ended {
            Ended::Exited(status) => Reply::Exited { status },
            Ended::Signaled(signal) => Reply::Signaled { signal },
            Ended::Stopped => Reply::Stopped { pid },
            Ended::Continued => continue,
        };
        let over = !matches!(reply, Reply::Stopped { .. });
        control::send(stream, &reply, &[])?;
        if over {
            break;
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
    Ok(())
}
