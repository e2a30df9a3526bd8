//! Tags, events and errors without a macro: `biztrace::current()` and the extractor `RequestSpan`.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, FromRequest, HttpRequest, HttpResponse, get, web};
use behaviour::{Instance, Service, Span, tag_of};
use biztrace::actix::RequestSpan;
use biztrace::settings::Sampler;
use biztrace::value::{Encoder, Key};
use biztrace::{CurrentSpan, Value, current, traced, traced_handler};
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanProcessor};

#[derive(Debug)]
struct Declined(Limit);

#[derive(Debug)]
struct Limit;

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("declined")
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What users format may look at the current span, too.
        current().set("app.was_formatted", &true);
        f.write_str("over the limit")
    }
}

impl Error for Declined {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Limit {}

/// A value that opens a span of its own while it is encoded.
struct Looked;

impl Value for Looked {
    fn encode(&self, encoder: Encoder<'_>) {
        current().set("app.looked", &true);
        looked_up().encode(encoder);
    }
}

#[traced]
fn looked_up() -> u32 {
    7
}

const ORDER_ID: Key<'_> = Key::new("order.id");

#[traced]
fn works() {
    let span = current();
    span.set(ORDER_ID, &7);
    span.set("order.stage", "first");
    span.set("order.stage", "second");
    span.set(&format!("order.{}", "items"), &vec!["tea", "pot"]);
    span.set("order.coupon", &None::<&str>);
    span.set("", "nameless");
    span.set("app.value", &Looked);
    span.event("paid", [KeyValue::new("payment.method", "card")]);
}

#[actix_web::test]
async fn the_current_span_takes_tags_of_every_type_and_events() {
    let instance = Instance::default();
    instance.under_root(async { works() }).await;
    let spans = instance.spans(3).await;
    let span = spans.named("works");
    assert_eq!(span.tag("order.id"), Some(7.into()));
    assert_eq!(span.tag("order.stage"), Some("second".into()));
    assert!(format!("{:?}", span.tag("order.items")).contains("pot"));
    assert_eq!(
        (span.tag("order.coupon"), span.tag("app.value")),
        (None, Some(7.into()))
    );
    assert_eq!(
        span.tag("app.looked"),
        Some(true.into()),
        "a value may use the current span while it is encoded"
    );
    assert_eq!(
        (span.tag(""), span.dropped_attributes_count),
        (None, 1),
        "an attribute needs a name"
    );
    let [event] = &*span.events else {
        panic!("one event: {:?}", span.events);
    };
    assert_eq!(
        (&*event.name, tag_of(&event.attributes, "payment.method")),
        ("paid", Some("card".into()))
    );
    assert!(
        (span.start_time_unix_nano..=span.end_time_unix_nano).contains(&event.time_unix_nano),
        "it happened now"
    );
}

fn assert_exception(span: &Span, error_type: Option<&str>, message: &str) {
    let [event] = &*span.events else {
        panic!("one event: {:?}", span.events);
    };
    assert_eq!(event.name, "exception");
    let text = |key| tag_of(&event.attributes, key).map(|value| value.to_string());
    assert_eq!(text("exception.type").as_deref(), error_type);
    assert_eq!(text("exception.message").as_deref(), Some(message));
    assert_eq!(span.outcome(), (StatusCode::Error, ""));
    let error_type = error_type.unwrap_or("_OTHER").to_owned();
    assert_eq!(span.tag("error.type"), Some(error_type.into()));
}

#[traced]
fn fails() {
    current().record_error(&Declined(Limit));
}

#[traced]
fn fails_somehow() {
    let error: Box<dyn Error + Send + Sync> = Box::new(Declined(Limit));
    current().record_error(&*error);
}

#[actix_web::test]
async fn error_is_recorded_with_its_sources_and_known_type() {
    let instance = Instance::default();
    instance
        .under_root(async {
            fails();
            fails_somehow();
        })
        .await;
    let spans = instance.spans(3).await;
    let message = "declined: over the limit";
    assert_exception(
        spans.named("fails"),
        Some("functions::current_span::Declined"),
        message,
    );
    assert_exception(spans.named("fails_somehow"), None, message);
    for name in ["fails", "fails_somehow"] {
        assert_eq!(
            spans.named(name).tag("app.was_formatted"),
            Some(true.into()),
            "{name}"
        );
    }
    assert_eq!(spans.named("root").outcome().0, StatusCode::Unset);
}

/// Evaluated where it must not be.
fn unwanted() -> impl Iterator<Item = KeyValue> {
    std::iter::from_fn(|| panic!("nothing is recorded here"))
}

fn does_nothing(span: &CurrentSpan) {
    span.set("app.late", &true);
    span.event("late", unwanted());
    span.record_error(&Declined(Limit));
}

#[actix_web::test]
async fn without_a_span_and_after_its_end_nothing_happens() {
    let nothing = current();
    does_nothing(&nothing);
    assert_eq!((nothing.trace_id(), nothing.span_id()), (None, None));
    assert!(!nothing.context().is_valid());

    let instance = Instance::default();
    let span = instance.under_root(async { current() }).await;
    does_nothing(&span);
    let spans = instance.spans(1).await;
    let root = spans.named("root");
    assert!(root.tag("app.late").is_none() && root.events.is_empty());
    assert_eq!(
        span.trace_id().map(|id| id.to_string()),
        Some(root.trace()),
        "the ids stay"
    );
    assert_eq!(span.span_id().map(|id| id.to_string()), Some(root.id()));
    assert_eq!(Some(span.context().span_id()), span.span_id());
}

#[actix_web::test]
async fn a_handle_may_be_taken_to_other_threads() {
    let instance = Instance::default();
    instance
        .under_root(async {
            let span = current();
            let thread = std::thread::spawn(move || {
                assert_eq!(current().trace_id(), None, "the thread has no span");
                span.set("app.thread", "other");
            });
            thread.join().expect("the thread ends well");
        })
        .await;
    let spans = instance.spans(1).await;
    assert_eq!(spans[0].tag("app.thread"), Some("other".into()));
}

/// Keeps what the SDK of OpenTelemetry records.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().expect("no test panics with it").push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a_span_of_another_implementation_is_served_through_the_api() {
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(kept.clone())
        .build();
    provider.tracer("foreign").in_span("foreign", |cx| {
        use opentelemetry::trace::TraceContextExt;
        let span = current();
        assert_eq!(span.context(), *cx.span().span_context());
        assert_eq!(span.trace_id(), Some(span.context().trace_id()));
        for value in [1.5, 2.5] {
            span.set("order.amount", &value);
        }
        span.set("order.id", &u64::MAX);
        span.set("order.items", &["tea", "pot"]);
        span.set("order.express", &true);
        span.set("app.value", &Looked);
        span.event("paid", [KeyValue::new("payment.method", "card")]);
        span.record_error(&Declined(Limit));
    });
    let spans = kept.0.lock().unwrap();
    let [span] = &**spans else {
        panic!("one span: {spans:?}");
    };
    let tag = |key: &str| {
        let mut values = span.attributes.iter().filter(|tag| tag.key.as_str() == key);
        values.next_back().map(|tag| tag.value.to_string())
    };
    for (key, value) in [
        ("order.amount", "2.5"),
        ("order.id", "18446744073709551615"),
        ("order.items", r#"["tea","pot"]"#),
        ("order.express", "true"),
        ("app.value", "7"),
        ("error.type", "functions::current_span::Declined"),
    ] {
        assert_eq!(tag(key).as_deref(), Some(value), "{key}");
    }
    let events: Vec<_> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events, ["paid", "exception"]);
    assert_eq!(span.status, opentelemetry::trace::Status::error(""));
}

