//! The seccomp filter: which system calls come to us, decided by registers alone.
//!
//! In: the table below. Out: a classic BPF program that answers for each call *allow* (the kernel runs it),
//! *notify* (the supervisor answers it) or an error number. It never looks at memory, so what depends on a
//! message header's contents is notified and, where it is not for us, let through.
//!
//! The data of streams passes unnotified: plain read, write, send and recv work on the carrier itself.

use crate::sys::seccomp::Instruction;

const RET_ALLOW: u32 = 0x7fff_0000;
const RET_NOTIFY: u32 = 0x7fc0_0000;
const RET_ERRNO: u32 = 0x0005_0000;
const RET_KILL_PROCESS: u32 = 0x8000_0000;

const LOAD: u16 = 0x20;
const JUMP_EQ: u16 = 0x15;
const JUMP_GE: u16 = 0x35;
const JUMP_SET: u16 = 0x45;
const RETURN: u16 = 0x06;

const OFFSET_NR: u32 = 0;
const OFFSET_ARCH: u32 = 4;

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;

/// Calls that are always notified.
#[rustfmt::skip]
const NOTIFIED: &[i64] = &[
    libc::SYS_bind, libc::SYS_listen, libc::SYS_connect, libc::SYS_accept, libc::SYS_accept4,
    libc::SYS_getsockname, libc::SYS_getpeername, libc::SYS_setsockopt, libc::SYS_getsockopt, libc::SYS_shutdown,
    libc::SYS_sendmsg, libc::SYS_recvmsg, libc::SYS_sendmmsg, libc::SYS_recvmmsg,
];

/// Flags of sendto(2) that a carrier cannot carry out.
const SEND_FLAGS: i32 = libc::MSG_OOB | libc::MSG_FASTOPEN | libc::MSG_ZEROCOPY;
/// Flags of recvfrom(2) that a carrier cannot carry out.
const RECEIVE_FLAGS: i32 = libc::MSG_OOB | libc::MSG_ERRQUEUE | libc::MSG_TRUNC;

/// The ioctls about interfaces (SIOCGIFNAME to SIOCSIFTXQLEN and the routing ones), a range.
pub(crate) const INTERFACE_IOCTLS: std::ops::RangeInclusive<u32> = 0x890b..=0x8955;
/// Queues, the urgent mark and time stamps of a socket.
pub(crate) const SOCKET_IOCTLS: [u32; 4] =
    [crate::abi::SIOCOUTQ, crate::abi::SIOCATMARK, crate::abi::SIOCGSTAMP_OLD, crate::abi::SIOCGSTAMPNS_OLD];

const fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code, jt, jf, k }
}

const fn load_argument(index: u32) -> Instruction {
    // Little-endian: the low word of a register comes first.
    instruction(LOAD, 0, 0, 16 + 8 * index)
}

const fn load_argument_high(index: u32) -> Instruction {
    instruction(LOAD, 0, 0, 16 + 8 * index + 4)
}

const fn ret(value: u32) -> Instruction {
    instruction(RETURN, 0, 0, value)
}

const fn errno(value: i32) -> u32 {
    RET_ERRNO | value as u32
}

/// socket(2): ours are notified, the machine's Unix sockets pass, all others do not exist.
fn socket_block() -> Vec<Instruction> {
    vec![
        load_argument(0),
        instruction(JUMP_EQ, 5, 0, libc::AF_UNIX as u32),
        instruction(JUMP_EQ, 5, 0, libc::AF_INET as u32),
        instruction(JUMP_EQ, 4, 0, libc::AF_INET6 as u32),
        instruction(JUMP_EQ, 3, 0, libc::AF_NETLINK as u32),
        instruction(JUMP_EQ, 2, 0, libc::AF_PACKET as u32),
        ret(errno(libc::EAFNOSUPPORT)),
        ret(RET_ALLOW),
        ret(RET_NOTIFY),
    ]
}

/// sendto(2), recvfrom(2): notified with an address (argument 4) or with one of `flags` (argument 3).
fn address_or_flags_block(flags: i32) -> Vec<Instruction> {
    vec![
        load_argument(4),
        instruction(JUMP_EQ, 0, 5, 0),
        load_argument_high(4),
        instruction(JUMP_EQ, 0, 3, 0),
        load_argument(3),
        instruction(JUMP_SET, 1, 0, flags as u32),
        ret(RET_ALLOW),
        ret(RET_NOTIFY),
    ]
}

fn ioctl_block() -> Vec<Instruction> {
    let mut block = vec![load_argument(1)];
    let others = SOCKET_IOCTLS.len() as u8;
    for (i, request) in SOCKET_IOCTLS.iter().enumerate() {
        block.push(instruction(JUMP_EQ, others - i as u8 + 1, 0, *request));
    }
    block.push(instruction(JUMP_GE, 0, 2, *INTERFACE_IOCTLS.start()));
    block.push(instruction(JUMP_GE, 1, 0, *INTERFACE_IOCTLS.end() + 1));
    block.push(ret(RET_NOTIFY));
    block.push(ret(RET_ALLOW));
    block
}

