//! What a socket is ready for, in the bits of poll(2) and epoll(7) on Linux.

bitflags::bitflags! {
    /// Readiness of a socket; the values are those of `POLLIN` and its kin.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Readiness: u16 {
        /// A receive or an accept would not block.
        const IN = 0x001;
        /// Urgent data or an error-queue entry waits.
        const PRI = 0x002;
        /// A send would not block.
        const OUT = 0x004;
        /// An error waits (`SO_ERROR`).
        const ERR = 0x008;
        /// Both directions are shut.
        const HUP = 0x010;
        /// The peer has shut its sending side.
        const RDHUP = 0x2000;
    }
}
