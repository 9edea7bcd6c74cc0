//! Timers: a hierarchical wheel that keeps exact expiries.
//!
//! In: a key and when it is due. Out: the keys that are due, and the exact time of the next. Setting costs O(1)
//! however many timers there are, a look at the next one too; a timer moves down at most once per level in its
//! life.
//!
//! Level 0 has slots of 2^16 ns (65 us), each level above slots 64 times as wide; eight levels reach as far as
//! time goes. A slot is a pairing heap threaded through the nodes, so that its earliest is known at any time
//! and a timer in its midst is cleared at the cost of its children: a wheel of plain lists would have to look
//! through a whole slot whenever its earliest is cleared, which is what taking over the oldest TIME-WAIT does.
//! Timers that are due at one time come out in the order of their setting.

use crate::time::Instant;
use alloc::vec;
use alloc::vec::Vec;

/// A set timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId(u32);

/// The wheel.
#[derive(Debug)]
pub struct Wheel<K> {
    nodes: Vec<Node<K>>,
    free: u32,
    /// The root of each slot's heap.
    slots: Vec<u32>,
    /// Per level, which slots hold something.
    occupied: [u64; LEVELS],
    /// Everything due before this tick of level 0 has come out.
    tick: u64,
    len: usize,
    due: Vec<(Instant, u64, K)>,
    sequence: u64,
}

#[derive(Debug)]
struct Node<K> {
    key: Option<K>,
    at: Instant,
    sequence: u64,
    slot: u16,
    /// The first child.
    child: u32,
    /// The sibling before, or the parent of a first child.
    prev: u32,
    /// The sibling behind.
    next: u32,
}

impl<K: Copy> Default for Wheel<K> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            free: NONE,
            slots: vec![NONE; LEVELS * SLOTS],
            occupied: [0; LEVELS],
            tick: 0,
            len: 0,
            due: Vec::new(),
            sequence: 0,
        }
    }
}

impl<K: Copy> Wheel<K> {
    /// Sets a timer.
    pub fn set(&mut self, key: K, at: Instant) -> TimerId {
        self.sequence += 1;
        let node = Node {
            key: Some(key),
            at,
            sequence: self.sequence,
            slot: 0,
            child: NONE,
            prev: NONE,
            next: NONE,
        };
        let id = self.allocate(node);
        self.link(id);
        self.len += 1;
        TimerId(id)
    }

    /// Clears a timer that has not come out.
    pub fn clear(&mut self, timer: TimerId) {
        self.unlink(timer.0);
        self.release(timer.0);
    }

