//! A packet source of one's own behind an interface: three methods. This one is a machine that knows only how to
//! answer pings, whatever its address.
//!
//!     cargo run -p sockeye --example own_device

use sockeye::net::{Domain, RawSocket};
use sockeye::{Device, Lab};
use std::collections::VecDeque;
use std::task::Waker;

/// Answers every ICMP echo request.
#[derive(Default)]
struct Echoes {
    waker: Option<Waker>,
    answers: VecDeque<Vec<u8>>,
}

impl Device for Echoes {
    fn start(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    fn send(&mut self, packet: &[u8]) {
        // IPv4 without options, protocol ICMP, type echo request.
        if packet.len() < 28 || packet[0] != 0x45 || packet[9] != 1 || packet[20] != 8 {
            return;
        }
        let mut answer = packet.to_vec();
        answer[12..16].copy_from_slice(&packet[16..20]);
        answer[16..20].copy_from_slice(&packet[12..16]);
        // Type 8 becomes 0: the checksum, a sum in one's complement, grows by as much as the type shrinks.
        answer[20] = 0;
        let sum = u32::from(u16::from_be_bytes([packet[22], packet[23]])) + 0x0800;
        let folded = (sum & 0xffff) as u16 + (sum >> 16) as u16;
        answer[22..24].copy_from_slice(&folded.to_be_bytes());
        self.answers.push_back(answer);
        self.waker.iter().for_each(Waker::wake_by_ref);
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        self.answers.pop_front()
    }
}

fn main() -> std::io::Result<()> {
    let lab = Lab::builder().host("me").address("10.0.0.1").device(Echoes::default(), 1500).build()?;
    let ping = RawSocket::new(&lab.host("me").net(), Domain::Inet, 1)?;
    for (n, to) in ["192.0.2.1:0", "8.8.8.8:0"].into_iter().enumerate() {
        let number = u8::try_from(n).expect("a small number");
        // Identifier 1, no data; the checksum is that of these eight bytes.
        let check = (!(0x0800_u16 + 1 + u16::from(number))).to_be_bytes();
        ping.send_to(&[8, 0, check[0], check[1], 0, 1, 0, number], to)?;
        let mut packet = [0; 64];
        let (len, from) = ping.recv_from(&mut packet)?;
        println!("{} bytes from {}: icmp_seq={}", len - 20, from.ip(), packet[27]);
    }
    Ok(())
}
