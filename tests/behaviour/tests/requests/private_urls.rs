//! What a protected tag is made of is in no attribute of its request's URL.

use std::future::{Pending, pending};
use std::panic::AssertUnwindSafe;

use actix_web::dev::{Payload, Service as _, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, FromRequest, HttpRequest, HttpResponse, error, web};
use behaviour::{Instance, Service, Spans};
use biztrace::actix::RequestTracing;
use biztrace::testing::Capture;
use biztrace::{BizAttrs, biz_attrs, tag, traced, traced_handler};
use futures_util::FutureExt;
use reqwest::Method;
use serde::Deserialize;

const CARD: &str = "4111111111111111";

#[traced_handler]
#[biz_attrs(#[mask(4)] card.number = *card)]
async fn masked(card: web::Path<String>) -> &'static str {
    "ok"
}

#[traced_handler]
#[biz_attrs(#[pii] card.number = *number)]
async fn never_reached(
    number: web::Path<String>,
    _form: web::Json<Vec<u8>>,
    _filter: web::Query<Filter>,
) -> &'static str {
    "ok"
}

#[traced_handler]
#[biz_attrs(card.number = *card)]
async fn open(card: web::Path<String>) -> HttpResponse {
    match card.as_str() {
        "bad" => HttpResponse::BadRequest().finish(),
        _ => HttpResponse::Ok().finish(),
    }
}

async fn plain(card: web::Path<String>) -> HttpResponse {
    match card.as_str() {
        "bad" => HttpResponse::BadRequest().finish(),
        _ => HttpResponse::Ok().finish(),
    }
}

#[derive(BizAttrs, Deserialize)]
struct Holder {
    #[biz(key = "card.number", hash)]
    card: String,
    #[biz(key = "card.side")]
    side: String,
}

#[traced_handler]
#[biz_attrs(..holder)]
async fn derived(holder: web::Path<Holder>) -> &'static str {
    "ok"
}

#[derive(BizAttrs, Deserialize)]
struct Side {
    #[biz(key = "card.side")]
    side: String,
}

#[traced_handler]
#[biz_attrs(..side)]
async fn derived_in_the_open(side: web::Path<Side>) -> &'static str {
    "ok"
}

#[traced_handler]
#[biz_attrs(#[pii] user.email = query("email"), #[when(false)] #[hash] user.phone = query("phone"))]
async fn by_name() -> &'static str {
    "ok"
}

#[derive(Deserialize)]
struct Filter {
    email: Option<String>,
}

#[traced_handler]
#[biz_attrs(#[pii] user.email = filter.email.as_deref())]
async fn by_extractor(filter: web::Query<Filter>) -> &'static str {
    "ok"
}

/// The handler is plain; what it calls reads the request.
async fn deep() -> &'static str {
    inner().await;
    tag!(
        #[hash]
        user.phone = query("phone")
    );
    "ok"
}

#[traced(attrs(#[pii] user.email = query("email")))]
async fn inner() {}

#[biz_attrs(#[mask(4)] card.number = card.as_str())]
async fn hangs(card: web::Path<String>) -> &'static str {
    pending().await
}

#[biz_attrs(#[mask(4)] card.number = card.parse::<u8>().expect("as the test wants it"))]
async fn panics(card: web::Path<String>) -> &'static str {
    card.into_inner();
    "never"
}

/// Its extractor never gives it its argument.
#[traced_handler]
async fn unread(_: Unready) -> &'static str {
    "ok"
}

struct Unready;

impl FromRequest for Unready {
    type Error = Error;
    type Future = Pending<Result<Self, Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        pending()
    }
}

fn routes(config: &mut web::ServiceConfig) {
    let guarded = web::scope("/guarded")
        .wrap_fn(|request, service| {
            let is_known = request.headers().contains_key("authorization");
            let served = is_known.then(|| service.call(request));
            async move {
                match served {
                    Some(served) => served.await,
                    None => Err::<ServiceResponse, Error>(error::ErrorUnauthorized("no")),
                }
            }
        })
        .route("/masked/{card}", web::get().to(masked))
        .route("/open/{card}", web::get().to(open))
        .route("/plain/{card}", web::get().to(plain));
    config
        .service(guarded)
        .route("/masked/{card}", web::get().to(masked))
        .route("/early/{card}", web::get().to(never_reached))
        .route("/open/{card}", web::get().to(open))
        .route("/plain/{card}", web::get().to(plain))
        .route("/derived/{card}/{side}", web::get().to(derived))
        .route("/sides/{side}", web::get().to(derived_in_the_open))
        .route("/by_name", web::get().to(by_name))
        .route("/by_extractor", web::get().to(by_extractor))
        .route("/deep", web::get().to(deep))
        .route("/hangs/{card}", web::get().to(hangs))
        .route("/panics/{card}", web::get().to(panics))
        .route("/unread/{card}", web::get().to(unread));
}

