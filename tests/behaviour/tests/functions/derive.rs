//! Attributes that a type declares, values of an enum, and what is protected on its way out.

use std::net::Ipv4Addr;

use actix_web::{App, HttpResponse, post, web};
use behaviour::{Instance, Service};
use biztrace::settings::PiiPolicy;
use biztrace::testing::Capture;
use biztrace::{BizAttrs, BizValue, biz_attrs, tag, traced, traced_handler};
use opentelemetry::Value;
use serde::Deserialize;

#[derive(Deserialize, BizAttrs)]
#[biz(prefix = "order")]
struct CreateOrder {
    #[biz]
    amount: f64,
    #[biz]
    r#type: Option<String>,
    #[biz(key = "payment.method")]
    method: PaymentMethod,
    #[biz(key = "user.id", hash)]
    user: u64,
    #[biz(key = "user.name", pii)]
    name: String,
    #[biz(rename = "tags")]
    labels: Vec<String>,
    #[biz(when(self.amount > 100.0))]
    large: bool,
    #[biz(nested)]
    seller: Address,
    #[biz(nested, prefix = "shipping")]
    to: Option<Address>,
    #[biz(skip)]
    note: String,
    card: String,
}

#[derive(Deserialize, BizAttrs)]
struct Address {
    #[biz(max_len(3))]
    city: String,
    #[biz(key = "address.zip", mask(2))]
    zip: u32,
}

#[derive(Clone, Copy, Deserialize, BizValue)]
enum PaymentMethod {
    Card,
    BankTransfer,
}

const ORDER: &str = r#"{"amount": 120.5, "method": "BankTransfer", "user": 7, "name": "Ada", "labels": ["a", "b"], "large": true,
    "seller": {"city": "Hamburg", "zip": 20095}, "to": {"city": "Bremen", "zip": 28195}, "note": "n", "card": "4111111111111234"}"#;

#[post("/orders")]
#[traced_handler]
#[biz_attrs(..body, #[mask(4)] payment.card = body.card, #[debug] note.raw = body.note, #[display] note.shown = format_args!("{}!", body.note), order.extractor = limit)]
async fn create(body: web::Json<CreateOrder>, limit: web::Data<u64>) -> HttpResponse {
    assert_eq!((body.note.len(), **limit), (1, 5));
    HttpResponse::Ok().finish()
}

async fn send(service: &Service) {
    let request = service.request(reqwest::Method::POST, "/orders");
    let response = request
        .header("content-type", "application/json")
        .body(ORDER)
        .send()
        .await;
    assert_eq!(response.expect("an answer").status().as_u16(), 200);
}

fn service(instance: Instance) -> Service {
    Service::recording_to(instance, |tracing| {
        App::new()
            .wrap(tracing)
            .app_data(web::Data::new(5_u64))
            .service(create)
    })
}

#[actix_web::test]
async fn a_spread_sets_what_the_type_declares() {
    let service = service(Instance::default());
    send(&service).await;
    let spans = service.spans(1).await;
    let span = spans.server();
    let list = Value::Array(
        ["a", "b"]
            .map(opentelemetry::StringValue::from)
            .to_vec()
            .into(),
    );
    let expected: [(&str, Value); 12] = [
        ("order.amount", 120.5.into()),
        ("payment.method", "bank_transfer".into()),
        ("order.tags", list),
        ("order.large", true.into()),
        ("city", "Ham".into()),
        ("address.zip", "***95".into()),
        ("shipping.city", "Bre".into()),
        ("shipping.address.zip", "***95".into()),
        ("payment.card", "************1234".into()),
        ("note.raw", "\"n\"".into()),
        ("note.shown", "n!".into()),
        ("order.extractor", 5.into()),
    ];
    for (key, value) in &expected {
        assert_eq!(span.tag(key).as_ref(), Some(value), "{key}");
    }
    // None, dropped for lack of a key, dropped by policy; unmarked, skipped.
    let absent = [
        "order.type",
        "user.id",
        "user.name",
        "order.card",
        "card",
        "order.note",
    ];
    for key in absent {
        assert_eq!(span.tag(key), None, "{key}");
    }
}

#[actix_web::test]
async fn a_key_and_a_policy_say_how_values_are_protected() {
    const KEY: &str = "0123456789abcdef";
    let hashed = |settings: biztrace::TelemetryBuilder| settings.hash_key(KEY).pii(PiiPolicy::Hash);
    let kept = |settings: biztrace::TelemetryBuilder| settings.hash_key(KEY).pii(PiiPolicy::Keep);
    let mut names = Vec::new();
    let mut users = Vec::new();
    for instance in [
        Instance::new(hashed),
        Instance::new(hashed),
        Instance::new(kept),
    ] {
        let service = service(instance);
        send(&service).await;
        let spans = service.spans(1).await;
        let text = |key: &str| spans.server().tag(key).unwrap().to_string();
        names.push(text("user.name"));
        users.push(text("user.id"));
    }
    // HMAC-SHA-256 of `7` and of `Ada`, as openssl has them.
    assert_eq!(users, [USER; 3]);
    assert_eq!(names, [NAME, NAME, "Ada"]);
}

const USER: &str = "f69cf4852626eee19b92af564b9413e44aa526cc9e726ab9b8972af1d3b39092";
const NAME: &str = "9bc245ae8032d0b6c5fca2e91bbe82682c2e07656f8ebc09906bf20ee6825e25";

#[test]
fn a_short_key_is_refused() {
    let error = biztrace::Telemetry::builder()
        .hash_key("short")
        .build()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the key of `TelemetryBuilder::hash_key` has 5 bytes"),
        "{error}"
    );
}

#[traced]
async fn pack(step: u8) {
    tag!(
        pack.step = step,
        #[when(step > 3)]
        pack.late = true,
        #[max_len(2)]
        pack.note = "long",
        #[display]
        pack.place = Some(Ipv4Addr::LOCALHOST),
        #[display]
        #[mask(1)]
        pack.from = (step > 7).then_some(Ipv4Addr::LOCALHOST)
    );
}

#[actix_web::test]
async fn tag_tags_the_current_span() {
    let instance = Instance::default();
    instance
        .under_root(async {
            tag!(order.stage = "new");
            pack(7).await;
            tag!(order.stage = "packed");
        })
        .await;
    let spans = instance.spans(2).await;
    assert_eq!(
        spans.named("root").tag("order.stage"),
        Some("packed".into())
    );
    let pack = spans.named("pack");
    assert_eq!(pack.tag("pack.step"), Some(7.into()));
    assert_eq!(pack.tag("pack.late"), Some(true.into()));
    assert_eq!(pack.tag("pack.note"), Some("lo".into()));
    assert_eq!(pack.tag("pack.place"), Some("127.0.0.1".into()));
    assert_eq!(pack.tag("pack.from"), None);
    tag!(order.stage = panic_outside());
}

fn panic_outside() -> &'static str {
    panic!("evaluated where nothing is recorded")
}

#[derive(BizAttrs)]
struct Node<T> {
    #[biz(key = "node.value")]
    value: T,
    #[biz(nested, prefix = "next")]
    next: Option<Box<Node<T>>>,
}

#[test]
fn a_type_may_nest_itself() {
    #[traced]
    fn list() {
        let node = |value, next| Node { value, next };
        tag!(..node(1, Some(Box::new(node(2, None)))));
    }

    let capture = Capture::new();
    capture.scope_sync(list);
    let list = capture.span("list");
    list.assert_tag("node.value", 1);
    list.assert_tag("next.node.value", 2);
}
