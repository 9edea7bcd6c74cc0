//! One source, three kinds of sockets: the kernel's, a lab's in real time, a lab's in simulated time. Bytes, resets and
//! error numbers agree. (`tests/twin/run.sh` adds the fourth: the same program under `sockeye run`.)

#[path = "../examples/twin/program.rs"]
mod program;
#[path = "../examples/twin/sockets.rs"]
mod sockets;

use program::program;
use sockets::{Native, OfLab};
use sockeye::{Lab, Link};
use std::time::Duration;

fn link() -> Link {
    Link::new().delay(Duration::from_millis(5))
}

#[test]
fn bytes_resets_and_errnos_agree() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lab = Lab::builder().host("server").host("client").link("server", "client", link()).build().unwrap();
    let [server, client] = ["server", "client"].map(|host| lab.host(host).net());
    let real = runtime.block_on(program(&OfLab { server, client })).unwrap();

    let sim =
        Lab::simulated(1).host("server").host("client").link("server", "client", link()).build().unwrap();
    let [server, client] = ["server", "client"].map(|host| sim.node(host).net().clone());
    let simulated = sim.block_on(program(&OfLab { server, client })).unwrap();
    assert_eq!(real, simulated);
    assert_eq!(real.len(), 11);

    if cfg!(target_os = "linux") {
        let kernel = runtime.block_on(program(&Native)).unwrap();
        assert_eq!(kernel, simulated);
    }
}
