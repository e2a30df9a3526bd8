//! Long texts: what a request brings is cut, and what OpenTelemetry's conventions want whole is not.

use std::collections::BTreeMap;

use actix_web::{App, post};
use behaviour::{Instance, Service, Span, rerun, tag_of};
use biztrace::{biz_attrs, tag, traced_handler};
use http::Method;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue, Value};

/// Characters, which have two bytes each.
const SENT: usize = 100_000;

#[post("/orders")]
#[traced_handler]
#[biz_attrs(
    order.note = body,
    order.notes = [body.as_str()],
    #[display] order.shown = body,
    #[mask(1)] order.masked = body,
    db.query.text = body,
)]
async fn order(body: String) -> &'static str {
    tag!(
        #[display]
        exception.message = body
    );
    let attribute = |key: &'static str| KeyValue::new(key, body.clone());
    let span = biztrace::current();
    span.event("note.checked", [attribute("event.note")]);
    span.record_error(&std::io::Error::other(body.clone()));
    Context::map_current(|cx| {
        cx.span().set_attribute(attribute("api.note"));
        cx.span()
            .add_event("api.event", vec![attribute("event.note")]);
    });
    "taken"
}

/// The lengths of the texts that a span has of a request with a long body, in characters.
async fn lengths(instance: Instance) -> BTreeMap<String, usize> {
    let service =
        Service::recording_to(instance, |tracing| App::new().wrap(tracing).service(order));
    let request = service.request(Method::POST, "/orders");
    let response = request.body("é".repeat(SENT)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let span: Span = service.spans(1).await.server().clone();
    assert_eq!(span.dropped_attributes_count, 0);
    let length = |value: Value| match value {
        Value::Array(array) => array.to_string().chars().count() - r#"[""]"#.len(),
        text => text.as_str().chars().count(),
    };
    let tags = [
        "order.note",
        "order.notes",
        "order.shown",
        "order.masked",
        "db.query.text",
        "exception.message",
        "api.note",
    ];
    let tags = tags.map(|key| (key.to_owned(), length(span.tag(key).unwrap())));
    let events = span.events.iter().map(|event| {
        let attribute = ["event.note", "exception.message"]
            .into_iter()
            .find_map(|key| tag_of(&event.attributes, key));
        (event.name.clone(), length(attribute.unwrap()))
    });
    tags.into_iter().chain(events).collect()
}

#[actix_web::test]
async fn text_of_a_request_is_cut_by_default() {
    let lengths = lengths(Instance::default()).await;
    let expected = [
        ("order.note", 4096),
        ("order.notes", 4096),
        ("order.shown", 4096),
        ("order.masked", 4096),
        ("note.checked", 4096),
        ("db.query.text", SENT),
        ("exception.message", SENT),
        ("exception", SENT),
        ("api.note", SENT),
        ("api.event", SENT),
    ];
    assert_eq!(
        lengths,
        expected.map(|(key, length)| (key.into(), length)).into()
    );
}

async fn all_are_cut_at(chars: usize, instance: Instance) {
    for (key, length) in lengths(instance).await {
        assert_eq!(length, chars, "{key}");
    }
}

#[actix_web::test]
async fn limit_in_code_replaces_the_default_for_all_text() {
    for chars in [10, 50_000] {
        let limited = Instance::new(|settings| {
            settings.limits(move |limits| limits.attribute_value_length = Some(chars))
        });
        all_are_cut_at(chars, limited).await;
    }
}

#[actix_web::test]
async fn limit_in_the_environment_replaces_the_default_for_all_text() {
    let test = "long_texts::limit_in_the_environment_replaces_the_default_for_all_text";
    let variables = [
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ];
    let run = |variable| rerun(test, &[(variable, "5000")]);
    if variables.map(run) == [None, None] {
        all_are_cut_at(5000, Instance::default()).await;
    }
}
