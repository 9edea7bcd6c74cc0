//! The struct of functions that packetdrill calls, field for field in its order.
//!
//! Each function answers as the system call of its name: a value, or -1 with `errno` set.

use super::{calls, epoll, messages, pipes, waits};
use libc::{epoll_event, iovec, msghdr, nfds_t, pollfd, sockaddr, socklen_t, timeval};
use std::ffi::{c_int, c_longlong, c_uint, c_ulong, c_void};

type Data = *mut c_void;

/// `struct packetdrill_interface`. What is variadic in C takes a word here: where it is passed is the same on the
/// platforms of Linux.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Interface {
    userdata: Data,
    free: unsafe extern "C" fn(Data),
    socket: unsafe extern "C" fn(Data, c_int, c_int, c_int) -> c_int,
    bind: unsafe extern "C" fn(Data, c_int, *const sockaddr, socklen_t) -> c_int,
    listen: unsafe extern "C" fn(Data, c_int, c_int) -> c_int,
    accept: unsafe extern "C" fn(Data, c_int, *mut sockaddr, *mut socklen_t) -> c_int,
    connect: unsafe extern "C" fn(Data, c_int, *const sockaddr, socklen_t) -> c_int,
    read: unsafe extern "C" fn(Data, c_int, *mut c_void, usize) -> isize,
    readv: unsafe extern "C" fn(Data, c_int, *const iovec, c_int) -> isize,
    recv: unsafe extern "C" fn(Data, c_int, *mut c_void, usize, c_int) -> isize,
    recvfrom:
        unsafe extern "C" fn(Data, c_int, *mut c_void, usize, c_int, *mut sockaddr, *mut socklen_t) -> isize,
    recvmsg: unsafe extern "C" fn(Data, c_int, *mut msghdr, c_int) -> isize,
    write: unsafe extern "C" fn(Data, c_int, *const c_void, usize) -> isize,
    writev: unsafe extern "C" fn(Data, c_int, *const iovec, c_int) -> isize,
    send: unsafe extern "C" fn(Data, c_int, *const c_void, usize, c_int) -> isize,
    sendto:
        unsafe extern "C" fn(Data, c_int, *const c_void, usize, c_int, *const sockaddr, socklen_t) -> isize,
    sendmsg: unsafe extern "C" fn(Data, c_int, *const msghdr, c_int) -> isize,
    fcntl: unsafe extern "C" fn(Data, c_int, c_int, usize) -> c_int,
    ioctl: unsafe extern "C" fn(Data, c_int, c_ulong, usize) -> c_int,
    close: unsafe extern "C" fn(Data, c_int) -> c_int,
    shutdown: unsafe extern "C" fn(Data, c_int, c_int) -> c_int,
    getsockopt: unsafe extern "C" fn(Data, c_int, c_int, c_int, *mut c_void, *mut socklen_t) -> c_int,
    setsockopt: unsafe extern "C" fn(Data, c_int, c_int, c_int, *const c_void, socklen_t) -> c_int,
    poll: unsafe extern "C" fn(Data, *mut pollfd, nfds_t, c_int) -> c_int,
    netdev_send: unsafe extern "C" fn(Data, *const c_void, usize) -> c_int,
    netdev_receive: unsafe extern "C" fn(Data, *mut c_void, *mut usize, *mut c_longlong) -> c_int,
    usleep: unsafe extern "C" fn(Data, c_uint) -> c_int,
    gettimeofday: unsafe extern "C" fn(Data, *mut timeval, *mut c_void) -> c_int,
    epoll_create: unsafe extern "C" fn(Data, c_int) -> c_int,
    epoll_ctl: unsafe extern "C" fn(Data, c_int, c_int, c_int, *mut epoll_event) -> c_int,
    epoll_wait: unsafe extern "C" fn(Data, c_int, *mut epoll_event, c_int, c_int) -> c_int,
    pipe: unsafe extern "C" fn(Data, *mut c_int) -> c_int,
    splice: unsafe extern "C" fn(Data, c_int, *mut i64, c_int, *mut i64, usize, c_uint) -> c_int,
}

impl Interface {
    pub(super) fn new(userdata: Data) -> Self {
        Self {
            userdata,
            free: calls::free,
            socket: calls::socket,
            bind: calls::bind,
            listen: calls::listen,
            accept: calls::accept,
            connect: calls::connect,
            read: messages::read,
            readv: messages::readv,
            recv: messages::recv,
            recvfrom: messages::recvfrom,
            recvmsg: messages::recvmsg,
            write: messages::write,
            writev: messages::writev,
            send: messages::send,
            sendto: messages::sendto,
            sendmsg: messages::sendmsg,
            fcntl: calls::fcntl,
            ioctl: calls::ioctl,
            close: calls::close,
            shutdown: calls::shutdown,
            getsockopt: calls::getsockopt,
            setsockopt: calls::setsockopt,
            poll: waits::poll,
            netdev_send: waits::netdev_send,
            netdev_receive: waits::netdev_receive,
            usleep: waits::usleep,
            gettimeofday: waits::gettimeofday,
            epoll_create: epoll::epoll_create,
            epoll_ctl: epoll::epoll_ctl,
            epoll_wait: epoll::epoll_wait,
            pipe: pipes::pipe,
            splice: pipes::splice,
        }
    }
}
