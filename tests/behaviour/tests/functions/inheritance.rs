//! `#[inherit]`: tags that the spans below have too, however they come about.

use std::future::Future;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, get, web};
use behaviour::{Instance, Service, Span, Spans, TRACEPARENT};
use biztrace::settings::Limits;
use biztrace::{biz_attrs, tag, traced, traced_handler};
use opentelemetry::trace::{FutureExt, Tracer as _};
use opentelemetry::{Context, KeyValue};
use tokio::task::yield_now;

async fn spans_of(limits: Limits, count: u64, body: impl Future<Output = ()>) -> Spans {
    let instance = Instance::new(|settings| settings.limits(move |it| it.clone_from(&limits)));
    instance.under_root(body).await;
    instance.spans(count).await
}

fn tenant(span: &Span) -> Option<String> {
    Some(span.tag("tenant.id")?.to_string())
}

#[traced]
async fn child() {
    yield_now().await;
    grandchild();
}

#[traced]
fn grandchild() {}

#[traced(attrs(tenant.id = "its own"))]
fn with_its_own() {
    grandchild();
}

#[traced(attrs(#[inherit] tenant.id = "nearer"))]
async fn hands_down() {
    child().await;
}

#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(#[inherit] tenant.id = header("x-tenant-id"), order.id = *id)]
async fn order(id: web::Path<u64>) -> String {
    child().await;
    id.to_string()
}

async fn traced_middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    within(next.call(request)).await
}

#[traced]
async fn within<T>(work: impl Future<Output = T>) -> T {
    grandchild();
    work.await
}

#[actix_web::test]
async fn a_handlers_tag_reaches_all_that_starts_below_its_request() {
    let service = Service::start(|tracing| {
        App::new()
            .wrap(from_fn(traced_middleware))
            .wrap(tracing)
            .service(order)
    });
    let request = service.request(reqwest::Method::GET, "/orders/7");
    let request = request.header("traceparent", TRACEPARENT);
    request
        .header("x-tenant-id", "berlin")
        .send()
        .await
        .unwrap();
    let spans = service.spans(5).await;
    let berlin = Some("berlin".to_owned());
    assert_eq!(tenant(spans.server()), berlin);
    let child = spans.named("child");
    assert_eq!(tenant(child), berlin);
    assert_eq!(child.tag("order.id"), None, "only what is marked");
    let within = spans.named("within");
    assert_eq!(tenant(within), None, "it was open before");
    for grandchild in spans.iter().filter(|span| span.name == "grandchild") {
        let is_late = grandchild.parent() == child.id();
        assert_eq!(tenant(grandchild).is_some(), is_late);
        assert!(is_late || grandchild.parent() == within.id());
    }
}

#[actix_web::test]
async fn third_parties_spans_inherit_as_parents_and_as_children() {
    let instance = Instance::default();
    let tracer = instance.tracer();
    instance
        .under_root(async {
            tag!(
                #[inherit]
                tenant.id = "berlin"
            );
            tracer.in_span("library", |_| {
                grandchild();
                tracer.in_span("library within", |_| {});
            });
            let attributes = [KeyValue::new("tenant.id", "the library's")];
            let builder = tracer.span_builder("knows better");
            drop(tracer.build(builder.with_attributes(attributes)));
        })
        .await;
    let spans = instance.spans(5).await;
    for name in ["root", "library", "grandchild", "library within"] {
        assert_eq!(
            tenant(spans.named(name)).as_deref(),
            Some("berlin"),
            "{name}"
        );
    }
    assert_eq!(
        tenant(spans.named("knows better")).as_deref(),
        Some("the library's")
    );
}

#[actix_web::test]
async fn a_spans_own_value_goes_before_and_the_nearest_is_inherited() {
    let spans = spans_of(Limits::default(), 6, async {
        tag!(
            #[inherit]
            tenant.id = "far",
            #[inherit]
            env.region = "eu"
        );
        hands_down().await;
        with_its_own();
    })
    .await;
    let value = |name: &str| tenant(spans.named(name));
    assert_eq!(value("root").as_deref(), Some("far"));
    assert_eq!(value("hands_down").as_deref(), Some("nearer"));
    assert_eq!(value("child").as_deref(), Some("nearer"));
    assert_eq!(value("with_its_own").as_deref(), Some("its own"));
    for grandchild in spans.iter().filter(|span| span.name == "grandchild") {
        let of_child = grandchild.parent() == spans.named("child").id();
        let expected = if of_child { "nearer" } else { "far" };
        assert_eq!(tenant(grandchild).as_deref(), Some(expected));
    }
    for span in spans.iter() {
        assert_eq!(span.tag("env.region"), Some("eu".into()), "{}", span.name);
    }
}

#[traced]
async fn waits_for(go: tokio::sync::oneshot::Receiver<()>) {
    let _ = go.await;
    grandchild();
}

#[traced(attrs(#[inherit] tenant.id = "nearer"))]
async fn waits_with_its_own(go: tokio::sync::oneshot::Receiver<()>) {
    let _ = go.await;
    grandchild();
}

