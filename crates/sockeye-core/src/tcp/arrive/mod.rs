//! Segment arrival (RFC 9293, 3.10.7): one function per step, called in the RFC's order by the parents here.
//!
//! In: a segment that belongs to the connection. Out: changes of the block, and `Due` marks for what must be
//! sent. A step that answers `Break` has ended the segment.

mod ack;
mod sequence;
mod syn_sent;
mod text;

use super::block::Due;
use super::connection::Connection;
use super::time_wait::Verdict;
use super::timers::Timer;
use super::{Ctx, Segment, State};
use crate::wire::tcp::Flags;
use core::ops::ControlFlow;

impl Connection {
    /// A segment for this connection.
    pub fn arrive(&mut self, segment: Segment, ctx: &mut Ctx<'_>) {
        ctx.counters.in_segs += 1;
        self.totals.segs_in += 1;
        match self.state {
            State::Closed | State::Listen => ctx.counters.closed += 1,
            State::SynSent => self.arrive_syn_sent(segment, ctx),
            State::TimeWait => self.arrive_time_wait(&segment, ctx),
            _ => {
                let _ = self.arrive_synchronized(segment, ctx);
            }
        }
    }

    /// 3.10.7.4. The third step, security, is not part of this stack.
    fn arrive_synchronized(&mut self, mut segment: Segment, ctx: &mut Ctx<'_>) -> ControlFlow<()> {
        if self.answers_again(&segment, ctx) {
            return ControlFlow::Break(());
        }
        self.check_sequence(&segment, ctx)?;
        self.check_reset(&segment, ctx)?;
        self.check_syn(&mut segment, ctx)?;
        self.check_ack(&segment, ctx)?;
        if segment.header.flags.contains(Flags::URG) || self.rcv.urgent.is_some() {
            self.check_urgent(&segment, ctx);
        }
        self.take_text_and_fin(segment, ctx);
        ControlFlow::Continue(())
    }

    fn arrive_time_wait(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) {
        let Some(time_wait) = self.time_wait.as_mut() else { return };
        match time_wait.judge(segment, ctx) {
            Verdict::Ignore | Verdict::Reuse(_) => {}
            Verdict::Ack => self.due |= Due::ACK,
            Verdict::Gone => {
                self.time_wait = None;
                self.finish();
                return;
            }
        }
        let until = time_wait.deadline();
        self.timers.set(Timer::Linger, until);
    }
}
