//! A loaded server that samples nothing: what matters arrives all the same, each span once, and nothing else does.
//!
//! It runs rounds for three seconds, or for as many as `TEST_STRESS_SECONDS` says. Of a hundred requests one fails, one is slow and one gets a
//! tag late. One tenant sends twenty times as many requests as the other, whose traces are all kept.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, get};
use behaviour::{
    Instance, Receiver, Service, Span, assert_balanced, eventually, lost, stress_time,
};
use biztrace::report::Report;
use biztrace::settings::{Keep, Otlp, Policy, Sampler, Tenants, Tier};
use biztrace::{tag, traced, traced_handler};
use futures_util::{StreamExt, stream};
use opentelemetry::Value;
use reqwest::Method;
use tokio::time::sleep;

/// A request that takes longer is slow. Others may take as long on a busy machine: they are told apart by their reason.
const BOUND: Duration = Duration::from_millis(250);

/// Well beyond it.
const SLOW: Duration = Duration::from_millis(500);

/// A round has so many requests, of which 100 are vip's. All their spans fit in a queue, should the machine make all of them slow.
const REQUESTS: u64 = 2_100;

/// Spans of each request: of the server, `load` and `charge`.
const SPANS: u64 = 3;

const QUEUE: usize = (SPANS * REQUESTS) as usize;

/// Requests that are under way at a time.
const CONNECTIONS: usize = 32;

/// What the process may grow by after its first round. The traces of two rounds take more.
const MOST_GROWTH: usize = 8 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ordinary,
    /// Its response is a 500.
    Fails,
    /// A function below it fails, and the response is as ever.
    FailsBelow,
    Slow,
    /// A function tags its span before it ends.
    TaggedBelow,
    /// It gets a tag while its body is sent.
    TaggedLate,
}

/// A request of the load: its number decides on the rest.
#[derive(Debug, Clone, Copy)]
struct Request(u64);

impl Request {
    fn kind(self) -> Kind {
        let is_even = (self.0 / 100).is_multiple_of(2);
        match (self.0 % 100, is_even) {
            (17, true) => Kind::Fails,
            (17, false) => Kind::FailsBelow,
            (42, _) => Kind::Slow,
            (80, true) => Kind::TaggedBelow,
            (80, false) => Kind::TaggedLate,
            _ => Kind::Ordinary,
        }
    }

    fn is_vip(self) -> bool {
        self.0.is_multiple_of(21)
    }

    fn tenant(self) -> &'static str {
        if self.is_vip() { "acme" } else { "initech" }
    }

    /// Whether the server only learns of the tenant while it works.
    fn is_named_late(self) -> bool {
        (self.0 / 21).is_multiple_of(2)
    }

    fn matters(self) -> bool {
        self.is_vip() || self.kind() != Kind::Ordinary
    }

    /// Why it is kept, if the machine does not make it slow.
    fn reason(self) -> &'static str {
        match self.kind() {
            Kind::Fails | Kind::FailsBelow => "error",
            Kind::Slow => "slow",
            Kind::TaggedBelow | Kind::TaggedLate => "policy",
            Kind::Ordinary => "tier",
        }
    }
}

#[derive(Debug)]
struct Declined;

#[traced(attrs(load.id = request.0))]
async fn load(request: Request) {
    tokio::task::yield_now().await;
    if request.is_named_late() {
        tag!(tenant.id = request.tenant());
    }
}

#[traced(attrs(load.id = request.0))]
async fn charge(request: Request) -> Result<(), Declined> {
    tokio::task::yield_now().await;
    match request.kind() {
        Kind::FailsBelow => return Err(Declined),
        Kind::TaggedBelow => tag!(risk.review = true),
        _ => {}
    }
    Ok(())
}

#[get("/orders/{id}")]
#[traced_handler]
async fn order(id: web::Path<u64>, _request: HttpRequest) -> HttpResponse {
    let request = Request(*id);
    tag!(load.id = *id);
    load(request).await;
    let is_charged = charge(request).await.is_ok();
    assert_eq!(is_charged, request.kind() != Kind::FailsBelow);
    match request.kind() {
        Kind::Fails => HttpResponse::InternalServerError().finish(),
        Kind::Slow => {
            sleep(SLOW).await;
            HttpResponse::Ok().finish()
        }
        Kind::TaggedLate => {
            let chunks = stream::once(async {
                tag!(risk.review = true);
                Ok::<_, std::io::Error>(Bytes::from_static(b"an order"))
            });
            HttpResponse::Ok().streaming(chunks)
        }
        _ => HttpResponse::Ok().finish(),
    }
}

/// A server that samples nothing, and keeps what matters.
fn service() -> Service {
    let receiver = Receiver::default();
    let url = receiver.url();
    let patience = Duration::from_secs(120);
    let settings = Instance::exporting(|builder| {
        builder
            // On a busy machine, too, no request is sent a second time.
            .otlp(Otlp::http(url).timeout(patience))
            .export_timeout(patience)
            .schedule_delay(Duration::from_millis(20))
            .sampler(Sampler::probability(0.0))
            .keep(
                Keep::errors()
                    .slower_than(BOUND)
                    .policy(Policy::equals("risk.review", true)),
            )
            .tenants(
                Tenants::from_header("x-tenant-id")
                    .tier("vip", Tier::of(["acme"]).rate(1.0).queue(QUEUE))
                    .tier("default", Tier::rest().rate(0.0).queue(QUEUE)),
            )
    });
    let instance = Instance {
        receiver,
        ..settings
    };
    Service::with_workers(2, instance, |tracing| {
        App::new().service(order).wrap(tracing)
    })
}

