//! Serves unmodified programs (Linux): seccomp user notification and carriers.
//!
//! ```text
//!    program                     supervisor
//!    socket(), connect(), ... -> notification -> call/ -> Host (sockeye-core)
//!    read(), write(), poll() -> carrier (AF_UNIX) <-> our end -> carrier/ -> Host
//! ```
//!
//! Control calls are notified and answered by [`server`]; the data of streams is not: it goes through the
//! carrier, a kernel Unix socket that stands in the program's descriptor table. docs/serving.md states each
//! kernel behaviour that this leans on, tests/kernel asks the kernel for each.
#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

mod abi;
mod aftermath;
mod call;
mod carrier;
mod collect;
pub mod command;
pub mod control;
pub mod exec;
mod filter;
mod find;
mod held;
mod launcher;
mod names;
pub mod observe;
pub mod probe;
mod processes;
mod publish;
mod reactor;
mod resolver;
pub mod run;
mod served;
mod server;
mod steward;
mod sys;
mod watch;

pub use sys::signals;

use sockeye_core::wire::sockaddr as address;
