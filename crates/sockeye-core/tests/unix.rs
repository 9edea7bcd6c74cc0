//! Unix-domain sockets as a host's calls: no byte is lost or twice, every charge is given back, and every right comes out
//! once, whatever the order of calls.

use sockeye_core::host::{Domain, HostConfig, Kind, Shutdown};
use sockeye_core::rng::Rng;
use sockeye_core::unix::{Ancillary, Passed, Right, UnixAddr};
use sockeye_core::{Errno, Host, Instant, Readiness, SocketId};
use std::collections::VecDeque;
use std::sync::Arc;

const NOW: Instant = Instant::ZERO;

fn host() -> Host {
    Host::new(HostConfig::default(), 1)
}

/// Something that is counted.
struct Token {
    _held: Arc<()>,
}

impl Passed for Token {}

fn send(host: &mut Host, id: SocketId, data: &[u8]) -> Result<usize, Errno> {
    host.unix_send(id, data, None, &mut Ancillary::default())
}

#[test]
fn a_stream_is_a_queue_of_bytes_whatever_the_sizes() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut host = host();
        let ends = host.unix_pair(Kind::Stream, 0).expect("a pair");
        let ends = [ends.0, ends.1];
        let mut model: [VecDeque<u8>; 2] = Default::default();
        for step in 0..300u32 {
            let (from, size) = ((rng.next_u64() & 1) as usize, (rng.next_u64() % 50_000) as usize);
            if rng.next_u64() & 1 == 0 {
                let data: Vec<u8> = (0..size).map(|n| (n as u32 ^ step) as u8).collect();
                let sent = send(&mut host, ends[from], &data).unwrap_or(0);
                model[from].extend(&data[..sent]);
            } else {
                let (mut buf, peek) = (vec![0; size], rng.next_u64() & 3 == 0);
                let n = host.unix_recv(ends[1 - from], &mut buf, peek).map_or(0, |received| received.len);
                assert_eq!(n, size.min(model[from].len()));
                let expected: Vec<u8> = model[from].iter().take(n).copied().collect();
                assert!(buf[..n] == expected, "seed {seed}, step {step}");
                if !peek {
                    model[from].drain(..n);
                }
            }
            assert_eq!(host.unix_readable(ends[1 - from]), Ok(model[from].len()));
            let charged = host.unix_charged(ends[from]).expect("a socket");
            assert_eq!(charged == 0, model[from].is_empty());
        }
    }
}

#[test]
fn room_and_data_are_told_when_they_come() {
    let mut host = host();
    let (one, other) = host.unix_pair(Kind::Stream, 0).expect("a pair");
    while host.next_event().is_some() {}
    while send(&mut host, one, &[0; 9000]).is_ok() {}
    assert!(!host.readiness(one).contains(Readiness::OUT));
    assert!(host.readiness(other).contains(Readiness::IN));
    while host.next_event().is_some() {}
    let mut told = 0;
    while host.unix_recv(other, &mut [0; 9000], false).is_ok() {
        while let Some(event) = host.next_event() {
            assert_eq!(event, sockeye_core::host::Event::Ready(one));
            assert!(host.readiness(one).contains(Readiness::OUT));
            told += 1;
        }
    }
    assert!(told > 0);
    // The queue of a datagram socket: who was refused is told when it is shorter.
    let name = UnixAddr::from_path(b"/in").expect("a path");
    let receiver = host.socket(Domain::Unix, Kind::Datagram, 0).expect("a socket");
    let sender = host.socket(Domain::Unix, Kind::Datagram, 0).expect("a socket");
    host.unix_bind(receiver, Some(&name)).expect("a free path");
    host.unix_connect(sender, &name).expect("it is there");
    let mut count = 0;
    while send(&mut host, sender, b"x").is_ok() {
        count += 1;
    }
    assert_eq!(count, 11, "net.unix.max_dgram_qlen and one");
    while host.next_event().is_some() {}
    host.unix_recv(receiver, &mut [0; 8], false).expect("a datagram");
    let events: Vec<_> = std::iter::from_fn(|| host.next_event()).collect();
    assert!(events.contains(&sockeye_core::host::Event::Ready(sender)), "{events:?}");
}

/// The calls that are for every kind of socket.
fn ask(host: &mut Host, id: SocketId, name: &UnixAddr, number: i32) {
    for option in [16, 42, 7] {
        let _ = host.setsockopt(id, 1, option, &number.to_ne_bytes(), NOW);
    }
    let _ = host.recv_from(id, false, NOW);
    let _ = host.recv_slices(id).map(|slices| slices.len());
    let _ = host.info(id, NOW);
    let _ = host.send(id, b"plain", NOW);
    let _ = host.recv(id, &mut [0; 8], false, NOW);
    let _ = host.unix_unlink(name.as_path().expect("a path"));
}

/// Random calls on a few sockets: none panics, and in the end nothing is charged and every right has come out once.
#[test]
fn whatever_is_called_nothing_is_left_behind() {
    for seed in 0..2000 {
        let mut rng = Rng::new(seed);
        let mut host = host();
        let mut pick = |n: u64| (rng.next_u64() % n) as usize;
        let names = [b"/a".as_slice(), b"/b", b"/c"].map(|path| UnixAddr::from_path(path).expect("a path"));
        let token = Arc::new(());
        let mut ids: Vec<SocketId> = Vec::new();
        for _ in 0..120 {
            if ids.is_empty() || pick(8) == 0 {
                let kind = [Kind::Stream, Kind::Datagram, Kind::SeqPacket][pick(3)];
                ids.push(host.socket(Domain::Unix, kind, 0).expect("a socket"));
                let (one, other) = host.unix_pair(kind, 0).expect("a pair");
                ids.extend([one, other]);
            }
            let (id, name) = (ids[pick(ids.len() as u64)], &names[pick(3)]);
            let mut beside = Ancillary { credentials: None, rights: vec![] };
            if pick(3) == 0 {
                beside.rights.push(Right(Arc::new(Token { _held: token.clone() })));
            }
            match pick(16) {
                0 => {
                    let _ = host.unix_bind(id, Some(name));
                }
                1 => {
                    let _ = host.unix_bind(id, None);
                }
                2 => {
                    let _ = host.listen(id, pick(3) as i32);
                }
                3 | 4 => {
                    let _ = host.unix_connect(id, name);
                }
                5 => ids.extend(host.accept(id)),
                6 => drop(host.unix_send(id, &[1; 700], Some(name), &mut beside)),
                7..=9 => drop(host.unix_send(id, &vec![1; pick(100_000)], None, &mut beside)),
                10 | 11 => drop(host.unix_recv(id, &mut vec![0; pick(100_000)], pick(4) == 0)),
                12 => {
                    let _ =
                        host.shutdown(id, [Shutdown::Read, Shutdown::Write, Shutdown::Both][pick(3)], NOW);
                }
                13 => {
                    let _ = host.unix_disconnect(id);
                }
                14 => ask(&mut host, id, name, pick(9000) as i32),
                _ => host.close(id, NOW),
            }
            if pick(4) == 0 {
                while let Some(event) = host.next_event() {
                    if let sockeye_core::host::Event::Ready(id) = event {
                        let _ = host.readiness(id);
                    }
                }
                host.take_unix_discarded();
            }
            host.check().expect("sound");
        }
        let all: Vec<SocketId> = host.sockets().collect();
        for id in all {
            host.close(id, NOW);
        }
        host.take_unix_discarded();
        assert_eq!(host.sockets().count(), 0, "seed {seed}");
        assert_eq!(Arc::strong_count(&token), 1, "seed {seed}: a right is left");
    }
}
