//! Code of the application that panics or fails while it gives a value, a verdict or a text.

use std::error::Error;
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use actix_web::HttpRequest;
use actix_web::test::TestRequest;
use biztrace::testing::Capture;
use biztrace::value::Encoder;
use biztrace::{BizAttrs, Tags, Value, biz_attrs, current, tag, traced, traced_handler};
use futures_util::{FutureExt, Stream, StreamExt};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

fn missing() -> u64 {
    panic!("a value that panics, as this test wants it")
}

#[traced(attrs(order.id = missing()))]
fn bad_value() {}

#[traced]
fn clean() {}

#[test]
fn panic_in_a_value_ends_its_span_and_spares_the_next() {
    #[traced_handler]
    #[biz_attrs(order.id = missing())]
    async fn stand_alone(request: HttpRequest) -> String {
        request.path().to_owned()
    }

    let capture = Capture::new();
    capture.scope_sync(|| {
        assert!(catch_unwind(bad_value).is_err());
        let request = TestRequest::with_uri("/of/another/tenant").to_http_request();
        let mut handler = Box::pin(stand_alone(request));
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(handler.as_mut()).is_ready())).is_err());
        clean();
    });
    assert_eq!(capture.report().waiting + capture.report().delivered, 3);
    capture
        .span("bad_value")
        .assert_error()
        .assert_tag("error.type", "panic");
    let clean = capture.span("clean");
    clean
        .assert_no_error()
        .assert_no_tag("url.path")
        .assert_no_tag("error.type");
}

#[traced]
async fn sibling() {
    pending::<()>().await;
}

#[traced]
async fn panics() {
    panic!("as this test wants it");
}

#[test]
fn a_panic_is_of_the_span_that_it_went_through_alone() {
    let capture = Capture::new();
    capture.scope_sync(|| {
        let mut both = Box::pin(async {
            let (mut a, mut b) = (Box::pin(sibling()), Box::pin(panics()));
            poll_fn(|cx| {
                let _ = a.as_mut().poll(cx);
                b.as_mut().poll(cx)
            })
            .await;
        });
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(both.as_mut()).is_ready())).is_err());
    });
    capture
        .span("panics")
        .assert_error()
        .assert_tag("biztrace.outcome", "panicked");
    capture
        .span("sibling")
        .assert_no_error()
        .assert_tag("biztrace.outcome", "cancelled");
}

/// An error whose text takes a traced function to make.
#[derive(Debug)]
struct Explained;

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        clean();
        f.write_str("explained")
    }
}

impl Error for Explained {}

#[traced]
fn fails() {
    // The API formats the error with the lock of the current span held.
    Context::current().span().record_error(&Explained);
}

#[test]
fn an_error_whose_text_is_traced_blocks_nobody() {
    let capture = Capture::new();
    capture.scope_sync(fails);
    let fails = capture.span("fails");
    assert_eq!(fails.events().collect::<Vec<_>>(), ["exception"]);
    capture.span("clean").assert_child_of(&fails);
}

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
async fn panic_in_a_result_entry_ends_its_span() {
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
fn a_value_that_panics_spoils_nothing_but_itself() {
    struct Careful;

    impl BizAttrs for Careful {
        fn record(&self, tags: &mut Tags) {
            tags.set("order.id", &7);
            let caught = catch_unwind(AssertUnwindSafe(|| {
                tags.nested("order", |tags| tags.set("broken", &Panics));
            }));
            assert!(caught.is_err());
            tags.set("order.amount", &12);
        }
    }

    struct Panics;

    impl Value for Panics {
        fn encode(&self, encoder: Encoder<'_>) {
            encoder.array(|array| {
                array.push("before");
                panic!("as this test wants it")
            });
        }
    }

    #[traced]
    fn order() {
        tag!(..Careful);
    }

    let capture = Capture::new();
    capture.scope_sync(order);
    let span = capture.span("order");
    span.assert_tag("order.id", 7);
    span.assert_tag("order.amount", 12);
    assert_eq!(span.tag("order.broken"), None);
}

#[test]
fn an_error_that_cannot_show_itself_panics_nothing() {
    #[derive(Debug)]
    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }

    impl Error for Broken {}

    #[traced(err)]
    fn breaks() -> Result<(), Broken> {
        current().record_error(&Broken);
        Err(Broken)
    }

    let capture = Capture::new();
    assert!(capture.scope_sync(breaks).is_err());
    capture.span("breaks").assert_error();
}
