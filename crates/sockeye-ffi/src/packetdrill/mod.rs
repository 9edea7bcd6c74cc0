//! A host that packetdrill drives: its calls, its device, its clock.
//!
//! In: `packetdrill_interface_init` with flags (`local=192.168.0.1/16,mtu=1500,...`). Out: the struct of functions of
//! [`interface`]. Time is simulated: it moves when packetdrill sleeps, waits for a packet or asks for the time, and
//! stands still otherwise, so that a script's outcome does not hang on the machine's load ([`stage`]). The host
//! follows the sysctls of the network namespace that it runs in ([`sysctl`]): scripts set them as for the kernel.
//!
//! The same object is preloaded for the few calls that packetdrill makes past its interface ([`preload`]).

mod calls;
mod epoll;
mod errors;
mod interface;
mod messages;
mod names;
mod pipes;
mod preload;
mod stage;
mod sysctl;
mod waits;
mod world;
mod zerocopy;

use interface::Interface;
use stage::Stage;
use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;

/// The one host of the process.
static STAGE: OnceLock<Stage> = OnceLock::new();

/// Makes the host that `flags` describe and fills `interface`.
///
/// # Safety
/// `flags` is null or a C string, `interface` points to memory of packetdrill's `struct packetdrill_interface`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn packetdrill_interface_init(flags: *const c_char, interface: *mut Interface) {
    let flags = match flags.is_null() {
        true => String::new(),
        // SAFETY: not null, so a C string by the caller's promise.
        false => unsafe { CStr::from_ptr(flags) }.to_string_lossy().into_owned(),
    };
    let stage = STAGE.get_or_init(|| {
        Stage::new(&flags).unwrap_or_else(|what| {
            eprintln!("libsockeye: --so_flags: {what}");
            std::process::exit(2);
        })
    });
    let userdata = std::ptr::from_ref(stage).cast_mut().cast::<c_void>();
    // SAFETY: the caller's memory, which it says is large enough.
    unsafe { interface.write(Interface::new(userdata)) };
}

/// Descriptors from here on are the host's; the process has none so high.
const FD_FIRST: i32 = 1 << 20;
