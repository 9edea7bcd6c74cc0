//! Why bytes are no packet of the format they claim to be.

use core::fmt;

/// The reason that a header was refused; its sender, or the path, is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WireError {
    /// Fewer bytes than the header claims or needs.
    Truncated,
    /// A field holds what the format forbids.
    Malformed,
    /// The checksum does not match.
    Checksum,
    /// A well-formed header of a version or kind that this stack does not speak.
    Unsupported,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "truncated header",
            Self::Malformed => "malformed header",
            Self::Checksum => "wrong checksum",
            Self::Unsupported => "unsupported format",
        })
    }
}

impl core::error::Error for WireError {}
