//! Units as tc(8) writes them: `20ms`, `1%`, `10mbit`, `64kb`.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

/// A time: `1.5s`, `20ms`, `200us`.
///
/// # Errors
/// A sentence for whoever wrote it.
pub fn time(text: &str) -> Result<Duration, String> {
    let seconds = number(text, &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0)]);
    seconds
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .ok_or_else(|| format!("'{text}' is not a time (write 1.5s, 20ms or 200us)"))
}

/// A share, in millionths: `1%`, `0.05%`.
///
/// # Errors
/// A sentence for whoever wrote it.
pub fn share_ppm(text: &str) -> Result<u32, String> {
    let ppm = number(text, &[("%", 1e4)]).filter(|ppm| *ppm <= 1e6);
    // Halves of a millionth are rounded up.
    ppm.map(|ppm| (ppm + 0.5) as u32).ok_or_else(|| format!("'{text}' is not a share (write 0.5% or 10%)"))
}

/// Bits per second, at least one: `10mbit`, `1gbit`, `500kbit`, `9600bit`.
///
/// # Errors
/// A sentence for whoever wrote it.
pub fn rate_bps(text: &str) -> Result<u64, String> {
    let bits = number(text, &[("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3), ("bit", 1.0)]);
    let bits = bits.filter(|bits| (1.0..1e15).contains(bits));
    bits.map(|bits| bits as u64)
        .ok_or_else(|| format!("'{text}' is not a rate (write 10mbit, 1gbit or 500kbit)"))
}

/// Bytes: `1500`, `64kb`, `1mb` (of 1024, as tc has it).
///
/// # Errors
/// A sentence for whoever wrote it.
pub fn bytes(text: &str) -> Result<u64, String> {
    let bytes = number(text, &[("mb", 1_048_576.0), ("kb", 1024.0), ("b", 1.0), ("", 1.0)]);
    let bytes = bytes.filter(|bytes| *bytes < 1e15);
    bytes.map(|bytes| bytes as u64).ok_or_else(|| format!("'{text}' is not a size (write 3000, 64kb or 1mb)"))
}

/// A number that is not negative, in front of the first unit that fits.
fn number(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let (rest, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let plain = rest.chars().all(|c| c.is_ascii_digit() || c == '.');
    rest.parse::<f64>().ok().filter(|_| plain).map(|n| n * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_nonsense_is_not() {
        assert_eq!(time("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(share_ppm("0.05%"), Ok(500));
        assert_eq!(share_ppm("100%"), Ok(1_000_000));
        assert_eq!(rate_bps("10mbit"), Ok(10_000_000));
        assert_eq!(bytes("64kb"), Ok(65536));
        assert_eq!(bytes("1500"), Ok(1500));
        for wrong in ["", "20", "ms", "-1ms", "infs", "1e3s", "NaNms"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert!(share_ppm("101%").is_err() && share_ppm("1").is_err());
        assert!(rate_bps("0mbit").is_err() && rate_bps("fast").is_err());
    }
}
