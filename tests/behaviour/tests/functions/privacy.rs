//! What is protected: request data that a span handle hides, and values that a policy drops or hashes.

use actix_web::test as actix;
use actix_web::{App, HttpResponse, get};
use biztrace::actix::{RequestSpan, RequestTracing};
use biztrace::settings::PiiPolicy;
use biztrace::testing::Capture;
use biztrace::{BizAttrs, Tags, Telemetry, current, tag, traced, traced_handler};
use opentelemetry::KeyValue;

#[get("/account")]
#[traced_handler]
async fn account(span: RequestSpan) -> HttpResponse {
    tag!(user.id = 77_777_777);
    HttpResponse::Ok().body(format!("{span:?} {:?}", current()))
}

/// The bytes of `text` as `Debug` shows those of a buffer.
fn bytes(text: &str) -> String {
    let list = format!("{:?}", text.as_bytes());
    list.trim_matches(['[', ']']).to_owned()
}

#[actix_web::test]
async fn the_handle_of_a_span_shows_its_ids_and_no_more() {
    let answer = Capture::new()
        .scope(async {
            let app = App::new().wrap(RequestTracing::default()).service(account);
            let app = actix::init_service(app).await;
            let request = actix::TestRequest::get()
                .uri("/account?card=4111")
                .insert_header(("authorization", "Bearer s3cret"))
                .to_request();
            actix::call_and_read_body(&app, request).await
        })
        .await;
    let answer = String::from_utf8(answer.to_vec()).unwrap();
    assert!(answer.contains("trace_id"), "{answer}");
    for secret in ["s3cret", "card=4111", "user.id", "authorization"] {
        let shown = answer.contains(secret) || answer.contains(&bytes(secret));
        assert!(!shown, "{secret}: {answer}");
    }
}

#[test]
fn a_test_protects_values_as_its_service_does() {
    let settings = Telemetry::builder()
        .hash_key("0123456789abcdef")
        .pii(PiiPolicy::Keep)
        .default_tags([KeyValue::new("env.region", "eu-west-1")]);
    let capture = Capture::with(settings);
    capture.scope_sync(|| sign_in("ada"));
    let span = capture.span("sign_in");
    span.assert_tag("user.name", "ada");
    span.assert_tag("env.region", "eu-west-1");
    assert_eq!(span.tag("user.id").unwrap().to_string().len(), 64);
}

#[traced]
fn sign_in(user: &str) {
    tag!(
        #[pii]
        user.name = user,
        #[hash]
        user.id = user
    );
}

#[test]
fn what_protection_drops_leaves_no_earlier_value_of_its_key() {
    struct Account(&'static str);

    impl BizAttrs for Account {
        fn record(&self, tags: &mut Tags) {
            tags.set("user.id", self.0);
            tags.set("user.tier", "gold");
        }
    }

    #[traced]
    fn inner() {
        tag!(
            #[hash]
            user.id = "ada"
        );
    }

    #[traced]
    fn outer() {
        tag!(
            ..Account("ada"),
            #[pii]
            user.id = "ada"
        );
        tag!(
            #[inherit]
            user.id = "ada"
        );
        inner();
        tag!(
            #[pii]
            user.id = "ada"
        );
    }

    #[traced]
    fn named_again() {
        tag!(
            #[pii]
            user.id = "ada"
        );
        tag!(user.id = "known to all");
    }

    let capture = Capture::new();
    capture.scope_sync(outer);
    capture.scope_sync(named_again);
    let span = capture.span("outer");
    assert_eq!(span.tag("user.id"), None);
    span.assert_tag("user.tier", "gold");
    assert_eq!(capture.span("inner").tag("user.id"), None);
    capture
        .span("named_again")
        .assert_tag("user.id", "known to all");
}

#[test]
fn what_is_withheld_is_no_longer_inherited() {
    #[traced]
    fn request() {
        tag!(
            #[inherit]
            user.id = "ada",
            #[inherit]
            user.tier = "gold"
        );
        before();
        protects();
        beside();
    }

    #[traced]
    fn before() {}

    #[traced]
    fn protects() {
        tag!(
            #[inherit]
            #[pii]
            user.id = "ada"
        );
        below();
    }

    #[traced]
    fn below() {}

    #[traced]
    fn beside() {}

    let capture = Capture::new();
    capture.scope_sync(request);
    for (name, user) in [
        ("before", true),
        ("protects", false),
        ("below", false),
        ("beside", true),
    ] {
        let span = capture.span(name);
        assert_eq!(span.tag("user.id").is_some(), user, "{name}");
        span.assert_tag("user.tier", "gold");
    }
}
