//! The scoreboard against a plain map of bytes.

use super::*;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Push(u32),
    Sack(u32, u32),
    Acknowledge(u32),
    Lose(u32),
    LoseAll,
    Resend(u32),
    FindAgain,
    /// Everything sent so many steps ago is lost.
    Judge(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u32..50).prop_map(Step::Push),
        4 => (0u32..300, 1u32..60).prop_map(|(at, n)| Step::Sack(at, n)),
        2 => (0u32..80).prop_map(Step::Acknowledge),
        1 => (1u32..40).prop_map(Step::Lose),
        1 => Just(Step::LoseAll),
        4 => (1u32..50).prop_map(Step::Resend),
        1 => Just(Step::FindAgain),
        3 => (0u64..8000).prop_map(Step::Judge),
    ]
}

/// Fate, whether sent again, and when, byte by byte from `snd.una` on.
type Model = Vec<(Fate, bool, u64)>;

fn count(model: &Model, fate: Fate) -> u32 {
    model.iter().filter(|byte| byte.0 == fate).count() as u32
}

impl Board {
    /// The stretches fill the flight, and the sums are theirs.
    pub(in crate::tcp) fn check(&self, una: Seq, nxt: Seq) {
        assert_eq!(self.base, una);
        let (mut start, mut sums) = (una, [0; 2]);
        for stretch in &self.sent {
            assert!(start.lt(stretch.end), "{self:?}");
            match stretch.fate {
                Fate::Sacked => sums[0] += stretch.end.diff(start),
                Fate::Lost => sums[1] += stretch.end.diff(start),
                Fate::Flight => {}
            }
            start = stretch.end;
        }
        assert_eq!(start, nxt, "{self:?}");
        assert_eq!(sums, [self.sacked as i32, self.lost as i32]);
        assert!(self.left() + self.lost <= nxt.diff(una) as u32);
    }
}

proptest! {
    #[test]
    fn it_is_a_map_of_bytes(base in any::<u32>(), steps in proptest::collection::vec(step(), 0..80)) {
        let mut una = Seq(base);
        let (mut board, mut model) = (Board::new(una), Model::new());
        for (now, step) in steps.into_iter().enumerate() {
            // Far apart, so that the order of one moment does not show.
            let now = 1 + now as u64 * 1000;
            match step {
                Step::Push(n) => {
                    model.extend(vec![(Fate::Flight, false, now); n as usize]);
                    board.push(una + model.len() as u32, now);
                }
                Step::Sack(at, n) => {
                    let (from, to) = ((at as usize).min(model.len()), ((at + n) as usize).min(model.len()));
                    if from < to {
                        let new = model[from..to].iter().filter(|byte| byte.0 != Fate::Sacked).count();
                        let mut told = 0;
                        board.sack(una + from as u32, una + to as u32, |_, n| told += n as usize);
                        prop_assert_eq!(told, new);
                        model[from..to].iter_mut().for_each(|byte| byte.0 = Fate::Sacked);
                    }
                }
                Step::Acknowledge(n) => {
                    let n = (n as usize).min(model.len());
                    let new = model.drain(..n).filter(|byte| byte.0 != Fate::Sacked).count();
                    una = una + n as u32;
                    let mut told = 0;
                    board.acknowledge(una, |_, n| told += n as usize);
                    prop_assert_eq!(told, new);
                }
                Step::Lose(n) => {
                    board.lose_first(n);
                    let flying = model.iter_mut().take(n as usize).filter(|byte| byte.0 == Fate::Flight);
                    flying.for_each(|byte| byte.0 = Fate::Lost);
                }
                Step::LoseAll => {
                    board.lose_all(|_| false);
                    let reneged = model.first().is_some_and(|byte| byte.0 == Fate::Sacked);
                    let gone = model.iter_mut().filter(|byte| reneged || byte.0 != Fate::Sacked);
                    gone.for_each(|byte| byte.0 = Fate::Lost);
                }
                Step::Resend(max) => {
                    let first = model.iter().position(|byte| byte.0 == Fate::Lost);
                    let next = board.next_lost();
                    prop_assert_eq!(next.map(|(start, _)| start.diff(una) as usize), first);
                    if let Some((start, end)) = next {
                        let end = if end.diff(start) as u32 > max { start + max } else { end };
                        board.sent_again(start, end, now);
                        let range = start.diff(una) as usize..end.diff(una) as usize;
                        model[range].iter_mut().for_each(|byte| *byte = (Fate::Flight, true, now));
                    }
                }
                Step::FindAgain => {
                    board.find_again();
                    let lost = model.iter_mut().filter(|byte| byte.0 == Fate::Lost);
                    lost.for_each(|byte| byte.0 = Fate::Flight);
                }
                Step::Judge(age) => {
                    board.judge(|_, at| Some(at + age <= now));
                    // What was found again after having been lost once is judged by the timer alone when it
                    // was sent again before; the others go by their time.
                    let old = model.iter_mut().filter(|byte| byte.0 == Fate::Flight && byte.2 + age <= now);
                    old.for_each(|byte| byte.0 = Fate::Lost);
                }
            }
            prop_assert_eq!(board.sacked(), count(&model, Fate::Sacked));
            prop_assert_eq!(board.lost(), count(&model, Fate::Lost));
        }
    }
}
