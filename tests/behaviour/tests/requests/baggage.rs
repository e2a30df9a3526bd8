//! `#[baggage]`: tags that travel to the services that are called, and become tags there.

use std::collections::HashMap;

use actix_web::{App, HttpRequest, get, web};
use behaviour::{Instance, Service, Spans, TRACEPARENT, rerun};
use biztrace::actix::{RequestTracing, Trust};
use biztrace::opentelemetry::Value;
use biztrace::settings::{PiiPolicy, Propagator};
use biztrace::{BizAttrs, biz_attrs, tag, traced, traced_handler};
use futures_util::future::join;
use futures_util::{Stream, StreamExt, stream};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::BaggagePropagator;
use reqwest::{Client, Method};
use tokio::task::yield_now;

/// What a client that is called here sends along.
fn sent() -> String {
    let mut headers = HashMap::new();
    Propagator::Baggage.inject_context(&Context::current(), &mut headers);
    let mut theirs = HashMap::new();
    BaggagePropagator::new().inject_context(&Context::current(), &mut theirs);
    let sorted = |baggage: Option<&String>| {
        let mut members: Vec<_> = baggage.map_or_else(Vec::new, |it| it.split(',').collect());
        members.sort_unstable();
        members.join(",")
    };
    let sent = sorted(headers.get("baggage"));
    assert_eq!(sent, sorted(theirs.get("baggage")), "another's client");
    sent
}

