//! Devices: where a host's packets leave the lab.
//!
//! Three methods make any source of packets an interface of a host: a tunnel, a TUN descriptor, a file that is played,
//! another stack in the same process. Packets are whole IP packets, version 4 or 6, from their header on.

use super::Shared;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

/// A source and a sink of IP packets, the other side of an interface.
///
/// The lab calls it under its lock: no method may wait, or call the lab it is plugged into.
pub trait Device: Send {
    /// The lab begins. `waker` is to be woken, from any thread, whenever [`Device::receive`] will have something.
    fn start(&mut self, waker: Waker);

    /// Takes a packet that the host sends: at most as many bytes as the interface's MTU. What the device cannot take
    /// it drops.
    fn send(&mut self, packet: &[u8]);

    /// The next packet for the host; None when there is none now. Called until None after each wake-up.
    fn receive(&mut self) -> Option<Vec<u8>>;
}

/// What a device's waker does: it rings the lab's thread.
#[derive(Debug)]
pub(crate) struct DeviceBell(Weak<Shared>);

impl DeviceBell {
    pub(crate) fn waker(shared: &Arc<Shared>) -> Waker {
        Waker::from(Arc::new(Self(Arc::downgrade(shared))))
    }
}

impl Wake for DeviceBell {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.0.upgrade() {
            shared.device_rings();
        }
    }
}