    /// When the earliest timer is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        let first = |level| self.first_slot(level).map(|slot| self.nodes[self.slots[slot] as usize].at);
        (0..LEVELS).filter_map(first).min()
    }

    /// Takes the timers that are due at `now` out, the earliest first. Their ids are void afterwards.
    pub fn expire(&mut self, now: Instant, mut each: impl FnMut(K)) {
        if self.len == 0 {
            self.tick = self.tick.max(now.0 >> BASE_SHIFT);
            return;
        }
        while self.next_deadline().is_some_and(|at| at <= now) {
            let at = self.next_deadline().expect("a timer is due");
            self.advance_to(at.0 >> BASE_SHIFT);
            self.collect(now.min(Instant(((self.tick + 1) << BASE_SHIFT) - 1)));
        }
        self.advance_to(now.0 >> BASE_SHIFT);
        let mut due = core::mem::take(&mut self.due);
        due.sort_by_key(|(at, sequence, _)| (*at, *sequence));
        due.drain(..).for_each(|(_, _, key)| each(key));
        self.due = due;
    }

    /// How many are set.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Moves time on; slots of upper levels that begin are spread over the levels below.
    fn advance_to(&mut self, tick: u64) {
        if tick <= self.tick {
            return;
        }
        let before = self.tick;
        self.tick = tick;
        for level in (1..LEVELS).rev() {
            let shift = LEVEL_BITS * level as u32;
            if before >> shift == tick >> shift {
                continue;
            }
            self.spread(level * SLOTS + (tick >> shift) as usize % SLOTS);
        }
    }

    fn spread(&mut self, slot: usize) {
        let mut list = core::mem::replace(&mut self.slots[slot], NONE);
        self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
        // Whoever is taken off the list puts its children on it.
        while list != NONE {
            let id = list;
            let Node { mut child, next, .. } = self.nodes[id as usize];
            list = next;
            while child != NONE {
                let behind = core::mem::replace(&mut self.nodes[child as usize].next, list);
                list = core::mem::replace(&mut child, behind);
            }
            self.link(id);
        }
    }

    /// Takes what is due at `now` out of the first slot of every level.
    fn collect(&mut self, now: Instant) {
        for level in 0..LEVELS {
            while let Some(slot) = self.first_slot(level) {
                let id = self.slots[slot];
                let node = &self.nodes[id as usize];
                if node.at > now {
                    break;
                }
                self.due.push((node.at, node.sequence, node.key.expect("a linked timer has its key")));
                self.clear(TimerId(id));
            }
        }
    }

    /// The first occupied slot of a level from the present on.
    fn first_slot(&self, level: usize) -> Option<usize> {
        let occupied = self.occupied[level];
        let at = (self.tick >> (LEVEL_BITS * level as u32)) as u32 % SLOTS as u32;
        let ahead = occupied.rotate_right(at);
        (ahead != 0).then(|| level * SLOTS + (ahead.trailing_zeros() + at) as usize % SLOTS)
    }

    /// The slot of an expiry: the lowest level on which it is less than a turn ahead.
    fn slot_of(&self, at: Instant) -> usize {
        let tick = (at.0 >> BASE_SHIFT).max(self.tick);
        for level in 0..LEVELS {
            let shift = LEVEL_BITS * level as u32;
            if (tick >> shift) - (self.tick >> shift) < SLOTS as u64 {
                return level * SLOTS + (tick >> shift) as usize % SLOTS;
            }
        }
        unreachable!("the top level reaches as far as time goes")
    }

    fn link(&mut self, id: u32) {
        let index = self.slot_of(self.nodes[id as usize].at);
        let node = &mut self.nodes[id as usize];
        (node.child, node.prev, node.next, node.slot) = (NONE, NONE, NONE, index as u16);
        self.slots[index] = self.meld(self.slots[index], id);
        self.occupied[index / SLOTS] |= 1 << (index % SLOTS);
    }

    fn unlink(&mut self, id: u32) {
        let Node { slot, child, prev, next, .. } = self.nodes[id as usize];
        let index = usize::from(slot);
        let orphans = self.meld_all(child);
        if self.slots[index] == id {
            self.slots[index] = orphans;
        } else {
            if self.nodes[prev as usize].child == id {
                self.nodes[prev as usize].child = next;
            } else {
                self.nodes[prev as usize].next = next;
            }
            if next != NONE {
                self.nodes[next as usize].prev = prev;
            }
            self.slots[index] = self.meld(self.slots[index], orphans);
        }
        if self.slots[index] == NONE {
            self.occupied[index / SLOTS] &= !(1 << (index % SLOTS));
        }
    }

    /// One heap of two roots: the later becomes the earlier's first child.
    fn meld(&mut self, a: u32, b: u32) -> u32 {
        if a == NONE || b == NONE {
            return if a == NONE { b } else { a };
        }
        let order = |id: u32| (self.nodes[id as usize].at, self.nodes[id as usize].sequence);
        let (root, child) = if order(a) <= order(b) { (a, b) } else { (b, a) };
        let first = core::mem::replace(&mut self.nodes[root as usize].child, child);
        let node = &mut self.nodes[child as usize];
        (node.prev, node.next) = (root, first);
        if first != NONE {
            self.nodes[first as usize].prev = child;
        }
        root
    }

    /// One heap of siblings: melded in pairs from the front, then the pairs from the back.
    fn meld_all(&mut self, mut first: u32) -> u32 {
        let mut pairs = NONE;
        while first != NONE {
            let (a, b) = (first, self.take_sibling(first));
            first = if b == NONE { NONE } else { self.take_sibling(b) };
            let pair = self.meld(a, b);
            self.nodes[pair as usize].next = pairs;
            pairs = pair;
        }
        let mut root = NONE;
        while pairs != NONE {
            let next = self.take_sibling(pairs);
            root = self.meld(root, pairs);
            pairs = next;
        }
        root
    }

    /// Makes a sibling a root of its own; gives the one behind it.
    fn take_sibling(&mut self, id: u32) -> u32 {
        let node = &mut self.nodes[id as usize];
        node.prev = NONE;
        core::mem::replace(&mut node.next, NONE)
    }

    fn allocate(&mut self, node: Node<K>) -> u32 {
        if self.free == NONE {
            self.nodes.push(node);
            return (self.nodes.len() - 1) as u32;
        }
        let id = self.free;
        self.free = self.nodes[id as usize].next;
        self.nodes[id as usize] = node;
        id
    }

    fn release(&mut self, id: u32) {
        let node = &mut self.nodes[id as usize];
        assert!(node.key.take().is_some(), "a timer is cleared once");
        node.next = self.free;
        self.free = id;
        self.len -= 1;
    }
}

const LEVELS: usize = 8;
const LEVEL_BITS: u32 = 6;
const SLOTS: usize = 1 << LEVEL_BITS;
/// Ticks of level 0 are 2^16 ns.
const BASE_SHIFT: u32 = 16;
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Set(u64),
        Clear(usize),
        Advance(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let span = prop_oneof![0u64..100_000, 0u64..100_000_000, 0u64..200_000_000_000, 0u64..(1 << 55)];
        prop_oneof![
            4 => span.clone().prop_map(Step::Set),
            1 => (0usize..64).prop_map(Step::Clear),
            3 => span.prop_map(Step::Advance),
        ]
    }

    proptest! {
        /// The wheel does what a sorted map does.
        #[test]
        fn agrees_with_a_sorted_map(steps in proptest::collection::vec(step(), 1..200)) {
            let mut wheel = Wheel::default();
            let mut model: BTreeMap<(Instant, u64), TimerId> = BTreeMap::new();
            let mut now = 0;
            for (n, step) in steps.into_iter().enumerate() {
                let n = n as u64;
                match step {
                    Step::Set(after) => {
                        let at = Instant(now + after);
                        model.insert((at, n), wheel.set((at, n), at));
                    }
                    Step::Clear(nth) => {
                        let key = model.keys().nth(nth % model.len().max(1)).copied();
                        if let Some(id) = key.and_then(|key| model.remove(&key)) {
                            wheel.clear(id);
                        }
                    }
                    Step::Advance(by) => {
                        now += by;
                        let mut due = Vec::new();
                        wheel.expire(Instant(now), |key| due.push(key));
                        let later = model.split_off(&(Instant(now + 1), 0));
                        prop_assert_eq!(due, model.keys().copied().collect::<Vec<_>>());
                        model = later;
                    }
                }
                prop_assert_eq!(wheel.next_deadline(), model.keys().next().map(|key| key.0));
                prop_assert_eq!(wheel.len(), model.len());
            }
        }
    }
}
