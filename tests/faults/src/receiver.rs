//! The receiver: HTTP/1.1 by hand, so that it can break at any point.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the receiver does with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It takes the spans.
    None,
    /// It takes the request, but not that many of its spans.
    Rejects(i64),
    /// It answers with that status.
    Status(u16),
    /// The same, with a `Retry-After`.
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
    /// It answers with what is no HTTP.
    Garbage,
    /// It reads that many bytes a second, and takes the spans.
    Slow(usize),
}

/// A request that has arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// The lines of its head.
    pub head: Vec<String>,
    /// Spans in it.
    pub spans: usize,
    /// Its body as sent.
    pub body: Vec<u8>,
}

/// A listening receiver. It stops listening when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<Mutex<State>>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    /// What it does with the next requests; with all others it does the last.
    script: Vec<Fault>,
    received: Vec<Received>,
    connections: Vec<TcpStream>,
    closed: bool,
}

impl State {
    fn next(&mut self) -> Fault {
        if self.script.len() > 1 {
            self.script.remove(0)
        } else {
            self.script[0].clone()
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// One that follows `script`.
    #[must_use]
    pub fn new(script: impl Into<Vec<Fault>>) -> Self {
        Self::start(free_port(), script.into(), None)
    }

    /// The same over TLS.
    #[must_use]
    pub fn tls(config: Arc<ServerConfig>) -> Self {
        Self::start(free_port(), vec![Fault::None], Some(config))
    }

    /// One that takes all spans, at an address that another had.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self::start(TcpListener::bind(address).unwrap(), vec![Fault::None], None)
    }

    fn start(listener: TcpListener, script: Vec<Fault>, tls: Option<Arc<ServerConfig>>) -> Self {
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let state = Arc::new(Mutex::new(State {
            script,
            ..State::default()
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
                // A client that hangs up is what some tests are about.
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
            scheme,
            state,
            listening: Some(listening),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    /// The requests that have arrived, whatever was answered.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// Spans that have arrived, those of repeated requests more than once.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.received().iter().map(|request| request.spans).sum()
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

/// Serves a connection until either side hangs up.
fn serve(stream: impl Read + Write, state: &Mutex<State>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let head = read_head(&mut stream)?;
        if head.is_empty() {
            return Ok(());
        }
        let header = |name: &str| {
            let mut lines = head.iter();
            lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
        };
        let length = header("content-length")
            .and_then(|it| it.parse().ok())
            .unwrap_or(0);
        let fault = lock(state).next();
        let mut body = vec![0; length];
        match fault {
            Fault::BreaksRequest => {
                stream.read_exact(&mut body[..length / 2])?;
                return Ok(());
            }
            Fault::Slow(bytes) => {
                for piece in body.chunks_mut(bytes.div_ceil(20)) {
                    stream.read_exact(piece)?;
                    thread::sleep(Duration::from_millis(50));
                }
            }
            _ => stream.read_exact(&mut body)?,
        }
        let is_json = header("content-type").as_deref() == Some("application/json");
        let is_zipkin = head[0].starts_with("POST /api/v2/spans ");
        let spans = if is_zipkin {
            let spans: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
            spans.len()
        } else {
            let request = decode(&body, header("content-encoding").is_some(), is_json);
            let scopes = request.resource_spans.iter().flat_map(|it| &it.scope_spans);
            scopes.map(|scope| scope.spans.len()).sum()
        };
        lock(state).received.push(Received {
            at: Instant::now(),
            spans,
            body,
            head,
        });
        let out = stream.get_mut();
        match fault {
            Fault::None if is_zipkin => respond(out, 202, "", b"")?,
            Fault::None | Fault::Slow(_) => accept(out, 0, is_json)?,
            Fault::Rejects(spans) => accept(out, spans, is_json)?,
            Fault::Status(status) => respond(out, status, "", b"no")?,
            Fault::StatusAfter(status, after) => {
                respond(out, status, &format!("retry-after: {after}\r\n"), b"later")?;
            }
            Fault::Says(status, headers, body) => respond(out, status, headers, &body)?,
            Fault::Hangs => {
                // Until the client has had enough.
                let _ = stream.read_to_end(&mut Vec::new());
                return Ok(());
            }
            Fault::NeverEnds(status) => {
                let head = format!("HTTP/1.1 {status} Answer\r\ncontent-length: 1000000\r\n\r\n");
                out.write_all(head.as_bytes())?;
                let _ = stream.read_to_end(&mut Vec::new());
                return Ok(());
            }
            Fault::TiresOfIdling => {
                accept(out, 0, is_json)?;
                thread::sleep(Duration::from_millis(100));
                return respond(out, 408, "connection: close\r\n", b"");
            }
            Fault::BreaksAnswer => {
                return out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
            }
            Fault::Garbage => return out.write_all(&[0xff; 64]),
            Fault::BreaksRequest => {}
        }
    }
}

/// The lines of the next request's head, names in lower case; none where the client has hung up.
fn read_head(stream: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(head);
        }
        head.push(match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
            None => line.to_owned(),
        });
    }
}

fn decode(body: &[u8], is_compressed: bool, is_json: bool) -> ExportTraceServiceRequest {
    let mut plain = Vec::new();
    if is_compressed {
        GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    } else {
        plain.extend_from_slice(body);
    }
    if is_json {
        serde_json::from_slice(&plain).unwrap()
    } else {
        ExportTraceServiceRequest::decode(&*plain).unwrap()
    }
}

fn accept(out: &mut impl Write, rejected_spans: i64, is_json: bool) -> io::Result<()> {
    if is_json {
        let body = format!(
            r#"{{"partialSuccess":{{"rejectedSpans":"{rejected_spans}","errorMessage":"too many"}}}}"#
        );
        return respond(
            out,
            200,
            "content-type: application/json\r\n",
            body.as_bytes(),
        );
    }
    let partial_success = (rejected_spans > 0).then(|| ExportTracePartialSuccess {
        rejected_spans,
        error_message: "too many".into(),
    });
    let body = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    respond(out, 200, "content-type: application/x-protobuf\r\n", &body)
}

fn respond(out: &mut impl Write, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Answer\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    out.write_all(&[head.as_bytes(), body].concat())
}
