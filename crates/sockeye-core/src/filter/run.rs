//! The interpreter: a checked program over one packet.

use super::check::{WORDS, code};
use super::{Instruction, Program};

/// What a program sees of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// From the IP header on.
    pub whole: &'a [u8],
    /// Where offset 0 is.
    pub start: usize,
    /// The interface it came by.
    pub interface: u32,
}

struct Machine<'a> {
    view: View<'a>,
    a: u32,
    x: u32,
    memory: [u32; WORDS],
}

/// Where the program goes on, or its answer.
enum Step {
    Next,
    Skip(u32),
    Return(u32),
}

impl Program {
    /// How many bytes of the packet may come in; 0 drops it. A read outside the packet and a division by zero
    /// drop it too. Jumps lead forward only, so every step is taken once at most.
    pub(crate) fn run(&self, view: View<'_>) -> u32 {
        let mut machine = Machine { view, a: 0, x: 0, memory: [0; WORDS] };
        let mut at = 0;
        while let Some(instruction) = self.0.get(at) {
            match machine.step(*instruction) {
                Some(Step::Next) => at += 1,
                Some(Step::Skip(n)) => at += 1 + n as usize,
                Some(Step::Return(len)) => return len,
                None => return 0,
            }
        }
        unreachable!("a checked program ends with a return")
    }
}

impl Machine<'_> {
    fn step(&mut self, i: Instruction) -> Option<Step> {
        use code::*;
        match i.code {
            LD_W_ABS | LD_H_ABS | LD_B_ABS if ancillary::is_there(i.k) => self.load_ancillary(i.k),
            LD_W_ABS | LD_W_IND => self.a = u32::from_be_bytes(self.view.read(self.address(i))?),
            LD_H_ABS | LD_H_IND => self.a = u16::from_be_bytes(self.view.read(self.address(i))?).into(),
            LD_B_ABS | LD_B_IND => self.a = u8::from_be_bytes(self.view.read(self.address(i))?).into(),
            LD_W_LEN => self.a = self.view.len(),
            LD_IMM => self.a = i.k,
            LD_MEM => self.a = self.memory[i.k as usize],
            LDX_LEN => self.x = self.view.len(),
            LDX_IMM => self.x = i.k,
            LDX_MEM => self.x = self.memory[i.k as usize],
            LDX_MSH => self.x = u32::from(self.view.read::<1>(i.k)?[0] & 0x0f) * 4,
            ST => self.memory[i.k as usize] = self.a,
            STX => self.memory[i.k as usize] = self.x,
            TAX => self.x = self.a,
            TXA => self.a = self.x,
            RET_K => return Some(Step::Return(i.k)),
            RET_A => return Some(Step::Return(self.a)),
            JA => return Some(Step::Skip(i.k)),
            JEQ_K | JEQ_X | JGT_K | JGT_X | JGE_K | JGE_X | JSET_K | JSET_X => {
                let skip = if self.holds(i) { i.jump_true } else { i.jump_false };
                return Some(Step::Skip(skip.into()));
            }
            _ => self.a = self.calculate(i)?,
        }
        Some(Step::Next)
    }

    /// The constant, or with an index register the sum of both.
    fn address(&self, i: Instruction) -> u32 {
        let indexed = matches!(i.code, code::LD_W_IND | code::LD_H_IND | code::LD_B_IND);
        if indexed { self.x.wrapping_add(i.k) } else { i.k }
    }

    fn holds(&self, i: Instruction) -> bool {
        use code::*;
        match i.code {
            JEQ_K => self.a == i.k,
            JEQ_X => self.a == self.x,
            JGT_K => self.a > i.k,
            JGT_X => self.a > self.x,
            JGE_K => self.a >= i.k,
            JGE_X => self.a >= self.x,
            JSET_K => self.a & i.k != 0,
            _ => self.a & self.x != 0,
        }
    }

    fn calculate(&self, i: Instruction) -> Option<u32> {
        use code::*;
        let a = self.a;
        // Bit 3 of an operation says that its operand is the index register.
        let operand = if i.code & 0x08 != 0 { self.x } else { i.k };
        Some(match i.code & !0x08 {
            ADD_K => a.wrapping_add(operand),
            SUB_K => a.wrapping_sub(operand),
            MUL_K => a.wrapping_mul(operand),
            DIV_K => a.checked_div(operand)?,
            MOD_K => a.checked_rem(operand)?,
            AND_K => a & operand,
            OR_K => a | operand,
            XOR_K => a ^ operand,
            LSH_K => a.wrapping_shl(operand),
            RSH_K => a.wrapping_shr(operand),
            NEG => a.wrapping_neg(),
            _ => unreachable!("the check lets nothing else through"),
        })
    }

    fn load_ancillary(&mut self, k: u32) {
        self.a = match k - ancillary::BASE {
            ancillary::PROTOCOL if self.view.whole.first().is_some_and(|b| b >> 4 == 6) => 0x86dd,
            ancillary::PROTOCOL => 0x0800,
            ancillary::INTERFACE => self.view.interface,
            ancillary::XOR_X => self.a ^ self.x,
            _ => 0,
        };
    }
}

impl View<'_> {
    fn len(&self) -> u32 {
        (self.whole.len() - self.start) as u32
    }

    /// Bytes at an offset; one from [`NET_OFF`] on counts from the IP header.
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        let at = match offset {
            0..=0x7fff_ffff => self.start + offset as usize,
            NET_OFF.. => (offset - NET_OFF) as usize,
            _ => return None,
        };
        self.whole.get(at..)?.first_chunk().copied()
    }
}

/// `SKF_NET_OFF`. (`SKF_LL_OFF`, below it, leads to a link header, and there is none.)
const NET_OFF: u32 = 0xfff0_0000;

/// What can be asked beside the packet's bytes (`SKF_AD_OFF`).
pub(super) mod ancillary {
    pub(super) const BASE: u32 = 0xffff_f000;
    pub(super) const PROTOCOL: u32 = 0;
    pub(super) const INTERFACE: u32 = 8;
    pub(super) const XOR_X: u32 = 40;

    pub(super) fn is_there(k: u32) -> bool {
        k >= BASE
    }

    /// Packet type, mark, queue, hardware type, hash, processor and VLAN are all 0 here. The random number and the
    /// offset of the payload are refused, as what Linux does not know is.
    pub(in crate::filter) fn is_known(k: u32) -> bool {
        !is_there(k)
            || matches!(k - BASE, PROTOCOL | 4 | INTERFACE | 20 | 24 | 28 | 32 | 36 | XOR_X | 44 | 48 | 60)
    }
}
