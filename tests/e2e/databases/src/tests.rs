use biztrace::opentelemetry::Context;
use biztrace::opentelemetry::trace::SpanKind;
use biztrace::testing::{Capture, CapturedSpan};
use biztrace::traced;
use diesel::prelude::*;
use sqlx::{Error, SqlitePool};

const SCHEMA: &str = "CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, sku TEXT NOT NULL UNIQUE)";
const INSERT: &str = "INSERT INTO orders (sku) VALUES (?)";

#[traced(db = "sqlite", query = SCHEMA)]
async fn create(db: &SqlitePool) -> sqlx::Result<()> {
    sqlx::query(SCHEMA).execute(db).await.map(drop)
}

#[traced(
    db = "sqlite",
    query = INSERT,
    attrs(#[err(e)] db.response.status_code = e.as_database_error().and_then(|e| e.code())),
)]
async fn insert(db: &SqlitePool, sku: &str) -> sqlx::Result<u64> {
    let done = sqlx::query(INSERT).bind(sku).execute(db).await?;
    Ok(done.rows_affected())
}

/// A repository of one table, whose queries are constants of its own.
trait Repository {
    const BY_ID: &str;

    #[traced(db = "sqlite", query = Self::BY_ID, ok_if = |result| matches!(result, Err(Error::RowNotFound)))]
    async fn sku(&self, db: &SqlitePool, id: i64) -> sqlx::Result<String> {
        sqlx::query_scalar(Self::BY_ID).bind(id).fetch_one(db).await
    }
}

struct Orders;

impl Repository for Orders {
    const BY_ID: &str = "SELECT sku FROM orders WHERE id = ?";
}

fn assert_query(span: &CapturedSpan, query: &'static str) {
    assert_eq!(span.kind(), SpanKind::Client);
    span.assert_tag("db.system.name", "sqlite")
        .assert_tag("db.query.text", query)
        .assert_tag("db.query.summary", span.name().to_owned());
}

#[tokio::test]
async fn queries_of_sqlx_are_spans() {
    let capture = Capture::new();
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let work = async {
        create(&db).await.unwrap();
        assert_eq!(insert(&db, "a-1").await.unwrap(), 1);
        assert_eq!(Orders.sku(&db, 1).await.unwrap(), "a-1");
    };
    capture.scope(work).await;
    assert_query(&capture.span("CREATE TABLE orders"), SCHEMA);
    assert_query(&capture.span("INSERT orders"), INSERT);
    assert_query(&capture.span("SELECT orders"), Orders::BY_ID);
}

#[tokio::test]
async fn errors_have_the_code_of_the_database() {
    let capture = Capture::new();
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    sqlx::query(SCHEMA).execute(&db).await.unwrap();
    sqlx::query(INSERT).bind("a-1").execute(&db).await.unwrap();
    let work = async {
        insert(&db, "a-1").await.unwrap_err();
        Orders.sku(&db, 7).await.unwrap_err();
    };
    capture.scope(work).await;
    let twice = capture.span("INSERT orders");
    twice.assert_error().assert_tag("db.response.status_code", "2067");
    capture.span("SELECT orders").assert_no_error();
}

diesel::table! {
    orders (id) {
        id -> BigInt,
        sku -> Text,
    }
}

#[traced(db = "sqlite", name = "SELECT orders", attrs(#[ok(skus)] db.response.returned_rows = skus.len()))]
fn skus(db: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    orders::table.select(orders::sku).load(db)
}

#[traced]
async fn report(mut db: SqliteConnection) -> QueryResult<Vec<String>> {
    let cx = Context::current();
    let work = move || {
        let _scope = cx.attach();
        skus(&mut db)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn queries_of_diesel_are_spans_of_their_trace() {
    let capture = Capture::new();
    let mut db = SqliteConnection::establish(":memory:").unwrap();
    diesel::sql_query(SCHEMA).execute(&mut db).unwrap();
    diesel::insert_into(orders::table)
        .values(orders::sku.eq("a-1"))
        .execute(&mut db)
        .unwrap();
    assert_eq!(capture.scope(report(db)).await.unwrap(), ["a-1"]);
    let span = capture.span("SELECT orders");
    assert_eq!(span.kind(), SpanKind::Client);
    span.assert_tag("db.system.name", "sqlite")
        .assert_tag("db.response.returned_rows", 1)
        .assert_child_of(&capture.span("report"));
}
