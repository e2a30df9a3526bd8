//! Tags that read the head of a request: `header()`, `query()` and `cookie()`.

use actix_web::http::header::HeaderName;
use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::{App, HttpRequest, get};
use biztrace::actix::RequestTracing;
use biztrace::testing::Capture;
use biztrace::{biz_attrs, traced_handler};

#[actix_web::test]
async fn tags_find_the_headers_that_are_readable() {
    #[get("/copy/{id}")]
    #[traced_handler]
    #[biz_attrs(tenant.id = header("X-Tenant-Id"), app.version = header("x-app-version"), app.theme = query("theme"))]
    async fn copy() -> &'static str {
        "hello"
    }

    #[get("/request")]
    #[traced_handler]
    #[biz_attrs(app.version = header("x-app-version"))]
    async fn whole(_request: HttpRequest) -> &'static str {
        "hello"
    }

    let readable = ["x-tenant-id", "x-none", "x-tenant-id"].map(HeaderName::from_static);
    let capture = Capture::new();
    capture
        .scope(async {
            let tracing = RequestTracing::default().readable_headers(readable);
            let app = init_service(App::new().wrap(tracing).service((copy, whole))).await;
            for path in ["/copy/7?theme=dark", "/request"] {
                let request = TestRequest::with_uri(path)
                    .append_header(("x-tenant-id", "acme"))
                    .append_header(("x-app-version", "7"))
                    .append_header(("x-large", "x".repeat(20_000)));
                call_and_read_body(&app, request.to_request()).await;
            }
        })
        .await;
    capture
        .span("GET /copy/{id}")
        .assert_tag("tenant.id", "acme")
        .assert_tag("app.theme", "dark")
        .assert_no_tag("app.version");
    capture.span("GET /request").assert_tag("app.version", "7");
    let report = capture.report();
    assert_eq!(report.incomplete_heads, 0, "{report}");
}

#[actix_web::test]
async fn cookies_may_come_in_several_headers() {
    #[get("/")]
    #[traced_handler]
    #[biz_attrs(app.theme = cookie("theme"), app.locale = cookie("lang"), app.none = cookie("none"))]
    async fn index() -> &'static str {
        "hello"
    }

    let capture = Capture::new();
    capture
        .scope(async {
            let app = init_service(App::new().wrap(RequestTracing::default()).service(index)).await;
            let request = TestRequest::with_uri("/").append_header(("cookie", "a=1; theme=dark"));
            let request = request.append_header(("cookie", "lang=\"de\""));
            call_and_read_body(&app, request.to_request()).await;
        })
        .await;
    let span = capture.span("GET /");
    span.assert_tag("app.theme", "dark")
        .assert_tag("app.locale", "de")
        .assert_no_tag("app.none");
}
