//! Linux's numbers and layouts at the edge to programs: what libc does not name, in one place.

pub(crate) const SIOCOUTQ: u32 = 0x5411;
pub(crate) const SIOCATMARK: u32 = 0x8905;
pub(crate) const SIOCGSTAMP_OLD: u32 = 0x8906;
pub(crate) const SIOCGSTAMPNS_OLD: u32 = 0x8907;

/// The kernel's own "restart this call" (never seen by programs: it becomes EINTR or a restart).
pub(crate) const ERESTARTSYS: u16 = 512;

/// Longest address of any family (`sizeof(struct sockaddr_storage)`).
pub(crate) const ADDRESS_MAX: usize = 128;
/// Most iovecs of one message (`UIO_MAXIOV`).
pub(crate) const IOVEC_MAX: usize = 1024;
