//! Functions that return what is polled later: futures, boxed ones, streams, the methods of `async_trait`.

use std::pin::Pin;

use async_trait::async_trait;
use behaviour::{Instance, Span, Spans, is_child};
use biztrace::testing::Capture;
use biztrace::{biz_attrs, traced};
use futures_util::future::{BoxFuture, FusedFuture};
use futures_util::stream::{self, BoxStream, FusedStream, LocalBoxStream};
use futures_util::{FutureExt, Stream, StreamExt};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio::task::yield_now;

#[traced]
async fn inner() {
    yield_now().await;
}

#[traced]
fn inner_sync() {}

#[traced]
fn returned(id: u64) -> impl Future<Output = Result<u64, String>> + Send {
    inner_sync();
    async move {
        inner().await;
        if id == 0 { Err("none".into()) } else { Ok(id) }
    }
}

#[traced]
fn boxed(id: &u64) -> BoxFuture<'_, Result<u64, String>> {
    inner_sync();
    async move {
        inner().await;
        if *id == 0 {
            Err("none".into())
        } else {
            Ok(*id)
        }
    }
    .boxed()
}

#[traced]
#[biz_attrs(order.id = id, #[ok(found)] order.found = found)]
fn pinned(id: u64) -> Pin<Box<dyn Future<Output = Result<u64, String>> + Send>> {
    Box::pin(async move {
        inner_sync();
        inner().await;
        if id == 0 { Err("none".into()) } else { Ok(id) }
    })
}

#[async_trait]
trait Repository: Sync {
    async fn find(&self, id: u64) -> Result<u64, String>;

    #[traced]
    #[biz_attrs(order.id = id)]
    async fn find_by_default(&self, id: u64) -> Result<u64, String> {
        inner_sync();
        self.find(id).await
    }
}

struct Orders {
    shop: &'static str,
}

#[async_trait]
impl Repository for Orders {
    #[traced(name = "Orders::find", err)]
    #[biz_attrs(order.id = id, shop.name = self.shop, #[ok(found)] order.found = found)]
    async fn find(&self, id: u64) -> Result<u64, String> {
        inner().await;
        if id == 0 {
            return Err(format!("none in {}", self.shop));
        }
        Ok(id)
    }
}

trait Priced {
    /// A method with a body of its own.
    #[traced]
    fn price(&self) -> f64 {
        inner_sync();
        9.5
    }

    fn later(&self) -> impl Future<Output = u64> + Send;
}

impl Priced for Orders {
    #[traced]
    #[allow(clippy::manual_async_fn)]
    fn later(&self) -> impl Future<Output = u64> + Send {
        async move { 3 }
    }
}

async fn spans_of<T>(count: u64, body: impl Future<Output = T>) -> (T, Spans) {
    let instance = Instance::default();
    let output = instance.under_root(body).await;
    (output, instance.spans(count + 1).await)
}

fn outcome(span: &Span) -> StatusCode {
    span.outcome().0
}

#[actix_web::test]
async fn a_span_lives_as_long_as_the_future_that_is_returned() {
    for (id, expected) in [(0, StatusCode::Error), (7, StatusCode::Unset)] {
        let ((), spans) = spans_of(9, async {
            let (a, b, c) = (returned(id).await, boxed(&id).await, pinned(id).await);
            assert_eq!((a.is_ok(), b.is_ok(), c.is_ok()), (id > 0, id > 0, id > 0));
        })
        .await;
        for name in ["returned", "boxed", "pinned"] {
            let span = spans.named(name);
            assert!(is_child(span, spans.named("root")), "{name}");
            assert_eq!(outcome(span), expected, "{name}");
            let children = spans.iter().filter(|child| is_child(child, span));
            assert_eq!(children.count(), 2, "{name}");
        }
        assert_eq!(
            spans.named("pinned").tag("order.id"),
            Some((id as i64).into())
        );
        let found = (id > 0).then(|| (id as i64).into());
        assert_eq!(spans.named("pinned").tag("order.found"), found);
    }
}

#[actix_web::test]
async fn methods_of_async_trait_are_traced() {
    let orders: Box<dyn Repository> = Box::new(Orders { shop: "tea" });
    // Like an `async fn`, they start when they are polled.
    let (result, spans) = spans_of(4, orders.find_by_default(7)).await;
    assert_eq!(result, Ok(7));
    let (outer, find) = (spans.named("find_by_default"), spans.named("Orders::find"));
    assert!(is_child(outer, spans.named("root")) && is_child(find, outer));
    assert!(is_child(spans.named("inner"), find));
    assert_eq!(find.tag("shop.name"), Some("tea".into()));
    assert_eq!(find.tag("order.found"), Some(7.into()));

    let (result, spans) = spans_of(2, orders.find(0)).await;
    assert_eq!(result, Err("none in tea".into()));
    let find = spans.named("Orders::find");
    assert_eq!((outcome(find), find.events.len()), (StatusCode::Error, 1));
}

