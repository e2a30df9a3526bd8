//! Every shape of function that the attributes serve, under the strictest lints: an expansion adds no warning of its own.

#![deny(
    warnings,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    let_underscore_drop,
    single_use_lifetimes,
    trivial_casts,
    unreachable_pub,
    unused_lifetimes,
    unused_qualifications,
    unused_results
)]
// No future that holds an `HttpRequest` is `Send`, annotated or not.
#![allow(clippy::future_not_send)]

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::body::to_bytes;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, ResponseError, get, web};
use biztrace::{BizAttrs, BizValue, biz_attrs, tag, traced, traced_handler};

#[derive(Debug)]
struct Declined;

impl Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("declined")
    }
}

impl ResponseError for Declined {
    fn status_code(&self) -> StatusCode {
        StatusCode::PAYMENT_REQUIRED
    }
}

/// An extractor that handlers take apart.
struct Paging {
    page: u32,
    rows: Vec<u32>,
}

impl FromRequest for Paging {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            page: 1,
            rows: Vec::new(),
        }))
    }
}

#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"), app.locale = cookie("lang").or(header("lang")))]
async fn route_above(id: web::Path<u64>, req: HttpRequest) -> Result<web::Json<u64>, Declined> {
    const PLACES: usize = 3;
    let _ = req.head();
    if *id == 0 {
        return Err(Declined);
    }
    let charged = charge(*id, PLACES).await?;
    Ok(web::Json(charged))
}

#[traced_handler(child)]
#[biz_attrs(order.page = page, order.sizes = [page, 2], order.note = if page > 1 { Some("far") } else { None })]
#[get("/orders")]
async fn route_below(Paging { page, mut rows }: Paging) -> impl Responder {
    rows.push(page);
    web::Json(rows)
}

#[traced_handler]
async fn ping() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[traced(name = "POST pay", kind = "client", attrs(server.address = "pay", order.id = id))]
#[biz_attrs(order.places = places, #[display] order.first = Some(places), #[display] order.last = &places.checked_sub(1))]
async fn charge(id: u64, places: usize) -> Result<u64, Declined> {
    use std::num::NonZero;
    if NonZero::new(places).is_none() {
        return Err(Declined);
    }
    Ok(ready(id).await)
}

#[derive(BizAttrs)]
#[biz(prefix = "basket")]
struct Basket<'a, T> {
    #[biz]
    items: Vec<u64>,
    #[biz(hash)]
    user: &'a str,
    #[biz(when(self.total > 3.0), inherit, baggage)]
    total: f64,
    #[biz(debug, max_len(8))]
    state: T,
    #[biz(display, hash)]
    owner: Option<IpAddr>,
    #[biz(nested, prefix = "last")]
    last: Option<Step>,
    unmarked: u8,
}

#[derive(Debug, Clone, Copy, BizAttrs)]
struct Step {
    #[biz(key = "step.kind")]
    kind: StepKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, BizValue)]
enum StepKind {
    Packed,
    SentAway,
}

#[get("/baskets/{id}")]
#[traced_handler(err)]
#[biz_attrs(
    #[when(*id > 3)] basket.large = true,
    #[mask(2)] basket.id = *id,
    #[ok(basket)] basket.size = basket.len(),
    #[err(Declined)] basket.declined = true,
    #[ret(basket)] basket.ok = basket.is_ok(),
)]
async fn fill_basket(id: web::Path<u64>) -> Result<web::Json<Vec<u64>>, Declined> {
    let last = Step {
        kind: StepKind::SentAway,
    };
    let basket = Basket {
        items: vec![*id],
        user: "u",
        total: 9.5,
        state: last.kind,
        last: Some(last),
        owner: None,
        unmarked: 0,
    };
    let _ = packed(&basket)?;
    tag!(basket.stage = "packed", #[when(basket.unmarked == 0)] ..basket);
    Ok(web::Json(basket.items))
}

#[traced(err_if = |packed: &Result<bool, Declined>| matches!(packed, Ok(false)))]
#[biz_attrs(..basket, #[ok(packed)] basket.packed = packed)]
fn packed<T: Debug>(basket: &Basket<'_, T>) -> Result<bool, Declined> {
    let first = basket.items.first().ok_or(Declined)?;
    Ok(*first > 0)
}

#[biz_attrs(#[ok(item)] item.first = item)]
fn annotated_result(items: &[u64]) -> Option<&u64> {
    const FIRST: usize = 0;
    let item = items.get(FIRST)?;
    Some(item)
}

#[traced(parent = none, links = [::biztrace::current().context()])]
async fn unit(mut left: u8) {
    while left > 0 {
        left -= 1;
        ready(()).await;
    }
}

#[traced]
async fn yields_a_future(id: u64) -> Ready<u64> {
    ready(id)
}

#[traced]
async fn yields_some_future(id: u64) -> impl Future<Output = u64> {
    ready(id)
}

#[traced]
fn unit_sync(seen: &mut Vec<u8>) {
    seen.push(1);
}

#[traced(attrs(list.name = name.as_ref(), list.len = N))]
async fn generic<'a, T, const N: usize>(name: Cow<'a, str>, items: &'a [T; N]) -> Option<&'a T>
where
    T: Debug + Sync,
{
    drop(name);
    items.first()
}

#[traced(attrs(text = text.to_string()))]
async fn impl_argument(text: impl Display + Send) -> String {
    text.to_string()
}

#[traced]
fn impl_return(items: &[u64]) -> impl Iterator<Item = u64> + '_ {
    items.iter().map(|item| item * 2)
}

