//! `sockeye run`: the front, which stands in the shell's job, and the supervisor behind it.
//!
//! ```text
//!    shell -- job: front (this process) + program        supervisor (its own process group)
//!                    |        ^                              |  ancestor of every program
//!                    |        +--- exit status, stops -------+
//!                    +------------ signals sent to it ------>+
//! ```
//!
//! The terminal's signals reach the program by themselves, since it is in the job's process group; the front
//! passes on only those that were sent to it alone. The supervisor survives ^C and ^Z.

use crate::aftermath;
use crate::command::Command;
use crate::control;
use crate::launcher::{Launcher, Program};
use crate::observe::{Capture, Choice, Ladder, Observer, Statistics};
use crate::probe::{Features, KERNEL_MIN, kernel_version};
use crate::server::{Parts, Server};
use crate::steward::{self, Over, Shared};
use crate::sys::launch::{Group, become_subreaper, fork_process};
use crate::sys::signals::{self, Ended};
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};
use sockeye::Clock;
use sockeye::standard::OwnLink;
use sockeye_core::Instant;
use std::fs::File;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// What to run, and how.
#[derive(Debug)]
pub struct Options {
    /// The host's name; a short one is made otherwise.
    pub name: Option<String>,
    /// Program and arguments.
    pub args: Vec<std::ffi::OsString>,
    /// Streams between programs of the host take the direct path.
    pub direct: bool,
    /// The link of the host's traffic to itself; without one it stays inside.
    pub own_link: Option<OwnLink>,
    /// What is shown while the host runs.
    pub show: Show,
    /// Listeners of the machine, each with the port of the host that it leads to.
    pub published: Vec<(TcpListener, u16)>,
    pub seed: u64,
}

/// What is shown while a host runs, on standard error where no file is named.
#[derive(Debug, Default)]
pub struct Show {
    /// A line for each call.
    pub trace: bool,
    /// A table of the calls' costs at the end.
    pub stats: bool,
    /// Calls and packets on one time line.
    pub sequence: Option<Choice>,
    /// Every packet on the host's links, as pcapng.
    pub capture: Option<File>,
}

/// Exit status of our own failures.
const FAILED: i32 = 125;
/// How long a program has to end by itself once its host is gone.
const HANG_UP_AFTER: Duration = Duration::from_secs(1);

/// Signals that are passed on to the program when they were sent to the front.
const FORWARDED: [i32; 9] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGWINCH,
    libc::SIGCONT,
];

/// What the supervisor tells the front.
#[derive(Debug, Serialize, Deserialize)]
enum News {
    Started(i32),
    Stopped,
    Exited(i32),
    Signaled(i32),
    Failed {
        status: u8,
        text: String,
    },
    /// What the names of this lab's carriers start with.
    Names(String),
    /// A broken invariant of ours.
    Broken {
        text: String,
    },
}

/// Runs a program in a host of its own; gives the exit status for the shell.
///
/// Call it before the process has started any thread.
pub fn run(options: Options) -> i32 {
    if kernel_version() < KERNEL_MIN {
        let (major, minor) = kernel_version();
        eprintln!(
            "sockeye: Linux {}.{} or later is needed, this is {major}.{minor}",
            KERNEL_MIN.0, KERNEL_MIN.1
        );
        return FAILED;
    }
    warn_of_internet_stdio();
    let (ours, theirs) = match UnixStream::pair() {
        Ok(pair) => pair,
        Err(e) => return failed(&e),
    };
    let inherited = inherited_descriptors(&[ours.as_raw_fd(), theirs.as_raw_fd()], &options);
    let job = rustix::process::getpgrp().as_raw_nonzero().get();
    let limits = signals::limits();
    match fork_process() {
        Err(e) => failed(&e),
        Ok(Some(_)) => {
            drop(theirs);
            drop(options);
            front(ours)
        }
        Ok(None) => {
            drop(ours);
            let status = supervise(options, theirs, job, limits, &inherited);
            std::process::exit(status)
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> i32 {
    eprintln!("sockeye: {error}");
    FAILED
}

/// Descriptors above 2 that whoever started us wants the program to have; the supervisor lets go of them.
fn inherited_descriptors(own: &[i32], options: &Options) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return vec![] };
    let numbers = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    let published = |fd: i32| options.published.iter().any(|(l, _)| l.as_raw_fd() == fd);
    numbers
        .filter(|fd| *fd > 2 && !own.contains(fd) && !published(*fd))
        .filter(|fd| {
            let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
            let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).unwrap_or("").trim();
            u32::from_str_radix(flags, 8).is_ok_and(|f| f & libc::O_CLOEXEC as u32 == 0)
        })
        .collect()
}

