//! Explicit congestion notification (RFC 3168): routers mark packets instead of dropping them.
//!
//! In: the marks of the IP header (which travel in [`TcpHeader::ecn`]) and TCP's ECE and CWR. Out: the same on what we
//! send, and one reduction of the congestion window per round trip. As Linux: new data is capable of the mark;
//! acknowledgements, retransmissions and SYNs are not (6.1.1, 6.1.4, 6.1.5).

use super::block::{Due, Marks};
use super::connection::Connection;
use super::recover::Phase;
use super::{Ctx, Segment, State};
use crate::wire::tcp::{Flags, TcpHeader};

/// The two bits of the IP header: not capable, capable, congestion experienced.
pub(crate) const NOT_CAPABLE: u8 = 0;
pub(crate) const CAPABLE: u8 = 2;
pub(crate) const CONGESTED: u8 = 3;

/// `tcp_ecn`.
const ASKS: u8 = 1;
/// How many acknowledgements go out at once after a mark, lest the sender stall (Linux).
const QUICK_AFTER_MARK: u8 = 2;

/// Whether a SYN asks for it (6.1.1) and the host agrees.
pub(super) fn agrees(syn: &TcpHeader, ctx: &Ctx<'_>) -> bool {
    let both = Flags::ECE | Flags::CWR;
    ctx.limits.ecn > 0 && syn.flags.contains(both) && syn.ecn == NOT_CAPABLE
}

impl Connection {
    /// What a SYN says of it: one that is sent again asks no more (6.1.1.1).
    pub(super) fn ask_ecn(&mut self, flags: Flags, ctx: &Ctx<'_>) -> Flags {
        match self.state {
            State::SynReceived if self.marks.contains(Marks::ECN) => flags | Flags::ECE,
            State::SynSent if ctx.limits.ecn == ASKS && self.recovery.retransmits == 0 => {
                self.marks |= Marks::ECN_ASKED;
                flags | Flags::ECE | Flags::CWR
            }
            _ => flags,
        }
    }

    /// The SYN|ACK agrees with ECE alone.
    pub(super) fn hear_ecn_answer(&mut self, header: &TcpHeader) {
        let answer = header.flags & (Flags::ECE | Flags::CWR);
        self.marks.set(Marks::ECN, self.marks.contains(Marks::ECN_ASKED) && answer == Flags::ECE);
    }

    /// A data segment came: a mark is echoed until the peer says CWR (6.1.3).
    pub(super) fn note_mark(&mut self, segment: &Segment) {
        let header = &segment.header;
        if header.flags.contains(Flags::CWR) {
            self.marks -= Marks::ECHOES;
            // A window that has just shrunk waits for each acknowledgement.
            self.due.set(Due::ACK, true);
        }
        if header.ecn == CONGESTED && !self.marks.contains(Marks::ECHOES) {
            self.marks |= Marks::ECHOES;
            self.settings.quickack = true;
            self.rcv.quick = self.rcv.quick.max(QUICK_AFTER_MARK);
        }
    }

    /// What goes on a segment that carries `len` bytes, new or sent again.
    pub(super) fn mark_outgoing(&mut self, header: &mut TcpHeader, len: usize, is_new: bool) {
        if self.marks.contains(Marks::ECHOES) {
            header.flags |= Flags::ECE;
        }
        if len > 0 && is_new {
            header.ecn = CAPABLE;
            if self.marks.contains(Marks::OWES_CWR) {
                self.marks -= Marks::OWES_CWR;
                header.flags |= Flags::CWR;
            }
        }
    }

    /// The window has been reduced: the peer is told (6.1.2).
    pub(super) fn owe_cwr(&mut self) {
        if self.marks.contains(Marks::ECN) {
            self.marks |= Marks::OWES_CWR;
        }
    }

    /// Whether an acknowledgement says that something was marked.
    pub(super) fn is_echo(&self, header: &TcpHeader) -> bool {
        header.flags.contains(Flags::ECE) && self.marks.contains(Marks::ECN)
    }

    /// The window shrinks, once for what is in flight now, as if something had been lost (6.1.2).
    pub(super) fn slow_down(&mut self) {
        if self.recovery.phase == Phase::Open {
            self.enter_reduced();
        }
    }
}
