//! Devices: two labs joined by one, each with a thread and a clock of its own; what leaves is whole and checked.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use sockeye::net::{TcpListener, TcpStream, UdpSocket};
use sockeye::{Device, Lab, Link};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// What has been sent to one end of a cable.
#[derive(Default)]
struct End {
    packets: VecDeque<Vec<u8>>,
    waker: Option<Waker>,
}

/// One end of a cable: it receives what the other sends, and keeps a copy of what it sends itself.
struct Cable {
    own: Arc<Mutex<End>>,
    other: Arc<Mutex<End>>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

fn cable() -> (Cable, Cable, Sent) {
    let [one, other] = [(); 2].map(|()| Arc::new(Mutex::new(End::default())));
    let sent = Sent::default();
    let end = |own: &Arc<Mutex<End>>, other: &Arc<Mutex<End>>| Cable {
        own: Arc::clone(own),
        other: Arc::clone(other),
        sent: Arc::clone(&sent),
    };
    (end(&one, &other), end(&other, &one), sent)
}

impl Device for Cable {
    fn start(&mut self, waker: Waker) {
        self.own.lock().unwrap().waker = Some(waker);
    }

    fn send(&mut self, packet: &[u8]) {
        self.sent.lock().unwrap().push(packet.to_vec());
        let mut other = self.other.lock().unwrap();
        other.packets.push_back(packet.to_vec());
        other.waker.iter().for_each(Waker::wake_by_ref);
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        self.own.lock().unwrap().packets.pop_front()
    }
}

#[test]
fn two_labs_speak_over_a_cable_in_whole_packets() {
    let (left, right, sent) = cable();
    let one = Lab::builder().host("one").address("192.0.2.1").device(left, 1400).build().unwrap();
    let other = Lab::builder().host("other").address("192.0.2.2").device(right, 1400).build().unwrap();
    let listener = TcpListener::bind(&other.host("other").net(), "0.0.0.0:80").unwrap();
    let echo = thread::spawn(move || {
        let (mut stream, peer) = listener.accept().unwrap();
        let mut data = Vec::new();
        stream.read_to_end(&mut data).unwrap();
        stream.write_all(&data).unwrap();
        peer.ip().to_string()
    });
    let data: Vec<u8> = (0..300_000u32).map(|n| (n / 13) as u8).collect();
    let mut stream = TcpStream::connect(&one.host("one").net(), "192.0.2.2:80").unwrap();
    stream.write_all(&data).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    assert!(back == data);
    assert_eq!(echo.join().unwrap(), "192.0.2.1");

    let sent = sent.lock().unwrap();
    assert!(sent.len() > 400);
    for packet in sent.iter() {
        assert!(packet.len() <= 1400, "{} bytes", packet.len());
        let sliced = SlicedPacket::from_ip(packet).expect("a whole packet");
        let Some(NetSlice::Ipv4(ip)) = sliced.net else { panic!("no IPv4") };
        assert_eq!(ip.header().to_header().calc_header_checksum(), ip.header().header_checksum());
        let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { panic!("no TCP") };
        assert_eq!(
            tcp.calc_checksum_ipv4(ip.header().source(), ip.header().destination()),
            Ok(tcp.checksum())
        );
    }
}

#[test]
fn a_lab_s_own_link_delays_what_a_host_sends_to_itself_and_is_captured() {
    let slow = Link::new().delay(Duration::from_millis(15));
    let lab = Lab::builder().host("only").own_link(slow).capture().build().unwrap();
    let net = lab.host("only").net();
    let (from, to) =
        (UdpSocket::bind(&net, "127.0.0.1:0").unwrap(), UdpSocket::bind(&net, "127.0.0.1:9").unwrap());
    let before = lab.now();
    from.send_to(b"slow", "localhost:9").unwrap();
    to.recv(&mut [0; 4]).unwrap();
    assert!(lab.now().since(before) >= Duration::from_millis(15));
    let file = lab.capture();
    assert_eq!(file[..4], 0x0a0d_0d0a_u32.to_le_bytes(), "a pcapng section");
    assert!(file.windows(4).any(|bytes| bytes == b"slow"));
    assert!(file.windows(9).any(|bytes| bytes == b"delivered"), "with what became of the packet");
}