/// The whole filter.
pub(crate) fn program() -> Vec<Instruction> {
    let mut code = vec![
        instruction(LOAD, 0, 0, OFFSET_ARCH),
        instruction(JUMP_EQ, 1, 0, ARCH),
        ret(RET_KILL_PROCESS),
        instruction(LOAD, 0, 0, OFFSET_NR),
    ];
    if cfg!(target_arch = "x86_64") {
        // x32 calls share the architecture's number and set this bit.
        code.extend([instruction(JUMP_GE, 0, 1, 0x4000_0000), ret(errno(libc::ENOSYS))]);
    }
    let mut rule = |nr: i64, block: Vec<Instruction>| {
        code.push(instruction(JUMP_EQ, 0, u8::try_from(block.len()).expect("a short block"), nr as u32));
        code.extend(block);
    };
    rule(libc::SYS_sendto, address_or_flags_block(SEND_FLAGS));
    rule(libc::SYS_recvfrom, address_or_flags_block(RECEIVE_FLAGS));
    rule(libc::SYS_socket, socket_block());
    rule(libc::SYS_ioctl, ioctl_block());
    rule(libc::SYS_io_uring_setup, vec![ret(errno(libc::ENOSYS))]);
    for nr in NOTIFIED {
        rule(*nr, vec![ret(RET_NOTIFY)]);
    }
    code.push(ret(RET_ALLOW));
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the filter as the kernel would.
    fn run(nr: i64, args: [u64; 6]) -> u32 {
        let code = program();
        let word = |offset: u32| match offset {
            OFFSET_NR => nr as u32,
            OFFSET_ARCH => ARCH,
            o => {
                let value = args[(o as usize - 16) / 8];
                if o % 8 == 0 { value as u32 } else { (value >> 32) as u32 }
            }
        };
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let i = code[at];
            at += 1;
            let taken = match i.code {
                LOAD => {
                    accumulator = word(i.k);
                    continue;
                }
                RETURN => return i.k,
                JUMP_EQ => accumulator == i.k,
                JUMP_GE => accumulator >= i.k,
                JUMP_SET => accumulator & i.k != 0,
                other => panic!("unknown code {other:#x}"),
            };
            at += usize::from(if taken { i.jt } else { i.jf });
        }
    }

    #[test]
    fn families_are_served_passed_or_refused() {
        let socket = |family: i32| run(libc::SYS_socket, [family as u64, 1, 0, 0, 0, 0]);
        assert_eq!(socket(libc::AF_UNIX), RET_ALLOW);
        for family in [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET] {
            assert_eq!(socket(family), RET_NOTIFY);
        }
        assert_eq!(socket(libc::AF_VSOCK), errno(libc::EAFNOSUPPORT));
    }

    #[test]
    fn plain_data_passes_and_addresses_are_notified() {
        for nr in [libc::SYS_sendto, libc::SYS_recvfrom] {
            assert_eq!(run(nr, [3, 0x1000, 5, 0, 0, 0]), RET_ALLOW);
            assert_eq!(run(nr, [3, 0x1000, 5, libc::MSG_OOB as u64, 0, 0]), RET_NOTIFY);
            assert_eq!(run(nr, [3, 0x1000, 5, 0, 0x2000, 16]), RET_NOTIFY);
            assert_eq!(run(nr, [3, 0x1000, 5, 0, 0x1_0000_0000, 16]), RET_NOTIFY);
        }
        assert_eq!(run(libc::SYS_sendto, [3, 0, 0, libc::MSG_NOSIGNAL as u64, 0, 0]), RET_ALLOW);
        assert_eq!(run(libc::SYS_read, [3, 0, 0, 0, 0, 0]), RET_ALLOW);
    }

    #[test]
    fn ioctls_are_chosen_by_number() {
        let ioctl = |request: u32| run(libc::SYS_ioctl, [3, u64::from(request), 0, 0, 0, 0]);
        for request in SOCKET_IOCTLS.into_iter().chain([0x8910, 0x8933, 0x8912]) {
            assert_eq!(ioctl(request), RET_NOTIFY, "{request:#x}");
        }
        for request in [0x5421u32, 0x541b, 0x5401, 0x8956, 0x890a] {
            assert_eq!(ioctl(request), RET_ALLOW, "{request:#x}");
        }
    }

    #[test]
    fn io_uring_is_refused() {
        assert_eq!(run(libc::SYS_io_uring_setup, [0; 6]), errno(libc::ENOSYS));
        assert_eq!(run(libc::SYS_accept4, [0; 6]), RET_NOTIFY);
    }
}
