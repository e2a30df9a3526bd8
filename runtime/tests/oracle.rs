//! OpenTelemetry's SDK and OTLP exporter are the oracle: the same calls of the API, through theirs and through ours, must
//! arrive at a receiver as the same spans.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use biztrace::opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use biztrace::opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use biztrace::settings::{Limits, Sampler};
use biztrace::{Telemetry, TelemetryBuilder};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler as SdkSampler, SdkTracerProvider, SpanLimits};
use prost::Message;

/// A client that sends to nobody but this test.
#[derive(Debug)]
struct Tap(mpsc::SyncSender<Bytes>);

#[async_trait::async_trait]
impl HttpClient for Tap {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.0.send(request.into_body())?;
        Ok(Response::new(Bytes::new()))
    }
}

/// What the SDK sends.
fn theirs(record: impl FnOnce(&SdkTracerProvider)) -> Vec<ResourceSpans> {
    let (tap, sent) = mpsc::sync_channel(100);
    let exporter = exporter(tap).unwrap();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter)
        .with_sampler(SdkSampler::ParentBased(Box::new(SdkSampler::AlwaysOn)))
        .with_resource(
            Resource::builder_empty()
                .with_attributes(resource())
                .build(),
        )
        .with_span_limits(SpanLimits {
            max_attributes_per_span: LIMIT,
            max_events_per_span: LIMIT,
            max_links_per_span: LIMIT,
            max_attributes_per_event: LIMIT,
            max_attributes_per_link: LIMIT,
        })
        .build();
    record(&provider);
    provider.shutdown().unwrap();
    drop(provider);
    sent.into_iter().flat_map(decode).collect()
}

/// The SDK's OTLP exporter.
fn exporter(tap: mpsc::SyncSender<Bytes>) -> Result<SpanExporter, ExporterBuildError> {
    SpanExporter::builder()
        .with_http()
        .with_http_client(Tap(tap))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint("http://oracle/v1/traces")
        .build()
}

/// What this crate sends.
fn ours(record: impl FnOnce(&biztrace::otel::TracerProvider)) -> Vec<ResourceSpans> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let receiver = thread::spawn(move || receive_one(&listener));
    run(Telemetry::builder().otlp(url), record);
    decode(receiver.join().unwrap())
}

/// What the SDK's exporter sends of what this crate records.
fn adapted(record: impl FnOnce(&biztrace::otel::TracerProvider)) -> Vec<ResourceSpans> {
    let (tap, sent) = mpsc::sync_channel(100);
    let builder = Telemetry::builder().span_exporter("oracle", || exporter(tap));
    run(builder, record);
    sent.into_iter().flat_map(decode).collect()
}

fn run(builder: TelemetryBuilder, record: impl FnOnce(&biztrace::otel::TracerProvider)) {
    let mut limits = Limits::default();
    let limit = LIMIT as usize;
    (limits.attributes, limits.events, limits.links) = (limit, limit, limit);
    (limits.event_attributes, limits.link_attributes) = (limit, limit);
    let telemetry = builder
        .resource(resource())
        .sampler(Sampler::default())
        .limits(move |it| it.clone_from(&limits))
        .build()
        .unwrap();
    record(&telemetry.tracer_provider());
    let report = telemetry.shutdown_blocking();
    assert_eq!(report.delivered, report.recorded, "{report}");
}

/// Takes one HTTP request and returns its body.
fn receive_one(listener: &TcpListener) -> Bytes {
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    stream
        .get_mut()
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    body.into()
}

fn decode(body: Bytes) -> Vec<ResourceSpans> {
    ExportTraceServiceRequest::decode(body)
        .unwrap()
        .resource_spans
}

/// Above the attributes that this crate gives to a local root, below what `exercise` sets.
const LIMIT: u32 = 6;

fn resource() -> Vec<KeyValue> {
    vec![
        KeyValue::new("service.name", "oracle"),
        KeyValue::new("service.version", "1"),
    ]
}

fn at(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_000 + nanos)
}

