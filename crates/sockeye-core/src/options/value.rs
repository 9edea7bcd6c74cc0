//! Values of options: bytes in, bytes out, with the errors of Linux for lengths.

use crate::errno::{Errno, Result};
use crate::host::OptionValue;

/// An int; EINVAL when there are fewer bytes.
pub(super) fn int(value: &[u8]) -> Result<i32> {
    value.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes)).ok_or(Errno::EINVAL)
}

/// As [`int`], but a single byte will do, as at the level of IP.
pub(super) fn int_or_byte(value: &[u8]) -> Result<i32> {
    match value {
        [] => Ok(0),
        [byte, ..] if value.len() < 4 => Ok(i32::from(*byte)),
        value => int(value),
    }
}

/// An int between bounds; EINVAL beyond.
pub(super) fn int_in(value: i32, min: i32, max: i32) -> Result<i32> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(Errno::EINVAL) }
}

/// The first `len` bytes; EINVAL when there are fewer, but a byte for an int where that is allowed.
pub(super) fn exact(value: &[u8], len: usize, byte_will_do: bool) -> Result<OptionValue> {
    if byte_will_do && len == 4 {
        return Ok(of_int(int_or_byte(value)?));
    }
    value.get(..len).map(OptionValue::from_slice).ok_or(Errno::EINVAL)
}

/// An int as getsockopt gives it.
pub(super) fn of_int(value: i32) -> OptionValue {
    OptionValue::from_slice(&value.to_ne_bytes())
}

/// A flag as getsockopt gives it.
pub(super) fn of_bool(value: bool) -> OptionValue {
    of_int(i32::from(value))
}

/// An int at the front of `len` bytes.
pub(super) fn padded(value: i32, len: usize) -> OptionValue {
    let mut bytes = of_int(value);
    bytes.resize(len, 0);
    bytes
}
