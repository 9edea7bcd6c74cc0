//! Labs and hosts for C: described, started, used, freed.

use super::{Answer, answer_int, memory, parker};
use sockeye_core::Errno;
use sockeye_rs::net::Net;
use sockeye_rs::{Lab, LabBuilder, Link};
use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::sync::Mutex;
use std::time::Duration;

/// A lab: hosts and links that are described, then run.
#[allow(non_camel_case_types)]
pub struct sockeye_lab {
    builder: Option<LabBuilder>,
    running: Option<Lab>,
    names: Vec<String>,
}

/// A host of a running lab.
#[allow(non_camel_case_types)]
pub struct sockeye_host(Net);

/// What a link does to packets, in each direction; all zero is an ideal one.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types)]
pub struct sockeye_link {
    /// How long each packet is under way, in nanoseconds.
    pub delay_ns: u64,
    /// Up to so much more, in nanoseconds.
    pub jitter_ns: u64,
    /// Bits per second; 0 is without bound.
    pub rate_bps: u64,
    /// Bytes that may wait for the rate; 0 is the library's choice.
    pub queue_bytes: u64,
    /// Shares of packets in millionths.
    pub loss_ppm: u32,
    pub duplicate_ppm: u32,
    pub reorder_ppm: u32,
    pub corrupt_ppm: u32,
    /// Largest IP packet in bytes; 0 is 1500.
    pub mtu: u32,
}

thread_local! {
    static CURRENT: RefCell<Option<Net>> = const { RefCell::new(None) };
    static TEXT: RefCell<CString> = RefCell::new(CString::default());
}

/// The host of threads that have none of their own.
static FALLBACK: Mutex<Option<Net>> = Mutex::new(None);

/// The host of this thread; ENETDOWN without one.
pub(super) fn current() -> Answer<Net> {
    let own = CURRENT.with_borrow(Clone::clone);
    own.or_else(|| FALLBACK.lock().expect("no holder panics").clone()).ok_or(Errno::ENETDOWN)
}

fn fail(text: impl std::fmt::Display, errno: Errno) -> Errno {
    let text = CString::new(text.to_string().replace('\0', " ")).unwrap_or_default();
    TEXT.with_borrow_mut(|kept| *kept = text);
    errno
}

/// What the last failure of a `sockeye_lab_` function of this thread was about, in words; valid until the next.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_error() -> *const c_char {
    TEXT.with_borrow(|text| text.as_ptr())
}

/// A lab without hosts; all its randomness follows from the seed. Free it with [`sockeye_lab_free`].
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_new(seed: u64) -> *mut sockeye_lab {
    let lab = sockeye_lab { builder: Some(Lab::builder().seed(seed)), running: None, names: Vec::new() };
    Box::into_raw(Box::new(lab))
}

/// The lab behind a pointer; EFAULT for null.
fn borrow<'a>(lab: *mut sockeye_lab) -> Answer<&'a mut sockeye_lab> {
    // SAFETY: not null, so it is one that sockeye_lab_new gave and nobody has freed: the caller's promise.
    unsafe { lab.as_mut() }.ok_or(Errno::EFAULT)
}

/// Changes a lab that does not run yet; EBUSY for one that does.
fn describe(lab: *mut sockeye_lab, change: impl FnOnce(LabBuilder) -> LabBuilder) -> Answer<i64> {
    let lab = borrow(lab)?;
    let builder = lab.builder.take().ok_or_else(|| fail("the lab runs", Errno(libc::EBUSY as u16)))?;
    lab.builder = Some(change(builder));
    Ok(0)
}

/// Adds a host. `address` is an IP address ("10.1.0.1"), or null for the library's choice.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_host(
    lab: *mut sockeye_lab,
    name: *const c_char,
    address: *const c_char,
) -> i32 {
    answer_int((|| {
        let name = memory::read_text(name)?;
        let address = if address.is_null() { None } else { Some(memory::read_text(address)?) };
        let names = &mut borrow(lab)?.names;
        if names.contains(&name) {
            return Err(fail(format!("there is a host '{name}' already"), Errno(libc::EEXIST as u16)));
        }
        names.push(name.clone());
        describe(lab, |builder| {
            let builder = builder.host(&name);
            match address {
                Some(address) => builder.address(&address),
                None => builder,
            }
        })
    })())
}

/// Gives the host added last one more address.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_address(lab: *mut sockeye_lab, address: *const c_char) -> i32 {
    answer_int((|| {
        let address = memory::read_text(address)?;
        if borrow(lab)?.names.is_empty() {
            return Err(fail("an address belongs to a host: add one first", Errno::EINVAL));
        }
        describe(lab, |builder| builder.address(&address))
    })())
}

/// Joins two hosts; `link` may be null for an ideal one.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_link(
    lab: *mut sockeye_lab,
    a: *const c_char,
    b: *const c_char,
    link: *const sockeye_link,
) -> i32 {
    answer_int((|| {
        let (a, b, link) = (memory::read_text(a)?, memory::read_text(b)?, read_link(link)?);
        describe(lab, |builder| builder.link(&a, &b, link))
    })())
}