/// Answers with the ids of the request's span, from below a child of it.
#[get("/ids/{id}")]
#[traced_handler(child)]
async fn ids(id: web::Path<u64>, span: RequestSpan) -> HttpResponse {
    span.set("order.id", &*id);
    current().set("app.where", "child");
    span.event("seen", []);
    let id = |id: Option<String>| id.unwrap_or_default();
    HttpResponse::Ok().body(format!(
        "{} {}",
        id(span.trace_id().map(|id| id.to_string())),
        id(span.span_id().map(|id| id.to_string()))
    ))
}

#[get("/late")]
async fn extracted_late(request: HttpRequest) -> HttpResponse {
    below(&request).await;
    HttpResponse::Ok().finish()
}

#[traced]
async fn below(request: &HttpRequest) {
    let span = RequestSpan::extract(request).await.unwrap();
    span.set("app.from", "below");
}

#[actix_web::test]
async fn the_extractor_gives_the_server_span_even_below_a_child() {
    let service = Service::start(|tracing| {
        App::new()
            .wrap(tracing)
            .service(ids)
            .service(extracted_late)
    });
    let (_, answer) = service.get("/ids/7").await;
    let spans = service.spans(2).await;
    let (server, child) = (spans.server(), spans.named("ids"));
    assert_eq!(answer, format!("{} {}", server.trace(), server.id()));
    assert_eq!(
        (server.tag("order.id"), child.tag("order.id")),
        (Some(7.into()), None)
    );
    assert_eq!(
        (server.tag("app.where"), child.tag("app.where")),
        (None, Some("child".into()))
    );
    assert_eq!((server.events.len(), child.events.len()), (1, 0));
}

#[actix_web::test]
async fn extractor_finds_the_server_span_anywhere_in_its_scope() {
    let service = Service::start(|tracing| App::new().wrap(tracing).service(extracted_late));
    assert_eq!(service.get("/late").await.0, 200);
    let spans = service.spans(2).await;
    assert_eq!(spans.server().tag("app.from"), Some("below".into()));
    assert_eq!(spans.named("below").tag("app.from"), None);
}

#[actix_web::test]
async fn the_extractor_does_nothing_where_there_is_no_request_span() {
    let bare = Service::start(|_| App::new().service(ids));
    assert_eq!(bare.get("/ids/7").await, (200, " ".into()));
    assert_eq!(bare.instance.report_of(0).await.recorded, 0);

    let answer = ids_of(RequestSpan::default());
    assert_eq!(answer, None, "called directly");
}

fn ids_of(span: RequestSpan) -> Option<String> {
    span.set("order.id", &7);
    span.trace_id().map(|id| id.to_string())
}

#[actix_web::test]
async fn a_request_that_is_not_recorded_has_ids_all_the_same() {
    let unsampled = Instance::new(|settings| settings.sampler(Sampler::always_off()));
    let service = Service::recording_to(unsampled, |tracing| App::new().wrap(tracing).service(ids));
    let (_, answer) = service.get("/ids/7").await;
    let (trace, span) = answer.split_once(' ').expect("two ids");
    assert_eq!((trace.len(), span.len()), (32, 16), "{answer}");
    service.spans(0).await;
}