/// Asks the storage at `url`, as a client does that injects.
async fn ask(url: &str) -> String {
    let mut headers = HashMap::new();
    for propagator in [Propagator::TraceContext, Propagator::Baggage] {
        propagator.inject_context(&Context::current(), &mut headers);
    }
    let mut request = Client::new().get(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap().text().await.unwrap()
}

/// The storefront's handler: a tag that travels, and another that does not.
#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(#[baggage] tenant.id = header("x-tenant-id"), #[baggage] order.id = *id, order.kind = "new")]
async fn order(id: web::Path<u64>, storage: web::Data<String>) -> String {
    yield_now().await;
    reserve(&storage).await
}

#[traced(kind = "client")]
async fn reserve(storage: &str) -> String {
    ask(storage).await
}

/// The storage's: it answers with what it would send on.
#[get("/stock")]
#[traced_handler]
#[biz_attrs(stock.tenant = baggage("tenant.id"), stock.none = baggage("tenant.name"))]
async fn stock(_request: HttpRequest) -> String {
    yield_now().await;
    sent()
}

fn storage(tracing: impl Fn(RequestTracing) -> RequestTracing + Send + Clone + 'static) -> Service {
    Service::start(move |it| App::new().wrap(tracing(it)).service(stock))
}

fn storefront(storage: &Service) -> Service {
    let request = storage.request(Method::GET, "/stock").build().unwrap();
    let url = web::Data::new(request.url().to_string());
    Service::start(move |tracing| {
        App::new()
            .app_data(url.clone())
            .wrap(tracing)
            .service(order)
    })
}

async fn order_for(storefront: &Service, tenant: &str, baggage: &str) -> String {
    let request = storefront.request(Method::GET, "/orders/7");
    let request = request.header("x-tenant-id", tenant);
    let request = request.header("traceparent", TRACEPARENT);
    let answer = request.header("baggage", baggage).send().await.unwrap();
    answer.text().await.unwrap()
}

fn text(spans: &Spans, key: &str) -> Option<String> {
    Some(spans.server().tag(key)?.to_string())
}

#[actix_web::test]
async fn a_tag_travels_to_the_service_that_is_called() {
    let storage = storage(|tracing| tracing.baggage_tags(["tenant.id", "user.id"]));
    let storefront = storefront(&storage);
    let passed_on = order_for(&storefront, "köln, süd", "caller=x;p=1").await;
    assert_eq!(
        passed_on, "caller=x;p=1,order.id=7,tenant.id=k%C3%B6ln%2C%20s%C3%BCd",
        "with what the caller has sent, and on from there"
    );
    let spans = storage.spans(1).await;
    assert_eq!(text(&spans, "tenant.id").as_deref(), Some("köln, süd"));
    assert_eq!(text(&spans, "stock.tenant").as_deref(), Some("köln, süd"));
    for key in ["order.id", "caller", "user.id", "stock.none", "order.kind"] {
        assert_eq!(text(&spans, key), None, "{key} is not on the list");
    }
    let caller = storefront.spans(2).await;
    assert_eq!(caller.server().tag("order.id"), Some(Value::I64(7)));
    assert_eq!(text(&caller, "tenant.id").as_deref(), Some("köln, süd"));
    assert_eq!(caller.named("reserve").tag("tenant.id"), None);
    assert_eq!(spans.server().parent(), caller.named("reserve").id());
}

#[actix_web::test]
async fn without_a_list_nothing_that_callers_send_becomes_a_tag() {
    let storage = storage(|tracing| tracing);
    order_for(&storefront(&storage), "berlin", "").await;
    let spans = storage.spans(1).await;
    assert_eq!(text(&spans, "tenant.id"), None);
    assert_eq!(text(&spans, "stock.tenant").as_deref(), Some("berlin"));
}

#[actix_web::test]
async fn of_a_caller_who_is_not_trusted_nothing_is_taken() {
    let storage = storage(|tracing| tracing.baggage_tags(["tenant.id"]).trust(Trust::nobody()));
    let passed_on = order_for(&storefront(&storage), "berlin", "").await;
    assert_eq!(passed_on, "");
    let spans = storage.spans(1).await;
    assert_eq!(text(&spans, "tenant.id"), None);
    assert_eq!(text(&spans, "stock.tenant"), None);
}

#[actix_web::test]
async fn long_values_are_cut() {
    let storage = storage(|tracing| tracing.baggage_tags(["tenant.id"]));
    order_for(&storefront(&storage), &"x".repeat(4000), "").await;
    let tenant = text(&storage.spans(1).await, "tenant.id").unwrap();
    assert_eq!(tenant.len(), 1024);
}

#[actix_web::test]
async fn requests_side_by_side_do_not_mix() {
    let storage = storage(|tracing| tracing);
    let storefront = storefront(&storage);
    for _ in 0..10 {
        let (one, other) = join(
            order_for(&storefront, "berlin", "a=1"),
            order_for(&storefront, "paris", "b=2"),
        )
        .await;
        assert_eq!(one, "a=1,order.id=7,tenant.id=berlin");
        assert_eq!(other, "b=2,order.id=7,tenant.id=paris");
    }
}

#[derive(BizAttrs)]
#[biz(prefix = "user")]
struct User {
    #[biz(baggage, hash)]
    id: u64,
    #[biz(baggage, pii)]
    name: &'static str,
    #[biz(baggage, mask(2))]
    card: &'static str,
    #[biz(baggage, max_len(3))]
    note: &'static str,
    #[biz(baggage, when(self.id > 10))]
    rank: bool,
    #[biz]
    kind: &'static str,
}

const ADA: User = User {
    id: 7,
    name: "ada",
    card: "4111",
    note: "hello",
    rank: true,
    kind: "new",
};

#[traced(attrs(..user))]
fn of_user(user: &User) -> String {
    sent()
}

#[actix_web::test]
async fn what_is_protected_travels_as_it_is_recorded() {
    let settings = |policy| {
        move |builder: biztrace::TelemetryBuilder| builder.hash_key("0123456789abcdef").pii(policy)
    };
    let instance = Instance::new(settings(PiiPolicy::Drop));
    let sent = instance.under_root(async { of_user(&ADA) }).await;
    let id = instance.spans(2).await.named("of_user").tag("user.id");
    let id = id.unwrap().to_string();
    assert_eq!(id.len(), 64);
    assert_eq!(sent, format!("user.card=**11,user.id={id},user.note=hel"));
    let instance = Instance::new(settings(PiiPolicy::Keep));
    let sent = instance.under_root(async { of_user(&ADA) }).await;
    assert!(sent.contains("user.name=ada"), "{sent}");
    // Without a key there is no hash.
    let instance = Instance::default();
    let sent = instance.under_root(async { of_user(&ADA) }).await;
    assert_eq!(sent, "user.card=**11,user.note=hel");
}

#[traced(attrs(#[baggage] a.b = 1))]
async fn outer() -> [String; 3] {
    yield_now().await;
    let first = inner(2);
    yield_now().await;
    [first, of_nobody(), sent()]
}

#[traced(attrs(#[when(id > 1)] #[baggage] #[inherit] c.d = id))]
fn inner(id: u64) -> String {
    in_place(true)
}

#[biz_attrs(#[baggage] e.f = flag)]
fn in_place(flag: bool) -> String {
    sent()
}

#[traced(attrs(#[baggage] #[pii] a.b = "secret"))]
fn of_nobody() -> String {
    sent()
}

#[actix_web::test]
async fn tag_is_in_the_baggage_of_what_the_body_calls() {
    let instance = Instance::default();
    let [first, withheld, last] = instance
        .under_root(async {
            let sent_below = outer().await;
            assert_eq!(sent(), "");
            sent_below
        })
        .await;
    assert_eq!(first, "a.b=1,c.d=2,e.f=true");
    assert_eq!(withheld, "", "nor does an earlier value of its key travel");
    assert_eq!(last, "a.b=1");
    let spans = instance.spans(4).await;
    assert_eq!(spans.named("inner").tag("e.f"), Some(Value::Bool(true)));
}

#[traced]
fn in_the_midst() -> String {
    tag!(..ADA);
    sent()
}

#[actix_web::test]
async fn tag_set_within_a_body_is_not_in_the_baggage() {
    let instance = Instance::default();
    assert_eq!(instance.under_root(async { in_the_midst() }).await, "");
    let spans = instance.spans(2).await;
    let note = spans.named("in_the_midst").tag("user.note");
    assert_eq!(note, Some("hel".into()));
}

#[biz_attrs(#[baggage] a.b = id)]
async fn alone(id: u64) -> String {
    yield_now().await;
    below().await
}

#[traced]
async fn below() -> String {
    yield_now().await;
    sent()
}

#[traced(attrs(#[baggage] a.b = id))]
fn items(id: u64) -> impl Stream<Item = String> {
    stream::iter([(), ()]).then(|()| async {
        yield_now().await;
        sent()
    })
}

#[actix_web::test]
async fn tag_is_in_the_baggage_at_each_poll() {
    let instance = Instance::default();
    instance
        .under_root(async {
            let (one, other) = join(alone(1), alone(2)).await;
            assert_eq!((&*one, &*other), ("a.b=1", "a.b=2"));
            let (one, other) = (items(3).collect::<Vec<_>>(), items(4).collect::<Vec<_>>());
            let (one, other) = join(one, other).await;
            assert_eq!(one, ["a.b=3", "a.b=3"]);
            assert_eq!(other, ["a.b=4", "a.b=4"]);
            assert_eq!(sent(), "");
        })
        .await;
    let spans = instance.spans(5).await;
    assert!(
        { spans.iter() }
            .filter(|span| span.name == "below")
            .all(|span| span.parent() == spans.named("root").id())
    );
}

#[actix_web::test]
async fn middleware_sets_baggage_for_all_requests() {
    let service = Service::start(|tracing| {
        let tracing = tracing.on_request(|request, tags| {
            let shop = request.headers().get("x-shop");
            tags.baggage(|tags| tags.set("shop.id", &shop.and_then(|it| it.to_str().ok())));
        });
        App::new().wrap(tracing).service(stock)
    });
    let request = service.request(Method::GET, "/stock");
    let answer = request.header("x-shop", "north").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "shop.id=north");
    assert_eq!(service.get("/stock").await.1, "", "the next has none");
}

#[get("/untraced")]
async fn untraced() -> String {
    yield_now().await;
    sent()
}

#[test]
fn incoming_baggage_is_passed_on_when_disabled() {
    let test = "baggage::incoming_baggage_is_passed_on_when_disabled";
    if rerun(test, &[("OTEL_SDK_DISABLED", "true")]).is_some() {
        return;
    }
    actix_web::rt::System::new().block_on(async {
        let service = Service::start(|tracing| {
            let tracing = tracing.request_id().trace_id_header();
            App::new().wrap(tracing).service(untraced).service(stock)
        });
        for path in ["/untraced", "/stock"] {
            let request = service.request(Method::GET, path);
            let answer = request.header("baggage", "caller=x").send().await.unwrap();
            assert!(!answer.headers().contains_key("x-trace-id"));
            assert_eq!(answer.text().await.unwrap(), "caller=x", "{path}");
            assert_eq!(service.get(path).await.1, "", "{path}");
        }
        service.spans(0).await;
    });
}
