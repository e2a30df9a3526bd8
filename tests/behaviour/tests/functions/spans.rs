//! `#[traced]` functions: a child span each, below the right parent, whatever the function's shape and end.

use std::cell::Cell;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use behaviour::{Instance, Span, Spans, is_child};
use biztrace::testing::Capture;
use biztrace::{biz_attrs, traced};
use futures_util::FutureExt;
use futures_util::future::join_all;
use opentelemetry::Context;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio::task::{spawn_blocking, yield_now};

#[derive(Debug)]
struct Failure;

impl From<std::num::ParseIntError> for Failure {
    fn from(_: std::num::ParseIntError) -> Self {
        Self
    }
}

/// The spans of `body`, run below a span named `root`; there must be `count` beside that.
async fn spans_of<T>(count: u64, body: impl Future<Output = T>) -> (T, Spans) {
    let instance = Instance::default();
    let output = instance.under_root(body).await;
    (output, instance.spans(count + 1).await)
}

fn assert_failed(span: &Span) {
    assert_eq!(span.outcome(), (StatusCode::Error, ""), "{}", span.name);
    assert_eq!(
        span.tag("error.type"),
        Some("functions::spans::Failure".into()),
        "{}",
        span.name
    );
}

#[traced]
fn parse(text: &str) -> Result<u32, Failure> {
    if text == "early" {
        return Err(Failure);
    }
    let number = text.parse()?;
    Ok(number)
}

#[traced]
async fn load(text: &str) -> Result<u32, Failure> {
    yield_now().await;
    let number = parse(text)?;
    if number == 13 {
        return Err(Failure);
    }
    Ok(number)
}

#[actix_web::test]
async fn an_error_marks_each_span_that_returns_it() {
    let cases = [
        ("7", StatusCode::Unset, StatusCode::Unset),
        ("13", StatusCode::Error, StatusCode::Unset),
        ("early", StatusCode::Error, StatusCode::Error),
        ("seven", StatusCode::Error, StatusCode::Error),
    ];
    for (text, outer, inner) in cases {
        let (result, spans) = spans_of(2, load(text)).await;
        assert_eq!(result.is_err(), outer == StatusCode::Error);
        let (load, parse) = (spans.named("load"), spans.named("parse"));
        assert!(is_child(load, spans.named("root")) && is_child(parse, load));
        for (span, expected) in [(load, outer), (parse, inner)] {
            assert_eq!(span.outcome().0, expected, "{text}");
            if expected == StatusCode::Error {
                assert_failed(span);
            }
        }
    }
}

/// `#[traced]` finds a result by its type, not by how that is written.
type Outcome = Result<(), Failure>;

#[traced]
fn aliased() -> Outcome {
    Err(Failure)
}

#[actix_web::test]
async fn an_error_is_found_by_its_type() {
    let (result, spans) = spans_of(1, async { aliased() }).await;
    assert!(result.is_err());
    assert_failed(spans.named("aliased"));
}

#[traced(name = "SELECT stock", kind = "client", attrs(db.system.name = "sqlite", db.rows = rows.len(), server.port = 5432))]
fn query(rows: &[u8]) -> usize {
    rows.len()
}

#[traced(kind = "producer")]
#[biz_attrs(order.id = id)]
async fn publish(id: u64) {
    yield_now().await;
}

#[traced]
fn evaluates() {}

#[traced(attrs(app.value = { evaluates(); 3 }))]
fn with_a_traced_value() {}