#[actix_web::test]
async fn what_is_set_late_reaches_what_starts_below_open_spans() {
    let (one, first) = tokio::sync::oneshot::channel();
    let (other, second) = tokio::sync::oneshot::channel();
    let spans = spans_of(Limits::default(), 5, async {
        let waiting = async { tokio::join!(waits_for(first), waits_with_its_own(second)) };
        let setting = async {
            yield_now().await;
            tag!(
                #[inherit]
                tenant.id = "late"
            );
            tag!(
                #[inherit]
                tenant.id = "later"
            );
            assert!(one.send(()).is_ok() && other.send(()).is_ok());
        };
        tokio::join!(waiting, setting);
    })
    .await;
    assert_eq!(tenant(spans.named("root")).as_deref(), Some("later"));
    assert_eq!(tenant(spans.named("waits_for")), None);
    for grandchild in spans.iter().filter(|span| span.name == "grandchild") {
        let below_its_own = grandchild.parent() == spans.named("waits_with_its_own").id();
        let expected = if below_its_own { "nearer" } else { "later" };
        assert_eq!(tenant(grandchild).as_deref(), Some(expected));
    }
}

#[traced(attrs(#[inherit] tenant.id = "berlin"))]
fn spawns(count: usize) -> tokio::task::JoinHandle<()> {
    let (go, parent_ended) = tokio::sync::oneshot::channel::<()>();
    let task = async move {
        let _ = parent_ended.await;
        for _ in 0..count {
            grandchild();
        }
    };
    let task = tokio::task::spawn_local(task.with_context(Context::current()));
    tokio::task::spawn_local(async move {
        yield_now().await;
        drop(go);
    });
    task
}

#[actix_web::test]
async fn a_task_inherits_though_its_parent_has_ended() {
    let instance = Instance::default();
    let mut task = None;
    instance.under_root(async { task = Some(spawns(3)) }).await;
    assert_eq!(instance.telemetry.report().recorded, 2, "both have ended");
    task.expect("it was spawned").await.unwrap();
    let spans = instance.spans(5).await;
    let spawns = spans.named("spawns");
    for grandchild in spans.iter().filter(|span| span.name == "grandchild") {
        assert_eq!(grandchild.parent(), spawns.id());
        assert_eq!(tenant(grandchild).as_deref(), Some("berlin"));
    }
}

#[traced]
fn leaves_behind(go: tokio::sync::oneshot::Receiver<()>) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_local(waits_for(go).with_context(Context::current()))
}

#[actix_web::test]
async fn below_a_span_that_has_ended_is_what_was_set_before() {
    let spans = spans_of(Limits::default(), 5, async {
        tag!(
            #[inherit]
            env.region = "eu"
        );
        let (go, wait) = tokio::sync::oneshot::channel();
        let task = leaves_behind(wait);
        yield_now().await;
        tag!(
            #[inherit]
            tenant.id = "late"
        );
        grandchild();
        assert!(go.send(()).is_ok());
        task.await.unwrap();
    })
    .await;
    for grandchild in spans.iter().filter(|span| span.name == "grandchild") {
        let is_below_root = grandchild.parent() == spans.named("root").id();
        assert_eq!(tenant(grandchild).is_some(), is_below_root);
        assert_eq!(grandchild.tag("env.region"), Some("eu".into()));
    }
}

#[actix_web::test]
async fn an_ended_parent_is_remembered_for_as_long_as_it_has_children() {
    let mut limits = Limits::default();
    limits.spans_per_trace = 8;
    let instance = Instance::new(|settings| settings.limits(move |it| it.clone_from(&limits)));
    let mut task = None;
    instance
        .under_root(async { task = Some(spawns(100)) })
        .await;
    task.expect("it was spawned").await.unwrap();
    let spans = instance.spans(102).await;
    let grandchildren = spans.iter().filter(|span| span.name == "grandchild");
    assert!(
        { grandchildren }.all(|span| tenant(span).as_deref() == Some("berlin")),
        "each trace of eight and less"
    );
}

#[actix_web::test]
async fn inherited_tags_respect_the_limits() {
    let mut limits = Limits::default();
    limits.attributes = 2;
    let spans = spans_of(limits, 2, async {
        tag!(
            #[inherit]
            tenant.id = "berlin",
            #[inherit]
            env.region = "eu"
        );
        tag!(
            #[inherit]
            env.zone = 1
        );
        grandchild();
    })
    .await;
    let root = spans.named("root");
    let dropped = root.dropped_attributes_count;
    let child = spans.named("grandchild");
    for key in ["tenant.id", "env.region", "env.zone"] {
        assert_eq!(child.tag(key), root.tag(key), "{key}: as the root took it");
    }
    assert!(dropped > 0 && child.dropped_attributes_count == 0);
    assert_eq!(tenant(child).as_deref(), Some("berlin"));
}

#[actix_web::test]
async fn another_trace_inherits_nothing() {
    let instance = Instance::default();
    for value in [Some("berlin"), None] {
        instance
            .under_root(async {
                tag!(
                    #[inherit]
                    tenant.id = value
                );
                grandchild();
            })
            .await;
    }
    let spans = instance.spans(4).await;
    let with = spans.iter().filter(|span| tenant(span).is_some());
    assert_eq!(with.count(), 2, "the first trace");
}

#[actix_web::test]
async fn a_key_that_is_set_often_is_handed_down_once() {
    let spans = spans_of(Limits::default(), 2, async {
        for number in 0..100_000 {
            tag!(
                #[inherit]
                app.number = number
            );
        }
        grandchild();
    })
    .await;
    let child = spans.named("grandchild");
    assert_eq!(child.tag("app.number"), Some(99_999.into()));
}
