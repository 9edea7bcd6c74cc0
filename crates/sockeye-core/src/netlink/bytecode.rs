//! The filter programs of sock_diag (`INET_DIAG_REQ_BYTECODE`): what ss(8) makes of `sport = :80 and dst 10.0.0.0/8`.
//!
//! A program is a row of `struct inet_diag_bc_op`: a test, how far to go when it holds (in bytes, forwards), how far
//! when not. Who steps exactly past the end is accepted; a step further, which `no` may take, refuses.

use core::net::{IpAddr, SocketAddr};

/// Whether every step of a program leads forwards, and into it or to its end (inet_diag_bc_audit).
pub(super) fn is_sound(program: &[u8]) -> bool {
    let mut at = 0;
    while at < program.len() {
        let Some(op) = Op::at(program, at) else { return false };
        let left = program.len() - at;
        let fits = |step: usize| op.len() <= step && step <= left + LEN && step.is_multiple_of(4);
        if op.code > CGROUP_COND || !fits(usize::from(op.yes)) {
            return false;
        }
        if op.code != NOP && !fits(usize::from(op.no)) {
            return false;
        }
        at += usize::from(op.yes);
    }
    true
}

/// Whether a socket with these ends passes. A program that is none refuses.
pub(super) fn accepts(program: &[u8], sport: u16, src: IpAddr, remote: SocketAddr) -> bool {
    let mut at = 0;
    while at < program.len() {
        let Some(op) = Op::at(program, at) else { return false };
        let operand = Op::at(program, at + LEN).map_or(0, |next| next.no);
        let holds = match op.code {
            NOP => true,
            S_EQ => sport == operand,
            S_GE => sport >= operand,
            S_LE => sport <= operand,
            D_EQ => remote.port() == operand,
            D_GE => remote.port() >= operand,
            D_LE => remote.port() <= operand,
            S_COND => address_fits(&program[at + LEN..], sport, src),
            D_COND => address_fits(&program[at + LEN..], remote.port(), remote.ip()),
            // JMP, which goes the long way; devices, marks, automatic ports and groups: a host's sockets have none to show.
            _ => false,
        };
        let step = if holds { usize::from(op.yes) } else { usize::from(op.no) };
        if step == 0 {
            return false;
        }
        at += step;
    }
    at == program.len()
}

/// `struct inet_diag_bc_op`.
struct Op {
    code: u8,
    yes: u8,
    no: u16,
}

impl Op {
    fn at(program: &[u8], at: usize) -> Option<Self> {
        let [code, yes, low, high] = *program.get(at..)?.first_chunk::<LEN>()?;
        Some(Self { code, yes, no: u16::from_ne_bytes([low, high]) })
    }

    /// With its operand.
    fn len(&self) -> usize {
        match self.code {
            S_GE | S_LE | D_GE | D_LE | S_EQ | D_EQ => 2 * LEN,
            S_COND | D_COND => LEN + COND_LEN,
            DEV_COND | CGROUP_COND => 2 * LEN,
            MARK_COND => 3 * LEN,
            _ => LEN,
        }
    }
}

/// `struct inet_diag_hostcond` against one end.
fn address_fits(cond: &[u8], port: u16, addr: IpAddr) -> bool {
    let Some([family, bits, _, _, port_bytes @ ..]) = cond.first_chunk::<COND_LEN>().copied() else {
        return false;
    };
    let wanted = i32::from_ne_bytes(port_bytes);
    if wanted != -1 && wanted != i32::from(port) {
        return false;
    }
    if bits == 0 {
        return true;
    }
    // Four bytes of an IPv4 condition fit a mapped address too.
    let addr = if family == AF_INET { addr.to_canonical() } else { addr };
    match addr {
        IpAddr::V4(v4) if family == AF_INET => starts_alike(&v4.octets(), &cond[COND_LEN..], bits),
        IpAddr::V6(v6) if family == AF_INET6 => starts_alike(&v6.octets(), &cond[COND_LEN..], bits),
        _ => family == 0,
    }
}

fn starts_alike(addr: &[u8], wanted: &[u8], bits: u8) -> bool {
    let (whole, rest) = (usize::from(bits / 8), bits % 8);
    let (Some(a), Some(b)) = (addr.get(..whole), wanted.get(..whole)) else { return false };
    let mask = !(0xff_u16 >> rest) as u8;
    let tail = match (addr.get(whole), wanted.get(whole)) {
        (Some(a), Some(b)) => (a ^ b) & mask == 0,
        _ => rest == 0,
    };
    a == b && tail
}

const LEN: usize = 4;
/// Length of `struct inet_diag_hostcond` before its address.
const COND_LEN: usize = 8;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const NOP: u8 = 0;
const S_GE: u8 = 2;
const S_LE: u8 = 3;
const D_GE: u8 = 4;
const D_LE: u8 = 5;
const S_COND: u8 = 7;
const D_COND: u8 = 8;
const DEV_COND: u8 = 9;
const MARK_COND: u8 = 10;
const S_EQ: u8 = 11;
const D_EQ: u8 = 12;
const CGROUP_COND: u8 = 13;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn op(code: u8, yes: u8, no: u16) -> [u8; 4] {
        let [low, high] = no.to_ne_bytes();
        [code, yes, low, high]
    }

    #[test]
    fn a_port_or_a_network() {
        // sport = :80 or dst 10.0.0.0/8
        let mut program = Vec::new();
        program.extend(op(S_EQ, 8, 12));
        program.extend(op(0, 0, 80));
        program.extend(op(1, 4, 20));
        program.extend(op(D_COND, 16, 20));
        program.extend([AF_INET, 8, 0, 0]);
        program.extend((-1i32).to_ne_bytes());
        program.extend([10, 0, 0, 0]);
        assert!(is_sound(&program));
        let passes =
            |sport, remote: &str| accepts(&program, sport, [127, 0, 0, 1].into(), remote.parse().unwrap());
        assert!(passes(80, "192.0.2.1:1"));
        assert!(passes(81, "10.1.2.3:1"));
        assert!(passes(81, "[::ffff:10.1.2.3]:1"));
        assert!(!passes(81, "192.0.2.1:80"));
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        assert!(!is_sound(&op(S_EQ, 0, 4)));
        assert!(!is_sound(&op(99, 4, 4)));
        assert!(!is_sound(&op(1, 4, 400)));
        assert!(is_sound(&[]) && accepts(&[], 1, [0; 4].into(), "0.0.0.0:0".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_program_panics_or_runs_for_ever(program in proptest::collection::vec(any::<u8>(), 0..64), port: u16) {
            is_sound(&program);
            accepts(&program, port, [10, 0, 0, 1].into(), "10.0.0.2:80".parse().unwrap());
        }
    }
}