fn service(tracing: impl Fn(RequestTracing) -> RequestTracing + Send + Clone + 'static) -> Service {
    let instance = Instance::new(|builder| builder.hash_key("a key of sixteen bytes or more"));
    Service::recording_to(instance, move |middleware| {
        App::new().wrap(tracing(middleware)).configure(routes)
    })
}

/// The span of each request, in their order.
async fn spans_of<const N: usize>(service: &Service, paths: [&str; N]) -> Spans {
    for path in paths {
        service.get(path).await;
    }
    service.spans(N as u64).await
}

#[actix_web::test]
async fn path_of_a_protected_tag_is_the_route() {
    let paths = [
        ("/masked/4111111111111111", "/masked/{card}"),
        ("/derived/4111111111111111/left", "/derived/{card}/{side}"),
        ("/sides/left", "/sides/left"),
        ("/open/4111111111111111", "/open/4111111111111111"),
        ("/plain/4111111111111111", "/plain/4111111111111111"),
    ];
    let spans = spans_of(&service(|tracing| tracing), paths.map(|(path, _)| path)).await;
    for (span, (path, shown)) in spans.iter().zip(paths) {
        assert_eq!(span.tag("url.path"), Some(shown.into()), "{path}");
    }
}

#[actix_web::test]
async fn values_of_a_protected_tag_are_redacted_in_the_query() {
    for (path, shown, number) in [
        (
            "/by_name?page=2&email=me%40home&%70hone=7;phone=8&b=3",
            "page=2&email=REDACTED&%70hone=REDACTED&b=3",
            1,
        ),
        (
            "/by_name?email=1&email=2",
            "email=REDACTED&email=REDACTED",
            1,
        ),
        (
            "/by_extractor?email=me%40home&page=2&me@home",
            "email=REDACTED&page=REDACTED&REDACTED",
            1,
        ),
        (
            "/deep?email=me%40home&phone=7&page=2",
            "email=REDACTED&phone=REDACTED&page=2",
            2,
        ),
    ] {
        let service = service(|tracing| tracing);
        service.get(path).await;
        let spans = service.spans(number).await;
        let server = spans.iter().find(|span| span.tag("url.query").is_some());
        let query = server.expect("the request's span").tag("url.query");
        assert_eq!(query, Some(shown.into()), "{path}");
    }
}

#[actix_web::test]
async fn first_request_of_all_that_never_reaches_its_handler_shows_nothing() {
    for (path, route, query) in [
        (
            "/early/4111111111111111?email=me",
            "/early/{card}",
            "email=REDACTED",
        ),
        (
            "/guarded/masked/4111111111111111?a=me",
            "/guarded/masked/{card}",
            "a=REDACTED",
        ),
        (
            "/by_extractor?email=me&email=you",
            "/by_extractor",
            "email=REDACTED&email=REDACTED",
        ),
    ] {
        let spans = spans_of(&service(|tracing| tracing), [path]).await;
        assert_eq!(spans[0].tag("url.path"), Some(route.into()));
        assert_eq!(spans[0].tag("http.route"), Some(route.into()));
        assert_eq!(spans[0].tag("url.query"), Some(query.into()));
    }
}

#[actix_web::test]
async fn request_that_never_reaches_its_handler_shows_what_handlers_of_its_route_show() {
    let service = service(|tracing| tracing);
    for route in ["masked", "open", "plain"] {
        let request = service.request(Method::GET, &format!("/guarded/{route}/{CARD}"));
        let served = request.header("authorization", "me").send().await;
        assert_eq!(served.expect("an answer").status(), 200);
        service
            .get(&format!("/guarded/{route}/{CARD}?page=2"))
            .await;
    }
    let spans = service.spans(6).await;
    for (number, shown) in [
        (1, "/guarded/masked/{card}"),
        (3, "/guarded/open/4111111111111111"),
        (5, "/guarded/plain/4111111111111111"),
    ] {
        assert_eq!(
            spans[number].tag("http.response.status_code"),
            Some(401.into())
        );
        assert_eq!(spans[number].tag("url.path"), Some(shown.into()));
        assert_eq!(spans[number].tag("url.query"), Some("page=2".into()));
    }
}

