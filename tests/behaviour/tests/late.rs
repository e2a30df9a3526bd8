//! Code of the application's that looks at a result, and panics; tags that the spans below have, in odd orders and sizes.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use biztrace::testing::Capture;
use biztrace::{BizAttrs, Limits, Tags, Telemetry, tag, traced};
use futures_util::future::FusedFuture;
use futures_util::stream::FusedStream;
use futures_util::{FutureExt, Stream, StreamExt};

fn refuse(number: &u64) -> u64 {
    assert!(*number == 0, "as this test wants it");
    *number
}

#[traced(attrs(#[ret(number)] order.no = refuse(number)))]
fn number() -> u64 {
    1
}

#[traced(attrs(#[ret(number)] order.no = refuse(number)))]
async fn number_later() -> u64 {
    1
}

#[traced(err_if = |number: &u64| refuse(number) == 0)]
fn judged() -> u64 {
    1
}

#[traced(attrs(#[ok(number)] order.no = refuse(number)))]
fn accepted() -> Result<u64, u64> {
    Ok(1)
}

#[traced(attrs(#[err(number)] order.no = refuse(number)))]
fn rejected() -> Result<u64, u64> {
    Err(1)
}

#[traced(ok_if = |result: &Result<u64, u64>| result.as_ref().is_err_and(|number| refuse(number) == 0))]
fn excused() -> Result<u64, u64> {
    Err(1)
}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("as this test wants it")
    }
}

impl Error for Unspeakable {}

#[traced(err)]
fn unspeakable() -> Result<u64, Unspeakable> {
    Err(Unspeakable)
}

#[traced(err)]
fn items() -> impl Stream<Item = Result<u64, Unspeakable>> {
    futures_util::stream::iter([Ok(1), Err(Unspeakable), Ok(2)])
}

#[actix_web::test]
async fn a_panic_in_looking_at_a_result_is_a_panic() {
    let capture = Capture::new();
    capture.scope_sync(|| assert!(catch_unwind(number).is_err()));
    capture.scope_sync(|| assert!(catch_unwind(judged).is_err()));
    capture.scope_sync(|| assert!(catch_unwind(accepted).is_err()));
    capture.scope_sync(|| assert!(catch_unwind(rejected).is_err()));
    capture.scope_sync(|| assert!(catch_unwind(excused).is_err()));
    capture.scope_sync(|| assert!(catch_unwind(unspeakable).is_err()));
    let later = AssertUnwindSafe(capture.scope(number_later()));
    assert!(later.catch_unwind().await.is_err());
    let items = AssertUnwindSafe(capture.scope(async { items().collect::<Vec<_>>().await }));
    assert!(items.catch_unwind().await.is_err());
    for name in [
        "number",
        "judged",
        "accepted",
        "rejected",
        "excused",
        "unspeakable",
        "number_later",
        "items",
    ] {
        capture
            .span(name)
            .assert_tag("biztrace.outcome", "panicked");
    }
}

#[test]
fn what_was_inherited_first_is_handed_down_though_it_is_replaced() {
    struct Both;

    impl BizAttrs for Both {
        fn record(&self, tags: &mut Tags) {
            tags.set_inherited("tenant.id", "a");
            tags.set("tenant.id", "b");
        }
    }

    #[traced]
    fn inner() {}

    #[traced]
    fn outer() {
        tag!(..Both);
        inner();
    }

    let capture = Capture::new();
    capture.scope_sync(outer);
    capture.span("outer").assert_tag("tenant.id", "b");
    capture.span("inner").assert_tag("tenant.id", "a");
}

#[test]
fn what_a_span_does_not_take_is_not_handed_down() {
    #[traced]
    fn inner() {}

    #[traced(attrs(order.lines = "x".repeat(600)))]
    fn outer() {
        tag!(
            #[inherit]
            #[pii]
            user.id = "ada",
            #[when(true)]
            user.id = "somebody",
            #[inherit]
            order.note = "x".repeat(600),
            #[when(true)]
            order.note = "long",
        );
        inner();
    }

    let capture = limited_to(1_000);
    capture.scope_sync(outer);
    let outer = capture.span("outer");
    outer
        .assert_tag("user.id", "somebody")
        .assert_tag("order.note", "long");
    assert_eq!(outer.as_otlp().dropped_attributes_count, 1);
    let inner = capture.span("inner");
    assert_eq!(inner.as_otlp().attributes, []);
}

