//! Urgent data (RFC 6093), by what Linux's recv, `SIOCATMARK` and poll say.

use super::harness::World;
use crate::errno::Errno;
use crate::readiness::Readiness;
use alloc::vec::Vec;
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn read(world: &mut World, room: usize) -> Result<Vec<u8>, Errno> {
    let mut buf = alloc::vec![0; room];
    let n = world.at(1, |c, ctx| c.recv(&mut buf, false, ctx))?;
    buf.truncate(n);
    Ok(buf)
}

/// `abc` with `c` urgent, then `de`.
fn with_mark(seed: u64) -> World {
    let mut world = World::connected(seed);
    assert_eq!(world.at(0, |c, ctx| c.send_urgent(b"abc", ctx)), Ok(3));
    assert_eq!(world.at(0, |c, ctx| c.send(b"de", ctx)), Ok(2));
    world.run(20 * MS);
    world
}

#[test]
fn reads_stop_at_the_mark_and_pass_over_it() {
    let mut world = with_mark(1);
    let end = world.connection(1);
    assert!(end.readiness().contains(Readiness::IN | Readiness::PRI));
    assert_eq!((end.readable_bytes(), end.mark().unwrap().ahead), (2, 2));
    assert_eq!(read(&mut world, 10).unwrap(), b"ab");
    assert_eq!(world.connection(1).mark().unwrap().ahead, 0);
    assert_eq!(world.at(1, |c, _| c.recv_urgent(true)), Ok(Some(b'c')));
    assert_eq!(world.at(1, |c, _| c.recv_urgent(false)), Ok(Some(b'c')));
    assert!(!world.connection(1).readiness().contains(Readiness::PRI));
    assert_eq!(world.at(1, |c, _| c.recv_urgent(false)), Err(Errno::EINVAL));
    // Taken, but reads still have to go over the mark.
    assert_eq!(world.connection(1).mark().unwrap().ahead, 0);
    assert_eq!(read(&mut world, 10).unwrap(), b"de");
    assert!(world.connection(1).mark().is_none());
}

#[test]
fn in_line_it_is_part_of_the_stream() {
    let mut world = with_mark(2);
    world.at(1, |c, ctx| {
        c.settings_mut().oob_inline = true;
        c.settings_changed(ctx);
    });
    assert_eq!(world.at(1, |c, _| c.recv_urgent(false)), Err(Errno::EINVAL));
    assert_eq!(read(&mut world, 10).unwrap(), b"ab");
    assert_eq!(read(&mut world, 10).unwrap(), b"cde");
}

#[test]
fn an_urgent_byte_alone_is_nothing_to_read() {
    let mut world = World::connected(3);
    assert_eq!(world.at(0, |c, ctx| c.send_urgent(b"!", ctx)), Ok(1));
    world.run(20 * MS);
    assert_eq!(world.connection(1).readiness() & (Readiness::IN | Readiness::PRI), Readiness::PRI);
    assert_eq!(read(&mut world, 10), Err(Errno::EAGAIN));
    // Passed over, it is gone.
    assert_eq!(world.at(1, |c, _| c.recv_urgent(false)), Err(Errno::EINVAL));
}

#[test]
fn a_second_mark_makes_the_first_byte_ordinary() {
    let mut world = with_mark(4);
    assert_eq!(world.at(0, |c, ctx| c.send_urgent(b"f", ctx)), Ok(1));
    world.run(20 * MS);
    assert_eq!(read(&mut world, 10).unwrap(), b"abcde");
    assert_eq!(world.at(1, |c, _| c.recv_urgent(false)), Ok(Some(b'f')));
}

#[test]
fn it_arrives_behind_megabytes() {
    let mut world = World::connected(5);
    let filling = alloc::vec![7; 4 << 20];
    let mut sent = 0;
    while let Ok(n) = world.at(0, |c, ctx| c.send(&filling, ctx)) {
        sent += n;
    }
    world.run(1000 * MS);
    let mut before = read(&mut world, 100_000).unwrap().len();
    world.run(50 * MS);
    assert!(world.at(0, |c, ctx| c.send_urgent(b"u", ctx)).is_ok());
    world.run(1000 * MS);
    while before < sent {
        before += read(&mut world, 1 << 20).unwrap().len();
        world.run(300 * MS);
    }
    assert_eq!(before, sent, "no read goes over the mark");
    assert_eq!(world.at(1, |c, _| c.recv_urgent(false)), Ok(Some(b'u')));
}