#[actix_web::test]
async fn name_kind_and_attributes_are_as_they_say() {
    let (_, spans) = spans_of(4, async {
        query(&[1, 2, 3]);
        publish(u64::MAX).await;
        with_a_traced_value();
    })
    .await;
    let query = spans.named("SELECT stock");
    assert_eq!(query.kind(), SpanKind::Client);
    assert_eq!(query.tag("db.system.name"), Some("sqlite".into()));
    assert_eq!(query.tag("db.rows"), Some(3.into()));
    assert_eq!(query.tag("server.port"), Some(5432.into()));
    let publish = spans.named("publish");
    assert_eq!(publish.kind(), SpanKind::Producer);
    assert_eq!(
        publish.tag("order.id"),
        Some(u64::MAX.to_string().into()),
        "no integer of OTLP's holds it"
    );
    assert_eq!(
        spans.named("with_a_traced_value").tag("app.value"),
        Some(3.into())
    );
    assert_eq!(spans.named("evaluates").trace(), query.trace());
}

struct Cart {
    items: Vec<u32>,
}

impl Cart {
    #[traced]
    fn total(&self) -> u32 {
        self.items.iter().sum()
    }

    #[traced]
    fn first(&mut self) -> &mut u32 {
        &mut self.items[0]
    }

    #[traced]
    async fn last(&mut self) -> Option<&mut u32> {
        yield_now().await;
        self.items.last_mut()
    }

    #[traced]
    fn into_items(self) -> impl Iterator<Item = u32> {
        self.items.into_iter().filter(|item| *item > 1)
    }
}

#[traced]
fn largest<'a, T: PartialOrd + ?Sized>(one: &'a T, other: &'a T) -> &'a T {
    if one > other { one } else { other }
}

#[traced]
async fn mapped<T, U>(values: Vec<T>, mut f: impl FnMut(T) -> U) -> Vec<U> {
    values.into_iter().map(&mut f).collect()
}

#[actix_web::test]
async fn methods_and_generic_functions_work_as_without_tracing() {
    let (_, spans) = spans_of(6, async {
        let mut cart = Cart {
            items: vec![1, 2, 3],
        };
        *cart.first() += 4;
        *cart.last().await.expect("three items") += 1;
        assert_eq!(cart.total(), 11);
        assert_eq!(largest("a", "b"), "b");
        assert_eq!(mapped(vec![1, 2], |n| n * 2).await, [2, 4]);
        assert_eq!(cart.into_items().collect::<Vec<_>>(), [5, 2, 4]);
    })
    .await;
    for name in ["total", "first", "last", "into_items", "largest", "mapped"] {
        let span = spans.named(name);
        assert!(is_child(span, spans.named("root")), "{name}");
        assert_eq!(span.outcome().0, StatusCode::Unset, "{name}");
    }
}

#[traced(attrs(app.depth = depth))]
fn recurse(depth: u32) -> u32 {
    if depth == 0 {
        0
    } else {
        1 + recurse(depth - 1)
    }
}

#[actix_web::test]
async fn recursion_nests() {
    let (depth, spans) = spans_of(4, async { recurse(3) }).await;
    assert_eq!(depth, 3);
    let at = |depth: i64| {
        spans
            .iter()
            .find(|span| span.tag("app.depth") == Some(depth.into()))
            .expect("one a depth")
    };
    for depth in 0..3 {
        assert!(is_child(at(depth), at(depth + 1)));
    }
    assert!(is_child(at(3), spans.named("root")));
}

#[traced]
async fn stalls() {
    pending().await
}

#[traced]
fn panics(when: &str) {
    assert!(when == "never", "as it was told to");
}

