//! Heads that are cheap to send and dear to copy: what is kept of them multiplies nothing, and costs no span.
//!
//! Each attack meets the same service with telemetry and without it. The peaks of memory are compared as the system has them, and each
//! honest request during the attack is recorded and delivered.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use behaviour::Receiver;
use opentelemetry::Value;

const MIB: usize = 1024 * 1024;

/// What telemetry may add to the peak.
const MOST_ADDED: usize = 64 * MIB;

/// Honest requests during an attack.
const ORDERS: usize = 50;

/// Longer than a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A service in a process of its own.
struct Service {
    process: Child,
    address: String,
}

/// What the service tells of itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Metrics {
    uploads: usize,
    recorded: usize,
    delivered: usize,
    incomplete_heads: usize,
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_uploads"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut address).unwrap();
        let address = address.trim_end().to_owned();
        Self { process, address }
    }

    fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(&self.address).unwrap_or_else(|error| {
            panic!("{error}: a connection takes a file descriptor here and there, see `ulimit -n`")
        });
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection
    }

    /// The body of the answer.
    fn get(&self, path: &str) -> String {
        let mut connection = self.connect();
        let head = "host: shop\r\nx-tenant-id: acme\r\nconnection: close\r\n";
        write!(connection, "GET {path} HTTP/1.1\r\n{head}\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        body.to_owned()
    }

    fn metrics(&self) -> Metrics {
        let text = self.get("/metrics");
        let mut numbers = text.split(' ').map(|number| number.parse().unwrap());
        let mut next = || numbers.next().unwrap_or(0);
        Metrics {
            uploads: next(),
            recorded: next(),
            delivered: next(),
            incomplete_heads: next(),
        }
    }

    fn wait(&self, what: &str, is_so: impl Fn(Metrics) -> bool) -> Metrics {
        let start = Instant::now();
        loop {
            let metrics = self.metrics();
            if is_so(metrics) {
                return metrics;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {metrics:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The most memory that the process has had, in bytes.
    fn peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: usize = line.unwrap().trim_end_matches("kB").trim().parse().unwrap();
        kib * 1024
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// What the attack does to a service. `attack` opens so many uploads and returns what keeps them open.
struct Outcome {
    peak: usize,
    /// After the attack, and after the honest requests.
    incomplete_heads: [usize; 2],
}

fn suffer<T>(arguments: &[&str], uploads: usize, attack: impl Fn(&Service) -> T) -> Outcome {
    let service = Service::start(arguments);
    let connections = attack(&service);
    let before = service.wait("the uploads are under way", |it| it.uploads == uploads);
    for id in 0..ORDERS {
        assert_eq!(service.get(&format!("/orders/{id}")), format!("order {id}"));
    }
    let after = service.metrics();
    drop(connections);
    if arguments != OFF {
        let all = uploads + ORDERS;
        service.wait("all is recorded and delivered", |it| it.delivered >= all);
        let metrics = service.metrics();
        assert_eq!((metrics.recorded, metrics.delivered), (all, all));
    }
    Outcome {
        peak: service.peak(),
        incomplete_heads: [before, after].map(|it| it.incomplete_heads),
    }
}

const OFF: [&str; 1] = ["off"];

/// Holds a service with `memory` for telemetry against one without. Returns how many of the uploads have the tag that reads their heads.
fn compare<T>(memory: usize, uploads: usize, attack: impl Fn(&Service) -> T) -> usize {
    let receiver = Receiver::default();
    let off = suffer(&OFF, uploads, &attack);
    let on = suffer(&[&receiver.url(), &memory.to_string()], uploads, &attack);

    let spans = receiver.spans();
    let tagged = |name| {
        let named: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
        let acme = Some(Value::from("acme"));
        let tags = named.iter().map(|span| span.tag("tenant.id"));
        (named.len(), tags.filter(|tag| *tag == acme).count())
    };
    let (arrived_uploads, tagged_uploads) = tagged("POST /uploads");
    let (arrived_orders, tagged_orders) = tagged("GET /orders/{id}");
    assert_eq!((arrived_uploads, arrived_orders), (uploads, ORDERS));
    let [before, after] = on.incomplete_heads;
    assert_eq!(before, uploads, "no head of the attack is copied whole");
    assert!(
        ORDERS - tagged_orders <= after - before,
        "a missing tag is counted"
    );

    let mib = |bytes| bytes / MIB;
    println!(
        "{uploads} uploads, {} MiB for telemetry: a peak of {} MiB, without telemetry {} MiB; tagged {tagged_uploads} uploads and \
         {tagged_orders} of {ORDERS} orders",
        mib(memory),
        mib(on.peak),
        mib(off.peak)
    );
    let most = off.peak + MOST_ADDED;
    assert!(on.peak <= most, "{} bytes, at most {most}", on.peak);
    tagged_uploads
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A text as HPACK has it, without Huffman's code (RFC 7541, section 5.2).
fn text(text: &str) -> Vec<u8> {
    let mut encoded = Vec::new();
    let mut length = text.len();
    if length < 127 {
        encoded.push(length as u8);
    } else {
        encoded.push(127);
        length -= 127;
        while length > 127 {
            encoded.push(length as u8 | 128);
            length >>= 7;
        }
        encoded.push(length as u8);
    }
    encoded.extend(text.as_bytes());
    encoded
}

/// Requests whose heads name one entry of HPACK's dynamic table 4,000 times, a byte each: 85 KB stand for 320 MB.
fn name_one_header_again_and_again(service: &Service, streams: u32) -> TcpStream {
    const SETTINGS: u8 = 4;
    const HEADERS: u8 = 1;
    const END_HEADERS: u8 = 4;
    // Names of HPACK's static table (RFC 7541, appendix A).
    const METHOD_POST: u8 = 0x80 | 3;
    const SCHEME_HTTP: u8 = 0x80 | 6;
    const PATH: u8 = 4;
    const AUTHORITY: u8 = 1;
    const INDEXING: u8 = 0x40;
    const LATEST_ENTRY: u8 = 0x80 | 62;

    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    for stream in 0..streams {
        let mut head = vec![METHOD_POST, SCHEME_HTTP, PATH];
        head.extend(text("/uploads"));
        head.push(AUTHORITY);
        head.extend(text("shop"));
        // Not to be indexed: the large header stays the latest.
        head.push(0);
        head.extend([text("x-tenant-id"), text("acme")].concat());
        if stream == 0 {
            head.push(INDEXING);
            head.extend([text("x-large"), text(&"x".repeat(4_000))].concat());
        }
        head.extend([LATEST_ENTRY; 4_000]);
        sent.extend(frame(HEADERS, END_HEADERS, 2 * stream + 1, &head));
    }
    assert!(sent.len() < 90_000);
    let mut connection = service.connect();
    connection.write_all(&sent).unwrap();
    connection
}

#[test]
fn a_header_that_is_named_thousands_of_times_takes_no_memory() {
    let streams = 20;
    let attack = |service: &Service| name_one_header_again_and_again(service, streams);
    let tagged = compare(256 * MIB, streams as usize, attack);
    assert_eq!(tagged, streams as usize);
}

/// As many uploads as the machine is to bear: 2,500 need a limit of file descriptors (`ulimit -n`) above that.
fn idle_uploads() -> usize {
    let uploads = env::var("TEST_UPLOADS").ok();
    uploads.map_or(500, |uploads| uploads.parse().unwrap())
}

/// Uploads with heads of 120 KB, almost as large as actix-web lets them be, whose bodies never come.
fn upload_nothing(service: &Service, uploads: usize) -> Vec<TcpStream> {
    let mut head = "POST /uploads HTTP/1.1\r\nhost: shop\r\nx-tenant-id: acme\r\n".to_owned();
    let large = "x".repeat(8_000);
    for number in 0..15 {
        head += &format!("x-large-{number}: {large}\r\n");
    }
    head += "content-length: 1000\r\n\r\n";
    let open = |_| {
        let mut connection = service.connect();
        connection.write_all(head.as_bytes()).unwrap();
        connection
    };
    (0..uploads).map(open).collect()
}

#[test]
fn idle_uploads_with_large_heads_take_little_memory() {
    let uploads = idle_uploads();
    let tagged = compare(256 * MIB, uploads, |it| upload_nothing(it, uploads));
    assert!(tagged > 0);
    // A quarter of this is about half of what the copies would take.
    let memory = uploads * 32 * 1024;
    let tagged = compare(memory, uploads, |it| upload_nothing(it, uploads));
    assert!(
        (uploads / 3..uploads * 2 / 3).contains(&tagged),
        "{tagged} of {uploads}"
    );
}
