//! A receiver of OTLP over HTTP that decodes what it gets, and that can be told to misbehave.
//!
//! It serves from threads of its own, so that a test may block its runtime.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;

use crate::spans::{Spans, flatten};

/// What the receiver says to a request.
#[derive(Debug, Clone, Copy, Default)]
pub enum Answer {
    /// It takes the spans.
    #[default]
    Accept,
    /// It takes the spans, after reading them slowly.
    AcceptSlowly,
    /// It takes the request but not that many of its spans.
    Reject(i64),
    /// An error of that status.
    Status(u16),
    /// 200, with a page instead of OTLP.
    Page,
    /// 200, with bytes that claim to be OTLP and are not.
    Garbage,
    /// It never says anything.
    Hang,
    /// It hangs up in the middle of its answer.
    Break,
}

/// A listening receiver.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    answer: Answer,
    requests: usize,
    spans: Spans,
    closed: bool,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new(Answer::Accept)
    }
}

impl Receiver {
    /// Listens on a port of its own.
    ///
    /// # Panics
    ///
    /// If the machine has no free port.
    #[must_use]
    pub fn new(answer: Answer) -> Self {
        Self::listening(
            TcpListener::bind("127.0.0.1:0").expect("a free port"),
            answer,
        )
    }

    /// Listens at an endpoint that [`nowhere`](Self::nowhere) has found.
    ///
    /// # Panics
    ///
    /// If another process has taken it meanwhile.
    #[must_use]
    pub fn at(endpoint: &str, answer: Answer) -> Self {
        let address = endpoint.trim_start_matches("http://");
        Self::listening(
            TcpListener::bind(address).expect("a port that was free"),
            answer,
        )
    }

    fn listening(listener: TcpListener, answer: Answer) -> Self {
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let state = Arc::new(Mutex::new(State {
            answer,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if lock(&shared).closed {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A client that hangs up is what some tests are about.
                thread::spawn(move || serve(&connection, &shared));
            }
        });
        Self { address, state }
    }

    /// An endpoint at which nobody listens.
    ///
    /// # Panics
    ///
    /// If the machine has no free port.
    #[must_use]
    pub fn nowhere() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        format!("http://{address}")
    }

    /// The endpoint, without `/v1/traces`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what it says to requests from now on.
    pub fn answer(&self, answer: Answer) {
        lock(&self.state).answer = answer;
    }

    /// Requests that have arrived.
    #[must_use]
    pub fn requests(&self) -> usize {
        lock(&self.state).requests
    }

    /// Spans that have arrived, whatever was answered.
    #[must_use]
    pub fn spans(&self) -> Spans {
        lock(&self.state).spans.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        lock(&self.state).closed = true;
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves a connection until either side hangs up.
fn serve(connection: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    loop {
        let Some((head, body)) = read_request(&mut reader, || lock(state).answer)? else {
            return Ok(());
        };
        let decoded = ExportTraceServiceRequest::decode(&*body).ok();
        let (Some(request), true) = (decoded, is_export(&head)) else {
            write_response(&mut writer, 400, "text/plain", b"this is no OTLP")?;
            continue;
        };
        let answer = {
            let mut state = lock(state);
            state.requests += 1;
            state.spans.extend(flatten(request.resource_spans));
            state.answer
        };
        match answer {
            Answer::Accept | Answer::AcceptSlowly => respond(&mut writer, 0)?,
            Answer::Reject(spans) => respond(&mut writer, spans)?,
            Answer::Status(code) => write_response(&mut writer, code, "text/plain", b"no")?,
            Answer::Page => write_response(&mut writer, 200, "text/html", b"<h1>It works!</h1>")?,
            Answer::Garbage => {
                write_response(&mut writer, 200, "application/x-protobuf", &[0xff; 16])?;
            }
            // Until the client has had enough.
            Answer::Hang => return reader.read_to_end(&mut Vec::new()).map(drop),
            Answer::Break => {
                return writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
            }
        }
    }
}

/// The head's lines and the body of the next request.
fn read_request(
    reader: &mut impl BufRead,
    answer: impl Fn() -> Answer,
) -> std::io::Result<Option<(Vec<String>, Vec<u8>)>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let pause = match answer() {
        Answer::AcceptSlowly => Duration::from_millis(20),
        _ => Duration::ZERO,
    };
    let piece = body.len().div_ceil(8).max(1);
    for piece in body.chunks_mut(piece) {
        reader.read_exact(piece)?;
        thread::sleep(pause);
    }
    Ok(Some((head, body)))
}

fn is_export(head: &[String]) -> bool {
    head.first()
        .is_some_and(|line| line == "post /v1/traces http/1.1")
        && head
            .iter()
            .any(|line| line == "content-type: application/x-protobuf")
}

fn respond(writer: &mut impl Write, rejected_spans: i64) -> std::io::Result<()> {
    let partial_success = (rejected_spans > 0).then(|| ExportTracePartialSuccess {
        rejected_spans,
        error_message: "too many".into(),
    });
    let body = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    write_response(writer, 200, "application/x-protobuf", &body)
}

fn write_response(
    writer: &mut impl Write,
    status: u16,
    content_type: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    writer.write_all(&[head.as_bytes(), body].concat())
}
