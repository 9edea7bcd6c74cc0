//! Timers: a hierarchical wheel that keeps exact expiries.
//!
//! In: a key and when it is due. Out: the keys that are due, and the exact time of the next. Setting and
//! clearing cost O(1) however many timers there are; a timer moves down at most once per level in its life.
//!
//! Level 0 has slots of 2^16 ns (65 us), each level above slots 64 times as wide; eight levels reach as far as
//! time goes. A slot is a list threaded through
//! the nodes; each remembers its earliest expiry, found again only when that very timer went and someone
//! asks. Timers that are due at one time come out in the order of their expiry, then of their setting.

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
    slots: Vec<Slot>,
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
    prev: u32,
    next: u32,
}

#[derive(Clone, Debug)]
struct Slot {
    head: u32,
    /// The earliest expiry, if it is known.
    earliest: Option<Instant>,
}

impl<K: Copy> Default for Wheel<K> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            free: NONE,
            slots: vec![Slot { head: NONE, earliest: None }; LEVELS * SLOTS],
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
        let node = Node { key: Some(key), at, sequence: self.sequence, slot: 0, prev: NONE, next: NONE };
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
    pub fn next_deadline(&mut self) -> Option<Instant> {
        // Levels are not nested in time when an upper slot has begun: the earliest of each level counts.
        (0..LEVELS).filter_map(|level| self.first_slot(level).map(|slot| self.earliest(slot))).min()
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
        let mut id = self.slots[slot].head;
        while id != NONE {
            let next = self.nodes[id as usize].next;
            self.unlink(id);
            self.link(id);
            id = next;
        }
    }

    /// Takes what is due at `now` out of the present slot of every level (late settings may stand above).
    fn collect(&mut self, now: Instant) {
        for level in 0..LEVELS {
            let Some(slot) = self.first_slot(level) else { continue };
            let mut id = self.slots[slot].head;
            while id != NONE {
                let node = &self.nodes[id as usize];
                let next = node.next;
                if node.at <= now {
                    let key = node.key.expect("a linked timer has its key");
                    self.due.push((node.at, node.sequence, key));
                    self.clear(TimerId(id));
                }
                id = next;
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

    fn earliest(&mut self, slot: usize) -> Instant {
        if let Some(at) = self.slots[slot].earliest {
            return at;
        }
        let mut earliest = Instant(u64::MAX);
        let mut id = self.slots[slot].head;
        while id != NONE {
            earliest = earliest.min(self.nodes[id as usize].at);
            id = self.nodes[id as usize].next;
        }
        self.slots[slot].earliest = Some(earliest);
        earliest
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
        let at = self.nodes[id as usize].at;
        let index = self.slot_of(at);
        let slot = &mut self.slots[index];
        let head = slot.head;
        // An empty slot's earliest is this; a slot whose earliest must be found again stays so.
        slot.earliest = if head == NONE { Some(at) } else { slot.earliest.map(|e| e.min(at)) };
        slot.head = id;
        self.occupied[index / SLOTS] |= 1 << (index % SLOTS);
        if head != NONE {
            self.nodes[head as usize].prev = id;
        }
        let node = &mut self.nodes[id as usize];
        (node.prev, node.next, node.slot) = (NONE, head, index as u16);
    }

    fn unlink(&mut self, id: u32) {
        let Node { at, slot, prev, next, .. } = self.nodes[id as usize];
        let index = usize::from(slot);
        if prev == NONE {
            self.slots[index].head = next;
        } else {
            self.nodes[prev as usize].next = next;
        }
        if next != NONE {
            self.nodes[next as usize].prev = prev;
        }
        if self.slots[index].head == NONE {
            self.occupied[index / SLOTS] &= !(1 << (index % SLOTS));
        }
        if self.slots[index].earliest == Some(at) {
            self.slots[index].earliest = None;
        }
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
