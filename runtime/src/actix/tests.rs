//! The observer is told of each request once, whatever becomes of it, sampled or not.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use actix_web::body::MessageBody;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, error, web};

use crate::actix::RequestTracing;
use crate::config::Limits;
use crate::recorder::{Mode, ObservedRequest, Observer, Received, Recorder, TracerProvider};
use crate::sampling::{Plan, Rule, Sampler};
use crate::semconv::Outcome;

type Ended = (String, Option<String>, Option<u16>, Outcome);

#[derive(Debug, Default)]
struct Told {
    began: Mutex<Vec<String>>,
    ended: Mutex<Vec<Ended>>,
}

impl Observer for Told {
    fn request_began(&self, method: &str) {
        self.began.lock().unwrap().push(method.to_owned());
    }

    fn request_ended(&self, request: &ObservedRequest<'_>) {
        assert!(request.span.is_some_and(|span| span.is_valid()));
        assert!(request.duration.as_secs() < 60);
        self.ended.lock().unwrap().push((
            request.method.to_owned(),
            request.route.map(str::to_owned),
            request.status,
            request.outcome,
        ));
    }
}

fn recorder(sampler: &Sampler, told: &Arc<Told>) -> Arc<Recorder> {
    let recorder = Recorder::for_tests(
        Mode::Record,
        Limits::default(),
        Arc::new(Received::default()),
    );
    let recorder = recorder.with_sampler(sampler.clone());
    Arc::new(recorder.with_observer(Arc::clone(told) as Arc<dyn Observer>))
}

fn routes(config: &mut web::ServiceConfig) {
    let failing = web::scope("/admin")
        .wrap_fn(|_, _| async { Err::<ServiceResponse, Error>(error::ErrorUnauthorized("no")) })
        .route("/{id}", web::get().to(|| async { "never" }));
    let fails = || async { HttpResponse::GatewayTimeout().body("late") };
    config
        .service(failing)
        .route("/ok/{id}", web::route().to(|| async { "ok" }))
        .route("/empty", web::route().to(HttpResponse::NoContent))
        .route("/fails", web::get().to(fails))
        .route("/hangs/{id}", web::get().to(pending::<&str>))
        .route("/panics/{id}", web::get().to(panics));
}

async fn panics() -> &'static str {
    panic!("as the test wants it")
}

/// What the observer is told of a request whose body is read, or dropped unread.
async fn told(sampler: &Sampler, method: &str, path: &str, is_read: bool) -> Vec<Ended> {
    let told = Arc::new(Told::default());
    let recorder = recorder(sampler, &told);
    let tracing = || {
        let provider = TracerProvider::new(Arc::clone(&recorder));
        RequestTracing::default().tracer_provider(provider)
    };
    // Of two around a handler the outer one counts.
    let app = App::new().configure(routes).wrap(tracing()).wrap(tracing());
    let app = init_service(app).await;
    let request = TestRequest::with_uri(path).method(method.parse().unwrap());
    let mut response = Box::pin(app.call(request.to_request()));
    let mut cx = Context::from_waker(Waker::noop());
    let poll = AssertUnwindSafe(|| response.as_mut().poll(&mut cx));
    let outcome = std::panic::catch_unwind(poll);
    let began = told.began.lock().unwrap().len();
    if let Ok(Poll::Ready(Ok(response))) = outcome {
        let ended = told.ended.lock().unwrap().len();
        // The server does not ask for a body of size 0.
        let is_whole = response.response().body().size().is_eof();
        assert_eq!(ended, began * usize::from(is_whole), "{path}");
        let mut body = Box::pin(response.into_body());
        while is_read && matches!(body.as_mut().poll_next(&mut cx), Poll::Ready(Some(_))) {}
    }
    drop(response);
    let ended = std::mem::take(&mut *told.ended.lock().unwrap());
    assert_eq!(ended.len(), began, "{path}");
    ended
}

#[actix_web::test]
async fn each_request_begins_and_ends_once() {
    let client_error = Outcome::ClientError;
    let never = [Rule::path("/**").never()];
    let never = Plan::new(Sampler::always_on(), &never, None, None).sampler;
    for sampler in [Sampler::always_on(), Sampler::always_off(), never] {
        for (method, path, is_read, route, status, outcome) in [
            ("GET", "/ok/7", true, "/ok/{id}", Some(200), Outcome::Ok),
            ("WIND", "/ok/7", true, "/ok/{id}", Some(200), Outcome::Ok),
            ("GET", "/empty", true, "/empty", Some(204), Outcome::Ok),
            (
                "GET",
                "/ok/7",
                false,
                "/ok/{id}",
                Some(200),
                Outcome::Cancelled,
            ),
            (
                "GET",
                "/fails",
                true,
                "/fails",
                Some(504),
                Outcome::TimedOut,
            ),
            ("GET", "/none", true, "", Some(404), client_error),
            (
                "GET",
                "/admin/7",
                true,
                "/admin/{id}",
                Some(401),
                client_error,
            ),
            (
                "GET",
                "/hangs/7",
                true,
                "/hangs/{id}",
                None,
                Outcome::Cancelled,
            ),
            (
                "GET",
                "/panics/7",
                true,
                "/panics/{id}",
                None,
                Outcome::Panicked,
            ),
        ] {
            let method_told = if method == "WIND" { "_OTHER" } else { method };
            let route = Some(route.to_owned()).filter(|route| !route.is_empty());
            let expected = vec![(method_told.to_owned(), route, status, outcome)];
            let told = told(&sampler, method, path, is_read).await;
            assert_eq!(told, expected, "{method} {path}, {sampler}");
        }
        let skipped = told(&sampler, "GET", "/health", true).await;
        assert_eq!(skipped, [], "{sampler}");
    }
}