/// Sends requests, and takes their whole answers.
async fn send(service: &Service, numbers: Range<u64>) {
    let send = async |number| {
        let request = Request(number);
        let mut sent = service.request(Method::GET, &format!("/orders/{number}"));
        if !request.is_named_late() {
            sent = sent.header("x-tenant-id", request.tenant());
        }
        let answer = sent.send().await.expect("an answer");
        let is_ok = request.kind() != Kind::Fails;
        assert_eq!(answer.status().is_success(), is_ok);
        answer.bytes().await.expect("the whole body");
        if number.is_multiple_of(50) {
            assert_balanced(&service.instance.telemetry.report());
        }
    };
    stream::iter(numbers)
        .for_each_concurrent(CONNECTIONS, send)
        .await;
}

/// Checks what has arrived of a round's requests. Returns how many do not matter, and are kept since the machine has made them slow.
fn check(spans: &[Span], numbers: Range<u64>) -> u64 {
    let mut made_slow = 0;
    let mut arrived = HashMap::<_, Vec<_>>::new();
    for span in spans {
        let Some(Value::I64(id)) = span.tag("load.id") else {
            panic!("{span:?} is of no request");
        };
        arrived.entry(id as u64).or_default().push(span);
    }
    let unknown = arrived.keys().find(|number| !numbers.contains(number));
    assert_eq!(unknown, None, "it is of another round");
    for request in numbers.map(Request) {
        let Some(spans) = arrived.get(&request.0) else {
            assert!(!request.matters(), "{request:?} is lost");
            continue;
        };
        assert_whole(request, spans);
        let root = spans.iter().find(|span| span.name == "GET /orders/{id}");
        let root = root.unwrap();
        let reason = root.tag("sampling.reason");
        if !request.matters() {
            assert_eq!(reason, Some("slow".into()), "{request:?}");
            made_slow += 1;
        } else if reason != Some(request.reason().into()) {
            assert_eq!(reason, Some("slow".into()), "{request:?}");
            assert_ne!(request.reason(), "error", "errors go before time");
        } else if reason == Some("policy".into()) {
            assert_eq!(root.tag("sampling.policy"), Some("risk.review".into()));
        }
        let tier = if request.is_vip() { "vip" } else { "default" };
        assert_eq!(root.tag("sampling.tier"), Some(tier.into()));
    }
    made_slow
}

/// Each span of the request has arrived once, as part of one trace, and says whose it is.
fn assert_whole(request: Request, spans: &[&Span]) {
    let mut names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["GET /orders/{id}", "charge", "load"], "{request:?}");
    let traces: HashSet<_> = spans.iter().map(|span| span.trace()).collect();
    assert_eq!(traces.len(), 1, "{request:?}");
    for span in spans {
        assert_eq!(span.tag("tenant.id"), Some(request.tenant().into()));
    }
}

/// The counters after so many requests, of which `made_slow` did not matter and were kept all the same.
fn assert_closed(report: &Report, requests: u64, made_slow: u64) {
    assert_balanced(report);
    assert_eq!(report.waiting, 0, "{report}");
    assert_eq!(lost(&report.dropped), 0, "{report}");
    let [vip, rest] = &*report.tiers else {
        panic!("{report}")
    };
    let count = |is_counted: fn(&Request) -> bool| {
        SPANS * (0..requests).map(Request).filter(is_counted).count() as u64
    };
    let of_vip = count(|request| request.is_vip());
    assert_eq!((vip.kept, vip.dropped.total()), (of_vip, 0), "{report}");
    let of_rest = count(|request| !request.is_vip() && request.matters());
    assert_eq!(rest.kept, of_rest + SPANS * made_slow, "{report}");
    let sampled_out = SPANS * requests - vip.kept - rest.kept;
    assert_eq!(rest.dropped.total(), sampled_out, "{report}");
}

/// The process's resident memory in bytes, where the system tells.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[actix_web::test]
async fn loaded_server_delivers_each_span_that_matters_once_and_no_other() {
    let service = service();
    let telemetry = &service.instance.telemetry;
    let (start, time) = (Instant::now(), stress_time());
    let (mut sent, mut made_slow) = (0, 0);
    let mut first = None;
    // The first round fills pools and buffers, the second and third show that they suffice.
    while sent < 3 * REQUESTS || start.elapsed() < time {
        let numbers = sent..sent + REQUESTS;
        send(&service, numbers.clone()).await;
        sent = numbers.end;
        eventually("all is decided and delivered", || {
            let report = telemetry.report();
            report.recorded == SPANS * sent && report.waiting == 0
        })
        .await;
        made_slow += check(&service.instance.receiver.take_spans(), numbers);
        first = first.or_else(resident);
    }
    let grown = resident()
        .zip(first)
        .map(|(now, first)| now.saturating_sub(first));
    let report = telemetry.shutdown().await;
    assert_eq!(service.instance.receiver.take_spans().len(), 0);
    assert_closed(&report, sent, made_slow);
    println!(
        "{sent} requests, of which the machine made {} slow, in {:?}",
        made_slow,
        start.elapsed()
    );
    println!("{report}; {grown:?} bytes of memory more than after the first {REQUESTS} requests");
    assert!(grown.unwrap_or(0) < MOST_GROWTH, "{grown:?} bytes");
}
