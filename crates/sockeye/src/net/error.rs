//! What a socket call answers, as `std::io::Error`.
//!
//! In: an [`Errno`] with Linux's number. Out: an error that holds the number which this platform gives the same
//! condition, so that `kind()`, `raw_os_error()` and the text are those that `std::net` would give. Where the
//! platform has no such number, the kind is `Other` and the text is Linux's.

use sockeye_core::Errno;
use std::io;

/// The error of a call.
pub(crate) fn io_error(errno: Errno) -> io::Error {
    match native(errno) {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::other(errno),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn native(errno: Errno) -> Option<i32> {
    Some(i32::from(errno.0))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn native(errno: Errno) -> Option<i32> {
    let row = NUMBERS.iter().find(|(ours, ..)| *ours == errno)?;
    Some(if cfg!(windows) { row.2 } else { row.1 })
}

/// Linux's errors; the number on macOS and the BSDs (`sys/errno.h`); the number on Windows (`winsock2.h`,
/// `winerror.h`).
#[cfg(any(test, not(any(target_os = "linux", target_os = "android"))))]
const NUMBERS: &[(Errno, i32, i32)] = &[
    (Errno::EPERM, 1, 5),
    (Errno::ENOENT, 2, 2),
    (Errno::EINTR, 4, 10004),
    (Errno::EBADF, 9, 10009),
    (Errno::EAGAIN, 35, 10035),
    (Errno::ENOMEM, 12, 8),
    (Errno::EACCES, 13, 10013),
    (Errno::EFAULT, 14, 10014),
    (Errno::ENODEV, 19, 10049),
    (Errno::EINVAL, 22, 10022),
    (Errno::ENFILE, 23, 10024),
    (Errno::EMFILE, 24, 10024),
    (Errno::EPIPE, 32, 10058),
    (Errno::EDOM, 33, 10022),
    (Errno::ENOTSOCK, 38, 10038),
    (Errno::EDESTADDRREQ, 39, 10039),
    (Errno::EMSGSIZE, 40, 10040),
    (Errno::EPROTOTYPE, 41, 10041),
    (Errno::ENOPROTOOPT, 42, 10042),
    (Errno::EPROTONOSUPPORT, 43, 10043),
    (Errno::ESOCKTNOSUPPORT, 44, 10044),
    (Errno::EOPNOTSUPP, 45, 10045),
    (Errno::EPFNOSUPPORT, 46, 10046),
    (Errno::EAFNOSUPPORT, 47, 10047),
    (Errno::EADDRINUSE, 48, 10048),
    (Errno::EADDRNOTAVAIL, 49, 10049),
    (Errno::ENETDOWN, 50, 10050),
    (Errno::ENETUNREACH, 51, 10051),
    (Errno::ENETRESET, 52, 10052),
    (Errno::ECONNABORTED, 53, 10053),
    (Errno::ECONNRESET, 54, 10054),
    (Errno::ENOBUFS, 55, 10055),
    (Errno::EISCONN, 56, 10056),
    (Errno::ENOTCONN, 57, 10057),
    (Errno::ESHUTDOWN, 58, 10058),
    (Errno::ETIMEDOUT, 60, 10060),
    (Errno::ECONNREFUSED, 61, 10061),
    (Errno::EHOSTDOWN, 64, 10064),
    (Errno::EHOSTUNREACH, 65, 10065),
    (Errno::EALREADY, 37, 10037),
    (Errno::EINPROGRESS, 36, 10036),
];

#[cfg(test)]
mod tests {
    use super::*;
    use io::ErrorKind;

    #[test]
    fn kinds_are_those_of_std() {
        for (errno, kind) in [
            (Errno::ECONNREFUSED, ErrorKind::ConnectionRefused),
            (Errno::ECONNRESET, ErrorKind::ConnectionReset),
            (Errno::EADDRINUSE, ErrorKind::AddrInUse),
            (Errno::EADDRNOTAVAIL, ErrorKind::AddrNotAvailable),
            (Errno::EAGAIN, ErrorKind::WouldBlock),
            (Errno::ETIMEDOUT, ErrorKind::TimedOut),
            (Errno::ENOTCONN, ErrorKind::NotConnected),
            (Errno::EHOSTUNREACH, ErrorKind::HostUnreachable),
            (Errno::ENETUNREACH, ErrorKind::NetworkUnreachable),
            (Errno::EINVAL, ErrorKind::InvalidInput),
        ] {
            assert_eq!(io_error(errno).kind(), kind, "{errno}");
        }
    }

    #[test]
    fn no_error_stands_twice_in_the_table() {
        for (at, row) in NUMBERS.iter().enumerate() {
            assert!(NUMBERS[at + 1..].iter().all(|other| other.0 != row.0), "{:?}", row.0);
        }
    }
}
