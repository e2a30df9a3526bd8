//! Entries on a result, and what counts as an error: on handlers, on functions, whatever their type.

use std::error::Error as StdError;
use std::fmt;

use actix_web::{App, HttpResponse, Responder, ResponseError, get, web};
use anyhow::Context as _;
use behaviour::{Instance, Service, Span, Spans};
use biztrace::{biz_attrs, traced, traced_handler};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio::task::yield_now;

#[derive(Debug)]
enum PayError {
    Declined {
        code: &'static str,
        source: BankError,
    },
    NotFound,
}

#[derive(Debug)]
struct BankError;

impl fmt::Display for BankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bank says no")
    }
}

impl StdError for BankError {}

impl fmt::Display for PayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declined { code, .. } => write!(f, "declined with {code}"),
            Self::NotFound => f.write_str("no such order"),
        }
    }
}

impl StdError for PayError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Declined { source, .. } => Some(source),
            Self::NotFound => None,
        }
    }
}

impl ResponseError for PayError {
    fn status_code(&self) -> actix_web::http::StatusCode {
        match self {
            Self::Declined {
                code: "unreachable",
                ..
            } => actix_web::http::StatusCode::BAD_GATEWAY,
            Self::Declined { .. } => actix_web::http::StatusCode::PAYMENT_REQUIRED,
            Self::NotFound => actix_web::http::StatusCode::NOT_FOUND,
        }
    }
}

impl PayError {
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Declined { code, .. } => Some(code),
            Self::NotFound => None,
        }
    }
}

#[derive(serde::Serialize)]
struct Receipt {
    no: u64,
    total: f64,
}

fn charge(id: u64) -> Result<Receipt, PayError> {
    match id {
        0 => Err(PayError::NotFound),
        1 => Err(PayError::Declined {
            code: "insufficient",
            source: BankError,
        }),
        8 => Err(PayError::Declined {
            code: "unreachable",
            source: BankError,
        }),
        no => Ok(Receipt { no, total: 9.5 }),
    }
}

#[get("/pay/{id}")]
#[traced_handler(err)]
#[biz_attrs(
    order.id = *id,
    #[ok(receipt)] order.no = receipt.no,
    #[ok(receipt)] #[when(receipt.total > 5.0)] order.large = true,
    #[err(e)] payment.decline_code = e.code(),
    #[err(PayError::NotFound)] order.missing = true,
    #[ret(result)] payment.ok = result.is_ok(),
)]
async fn pay(id: web::Path<u64>) -> Result<web::Json<Receipt>, PayError> {
    yield_now().await;
    if *id == 7 {
        return Ok(web::Json(Receipt { no: 70, total: 1.0 }));
    }
    let receipt = charge(id.into_inner())?;
    Ok(web::Json(receipt))
}

/// The type is known to rustc only.
#[get("/hidden/{id}")]
#[traced_handler]
#[biz_attrs(#[ok(no)] order.no = no.as_str(), #[ret(response)] hidden.ok = response.is_ok())]
async fn hidden(id: web::Path<u64>) -> impl Responder {
    charge(*id).map(|receipt| receipt.no.to_string())
}

#[get("/response")]
#[traced_handler]
#[biz_attrs(#[ret(response)] answer.status = response.status().as_u16())]
async fn accepted() -> HttpResponse {
    HttpResponse::Accepted().finish()
}

#[actix_web::test]
async fn a_handlers_result_is_tagged_on_the_requests_span() {
    let service = Service::start(|tracing| {
        App::new()
            .wrap(tracing)
            .service(pay)
            .service(hidden)
            .service(accepted)
    });
    for path in [
        "/pay/0",
        "/pay/1",
        "/pay/2",
        "/pay/7",
        "/pay/8",
        "/hidden/5",
        "/response",
    ] {
        service.get(path).await;
    }
    let spans = service.spans(7).await;
    let at = |path: &str| -> &Span {
        let mut spans = spans.iter();
        spans
            .find(|span| span.tag("url.path") == Some(path.to_owned().into()))
            .unwrap()
    };
    for path in ["/pay/0", "/pay/1", "/pay/2", "/pay/7"] {
        let id: i64 = path[5..].parse().unwrap();
        assert_eq!(at(path).tag("order.id"), Some(id.into()));
        assert_eq!(at(path).tag("payment.ok"), Some((id > 1).into()), "{path}");
        assert_eq!(
            at(path).tag("order.missing"),
            (id == 0).then(|| true.into()),
            "{path}"
        );
    }
    assert_eq!(at("/pay/2").tag("order.no"), Some(2.into()));
    assert_eq!(at("/pay/2").tag("order.large"), Some(true.into()));
    assert_eq!(
        at("/pay/7").tag("order.no"),
        Some(70.into()),
        "an early return is a result, too"
    );
    assert_eq!(at("/pay/7").tag("order.large"), None);
    assert_eq!(at("/pay/1").tag("order.no"), None);
    assert_eq!(
        at("/pay/1").tag("payment.decline_code"),
        Some("insufficient".into())
    );
    assert_eq!(
        at("/pay/0").tag("payment.decline_code"),
        None,
        "a None sets nothing"
    );
    // A 4xx is no error of the server's, and an exception that stands for one says nothing more.
    assert_eq!(at("/pay/1").outcome().0, StatusCode::Unset);
    assert_eq!(at("/pay/1").events.len(), 0);
    assert_eq!(at("/pay/8").outcome().0, StatusCode::Error);
    assert_eq!(
        exception(at("/pay/8")),
        "functions::results::PayError: declined with unreachable: the bank says no"
    );
    assert_eq!(at("/pay/2").events.len(), 0);
    assert_eq!(at("/hidden/5").tag("order.no"), Some("5".into()));
    assert_eq!(at("/hidden/5").tag("hidden.ok"), Some(true.into()));
    assert_eq!(at("/response").tag("answer.status"), Some(202.into()));
}

