//! Counts what recording allocates: exactly, and by cause.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, post, web};
use biztrace::actix::RequestTracing;
use biztrace::{Telemetry, biz_attrs, traced, traced_handler};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// The OpenTelemetry API boxes each span that is made current, and counts references to the box.
const CURRENT_SPAN: u64 = 2;
/// actix-web's `match_pattern` answers with a `String`.
const MATCH_PATTERN: u64 = 1;
/// In the API's type a tracestate is a list of pairs of strings: to parse one, to copy it into the trace, the current span and
/// its context, and to write it again takes this many allocations for one member.
const TRACESTATE: u64 = 16;

#[post("/bare/{id}")]
async fn bare(id: web::Path<u64>) -> HttpResponse {
    reserve_bare(*id).await
}

async fn reserve_bare(id: u64) -> HttpResponse {
    tokio::task::yield_now().await;
    if id > 0 {
        HttpResponse::NoContent().finish()
    } else {
        HttpResponse::Conflict().finish()
    }
}

#[post("/none/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"), order.express = true)]
async fn no_child(id: web::Path<u64>) -> HttpResponse {
    reserve_bare(*id).await
}

#[post("/one/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"), order.express = true)]
async fn one_child(id: web::Path<u64>) -> HttpResponse {
    reserve(*id).await
}

#[traced(kind = "client", attrs(order.id = id, db.system.name = "sqlite", stock.left = 7.5))]
async fn reserve(id: u64) -> HttpResponse {
    reserve_bare(id).await
}

/// Allocations of one request, once all buffers have grown to their size.
async fn allocations<S, B>(app: &S, path: &str, headers: &[(&str, &str)]) -> u64
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
{
    let mut counts = Vec::new();
    for _ in 0..20 {
        let request = headers
            .iter()
            .fold(TestRequest::post().uri(path), |request, header| {
                request.insert_header(*header)
            });
        let request = request.to_request();
        let before = dhat::HeapStats::get().total_blocks;
        let response = app.call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        drop(response);
        counts.push(dhat::HeapStats::get().total_blocks - before);
    }
    *counts.iter().min().unwrap()
}

#[actix_web::test]
async fn a_request_allocates_for_each_span_that_is_made_current_and_for_its_route() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let telemetry = Telemetry::builder()
        .otlp("http://127.0.0.1:9")
        .build()
        .unwrap();
    let tracing = RequestTracing::default().tracer_provider(telemetry.tracer_provider());
    let bare_app = init_service(
        App::new()
            .wrap_fn(|request, next| next.call(request))
            .service(bare)
            .service(no_child)
            .service(one_child),
    )
    .await;
    let app = init_service(
        App::new()
            .wrap(tracing)
            .service(bare)
            .service(no_child)
            .service(one_child),
    )
    .await;

    // A new worker asks its first requests for their routes.
    for _ in 0..300 {
        let request = TestRequest::post().uri("/bare/7").to_request();
        app.call(request).await.unwrap();
    }

    let headers = [("x-tenant-id", "acme")];
    for (path, spans, what) in [
        ("/bare/7", 1, "a handler without attributes"),
        ("/none/7", 1, "a handler with tags"),
        ("/one/7", 2, "a child span"),
    ] {
        let base = allocations(&bare_app, path, &headers).await;
        let traced = allocations(&app, path, &headers).await;
        assert_eq!(
            traced - base,
            spans * CURRENT_SPAN + MATCH_PATTERN,
            "{what}"
        );
    }

    let caller = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    );
    let base = allocations(&bare_app, "/none/7", &[caller]).await;
    let traced = allocations(&app, "/none/7", &[caller]).await;
    assert_eq!(
        traced - base,
        CURRENT_SPAN + MATCH_PATTERN,
        "a caller's trace"
    );
    let state = ("tracestate", "a=1");
    let with_state = allocations(&app, "/none/7", &[caller, state]).await;
    let base_with_state = allocations(&bare_app, "/none/7", &[caller, state]).await;
    assert_eq!(
        with_state - base_with_state,
        CURRENT_SPAN + MATCH_PATTERN + TRACESTATE,
        "a tracestate"
    );
    assert!(telemetry.report().recorded > 0);
}
