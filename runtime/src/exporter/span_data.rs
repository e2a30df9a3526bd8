//! The spans of a request as the SDK has them: for its exporters, and for tests.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::trace::v1::{self as proto, ResourceSpans, span, status};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::attribute::api_value;

pub(super) fn of(resources: Vec<ResourceSpans>) -> Vec<SpanData> {
    let scopes = resources
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    scopes
        .flat_map(|scope_spans| {
            let scope = scope(
                scope_spans.scope.unwrap_or_default(),
                scope_spans.schema_url,
            );
            scope_spans
                .spans
                .into_iter()
                .map(move |span| span_data(span, scope.clone()))
        })
        .collect()
}

fn scope(scope: common::InstrumentationScope, schema_url: String) -> InstrumentationScope {
    let mut builder =
        InstrumentationScope::builder(scope.name).with_attributes(attributes(scope.attributes));
    if !scope.version.is_empty() {
        builder = builder.with_version(scope.version);
    }
    if !schema_url.is_empty() {
        builder = builder.with_schema_url(schema_url);
    }
    builder.build()
}

fn span_data(span: proto::Span, instrumentation_scope: InstrumentationScope) -> SpanData {
    let mut events = SpanEvents::default();
    events.events = span.events.into_iter().map(event).collect();
    events.dropped_count = span.dropped_events_count;
    let mut links = SpanLinks::default();
    links.links = span.links.into_iter().map(link).collect();
    links.dropped_count = span.dropped_links_count;
    SpanData {
        span_context: context(
            &span.trace_id,
            &span.span_id,
            span.flags,
            false,
            &span.trace_state,
        ),
        parent_span_id: span_id(&span.parent_span_id),
        parent_span_is_remote: is_remote(span.flags),
        span_kind: kind(span.kind),
        name: span.name.into(),
        start_time: time(span.start_time_unix_nano),
        end_time: time(span.end_time_unix_nano),
        attributes: attributes(span.attributes),
        dropped_attributes_count: span.dropped_attributes_count,
        events,
        links,
        status: span.status.map_or(Status::Unset, status),
        instrumentation_scope,
    }
}

fn event(event: span::Event) -> Event {
    Event::new(
        event.name,
        time(event.time_unix_nano),
        attributes(event.attributes),
        event.dropped_attributes_count,
    )
}

fn link(link: span::Link) -> Link {
    let remote = is_remote(link.flags);
    Link::new(
        context(
            &link.trace_id,
            &link.span_id,
            link.flags,
            remote,
            &link.trace_state,
        ),
        attributes(link.attributes),
        link.dropped_attributes_count,
    )
}

/// Bit 9 of a span's or a link's flags.
fn is_remote(flags: u32) -> bool {
    flags & 0x200 != 0
}

fn context(trace_id: &[u8], id: &[u8], flags: u32, is_remote: bool, state: &str) -> SpanContext {
    let trace_id = trace_id
        .try_into()
        .map_or(TraceId::INVALID, TraceId::from_bytes);
    // The low eight bits are those of W3C Trace Context.
    let flags = TraceFlags::new(flags as u8);
    let state = state.parse().unwrap_or(TraceState::NONE);
    SpanContext::new(trace_id, span_id(id), flags, is_remote, state)
}

fn span_id(id: &[u8]) -> SpanId {
    id.try_into().map_or(SpanId::INVALID, SpanId::from_bytes)
}

fn kind(kind: i32) -> SpanKind {
    match span::SpanKind::try_from(kind).unwrap_or_default() {
        span::SpanKind::Server => SpanKind::Server,
        span::SpanKind::Client => SpanKind::Client,
        span::SpanKind::Producer => SpanKind::Producer,
        span::SpanKind::Consumer => SpanKind::Consumer,
        span::SpanKind::Internal | span::SpanKind::Unspecified => SpanKind::Internal,
    }
}

fn status(status: proto::Status) -> Status {
    match status::StatusCode::try_from(status.code).unwrap_or_default() {
        status::StatusCode::Ok => Status::Ok,
        status::StatusCode::Error => Status::error(status.message),
        status::StatusCode::Unset => Status::Unset,
    }
}

fn time(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}

fn attributes(attributes: Vec<common::KeyValue>) -> Vec<KeyValue> {
    attributes
        .into_iter()
        .filter_map(|attribute| {
            let value = api_value(attribute.value.as_ref()?)?;
            Some(KeyValue::new(attribute.key, value))
        })
        .collect()
}
