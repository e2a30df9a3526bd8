//! `#[traced(db = "…", query = …)]`: the span of a database's client.

use biztrace::testing::Capture;
use biztrace::traced;
use opentelemetry::trace::SpanKind;

const RESERVE: &str = "UPDATE stock SET available = available - ?2 WHERE sku = ?1";

#[traced(db = "postgresql", query = RESERVE, attrs(order.id = id))]
fn reserve(id: u64) -> u64 {
    id
}

#[traced(
    query = "SELECT sku FROM stock",
    db = "sqlite",
    name = "all skus",
    kind = "internal"
)]
async fn skus() {}

#[traced(db = "redis")]
fn ping() {}

#[traced(db = "redis", query = "-- nothing")]
fn nothing() {}

/// A query of each type, asked for by code that knows none of them.
trait Table {
    const ALL: &str;
}

struct Orders;

impl Table for Orders {
    const ALL: &str = "SELECT * FROM orders";
}

struct Repository<T>(T);

impl<T: Table> Repository<T> {
    const BY_ID: &str = "SELECT * FROM by_id";

    #[traced(db = "mysql", query = T::ALL)]
    fn all(&self) {}

    #[traced(db = "mysql", query = Self::BY_ID)]
    fn by_id(&self) {}
}

#[test]
fn a_query_makes_the_span_of_a_client() {
    let capture = Capture::new();
    capture.scope_sync(|| reserve(7));
    let span = capture.span("UPDATE stock");
    assert_eq!(span.kind(), SpanKind::Client);
    span.assert_tag("db.system.name", "postgresql")
        .assert_tag("db.query.text", RESERVE)
        .assert_tag("db.query.summary", "UPDATE stock")
        .assert_tag("order.id", 7);
}

#[tokio::test]
async fn name_and_kind_win() {
    let capture = Capture::new();
    capture.scope(skus()).await;
    let span = capture.span("all skus");
    assert_eq!(span.kind(), SpanKind::Internal);
    span.assert_tag("db.query.summary", "SELECT stock");
}

#[test]
fn without_an_operation_the_system_is_the_name() {
    let capture = Capture::new();
    capture.scope_sync(ping);
    capture
        .span("redis")
        .assert_tag("db.system.name", "redis")
        .assert_no_tag("db.query.text");

    let capture = Capture::new();
    capture.scope_sync(nothing);
    capture
        .span("redis")
        .assert_tag("db.query.text", "-- nothing")
        .assert_no_tag("db.query.summary");
}

#[test]
fn constants_of_generic_types_are_queries() {
    let capture = Capture::new();
    capture.scope_sync(|| {
        Repository(Orders).all();
        Repository(Orders).by_id();
    });
    capture
        .span("SELECT orders")
        .assert_tag("db.query.text", Orders::ALL);
    capture
        .span("SELECT by_id")
        .assert_tag("db.query.text", Repository::<Orders>::BY_ID);
}