/// Type and message of the one exception that was recorded.
fn exception(span: &Span) -> String {
    let [event] = &span.events[..] else {
        panic!("{} events on {}", span.events.len(), span.name)
    };
    assert_eq!(event.name, "exception");
    let tag = |key: &str| behaviour::tag_of(&event.attributes, key).expect(key);
    format!("{}: {}", tag("exception.type"), tag("exception.message"))
}

/// The span of `body`, run below another one.
async fn span_of<T>(body: impl Future<Output = T>) -> (T, Span) {
    let instance = Instance::default();
    let output = instance.under_root(body).await;
    let spans: Spans = instance.spans(2).await;
    let span = spans
        .iter()
        .find(|span| span.name != "root")
        .expect("one beside the root")
        .clone();
    (output, span)
}

#[traced(err)]
#[biz_attrs(#[ok(receipt)] order.no = receipt.no, #[err(e)] payment.code = e.code())]
fn sync(id: u64) -> Result<Receipt, PayError> {
    let receipt = charge(id)?;
    Ok(receipt)
}

#[traced(err)]
async fn with_anyhow(id: u64) -> anyhow::Result<Receipt> {
    charge(id).context("the order can't be paid")
}

#[traced(err)]
fn with_box(id: u64) -> Result<Receipt, Box<dyn StdError + Send + Sync>> {
    Ok(charge(id)?)
}

#[traced(err)]
fn with_text() -> Result<(), String> {
    Err("no stock".into())
}

#[actix_web::test]
async fn err_records_the_message_with_its_sources() {
    let (_, span) = span_of(async { sync(1) }).await;
    assert_eq!(span.outcome().0, StatusCode::Error);
    assert_eq!(span.tag("payment.code"), Some("insufficient".into()));
    assert_eq!(
        exception(&span),
        "functions::results::PayError: declined with insufficient: the bank says no"
    );

    let (_, span) = span_of(async { sync(5) }).await;
    assert_eq!(span.tag("order.no"), Some(5.into()));
    assert_eq!(
        (span.outcome().0, span.events.len()),
        (StatusCode::Unset, 0)
    );

    let (_, span) = span_of(with_anyhow(1)).await;
    assert_eq!(
        exception(&span),
        "anyhow::Error: the order can't be paid: declined with insufficient: the bank says no"
    );
    let (_, span) = span_of(async { with_box(1) }).await;
    assert!(exception(&span).ends_with(": declined with insufficient: the bank says no"));
    let (_, span) = span_of(async { with_text() }).await;
    assert_eq!(exception(&span), "alloc::string::String: no stock");
}

#[traced(ok_if = |result| matches!(result, Err(PayError::NotFound)), err)]
async fn may_be_missing(id: u64) -> Result<Receipt, PayError> {
    charge(id)
}

#[traced(err_if = |stock: &u64| *stock == 0)]
fn stock(id: u64) -> u64 {
    id
}

#[actix_web::test]
async fn predicates_say_what_is_an_error() {
    let (_, span) = span_of(may_be_missing(0)).await;
    assert_eq!(
        (span.outcome().0, span.events.len()),
        (StatusCode::Unset, 0)
    );
    let (_, span) = span_of(may_be_missing(1)).await;
    assert_eq!(
        (span.outcome().0, span.events.len()),
        (StatusCode::Error, 1)
    );

    let (_, span) = span_of(async { stock(0) }).await;
    assert_eq!(span.outcome().0, StatusCode::Error);
    assert_eq!(span.tag("error.type"), Some("_OTHER".into()));
    let (_, span) = span_of(async { stock(1) }).await;
    assert_eq!(span.outcome().0, StatusCode::Unset);
}

#[biz_attrs(order.asked = id, #[ok(no)] order.found = no, #[err(_)] order.missing = true)]
fn find(id: u64) -> Option<u64> {
    let found = (id > 3).then_some(id)?;
    Some(found * 10)
}

#[biz_attrs(#[ok(no)] order.awaited = no)]
async fn find_later(id: u64) -> Option<u64> {
    yield_now().await;
    find(id)
}

#[actix_web::test]
async fn biz_attrs_alone_tags_the_current_span_with_the_result() {
    for (id, found) in [(4, Some(40)), (2, None)] {
        let instance = Instance::default();
        assert_eq!(instance.under_root(find_later(id)).await, found);
        let spans = instance.spans(1).await;
        let root = spans.named("root");
        assert_eq!(root.tag("order.asked"), Some((id as i64).into()));
        let found: Option<opentelemetry::Value> = found.map(|no| (no as i64).into());
        assert_eq!(root.tag("order.found"), found);
        assert_eq!(root.tag("order.awaited"), found);
        assert_eq!(
            root.tag("order.missing"),
            found.is_none().then(|| true.into())
        );
    }
}

fn never() -> bool {
    panic!("evaluated")
}

#[actix_web::test]
async fn nothing_is_evaluated_where_nothing_is_recorded() {
    #[biz_attrs(#[ret(_)] never.set = never())]
    fn quiet() {}
    #[traced]
    #[biz_attrs(#[ret(_)] never.set = never())]
    async fn quiet_later() {}
    quiet();
    quiet_later().await;
}