#[actix_web::test]
async fn methods_of_traits_are_traced() {
    let orders = Orders { shop: "tea" };
    let (sum, spans) = spans_of(3, async { orders.price() + orders.later().await as f64 }).await;
    assert_eq!(sum, 12.5);
    assert!(is_child(spans.named("inner_sync"), spans.named("price")));
    assert!(is_child(spans.named("later"), spans.named("root")));
}

#[actix_web::test]
async fn a_future_that_is_dropped_was_cancelled() {
    let ((), spans) = spans_of(2, async { drop(returned(7)) }).await;
    assert_eq!(
        spans.named("returned").tag("biztrace.outcome"),
        Some("cancelled".into())
    );
}

fn rows(number: u64) -> impl Stream<Item = Result<u64, String>> {
    stream::iter(0..number).then(|n| async move {
        inner().await;
        if n == 2 {
            Err("broken".to_owned())
        } else {
            Ok(n)
        }
    })
}

#[traced(err)]
#[biz_attrs(rows.asked = number)]
fn stream_rows(number: u64) -> impl Stream<Item = Result<u64, String>> {
    inner_sync();
    rows(number)
}

#[traced]
fn boxed_rows(number: u64) -> BoxStream<'static, Result<u64, String>> {
    rows(number).boxed()
}

#[traced]
fn local_rows(number: u64) -> LocalBoxStream<'static, Result<u64, String>> {
    rows(number).boxed_local()
}

#[traced]
fn pinned_rows(number: u64) -> Pin<Box<dyn Stream<Item = Result<u64, String>> + Send>> {
    Box::pin(rows(number))
}

#[actix_web::test]
async fn a_span_lives_as_long_as_its_stream() {
    let ((), spans) = spans_of(3, async {
        let mut rows = Box::pin(stream_rows(1));
        assert_eq!(rows.next().await, Some(Ok(0)));
        assert_eq!(rows.next().await, None);
        assert_eq!(rows.next().await, None, "it stays at its end");
    })
    .await;
    let stream = spans.named("stream_rows");
    assert!(is_child(stream, spans.named("root")));
    assert!(is_child(spans.named("inner"), stream) && is_child(spans.named("inner_sync"), stream));
    assert_eq!(stream.tag("rows.asked"), Some(1.into()));
    assert_eq!(
        (outcome(stream), stream.tag("biztrace.outcome")),
        (StatusCode::Unset, None)
    );

    let ((), spans) = spans_of(6, async {
        let rows = [boxed_rows(1), pinned_rows(1)];
        for rows in rows {
            assert_eq!(rows.count().await, 1);
        }
        assert_eq!(local_rows(1).count().await, 1);
    })
    .await;
    for name in ["boxed_rows", "local_rows", "pinned_rows"] {
        let children = spans
            .iter()
            .filter(|child| is_child(child, spans.named(name)));
        assert_eq!(children.count(), 1, "{name}");
    }
}

#[actix_web::test]
async fn an_item_that_is_an_error_marks_the_stream() {
    let (items, spans) = spans_of(6, async { stream_rows(4).count().await }).await;
    assert_eq!(items, 4);
    let stream = spans.named("stream_rows");
    assert_eq!(outcome(stream), StatusCode::Error);
    assert_eq!(
        stream.tag("error.type"),
        Some("alloc::string::String".into())
    );
    assert_eq!(stream.events.len(), 1, "the first error's message");
}

#[actix_web::test]
async fn a_stream_that_is_dropped_was_cancelled_unless_it_had_failed() {
    let ((), spans) = spans_of(3, async {
        let mut rows = Box::pin(stream_rows(9));
        rows.next().await;
    })
    .await;
    let stream = spans.named("stream_rows");
    assert_eq!(stream.tag("biztrace.outcome"), Some("cancelled".into()));

    let ((), spans) = spans_of(5, async {
        let rows = Box::pin(stream_rows(9));
        let items: Vec<_> = rows
            .take_while(|row| std::future::ready(row.is_ok()))
            .collect()
            .await;
        assert_eq!(items.len(), 2);
    })
    .await;
    let stream = spans.named("stream_rows");
    assert_eq!(
        (outcome(stream), stream.tag("biztrace.outcome")),
        (StatusCode::Error, None)
    );
}

/// Boxed by hand: only the future that it returns lives as long as it says.
#[traced(attrs(name.len = name.len()))]
fn boxed_by_hand(name: &str) -> Pin<Box<dyn Future<Output = u64>>> {
    Box::pin(async move { 1 })
}

#[actix_web::test]
async fn a_future_may_outlive_the_arguments_of_its_function() {
    let capture = Capture::new();
    capture.scope(async { boxed_by_hand("four").await }).await;
    capture.span("boxed_by_hand").assert_tag("name.len", 4);
}

#[traced]
fn fused() -> impl FusedFuture<Output = u64> {
    std::future::ready(1).fuse()
}

#[traced]
fn fused_stream() -> impl FusedStream<Item = u64> {
    stream::iter([1, 2]).fuse()
}

#[actix_web::test]
async fn fused_futures_and_streams_stay_fused() {
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
