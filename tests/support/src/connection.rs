//! A connection to the receiver: HTTP/1.1 by hand, so that it can break at any point.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;

use crate::receiver::{Fault, Received, State, lock};
use crate::spans::flatten;

/// Serves a connection until either side hangs up.
pub(crate) fn serve(stream: impl Read + Write, state: &Mutex<State>) -> io::Result<()> {
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
            Vec::new()
        } else {
            let request = decode(&body, header("content-encoding").is_some(), is_json);
            flatten(request.resource_spans).collect()
        };
        lock(state).keep(Received {
            at: Instant::now(),
            head,
            spans,
            body,
        });
        let out = stream.get_mut();
        match fault {
            Fault::None if is_zipkin => respond(out, 202, "", b"")?,
            Fault::None | Fault::Slow(_) => accept(out, 0, is_json)?,
            Fault::Delays(time) => {
                thread::sleep(time);
                accept(out, 0, is_json)?;
            }
            Fault::Rejects(spans) => accept(out, spans, is_json)?,
            Fault::Status(status) => respond(out, status, "", b"no")?,
            Fault::StatusAfter(status, after) => {
                respond(out, status, &format!("retry-after: {after}\r\n"), b"later")?;
            }
            Fault::Says(status, headers, body) => respond(out, status, headers, &body)?,
            Fault::Hangs => {
                // Until the client hangs up.
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

/// The lines of the next request's head, names in lower case. It is empty if the client has hung up.
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
    let partial_success = (rejected_spans != 0).then(|| ExportTracePartialSuccess {
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