fn warn_of_internet_stdio() {
    for fd in 0..3 {
        // SAFETY-free look: the link's text names sockets, the family is asked by getsockname.
        let Ok(link) = std::fs::read_link(format!("/proc/self/fd/{fd}")) else { continue };
        if !link.as_os_str().as_bytes().starts_with(b"socket:") {
            continue;
        }
        let stdio: std::os::fd::BorrowedFd<'_> = match fd {
            0 => rustix::stdio::stdin(),
            1 => rustix::stdio::stdout(),
            _ => rustix::stdio::stderr(),
        };
        let internet = rustix::net::getsockname(stdio).is_ok_and(|name| {
            name.address_family() == rustix::net::AddressFamily::INET
                || name.address_family() == rustix::net::AddressFamily::INET6
        });
        if internet {
            eprintln!(
                "sockeye: descriptor {fd} is an Internet socket of the machine; the program can use it"
            );
        }
    }
}

/// The front: passes signals on, stops with the program, ends with its status.
fn front(supervisor: UnixStream) -> i32 {
    let Ok(signals) = signals::open(&FORWARDED) else { return FAILED };
    let Ok(reader) = supervisor.try_clone() else { return FAILED };
    let (sender, inbox) = channel();
    // The stream is read by a thread of its own, which a byte on a pipe announces.
    let Ok((bell_in, bell_out)) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC) else {
        return FAILED;
    };
    thread::spawn(move || {
        for news in control::lines::<News>(reader) {
            let Ok(news) = news else { break };
            let _ = sender.send(news);
            let _ = rustix::io::write(&bell_out, &[1]);
        }
    });
    let mut program = 0;
    let mut names = String::new();
    loop {
        let mut fds = [PollFd::new(&signals, PollFlags::IN), PollFd::new(&bell_in, PollFlags::IN)];
        let _ = poll(&mut fds, None);
        let rung = fds[1].revents();
        while let Some(arrived) = signals::next(&signals) {
            if arrived.from_process {
                let _ = (&supervisor).write_all(&[arrived.signal as u8]);
            }
        }
        if rung.contains(PollFlags::IN) {
            let _ = rustix::io::read(&bell_in, &mut [0]);
        } else if rung.contains(PollFlags::HUP) {
            eprintln!("sockeye: the supervisor is gone");
            aftermath::wake_carriers(&names);
            return FAILED;
        }
        while let Ok(news) = inbox.try_recv() {
            match news {
                News::Started(pid) => {
                    program = pid;
                    release_streams();
                }
                News::Stopped => stop_with(program),
                News::Exited(status) => return status,
                News::Signaled(signal) => {
                    if signal == libc::SIGSYS {
                        eprintln!(
                            "sockeye: the program made a call of a foreign architecture, which is not served"
                        );
                    }
                    return 128 + signal;
                }
                News::Failed { status, text } => {
                    eprintln!("sockeye: {text}");
                    return i32::from(status);
                }
                News::Names(prefix) => names = prefix,
                News::Broken { text } => eprintln!("sockeye: internal error: {text}"),
            }
        }
    }
}

