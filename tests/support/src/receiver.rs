//! A receiver of OTLP over HTTP and of Zipkin that keeps what it gets, and that can be told how to fail.
//!
//! It serves from threads of its own, so that a test may block its runtime. `connection` has the protocol.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::connection::serve;
use crate::{Span, Spans};

/// What the receiver does with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It takes the spans.
    None,
    /// It takes the request, but not that many of its spans.
    Rejects(i64),
    /// It answers with that status.
    Status(u16),
    /// It answers with that status and a `Retry-After`.
    StatusAfter(u16, &'static str),
    /// It reads the request and never answers.
    Hangs,
    /// It takes the spans, and soon closes the connection with a 408.
    TiresOfIdling,
    /// It closes the connection in the middle of its answer.
    BreaksAnswer,
    /// It closes the connection in the middle of the request.
    BreaksRequest,
    /// It answers with that status, these lines of a head, and that body.
    Says(u16, &'static str, Vec<u8>),
    /// It answers with that status, and never ends its answer.
    NeverEnds(u16),
    /// It answers with bytes that are not HTTP.
    Garbage,
    /// It reads that many bytes a second, and takes the spans.
    Slow(usize),
    /// It takes the spans, and answers after that time.
    Delays(Duration),
}

/// A request that has arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// The lines of its head.
    pub head: Vec<String>,
    /// The spans of an OTLP request.
    pub spans: Vec<Span>,
    /// Its body as sent.
    pub body: Vec<u8>,
}

/// A listening receiver. It stops listening when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    url: String,
    state: Arc<Mutex<State>>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(crate) struct State {
    /// What it does with the next requests; with all others it does the last.
    script: Vec<Fault>,
    received: Vec<Received>,
    connections: Vec<TcpStream>,
    closed: bool,
}

impl State {
    pub(crate) fn next(&mut self) -> Fault {
        if self.script.len() > 1 {
            self.script.remove(0)
        } else {
            self.script[0].clone()
        }
    }

    pub(crate) fn keep(&mut self, request: Received) {
        self.received.push(request);
    }
}

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A receiver that takes all spans.
impl Default for Receiver {
    fn default() -> Self {
        Self::new([Fault::None])
    }
}

impl Receiver {
    /// A receiver that follows `script`.
    #[must_use]
    pub fn new(script: impl Into<Vec<Fault>>) -> Self {
        Self::listening(free_port(), script)
    }

    /// A receiver that follows `script` where `listener` listens.
    #[must_use]
    pub fn listening(listener: TcpListener, script: impl Into<Vec<Fault>>) -> Self {
        Self::start(listener, script.into(), None)
    }

    /// A receiver that takes all spans over TLS.
    #[must_use]
    pub fn tls(config: Arc<ServerConfig>) -> Self {
        Self::start(free_port(), vec![Fault::None], Some(config))
    }

    fn start(listener: TcpListener, script: Vec<Fault>, tls: Option<Arc<ServerConfig>>) -> Self {
        let address = listener.local_addr().unwrap();
        let url = match tls {
            None => format!("http://{address}"),
            // A name that is in the certificate.
            Some(_) => format!("https://localhost:{}", address.port()),
        };
        let state = Arc::new(Mutex::new(State {
            script,
            received: Vec::new(),
            connections: Vec::new(),
            closed: false,
        }));
        let shared = Arc::clone(&state);
        let listening = thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let mut state = lock(&shared);
                if state.closed {
                    return;
                }
                state.connections.extend(connection.try_clone());
                drop(state);
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                let Ok(closing) = connection.try_clone() else {
                    return;
                };
                // Some tests are about clients that hang up.
                thread::spawn(move || {
                    let _ = match tls {
                        None => serve(connection, &shared),
                        Some(config) => ServerConnection::new(config)
                            .map_err(io::Error::other)
                            .and_then(|tls| serve(StreamOwned::new(tls, connection), &shared)),
                    };
                    // The list of connections has it, too, and would keep it open.
                    let _ = closing.shutdown(Shutdown::Both);
                });
            }
        });
        Self {
            address,
            url,
            state,
            listening: Some(listening),
        }
    }

    /// Follows `script` from the next request on.
    pub fn follow(&self, script: impl Into<Vec<Fault>>) {
        lock(&self.state).script = script.into();
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its endpoint, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The requests that have arrived, whatever was answered.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// The spans that have arrived since the last call, whatever was answered. The receiver forgets them, so that it can run for long.
    #[must_use]
    pub fn take_spans(&self) -> Spans {
        let received = std::mem::take(&mut lock(&self.state).received);
        let spans = received.into_iter().flat_map(|request| request.spans);
        spans.collect()
    }

    /// The spans that have arrived, whatever was answered. Spans of repeated requests are there more than once.
    #[must_use]
    pub fn spans(&self) -> Spans {
        let state = lock(&self.state);
        let spans = state.received.iter().flat_map(|request| &request.spans);
        spans.cloned().collect()
    }
}

/// As `kill -9` does: the port is closed, and so are all connections.
impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.closed = true;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the thread that waits for connections. Once it has ended they are refused.
        let _ = TcpStream::connect(self.address);
        let _ = self.listening.take().map(JoinHandle::join);
    }
}

fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}
