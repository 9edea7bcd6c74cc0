//! Five hundred tests of one run, each with a lab of its own, and port 8080 in every one of them.

use sockeye::net::{TcpListener, TcpStream};
use sockeye::{Lab, Link};
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

/// A server on port 8080 and a client over a link with a delay.
fn everybody_has_port_8080(name: &str) {
    let link = Link::new().delay(Duration::from_millis(1));
    let lab = Lab::builder().host("client").host("server").link("client", "server", link).build().unwrap();
    let listener = TcpListener::bind(&lab.host("server").net(), "0.0.0.0:8080").unwrap();
    let server = thread::spawn(move || {
        let mut text = String::new();
        listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
        text
    });
    TcpStream::connect(&lab.host("client").net(), "server:8080").unwrap().write_all(name.as_bytes()).unwrap();
    assert_eq!(server.join().unwrap(), name);
}

macro_rules! tests {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            super::everybody_has_port_8080(concat!(module_path!(), stringify!($name)));
        }
    )*};
}

macro_rules! fifty_each {
    ($($name:ident)*) => {$(
        mod $name {
            tests! {
                t00 t01 t02 t03 t04 t05 t06 t07 t08 t09 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t20 t21 t22 t23 t24
                t25 t26 t27 t28 t29 t30 t31 t32 t33 t34 t35 t36 t37 t38 t39 t40 t41 t42 t43 t44 t45 t46 t47 t48 t49
            }
        }
    )*};
}

fifty_each! { g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 }