/// Stops as the program did, unless it runs again already (the terminal stopped and continued us both).
fn stop_with(program: i32) {
    let stat = std::fs::read_to_string(format!("/proc/{program}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    if matches!(state, Some('T' | 't')) {
        signals::stop_self();
    }
}

/// The supervisor process.
fn supervise(
    options: Options,
    front: UnixStream,
    job: i32,
    limits: Vec<crate::sys::launch::Limit>,
    inherited: &[i32],
) -> i32 {
    let tell = |news: &News| {
        let _ = control::send(&front, news, &[]);
    };
    let (shared, server, listener, path, news, program) = match prepare(options, job, limits) {
        Ok(prepared) => prepared,
        Err(text) => {
            tell(&News::Failed { status: FAILED as u8, text });
            return FAILED;
        }
    };
    tell(&News::Names(server.names.prefix().to_string()));
    report_panics(&front);
    let host = thread::Builder::new().name("host".into()).spawn(move || server.run());
    let started = shared.start(program);
    let mut over = Over::Done;
    release_stdio(inherited);
    match started {
        Err(e) => tell(&News::Failed { status: e.status, text: e.text }),
        Ok((pid, ended)) => {
            tell(&News::Started(pid));
            let reporter = front.try_clone().map(|front| thread::spawn(move || report(&front, ended)));
            over = steward::run(&shared, listener, &front, &news);
            if let (Over::Done, Ok(reporter)) = (over, reporter) {
                let _ = reporter.join();
            }
            shared.last_words();
        }
    }
    let _ = std::fs::remove_file(path);
    shared.command(Command::Stop);
    if let Ok(host) = host {
        let _ = host.join();
    }
    if let Over::FrontKilled { program } = over {
        // Its sockets have ended; a program that does not end by that is told as when a terminal goes.
        thread::sleep(HANG_UP_AFTER);
        signals::kill(program, libc::SIGHUP);
        signals::kill(program, libc::SIGCONT);
    }
    0
}

type Prepared = (Arc<Shared>, Server, std::os::unix::net::UnixListener, std::path::PathBuf, OwnedFd, Program);

fn prepare(options: Options, job: i32, limits: Vec<crate::sys::launch::Limit>) -> Result<Prepared, String> {
    let text = |what: &'static str| move |e: io::Error| format!("{what}: {e}");
    let _ = rustix::process::setpgid(None, None);
    become_subreaper().map_err(text("cannot become a subreaper"))?;
    let news =
        signals::open(&[libc::SIGCHLD, libc::SIGTERM, libc::SIGINT]).map_err(text("cannot watch signals"))?;
    let umask = current_umask();
    signals::raise_descriptor_limit();
    let name = options.name.clone().unwrap_or_else(|| format!("h{}", std::process::id()));
    let (listener, path) = control::listen(&name).map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => format!("the name '{name}' is in use (sockeye ls shows the hosts)"),
        _ => format!("cannot open the control socket: {e}"),
    })?;
    let prepared = prepare_host(&options, &name);
    let (launcher, server, commands) = prepared.inspect_err(|_| drop(std::fs::remove_file(&path)))?;
    let doorbell = server.reactor.doorbell().map_err(|e| e.to_string())?;
    let command = options.args.iter().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let shared = Arc::new(Shared::new(name, command, launcher, commands, doorbell));
    let program = Program {
        args: options.args.iter().map(|a| a.as_bytes().to_vec()).collect(),
        env: std::env::vars_os().map(|(k, v)| [k.as_bytes(), b"=", v.as_bytes()].concat()).collect(),
        dir: std::env::current_dir().map_err(text("no current directory"))?,
        umask,
        limits,
        group: Group::Join(job),
        stdio: [None, None, None],
    };
    Ok((shared, server, listener, path, news, program))
}