#[actix_web::test]
async fn annotated_handler_that_refuses_a_request_shows_its_path() {
    let spans = spans_of(&service(|tracing| tracing), ["/open/bad?page=2"]).await;
    assert_eq!(spans[0].tag("url.path"), Some("/open/bad".into()));
    assert_eq!(spans[0].tag("url.query"), Some("page=2".into()));
}

#[actix_web::test]
async fn request_without_a_response_shows_nothing() {
    let capture = Capture::new();
    let tracing = RequestTracing::default().tracer_provider(capture.tracer_provider());
    let app = init_service(App::new().wrap(tracing).configure(routes)).await;
    for path in ["/hangs", "/panics", "/unread"] {
        let path = format!("{path}/{CARD}?page={CARD}");
        let response = app.call(TestRequest::get().uri(&path).to_request());
        let _ = AssertUnwindSafe(response).catch_unwind().now_or_never();
    }
    for route in ["/hangs/{card}", "/panics/{card}", "/unread/{card}"] {
        let span = capture.span(&format!("GET {route}"));
        span.assert_tag("url.path", route);
        span.assert_tag("url.query", "page=REDACTED");
    }
}

#[actix_web::test]
async fn service_may_record_no_path_and_no_query() {
    let service = service(|tracing| tracing.without_path().without_query());
    let spans = spans_of(&service, ["/open/4111?a=b", "/nowhere/4111", "/by_name"]).await;
    assert_eq!(spans[0].tag("url.path"), Some("/open/{card}".into()));
    assert_eq!(spans[0].tag("url.query"), None);
    assert_eq!(spans[1].tag("url.path"), Some("REDACTED".into()));
    assert_eq!(spans[2].tag("url.path"), Some("/by_name".into()));
}

/// The span of a request that a middleware answers in the handler's place with `status`, or with an error.
async fn answered_early(method: Method, path: &str, status: Option<StatusCode>) -> Spans {
    let service = Service::start(move |tracing| {
        let app = App::new().wrap_fn(move |request, service| {
            let is_early = request.headers().contains_key("x-early");
            let served = match is_early {
                true => Err(request),
                false => Ok(service.call(request)),
            };
            async move {
                match (served, status) {
                    (Ok(served), _) => served.await,
                    (Err(request), Some(status)) => {
                        Ok(request.into_response(HttpResponse::new(status)))
                    }
                    (Err(_), None) => Err(error::ErrorUnauthorized("no")),
                }
            }
        });
        app.wrap(tracing).configure(routes)
    });
    service.get(&format!("/masked/{CARD}")).await;
    service.get(&format!("/open/{CARD}")).await;
    let request = service.request(method, path).header("x-early", "yes");
    request.send().await.expect("an answer");
    service.spans(3).await
}

#[actix_web::test]
async fn answer_of_a_middleware_shows_no_more_than_the_handlers_of_its_route() {
    let shown = [
        // A preflight, as browsers send it.
        (
            Method::OPTIONS,
            "masked",
            Some(StatusCode::NO_CONTENT),
            "/masked/{card}",
        ),
        (
            Method::OPTIONS,
            "open",
            Some(StatusCode::NO_CONTENT),
            "/open/{card}",
        ),
        (
            Method::GET,
            "masked",
            Some(StatusCode::OK),
            "/masked/{card}",
        ),
        (
            Method::GET,
            "open",
            Some(StatusCode::OK),
            "/open/4111111111111111",
        ),
        (
            Method::GET,
            "masked",
            Some(StatusCode::FORBIDDEN),
            "/masked/{card}",
        ),
    ];
    for (method, route, status, path) in shown {
        let spans = answered_early(method.clone(), &format!("/{route}/{CARD}"), status).await;
        assert_eq!(
            spans[2].tag("url.path"),
            Some(path.into()),
            "{method} {status:?}"
        );
    }
}

#[actix_web::test]
async fn path_that_would_be_normalized_is_hidden_before_it_is() {
    for status in [None, Some(StatusCode::FORBIDDEN)] {
        for path in [format!("/masked/{CARD}/"), format!("//masked//{CARD}")] {
            let spans = answered_early(Method::GET, &path, status).await;
            assert_eq!(spans[2].tag("url.path"), Some("REDACTED".into()), "{path}");
        }
        let spans = answered_early(Method::GET, "/nowhere/", status).await;
        assert_eq!(spans[2].tag("url.path"), Some("/nowhere/".into()));
    }
}
