//! The calls, one file per family. Each checks as Linux checks and in its order, then changes the tables;
//! none blocks, none loops over sockets.

mod bind;
mod check;
mod connect;
mod control;
mod datagram;
mod fast_open;
mod listen;
mod observe;
mod socket;
mod stream;
