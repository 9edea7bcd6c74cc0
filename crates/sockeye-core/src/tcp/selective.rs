//! Selective acknowledgements that we give (RFC 2018): what has arrived beyond the first gap.
//!
//! In: stretches as they arrive, out of order or twice. Out: the blocks of the next acknowledgements, the most
//! recent first, a duplicate before all (D-SACK, RFC 2883). What arrives in one batch is told in as many
//! acknowledgements as it takes, the oldest news first, so that the peer hears of every stretch once at least;
//! after that the most recent ones are repeated while there is room.

use crate::wire::tcp::Seq;
use arrayvec::ArrayVec;

/// What there is to tell; it exists only while there is something.
#[derive(Debug, Default)]
pub(super) struct Selective {
    /// The most recent first.
    blocks: ArrayVec<Block, BLOCKS_KEPT>,
    /// Each is told once.
    duplicates: ArrayVec<(Seq, Seq), DUPLICATES_KEPT>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    start: Seq,
    end: Seq,
    told: bool,
}

impl Selective {
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.duplicates.is_empty()
    }

    /// Whether the peer has not heard of something yet.
    pub(super) fn has_news(&self) -> bool {
        !self.duplicates.is_empty() || self.blocks.iter().any(|block| !block.told)
    }

    /// `start..end` has arrived out of order (RFC 2018, 4).
    pub(super) fn arrived(&mut self, mut start: Seq, mut end: Seq) {
        self.blocks.retain(|block| {
            let apart = end.lt(block.start) || block.end.lt(start);
            if !apart {
                start = if block.start.lt(start) { block.start } else { start };
                end = if end.lt(block.end) { block.end } else { end };
            }
            apart
        });
        self.blocks.truncate(BLOCKS_KEPT - 1);
        self.blocks.insert(0, Block { start, end, told: false });
    }

    /// `start..end` has arrived before (RFC 2883, 4).
    pub(super) fn arrived_again(&mut self, start: Seq, end: Seq) {
        self.duplicates.truncate(DUPLICATES_KEPT - 1);
        self.duplicates.insert(0, (start, end));
    }

    /// Everything before `nxt` is acknowledged otherwise.
    pub(super) fn advance(&mut self, nxt: Seq) {
        self.blocks.retain(|block| nxt.lt(block.end));
    }

    /// How many blocks the next segment carries, if it has room for so many.
    pub(super) fn count(&self, room: usize) -> usize {
        (self.blocks.len() + usize::from(!self.duplicates.is_empty())).min(room)
    }

    /// The blocks of a segment with room for so many.
    pub(super) fn take(&mut self, room: usize) -> ArrayVec<(Seq, Seq), 4> {
        let duplicate = self.duplicates.pop();
        let room = room - usize::from(duplicate.is_some());
        let news = self.blocks.iter().filter(|block| !block.told).count();
        // The oldest news first, and news before what is repeated.
        let mut skip = news.saturating_sub(room);
        let mut repeats = room.saturating_sub(news);
        let mut taken: ArrayVec<(Seq, Seq), 4> = duplicate.into_iter().collect();
        for block in &mut self.blocks {
            let left = if block.told { &mut repeats } else { &mut skip };
            let passes = if block.told { *left > 0 } else { *left == 0 };
            *left = left.saturating_sub(1);
            if passes {
                block.told = true;
                taken.push((block.start, block.end));
            }
        }
        taken
    }
}

/// More stretches of one batch than this are not all told of: the peer sends some of them again.
const BLOCKS_KEPT: usize = 32;
const DUPLICATES_KEPT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(told: &mut Selective) -> ArrayVec<(u32, u32), 4> {
        told.take(4).into_iter().map(|(from, to)| (from.0, to.0)).collect()
    }

    #[test]
    fn the_most_recent_comes_first_and_neighbours_are_one() {
        let mut told = Selective::default();
        for start in [100, 300, 500, 700, 900] {
            told.arrived(Seq(start), Seq(start + 50));
        }
        assert!(told.has_news());
        assert_eq!(blocks(&mut told)[..], [(700, 750), (500, 550), (300, 350), (100, 150)]);
        assert_eq!(blocks(&mut told)[..], [(900, 950), (700, 750), (500, 550), (300, 350)]);
        assert!(!told.has_news());
        told.arrived(Seq(550), Seq(700));
        assert_eq!(blocks(&mut told)[..], [(500, 750), (900, 950), (300, 350), (100, 150)]);
        told.advance(Seq(750));
        assert_eq!(blocks(&mut told)[..], [(900, 950)]);
        told.arrived_again(Seq(10), Seq(20));
        assert_eq!(blocks(&mut told)[..], [(10, 20), (900, 950)]);
        assert_eq!(blocks(&mut told)[..], [(900, 950)], "a duplicate is told once");
    }
}
