//! The Internet checksum (RFC 1071), over bytes in any number of pieces.

use core::net::IpAddr;

/// A checksum under way. Pieces may have odd lengths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checksum {
    sum: u64,
    /// Whether an odd number of bytes has been added: the next one is the low half of a word.
    odd: bool,
}

impl Checksum {
    /// The sum over TCP's, UDP's and ICMPv6's pseudo-header (RFC 9293 3.1, RFC 8200 8.1). `len` is that of
    /// the transport's header and payload.
    pub fn pseudo(src: IpAddr, dst: IpAddr, protocol: u8, len: usize) -> Self {
        let mut sum = Self::default();
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                sum.add(&src.octets());
                sum.add(&dst.octets());
            }
            (src, dst) => {
                sum.add(&super::to_v6(src).octets());
                sum.add(&super::to_v6(dst).octets());
            }
        }
        sum.sum += u64::from(protocol) + len as u64;
        sum
    }

    /// Adds bytes.
    pub fn add(&mut self, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.odd {
            self.sum += u64::from(bytes[0]);
            self.odd = false;
            bytes = &bytes[1..];
        }
        let mut words = bytes.chunks_exact(4);
        for word in &mut words {
            self.sum += u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
        }
        for (i, byte) in words.remainder().iter().enumerate() {
            self.sum += if i % 2 == 0 { u64::from(*byte) << 8 } else { u64::from(*byte) };
        }
        self.odd = bytes.len() % 2 == 1;
    }

    /// The ones' complement of the folded sum: what a checksum field holds; 0 over data with a right one.
    pub fn finish(self) -> u16 {
        let mut sum = self.sum;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let mut sum = Checksum::default();
        sum.add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(!sum.finish(), 0xddf2);
    }

    proptest! {
        #[test]
        fn pieces_sum_as_the_whole(data: Vec<u8>, cut in 0usize..64, again in 0usize..64) {
            let cut = cut.min(data.len());
            let again = cut + again.min(data.len() - cut);
            let (mut whole, mut pieces) = (Checksum::default(), Checksum::default());
            whole.add(&data);
            for piece in [&data[..cut], &data[cut..again], &data[again..]] {
                pieces.add(piece);
            }
            prop_assert_eq!(whole.finish(), pieces.finish());
        }
    }
}
