//! Many threads and one lab: no wake-up is lost, nothing deadlocks. Whatever hangs fails by its read timeout.

use sockeye::net::{TcpListener, TcpStream};
use sockeye::{Lab, Link};
use std::future::Future;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

#[test]
fn acceptors_and_clients_in_a_crowd() {
    for link in [Link::new(), Link::new().delay(Duration::from_micros(200)).loss(0.002)] {
        let lab = Lab::builder().seed(4).host("a").host("b").link("a", "b", link).build().unwrap();
        let listener = TcpListener::bind(&lab.host("b").net(), "0.0.0.0:80").unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                let listener = listener.try_clone().unwrap();
                scope.spawn(move || {
                    for _ in 0..200 {
                        let (mut stream, _) = listener.accept().unwrap();
                        stream.set_read_timeout(PATIENCE).unwrap();
                        let mut buf = [0; 100];
                        while let n @ 1.. = stream.read(&mut buf).unwrap() {
                            stream.write_all(&buf[..n]).unwrap();
                        }
                    }
                });
            }
            for client in 0..8u8 {
                let a = lab.host("a").net();
                scope.spawn(move || {
                    for n in 0..100u8 {
                        let mut stream = TcpStream::connect(&a, "b:80").unwrap();
                        stream.set_read_timeout(PATIENCE).unwrap();
                        let mut buf = [0; 2];
                        for _ in 0..3 {
                            stream.write_all(&[client, n]).unwrap();
                            stream.read_exact(&mut buf).unwrap();
                            assert_eq!(buf, [client, n]);
                        }
                    }
                });
            }
        });
    }
}

/// A task whose wakers are all that holds it, as in the smallest of executors.
struct Task(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        poll(&self);
    }
}

fn poll(task: &Arc<Task>) {
    let waker = Waker::from(Arc::clone(task));
    let mut future = task.0.lock().unwrap();
    if let Some(running) = future.as_mut()
        && let Poll::Ready(()) = running.as_mut().poll(&mut Context::from_waker(&waker))
    {
        *future = None;
    }
}

#[test]
fn a_waker_may_be_the_last_to_hold_its_task() {
    let lab = Lab::builder().host("a").host("b").link("a", "b", Link::new()).build().unwrap();
    let b = lab.host("b").net();
    let listener = TcpListener::bind(&b, "0.0.0.0:80").unwrap();
    let mut client = TcpStream::connect(&lab.host("a").net(), "b:80").unwrap();
    let stream = sockeye::aio::TcpStream::from(listener.accept().unwrap().0);
    let (reader, writer) = stream.into_split();
    let (told, hears) = std::sync::mpsc::channel();
    let net = b.clone();
    let task = Arc::new(Task(Mutex::new(Some(Box::pin(async move {
        let _held = reader;
        net.sleep(Duration::from_millis(10)).await;
        told.send(()).unwrap();
        std::future::pending::<()>().await;
    })))));
    poll(&task);
    drop(task);
    hears.recv_timeout(Duration::from_secs(10)).unwrap();
    // The timer's waker was the last of the task, which held half of the stream; the other half still works.
    client.set_read_timeout(PATIENCE).unwrap();
    writer.as_ref().try_write(b"x").unwrap();
    client.read_exact(&mut [0]).unwrap();
}
