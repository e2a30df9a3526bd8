//! Links to a receiver that break without telling anybody.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use support::Reserved;

/// Passes on what either side says.
pub struct Link {
    port: u16,
    /// How often it has broken.
    breaks: Arc<AtomicUsize>,
}

impl Link {
    /// One to `receiver`.
    #[must_use]
    pub fn to(receiver: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let breaks = Arc::new(AtomicUsize::new(0));
        let shared = Arc::clone(&breaks);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(receiver) else {
                    continue;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (shared, age) = (Arc::clone(&shared), shared.load(Ordering::SeqCst));
                    thread::spawn(move || pass(from, to, || shared.load(Ordering::SeqCst) == age));
                }
            }
        });
        Self { port, breaks }
    }

    /// Where it begins.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on nothing gets through the connections that there are, and neither side hears of it, as where a firewall has
    /// forgotten them. New ones work.
    pub fn break_silently(&self) {
        self.breaks.fetch_add(1, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, works: impl Fn() -> bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if works() && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    if works() {
        let _ = to.shutdown(std::net::Shutdown::Both);
    }
}

/// An address where connections are neither taken nor refused, as behind a firewall that drops packets. It is so until the sockets
/// beside it are dropped.
#[must_use]
pub fn black_hole() -> (String, impl Sized) {
    let reserved = Reserved::default();
    let url = reserved.url();
    // Room for one connection that nobody accepts.
    let listener = reserved.listen(0);
    let first = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (url, (listener, first))
}
