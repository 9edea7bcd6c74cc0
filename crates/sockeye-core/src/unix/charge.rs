//! What a message costs its sender's buffer, as Linux counts it (`skb->truesize`): the bytes, in the sizes that its
//! allocator has, and the bookkeeping of a buffer. Measured with `SIOCOUTQ` on kernel 6.18.

/// `struct sk_buff`.
const HEAD: usize = 256;
/// `struct skb_shared_info`, aligned.
const SHARED: usize = 320;
const PAGE: usize = 4096;
/// `SKB_MAX_HEAD(0)`: what a page holds beside its bookkeeping.
const HEAD_MAX: usize = PAGE - SHARED;
/// `SKB_MAX_ALLOC`: the same of four pages.
const LINEAR_MAX: usize = 4 * PAGE - SHARED;
/// The longest piece of a stream: `SKB_MAX_HEAD(0)` and `UNIX_SKB_FRAGS_SZ`.
pub(super) const PIECE_MAX: usize = HEAD_MAX + 32 * 1024;
/// `MAX_SKB_FRAGS`.
const FRAGMENTS_MAX: usize = 17;

/// How much of `len` bytes of a stream makes one piece, with a send buffer of that size.
pub(crate) fn piece(len: usize, send_buffer: usize) -> usize {
    len.min((send_buffer >> 1) - 64).min(PIECE_MAX)
}

/// The charge of a piece of a stream.
pub(crate) fn of_piece(len: usize) -> usize {
    let paged = len.min(len.saturating_sub(HEAD_MAX).next_multiple_of(PAGE));
    head(len - paged) + paged.next_multiple_of(PAGE)
}

/// The charge of a datagram.
pub(crate) fn of_datagram(len: usize) -> usize {
    let over = len.saturating_sub(LINEAR_MAX).min(FRAGMENTS_MAX * PAGE);
    let paged = len.min(over.next_multiple_of(PAGE));
    head(len - paged) + paged.next_multiple_of(PAGE)
}

/// A buffer whose bytes lie behind one another.
fn head(len: usize) -> usize {
    HEAD + (len.next_multiple_of(64) + SHARED).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_are_those_that_the_kernel_shows() {
        // SIOCOUTQ of a socket pair after one write of so many bytes.
        for (len, charge) in [(1, 768), (192, 768), (193, 1280), (705, 2304), (1729, 4352)] {
            assert_eq!(of_piece(len), charge, "{len}");
            assert_eq!(of_datagram(len), charge, "{len}");
        }
        assert_eq!((piece(65_536, 212_992), of_piece(36_544)), (36_544, 37_120));
    }
}