/// Sets an inherited tag, and then the same key to nothing: what its span has of it counts no more.
struct HandsDown<'a>(&'static str, &'a str);

impl BizAttrs for HandsDown<'_> {
    fn record(&self, tags: &mut Tags) {
        tags.set_inherited(self.0, self.1);
        tags.set(self.0, "");
    }
}

fn limited_to(bytes: usize) -> Capture {
    let mut limits = Limits::default();
    limits.bytes_per_trace = bytes;
    Capture::with(Telemetry::builder().limits(move |it| it.clone_from(&limits)))
}

#[test]
fn what_is_handed_down_has_a_limit_of_bytes() {
    #[traced]
    fn inner() {}

    #[traced]
    fn outer() {
        let value = "x".repeat(40_000);
        for name in ["one", "two", "three"] {
            tag!(..HandsDown(name, &value));
        }
        inner();
    }

    let capture = limited_to(100_000);
    capture.scope_sync(outer);
    let inner = capture.span("inner");
    assert!(inner.tag("one").is_some() && inner.tag("two").is_some());
    assert_eq!(inner.tag("three"), None);
    let outer = capture.span("outer");
    assert_eq!(outer.as_otlp().dropped_attributes_count, 1);
}

#[test]
fn what_was_handed_down_gives_its_room_back() {
    #[traced]
    fn inner() {}

    #[traced]
    fn one_of_many(value: &str) {
        tag!(..HandsDown("app.value", value));
    }

    #[traced]
    fn outer() {
        for _ in 0..20 {
            one_of_many(&"x".repeat(40_000));
        }
        tag!(..HandsDown("app.value", "the last"));
        tag!(..HandsDown("app.large", &"x".repeat(90_000)));
        inner();
    }

    let capture = limited_to(100_000);
    capture.scope_sync(outer);
    let inner = capture.span("inner");
    inner.assert_tag("app.value", "the last");
    assert!(inner.tag("app.large").is_some());
    assert_eq!(capture.span("outer").as_otlp().dropped_attributes_count, 0);
}

/// Boxed by hand: only the future that it returns lives as long as it says.
#[traced(attrs(name.len = name.len()))]
fn boxed(name: &str) -> Pin<Box<dyn Future<Output = u64>>> {
    Box::pin(async move { 1 })
}

#[derive(BizAttrs)]
struct Node<T> {
    #[biz(key = "node.value")]
    value: T,
    #[biz(nested, prefix = "next")]
    next: Option<Box<Node<T>>>,
}

#[actix_web::test]
async fn odd_shapes_work() {
    #[traced]
    fn list() {
        let node = |value, next| Node { value, next };
        tag!(..node(1, Some(Box::new(node(2, None)))));
    }

    let capture = Capture::new();
    capture.scope(async { boxed("four").await }).await;
    capture.span("boxed").assert_tag("name.len", 4);
    capture.scope_sync(list);
    let list = capture.span("list");
    list.assert_tag("node.value", 1);
    list.assert_tag("next.node.value", 2);
}

#[traced]
fn fused() -> impl FusedFuture<Output = u64> {
    std::future::ready(1).fuse()
}

#[traced]
fn fused_stream() -> impl FusedStream<Item = u64> {
    futures_util::stream::iter([1, 2]).fuse()
}

#[actix_web::test]
async fn what_is_fused_stays_so() {
    let capture = Capture::new();
    let sum: u64 = capture
        .scope(async {
            fused().await
                + fused_stream()
                    .fold(0, |sum, item| async move { sum + item })
                    .await
        })
        .await;
    assert_eq!(sum, 4);
    capture.span("fused").assert_no_error();
    assert_eq!(capture.span("fused_stream").tag("biztrace.outcome"), None);
}
