//! Whether a program is one: bpf_check_classic.

use super::run::ancillary;
use super::{INSTRUCTIONS_MAX, Instruction};
use crate::errno::{Errno, Result};
use alloc::vec;

/// EINVAL for a program that could read what it has not written, jump out of itself or have no end.
pub(super) fn check(program: &[Instruction]) -> Result<()> {
    let len = program.len();
    if len == 0 || len > INSTRUCTIONS_MAX {
        return Err(Errno::EINVAL);
    }
    let fits = |(at, instruction): (usize, &Instruction)| is_valid(*instruction, len - at - 1);
    let ends = matches!(program[len - 1].code, code::RET_K | code::RET_A);
    if !ends || !program.iter().enumerate().all(fits) || !memory_is_written_first(program) {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// An instruction by itself; `behind` is how many follow.
fn is_valid(i: Instruction, behind: usize) -> bool {
    use code::*;
    let k = i.k as usize;
    match i.code {
        DIV_K | MOD_K => k != 0,
        LSH_K | RSH_K => k < 32,
        LD_MEM | LDX_MEM | ST | STX => k < WORDS,
        JA => k < behind,
        JEQ_K | JEQ_X | JGE_K | JGE_X | JGT_K | JGT_X | JSET_K | JSET_X => {
            usize::from(i.jump_true.max(i.jump_false)) < behind
        }
        LD_W_ABS | LD_H_ABS | LD_B_ABS => ancillary::is_known(i.k),
        ADD_K | ADD_X | SUB_K | SUB_X | MUL_K | MUL_X | DIV_X | MOD_X | AND_K | AND_X | OR_K | OR_X
        | XOR_K | XOR_X | LSH_X | RSH_X | NEG => true,
        LD_W_LEN | LD_W_IND | LD_H_IND | LD_B_IND | LD_IMM | LDX_LEN | LDX_MSH | LDX_IMM => true,
        TAX | TXA | RET_K | RET_A => true,
        _ => false,
    }
}

/// check_load_and_stores: on every way to a load its word was stored.
fn memory_is_written_first(program: &[Instruction]) -> bool {
    use code::*;
    let mut written_at = vec![u16::MAX; program.len() + 1];
    let mut written = 0;
    for (at, i) in program.iter().enumerate() {
        written &= written_at[at];
        match i.code {
            ST | STX => written |= 1 << i.k,
            LD_MEM | LDX_MEM if written >> i.k & 1 == 0 => return false,
            JA => {
                written_at[at + 1 + i.k as usize] &= written;
                written = u16::MAX;
            }
            JEQ_K | JEQ_X | JGE_K | JGE_X | JGT_K | JGT_X | JSET_K | JSET_X => {
                written_at[at + 1 + usize::from(i.jump_true)] &= written;
                written_at[at + 1 + usize::from(i.jump_false)] &= written;
                written = u16::MAX;
            }
            _ => {}
        }
    }
    true
}

/// Words of a program's memory (`BPF_MEMWORDS`).
pub(super) const WORDS: usize = 16;

/// The operations, as `linux/bpf_common.h` puts them together.
pub(super) mod code {
    macro_rules! codes {
        ($($name:ident = $value:literal,)*) => { $(pub(in crate::filter) const $name: u16 = $value;)* };
    }
    codes! {
        LD_IMM = 0x00, LD_W_ABS = 0x20, LD_H_ABS = 0x28, LD_B_ABS = 0x30,
        LD_W_IND = 0x40, LD_H_IND = 0x48, LD_B_IND = 0x50, LD_MEM = 0x60, LD_W_LEN = 0x80,
        LDX_IMM = 0x01, LDX_MEM = 0x61, LDX_LEN = 0x81, LDX_MSH = 0xb1,
        ST = 0x02, STX = 0x03,
        ADD_K = 0x04, ADD_X = 0x0c, SUB_K = 0x14, SUB_X = 0x1c, MUL_K = 0x24, MUL_X = 0x2c,
        DIV_K = 0x34, DIV_X = 0x3c, OR_K = 0x44, OR_X = 0x4c, AND_K = 0x54, AND_X = 0x5c,
        LSH_K = 0x64, LSH_X = 0x6c, RSH_K = 0x74, RSH_X = 0x7c, NEG = 0x84,
        MOD_K = 0x94, MOD_X = 0x9c, XOR_K = 0xa4, XOR_X = 0xac,
        JA = 0x05, JEQ_K = 0x15, JEQ_X = 0x1d, JGT_K = 0x25, JGT_X = 0x2d,
        JGE_K = 0x35, JGE_X = 0x3d, JSET_K = 0x45, JSET_X = 0x4d,
        RET_K = 0x06, RET_A = 0x16, TAX = 0x07, TXA = 0x87,
    }
}