#[biz_attrs(item.len = items.len())]
fn annotated(items: &[u64]) -> Option<&u64> {
    const FIRST: usize = 0;
    items.get(FIRST)
}

#[biz_attrs(item.len = items.len())]
async fn annotated_async(items: &[u64]) -> Option<&u64> {
    ready(()).await;
    items.first()
}

#[derive(Debug, Default)]
struct Cart {
    items: Vec<u64>,
}

trait Store {
    async fn load(&mut self, id: u64) -> Result<u64, Box<dyn std::error::Error>>;
}

impl Store for Cart {
    #[traced]
    async fn load(&mut self, id: u64) -> Result<u64, Box<dyn std::error::Error>> {
        self.items.push("7".parse()?);
        Ok(id)
    }
}

impl Cart {
    #[traced(attrs(cart.items = self.items.len()))]
    async fn add(&mut self, item: u64) -> &mut u64 {
        self.items.push(item);
        ready(()).await;
        let last = self.items.len() - 1;
        &mut self.items[last]
    }

    #[traced]
    fn first_mut(&mut self) -> Option<&mut u64> {
        self.items.first_mut()
    }

    #[traced]
    fn into_items(self: Box<Self>) -> Vec<u64> {
        self.items
    }

    #[traced]
    #[must_use]
    async fn boxed(self: Box<Self>) -> Self {
        *self
    }
}

#[traced]
fn never() -> ! {
    std::process::exit(0)
}

#[traced]
async fn never_async() -> ! {
    std::future::pending().await
}

const fn is_send<T: Send>(value: T) -> T {
    value
}

#[actix_web::test]
async fn handlers_return_what_they_did() {
    let request = TestRequest::default().to_http_request();
    let app = actix_web::test::init_service(
        actix_web::App::new()
            .service(fill_basket)
            .service(route_above)
            .service(route_below),
    )
    .await;
    for (path, status) in [
        ("/orders/7", StatusCode::OK),
        ("/orders/0", StatusCode::PAYMENT_REQUIRED),
        ("/orders", StatusCode::OK),
        ("/baskets/7", StatusCode::OK),
    ] {
        let response =
            actix_web::test::call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), status, "{path}");
    }
    assert_eq!(ping().await.status(), StatusCode::OK);
    let body = ping().await.respond_to(&request).into_body();
    assert!(to_bytes(body).await.unwrap().is_empty());
}

#[actix_web::test]
async fn functions_return_what_they_did() {
    assert_eq!(is_send(charge(7, 2)).await.unwrap(), 7);
    assert_eq!(yields_a_future(7).await.await, 7);
    assert_eq!(yields_some_future(7).await.await, 7);
    is_send(unit(2)).await;
    assert_eq!(is_send(generic(Cow::from("n"), &[3_u8, 4])).await, Some(&3));
    assert_eq!(is_send(impl_argument("a")).await, "a");
    assert_eq!(impl_return(&[1, 2]).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(annotated(&[5]), Some(&5));
    assert_eq!(annotated_result(&[5]), Some(&5));
    assert_eq!(StepKind::VALUES, ["packed", StepKind::SentAway.as_str()]);
    assert_eq!(StepKind::Packed.as_str(), "packed");
    assert_eq!(is_send(annotated_async(&[5])).await, Some(&5));
    let mut seen = Vec::new();
    unit_sync(&mut seen);
    assert_eq!(seen, [1]);
}

#[actix_web::test]
async fn methods_return_what_they_did() {
    let mut cart = Cart::default();
    *is_send(cart.add(1)).await += 1;
    assert_eq!(cart.load(3).await.unwrap(), 3);
    *cart.first_mut().unwrap() += 1;
    let cart = is_send(Box::new(cart).boxed()).await;
    assert_eq!(Box::new(cart).into_items(), [3, 7]);
}

#[test]
fn functions_that_diverge_keep_their_type() {
    let _: fn() -> ! = never;
    drop(never_async());
}