/// All that the API can do with a span, at times that are given, in three scopes.
fn exercise<P>(provider: &P)
where
    P: TracerProvider,
    <P::Tracer as Tracer>::Span: Send + Sync + 'static,
{
    let plain = provider.tracer("plain");
    let scope = InstrumentationScope::builder("full")
        .with_version("2.1")
        .with_schema_url("https://opentelemetry.io/schemas/1.30.0")
        .with_attributes([KeyValue::new("scope.attribute", 1)])
        .build();
    let full = provider.tracer_with_scope(scope);

    let state = TraceState::from_key_value([("vendor", "x"), ("other", "y")]).unwrap();
    let caller = SpanContext::new(
        TraceId::from(0xabc),
        SpanId::from(0xdef),
        TraceFlags::SAMPLED,
        true,
        state,
    );
    let remote = Context::new().with_remote_span_context(caller.clone());
    let builder = plain
        .span_builder("root")
        .with_kind(SpanKind::Server)
        .with_start_time(at(0));
    let root = Context::new().with_span(plain.build_with_context(builder, &remote));

    for (i, kind) in [
        SpanKind::Internal,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ]
    .into_iter()
    .enumerate()
    {
        let i = i as u64;
        let name = format!("kind {i}");
        let builder = full
            .span_builder(name)
            .with_kind(kind)
            .with_start_time(at(10 + i));
        full.build_with_context(builder, &root)
            .end_with_timestamp(at(20 + i));
    }

    let builder = plain
        .span_builder("values")
        .with_start_time(at(30))
        .with_attributes([KeyValue::new("at.start", true)]);
    let mut values = plain.build_with_context(builder, &root);
    values.set_attribute(KeyValue::new("int", i64::MIN));
    values.set_attribute(KeyValue::new("double", -0.5));
    values.set_attribute(KeyValue::new("string", "grüße\n\u{1F980}"));
    values.set_attribute(KeyValue::new("empty", ""));
    values.set_attribute(KeyValue::new("ints", Value::Array(Array::I64(vec![1, -1]))));
    values.end_with_timestamp(at(31));

    let mut arrays =
        plain.build_with_context(plain.span_builder("arrays").with_start_time(at(32)), &root);
    arrays.set_attribute(KeyValue::new(
        "bools",
        Value::Array(Array::Bool(vec![true, false])),
    ));
    arrays.set_attribute(KeyValue::new(
        "doubles",
        Value::Array(Array::F64(vec![1.5, f64::INFINITY])),
    ));
    let strings: Vec<StringValue> = vec!["a".into(), String::new().into()];
    arrays.set_attribute(KeyValue::new(
        "strings",
        Value::Array(Array::String(strings)),
    ));
    arrays.set_attribute(KeyValue::new("none", Value::Array(Array::I64(vec![]))));
    arrays.end_with_timestamp(at(33));

    for (i, status) in [
        Status::Ok,
        Status::error(""),
        Status::error("declined"),
        Status::Unset,
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("status {i}");
        let mut span =
            full.build_with_context(full.span_builder(name).with_start_time(at(40)), &root);
        span.set_status(status);
        span.end_with_timestamp(at(41));
    }

    let many = |n: usize| {
        (0..n)
            .map(|i| KeyValue::new(format!("key{i}"), i as i64))
            .collect::<Vec<_>>()
    };
    let mut limits =
        plain.build_with_context(plain.span_builder("limits").with_start_time(at(50)), &root);
    limits.set_attributes(many(9));
    for i in 0..8 {
        limits.add_event_with_timestamp(format!("event {i}"), at(51 + i), many(i as usize + 3));
        let to = SpanContext::new(
            TraceId::from(7),
            SpanId::from(8),
            TraceFlags::default(),
            i % 2 == 0,
            TraceState::NONE,
        );
        limits.add_link(to, many(i as usize + 3));
    }
    limits.end_with_timestamp(at(60));

    let builder = plain
        .span_builder("links")
        .with_start_time(at(61))
        .with_links(vec![Link::new(
            caller,
            vec![KeyValue::new("why", "retry")],
            0,
        )]);
    let mut links = plain.build_with_context(builder, &root);
    links.update_name("links, renamed");
    links.end_with_timestamp(at(62));

    root.span().end_with_timestamp(at(70));
}

/// The scopes in order, their spans by name, ids in the order of the spans, and what only one of the two adds left out.
fn normalised(sent: Vec<ResourceSpans>) -> Vec<ScopeSpans> {
    let mut scopes: Vec<ScopeSpans> = Vec::new();
    for resource_spans in sent {
        let mut attributes = resource_spans.resource.unwrap().attributes;
        // The SDK leaves the instance to the application.
        let is_ours = |key: &str| key.starts_with("telemetry.sdk.") || key == "service.instance.id";
        attributes.retain(|attribute| !is_ours(&attribute.key));
        attributes.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(
            attributes
                .iter()
                .map(|a| a.key.as_str())
                .collect::<Vec<_>>(),
            ["service.name", "service.version"]
        );
        for mut scope_spans in resource_spans.scope_spans {
            let same = |other: &&mut ScopeSpans| {
                other.scope == scope_spans.scope && other.schema_url == scope_spans.schema_url
            };
            match scopes.iter_mut().find(same) {
                Some(scope) => scope.spans.append(&mut scope_spans.spans),
                None => scopes.push(scope_spans),
            }
        }
    }
    scopes.sort_by_key(|scope| scope.scope.clone().unwrap_or_default().name);
    let mut ids = Vec::new();
    for scope in &mut scopes {
        scope.spans.sort_by(|a, b| a.name.cmp(&b.name));
        for span in &mut scope.spans {
            span.attributes
                .retain(|attribute| !attribute.key.starts_with("sampling."));
            ids.push(span.span_id.clone());
        }
    }
    let index = |id: &mut Vec<u8>| {
        if let Some(index) = ids.iter().position(|known| known == id) {
            *id = vec![index as u8];
        }
    };
    for span in scopes.iter_mut().flat_map(|scope| &mut scope.spans) {
        index(&mut span.span_id);
        index(&mut span.parent_span_id);
    }
    scopes
}

#[test]
fn the_same_calls_arrive_as_the_same_spans() {
    let (theirs, ours) = (theirs(exercise), ours(exercise));
    assert_same(normalised(ours), normalised(theirs));
}

#[test]
fn an_exporter_of_the_sdk_sends_the_same_spans() {
    let (adapted, ours) = (adapted(exercise), ours(exercise));
    assert_same(normalised(adapted), normalised(ours));
}

#[track_caller]
fn assert_same(ours: Vec<ScopeSpans>, theirs: Vec<ScopeSpans>) {
    let names = |scopes: &[ScopeSpans]| -> Vec<String> {
        scopes
            .iter()
            .flat_map(|scope| scope.spans.iter().map(|span| span.name.clone()))
            .collect()
    };
    assert_eq!(names(&ours), names(&theirs));
    assert_eq!(names(&ours).len(), 13);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for (ours, theirs) in ours.spans.iter().zip(&theirs.spans) {
            assert_eq!(ours, theirs, "{}", theirs.name);
        }
        assert_eq!(ours, theirs);
    }
}
