//! The Internet checksum (RFC 1071), over bytes in any number of pieces.
//!
//! Bytes are added as words of the machine's own order, 32 bits at a time in eight lanes, which compilers turn into
//! vector instructions: 2^16 is 1 modulo 2^16 - 1, so wider words sum to the same, and so do words with their bytes
//! swapped, swapped back once at the end (RFC 1071 2B and 2C).

use core::net::IpAddr;

/// A checksum under way. Pieces may have odd lengths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checksum {
    /// Of words in the machine's byte order.
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
        sum.sum += u64::from((len as u32).to_be()) + u64::from(u32::from(protocol).to_be());
        sum
    }

    /// Adds bytes.
    pub fn add(&mut self, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.odd {
            self.sum += u64::from(u16::from_ne_bytes([0, bytes[0]]));
            self.odd = false;
            bytes = &bytes[1..];
        }
        self.odd = bytes.len() % 2 == 1;
        let (blocks, rest) = bytes.as_chunks::<{ 4 * LANES }>();
        if !blocks.is_empty() {
            let mut lanes = [0u64; LANES];
            for block in blocks {
                let (words, _) = block.as_chunks::<4>();
                for (lane, word) in lanes.iter_mut().zip(words) {
                    *lane += u64::from(u32::from_ne_bytes(*word));
                }
            }
            self.sum += lanes.iter().sum::<u64>();
        }
        let (words, tail) = rest.as_chunks::<4>();
        for word in words {
            self.sum += u64::from(u32::from_ne_bytes(*word));
        }
        let last = match *tail {
            [] => return,
            [a] => [a, 0, 0, 0],
            [a, b] => [a, b, 0, 0],
            [a, b, c, ..] => [a, b, c, 0],
        };
        self.sum += u64::from(u32::from_ne_bytes(last));
    }

    /// The ones' complement of the folded sum: what a checksum field holds; 0 over data with a right one.
    pub fn finish(self) -> u16 {
        let mut sum = self.sum;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::from_be(sum as u16)
    }
}

/// Words added at once: four vectors of SSE2.
const LANES: usize = 8;

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

    /// As RFC 1071 writes it: 16 bits after 16 bits, the most significant byte first, and the complement at the end.
    fn naive(data: &[u8]) -> u16 {
        let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        !(data.chunks(2).map(word).fold(0, |sum, word| (sum + word) % 0xffff) as u16)
    }

    proptest! {
        #[test]
        fn it_is_the_sum_of_words(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut sum = Checksum::default();
            sum.add(&data);
            // Both zeros of ones' complement stand for the same.
            prop_assert_eq!(sum.finish() % 0xffff, naive(&data) % 0xffff);
        }

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