/// Makes the links between two hosts of a running lab like this from now on.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_set_link(
    lab: *mut sockeye_lab,
    a: *const c_char,
    b: *const c_char,
    link: *const sockeye_link,
) -> i32 {
    answer_int((|| {
        let (a, b, link) = (memory::read_text(a)?, memory::read_text(b)?, read_link(link)?);
        let running = running(lab, &[&a, &b])?;
        running.set_link(&a, &b, link);
        Ok(0)
    })())
}

/// Cuts (not 0) or mends (0) the links between two hosts of a running lab.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_cut(
    lab: *mut sockeye_lab,
    a: *const c_char,
    b: *const c_char,
    cut: i32,
) -> i32 {
    answer_int((|| {
        let (a, b) = (memory::read_text(a)?, memory::read_text(b)?);
        let running = running(lab, &[&a, &b])?;
        if cut != 0 {
            running.partition(&a, &b);
        } else {
            running.repair(&a, &b);
        }
        Ok(0)
    })())
}

/// Starts the lab, in real time with a thread of its own.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_start(lab: *mut sockeye_lab) -> i32 {
    answer_int((|| {
        let lab = borrow(lab)?;
        let builder = lab.builder.take().ok_or_else(|| fail("the lab runs", Errno(libc::EBUSY as u16)))?;
        let built = parker::without_signals(|| builder.build());
        lab.running = Some(built.map_err(|error| fail(error, Errno::EINVAL))?);
        Ok(0)
    })())
}

/// A host of a running lab by its name, or null and errno. Free it with [`sockeye_host_free`].
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_lab_find(lab: *mut sockeye_lab, name: *const c_char) -> *mut sockeye_host {
    let found = (|| {
        let name = memory::read_text(name)?;
        Ok(Box::into_raw(Box::new(sockeye_host(running(lab, &[&name])?.host(&name).net()))) as i64)
    })();
    match super::answer(found) {
        -1 => std::ptr::null_mut(),
        pointer => pointer as *mut sockeye_host,
    }
}

/// The running lab, which has these hosts.
fn running<'a>(lab: *mut sockeye_lab, hosts: &[&str]) -> Answer<&'a Lab> {
    let lab = borrow(lab)?;
    let running = lab.running.as_ref().ok_or_else(|| fail("the lab was not started", Errno::EINVAL))?;
    match hosts.iter().find(|name| !lab.names.iter().any(|known| known == *name)) {
        Some(name) => Err(fail(format!("the lab has no host '{name}'"), Errno::ENOENT)),
        None => Ok(running),
    }
}

/// Makes a host the current one of this thread (null: none): its sockets are made there.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_use(host: *const sockeye_host) -> i32 {
    // SAFETY: null, or one that sockeye_lab_find gave and nobody has freed: the caller's promise.
    let net = unsafe { host.as_ref() }.map(|host| host.0.clone());
    CURRENT.with_borrow_mut(|current| *current = net);
    0
}

/// Makes a host (null: none) the one of all threads that have not chosen theirs.
#[unsafe(no_mangle)]
pub extern "C" fn sockeye_use_by_default(host: *const sockeye_host) -> i32 {
    // SAFETY: null, or one that sockeye_lab_find gave and nobody has freed: the caller's promise.
    let net = unsafe { host.as_ref() }.map(|host| host.0.clone());
    *FALLBACK.lock().expect("no holder panics") = net;
    0
}

/// Frees a host; sockets on it stay.
///
/// # Safety
/// `host` is null, or one that [`sockeye_lab_find`] gave and nobody has freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sockeye_host_free(host: *mut sockeye_host) {
    if !host.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(host) });
    }
}

/// Frees a lab; it runs on as long as a socket or a host of it is there.
///
/// # Safety
/// `lab` is null, or one that [`sockeye_lab_new`] gave and nobody has freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sockeye_lab_free(lab: *mut sockeye_lab) {
    if !lab.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(lab) });
    }
}

fn read_link(link: *const sockeye_link) -> Answer<Link> {
    if link.is_null() {
        return Ok(Link::new());
    }
    let bytes = memory::read(link.cast(), size_of::<sockeye_link>())?;
    // SAFETY: as many bytes as the struct has, which holds plain numbers only.
    let plain: sockeye_link = unsafe { bytes.as_ptr().cast::<sockeye_link>().read_unaligned() };
    let shares = [plain.loss_ppm, plain.duplicate_ppm, plain.reorder_ppm, plain.corrupt_ppm];
    if shares.iter().any(|ppm| *ppm > MILLION) || plain.mtu != 0 && !(1280..=65535).contains(&plain.mtu) {
        return Err(fail("a share is at most 1000000, an MTU 1280 to 65535", Errno::EINVAL));
    }
    let share = |ppm: u32| f64::from(ppm) / f64::from(MILLION);
    let mut made = Link::new()
        .delay(Duration::from_nanos(plain.delay_ns))
        .jitter(Duration::from_nanos(plain.jitter_ns))
        .loss(share(plain.loss_ppm))
        .duplicate(share(plain.duplicate_ppm))
        .reorder(share(plain.reorder_ppm))
        .corrupt(share(plain.corrupt_ppm));
    if plain.rate_bps != 0 {
        made = made.rate_bps(plain.rate_bps);
    }
    if plain.queue_bytes != 0 {
        made = made.queue_bytes(plain.queue_bytes);
    }
    Ok(if plain.mtu != 0 { made.mtu(plain.mtu) } else { made })
}

const MILLION: u32 = 1_000_000;
