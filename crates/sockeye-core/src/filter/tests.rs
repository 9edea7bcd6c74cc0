//! What the check lets through, and what programs answer; each as the kernel does.

use super::check::check;
use super::{Instruction, Program, View};
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn program(of: &[(u16, u8, u8, u32)]) -> Vec<Instruction> {
    of.iter()
        .map(|&(code, jump_true, jump_false, k)| Instruction { code, jump_true, jump_false, k })
        .collect()
}

#[test]
fn programs_that_are_none() {
    let ret = (0x06, 0, 0, 0);
    for wrong in [
        &[][..],
        &[(0, 0, 0, 5)],
        &[(0x05, 0, 0, 7), ret],
        &[(0xff, 0, 0, 0), ret],
        &[(0x34, 0, 0, 0), ret],
        &[(0x94, 0, 0, 0), ret],
        &[(0x64, 0, 0, 32), ret],
        &[(0x60, 0, 0, 16), ret],
        &[(0x60, 0, 0, 3), ret],
        &[(0x15, 1, 0, 0), ret],
        &[(0x05, 0, 0, u32::MAX), ret],
        &[(0x0e, 0, 0, 0)],
        &[(0x20, 0, 0, 0xffff_f000 + 200), ret],
        &[(0x15, 0, 1, 0), (0x02, 0, 0, 3), (0x60, 0, 0, 3), ret],
    ] {
        assert!(check(&program(wrong)).is_err(), "{wrong:?}");
    }
    assert!(check(&program(&[(0x02, 0, 0, 3), (0x60, 0, 0, 3), ret])).is_ok());
    assert!(check(&vec![program(&[ret])[0]; 4096]).is_ok());
    assert!(check(&vec![program(&[ret])[0]; 4097]).is_err());
}

fn run(of: &[(u16, u8, u8, u32)]) -> u32 {
    let whole = [0x45, 1, 2, 3, 0x11, 0x22, 0x33, 0x44, 0x55];
    let program = program(of);
    check(&program).unwrap();
    Program(program).run(View { whole: &whole, start: 4, interface: 7 })
}

#[test]
fn answers() {
    let (ret_a, a) = ((0x16, 0, 0, 0), |code, k| (code, 0, 0, k));
    assert_eq!(run(&[a(0x06, 9)]), 9);
    assert_eq!(run(&[a(0x20, 0), ret_a]), 0x1122_3344);
    assert_eq!(run(&[a(0x28, 1), ret_a]), 0x2233);
    assert_eq!(run(&[a(0x30, 4), ret_a]), 0x55);
    assert_eq!(run(&[a(0x30, 5), (0x06, 0, 0, 1)]), 0, "outside");
    assert_eq!(run(&[a(0x30, 0xfff0_0000), ret_a]), 0x45);
    assert_eq!(run(&[a(0x80, 0), ret_a]), 5);
    assert_eq!(run(&[a(0xb1, 1), a(0x87, 0), ret_a]), 8);
    assert_eq!(run(&[a(0x01, 2), a(0x50, 1), ret_a]), 0x44);
    assert_eq!(run(&[a(0x00, 7), a(0x3c, 0), (0x06, 0, 0, 1)]), 0, "a division by zero");
    assert_eq!(run(&[a(0x00, 7), a(0x64, 4), a(0x14, 12), ret_a]), 100);
    assert_eq!(run(&[a(0x20, 0xffff_f008), ret_a]), 7);
    assert_eq!(run(&[a(0x30, 0), (0x15, 1, 0, 0x11), a(0x06, 0), a(0x06, 3)]), 3);
}

proptest! {
    /// Whatever the check lets through ends, without a panic.
    #[test]
    fn programs_end(of in prop::collection::vec((0u16..0xc0, 0u8..6, 0u8..6, 0u32..20), 1..12), bytes: Vec<u8>) {
        let mut program = program(&of);
        program.push(Instruction { code: 0x16, jump_true: 0, jump_false: 0, k: 0 });
        if check(&program).is_ok() {
            Program(program).run(View { whole: &bytes, start: bytes.len() / 2, interface: 1 });
        }
    }
}