fn prepare_host(
    options: &Options,
    name: &str,
) -> Result<(Launcher, Server, std::sync::mpsc::Sender<Command>), String> {
    let mut features = Features::probe();
    if !features.pidfd_getfd {
        return Err(
            "pidfd_getfd(2) is not allowed here (a container's profile?): programs cannot be served".into()
        );
    }
    let (launcher, listener) = Launcher::start(features).map_err(launcher_failure)?;
    features.tune(listener.as_fd());
    let (commands, inbox) = channel();
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let resolver = sockeye::names::Resolver::new([name, machine.as_str()], &sockeye::standard::addresses());
    let published = options.published.iter().map(|(l, port)| l.try_clone().map(|l| (l, *port)));
    let published_any = !options.published.is_empty();
    let mut standard = sockeye::standard::lab(name, options.seed, published_any, options.own_link);
    let clock = Clock::new();
    let observer = observer(&options.show, &standard.links, clock.now()).map_err(|e| e.to_string())?;
    if observer.wants_packets() {
        standard.lab.watch();
    }
    let parts = Parts {
        standard,
        clock,
        observer: observer.is_wanted().then_some(observer),
        listener,
        features,
        resolver,
        published: published.collect::<Result<_, _>>().map_err(|e| e.to_string())?,
        direct: options.direct,
        commands: inbox,
    };
    let server = Server::new(parts).map_err(|e| format!("cannot set up the host: {e}"))?;
    Ok((launcher, server, commands))
}

fn observer(show: &Show, links: &[&str], now: Instant) -> io::Result<Observer> {
    let stderr = || rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3).map(File::from);
    let mut observer = Observer::default();
    if show.trace {
        observer.lines = Some(stderr()?);
    }
    if show.stats {
        observer.statistics = Some(Statistics::new(stderr()?));
    }
    if let Some(choice) = show.sequence {
        observer.ladder = Some(Ladder::new(choice, stderr()?, now));
    }
    if let Some(file) = &show.capture {
        observer.capture = Some(Capture::new(file.try_clone()?, links, now));
    }
    Ok(observer)
}

fn launcher_failure(error: io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EBUSY) => "this program already runs inside a sockeye host: start it directly, \
                              without another 'sockeye run' (EBUSY)"
            .into(),
        Some(libc::EPERM | libc::EACCES | libc::ENOSYS | libc::EINVAL) => format!(
            "seccomp user notification is not allowed here ({error}); in a container, allow the \
             seccomp(2) call in its profile"
        ),
        _ => format!("cannot install the filter: {error}"),
    }
}

fn current_umask() -> u32 {
    let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::umask(old);
    old.as_raw_mode()
}

/// The program has its copies: ours go, so that a pipe that it closes is closed.
fn release_stdio(inherited: &[i32]) {
    for fd in inherited {
        signals::close_inherited(*fd);
    }
    if let Some(null) = release_streams() {
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

/// Lets standard input and output go.
fn release_streams() -> Option<File> {
    let null = File::options().read(true).write(true).open("/dev/null").ok()?;
    let _ = rustix::stdio::dup2_stdin(&null);
    let _ = rustix::stdio::dup2_stdout(&null);
    Some(null)
}

/// Our standard error is let go, so the front says what broke.
fn report_panics(front: &UnixStream) {
    let Ok(front) = front.try_clone() else { return };
    std::panic::set_hook(Box::new(move |info| {
        let _ = control::send(&front, &News::Broken { text: info.to_string() }, &[]);
    }));
}

/// Tells the front what becomes of the program.
fn report(front: &UnixStream, ended: std::sync::mpsc::Receiver<Ended>) {
    for ended in ended {
        let news = match ended {
            Ended::Exited(status) => News::Exited(status),
            Ended::Signaled(signal) => News::Signaled(signal),
            Ended::Stopped => News::Stopped,
            Ended::Continued => continue,
        };
        let _ = control::send(front, &news, &[]);
    }
}