#[actix_web::test]
async fn a_future_that_loses_a_race_is_cancelled() {
    let (_, spans) = spans_of(1, async {
        tokio::select! {
            () = stalls() => {}
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    })
    .await;
    let stalls = spans.named("stalls");
    assert_eq!(stalls.tag("biztrace.outcome"), Some("cancelled".into()));
    assert_eq!(
        (stalls.outcome(), stalls.tag("error.type")),
        ((StatusCode::Unset, ""), None)
    );
    assert_eq!(spans.named("root").tag("biztrace.outcome"), None);
}

#[actix_web::test]
async fn a_future_that_is_never_polled_makes_no_span() {
    let (_, spans) = spans_of(0, async { drop(stalls()) }).await;
    assert_eq!(spans[0].name, "root");
}

#[actix_web::test]
async fn a_panic_is_an_error_of_the_span_that_it_leaves() {
    let (_, spans) = spans_of(2, async {
        let caught = AssertUnwindSafe(async { panics("now") })
            .catch_unwind()
            .await;
        assert!(caught.is_err());
        recurse(0)
    })
    .await;
    let panics = spans.named("panics");
    assert_eq!(panics.tag("biztrace.outcome"), Some("panicked".into()));
    assert_eq!(panics.tag("error.type"), Some("panic".into()));
    assert_eq!(panics.outcome(), (StatusCode::Error, ""));
    assert!(
        is_child(spans.named("recurse"), spans.named("root")),
        "the panic left nothing current"
    );
}

#[traced(attrs(app.name = name))]
async fn alternates(name: &'static str) {
    for _ in 0..3 {
        yield_now().await;
        leaf(name);
    }
}

#[traced(attrs(app.name = name))]
fn leaf(name: &'static str) {}

#[actix_web::test]
async fn futures_that_take_turns_keep_their_children_apart() {
    let (_, spans) = spans_of(8, join_all(["one", "other"].map(alternates))).await;
    for leaf in spans.iter().filter(|span| span.name == "leaf") {
        let parent = spans
            .iter()
            .find(|span| is_child(leaf, span))
            .expect("its parent has arrived");
        assert_eq!(
            (&*parent.name, parent.tag("app.name")),
            ("alternates", leaf.tag("app.name"))
        );
        assert!(is_child(parent, spans.named("root")));
    }
}

#[traced]
async fn on_this_thread(shared: Rc<Cell<u32>>) -> Rc<Cell<u32>> {
    yield_now().await;
    shared.set(shared.get() + 1);
    shared
}

#[actix_web::test]
async fn a_future_need_not_be_send() {
    let (shared, spans) = spans_of(1, on_this_thread(Rc::default())).await;
    assert_eq!(shared.get(), 1);
    assert!(is_child(spans.named("on_this_thread"), spans.named("root")));
}

#[actix_web::test]
async fn carried_context_is_the_parent_on_other_threads_and_tasks() {
    let (_, spans) = spans_of(2, async {
        let cx = Context::current();
        let blocking = spawn_blocking(move || {
            let _entered = cx.attach();
            recurse(0)
        });
        let task = opentelemetry::trace::FutureExt::with_current_context(publish(7));
        tokio::task::spawn_local(task).await.expect("the task ends");
        blocking.await.expect("the thread ends");
    })
    .await;
    for name in ["recurse", "publish"] {
        assert!(is_child(spans.named(name), spans.named("root")), "{name}");
    }
}

#[actix_web::test]
async fn without_telemetry_nothing_changes() {
    assert_eq!(recurse(2), 2);
    assert_eq!(load("7").await.ok(), Some(7));
}

#[traced]
fn clean() {}

/// A connection of a thread's pool, which is closed when the thread ends.
struct Connection;

impl Drop for Connection {
    fn drop(&mut self) {
        clean();
        biztrace::current().set("connection.closed", &true);
        biztrace::tag!(connection.closed = true);
    }
}

thread_local! {
    static CONNECTION: Connection = const { Connection };
}

/// Without a panic in a thread-local's destructor, which would end the process. On Linux, where they go in reverse order.
#[test]
#[cfg(target_os = "linux")]
fn traced_calls_in_an_ending_thread_are_not_recorded() {
    let capture = Capture::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Begun before the thread's first span, so gone after it.
            CONNECTION.with(|_| ());
            capture.scope_sync(clean);
        });
    });
    // A thread whose only traced call is that of its end.
    std::thread::spawn(|| CONNECTION.with(|_| ()))
        .join()
        .unwrap();
    assert_eq!(capture.spans().len(), 1);
    capture.span("clean").assert_no_error();
}
