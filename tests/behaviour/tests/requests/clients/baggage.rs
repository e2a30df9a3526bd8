//! Baggage of requests that are sent: one's own hosts get it, others do not.

use std::net::SocketAddr;

use behaviour::{Instance, rerun};
use biztrace::client::{self, ClientTracing};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::FutureExt;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::BaggagePropagator;
use reqwest::redirect::Policy;
use reqwest_middleware::ClientBuilder;

use super::{ALL, By, callee};

/// A host of somebody else.
const PARTNER: &str = "partner.example";

fn reqwest_client(callee: SocketAddr, policy: Policy) -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(policy);
    client.resolve(PARTNER, callee).build().unwrap()
}

/// Asks `callee` under the name `host` for the headers that it gets. The request has old ones.
async fn ask(by: By, callee: SocketAddr, host: &str, tracing: ClientTracing) -> String {
    let url = format!("http://{host}:{}/headers", callee.port());
    let old = ("baggage", "old=1");
    match by {
        By::Reqwest => {
            use client::reqwest::SendTraced;
            let client = reqwest_client(callee, Policy::default());
            let request = client.get(url).header(old.0, old.1);
            let response = request.send_traced_with(tracing).await.unwrap();
            response.text().await.unwrap()
        }
        By::ReqwestMiddleware => {
            let client = ClientBuilder::new(reqwest_client(callee, Policy::default()));
            let request = client.with(tracing).build().get(url).header(old.0, old.1);
            request.send().await.unwrap().text().await.unwrap()
        }
        By::Awc => {
            use client::awc::SendTraced;
            let request = awc::Client::new().get(url).address(callee);
            let request = request.insert_header(old);
            let send = request.send_traced_with(tracing, |request| request.send());
            let body = send.await.unwrap().body().await.unwrap();
            String::from_utf8(body.to_vec()).unwrap()
        }
    }
}

/// Runs `future` under baggage that is for one's own services only.
async fn with_baggage<F: Future>(instance: &Instance, future: F) -> F::Output {
    let below = async {
        let tenant = KeyValue::new("tenant.id", "berlin");
        let cx = Context::current().with_baggage([tenant]);
        future.with_context(cx).await
    };
    instance.under_root(below).await
}

/// Whether the headers that a callee got have a trace and baggage. What the request had before is never among them.
fn carried(headers: &str) -> (bool, bool) {
    let has = |name: &str| headers.lines().any(|line| line.starts_with(name));
    let is_old = headers.contains("old=1");
    assert!(!is_old, "{headers}");
    (has("traceparent: "), has("baggage: tenant.id=berlin"))
}

#[actix_web::test]
async fn hosts_of_ones_own_get_baggage_and_others_the_trace_alone() {
    let callee = callee();
    let address = callee.address();
    let default = ClientTracing::default;
    for by in ALL {
        for (host, tracing, expected) in [
            ("127.0.0.1", default(), (true, true)),
            (PARTNER, default(), (true, false)),
            ("127.0.0.1", default().without_baggage(), (true, false)),
            ("127.0.0.1", default().without_context(), (false, false)),
            (PARTNER, default().without_context(), (false, false)),
        ] {
            let instance = Instance::default();
            let shown = format!("{by:?} {host} {tracing:?}");
            let headers = with_baggage(&instance, ask(by, address, host, tracing)).await;
            assert_eq!(carried(&headers), expected, "{shown}");
            instance.spans(2).await;
        }
    }
}

#[actix_web::test]
async fn listed_hosts_get_baggage() {
    let callee = callee();
    for by in ALL {
        for (list, expected) in [
            (&["*.example"][..], true),
            (&["api.example", PARTNER], true),
            (&["*"], true),
            (&["api.example", "127.0.0.0/8"], false),
        ] {
            let instance = Instance::new(|settings| settings.baggage_to(list));
            let asked = ask(by, callee.address(), PARTNER, ClientTracing::default());
            let headers = with_baggage(&instance, asked).await;
            assert_eq!(carried(&headers), (true, expected), "{by:?} {list:?}");
        }
    }
}

#[actix_web::test]
async fn propagator_of_another_crate_sends_no_baggage_to_others_either() {
    let callee = callee();
    for by in ALL {
        let instance = Instance::new(|settings| {
            settings
                .propagators([])
                .propagator(BaggagePropagator::new())
        });
        for (host, expected) in [("127.0.0.1", true), (PARTNER, false)] {
            let asked = ask(by, callee.address(), host, ClientTracing::default());
            let headers = with_baggage(&instance, asked).await;
            assert_eq!(carried(&headers), (false, expected), "{by:?} {host}");
        }
    }
}

#[test]
fn baggage_that_is_withheld_is_warned_of_once() {
    let test = "clients::baggage::baggage_that_is_withheld_is_warned_of_once";
    let Some(stderr) = rerun(test, &[("BIZTRACE_BAGGAGE_TO", "api.example,https://a")]) else {
        return actix_web::rt::System::new().block_on(async {
            let callee = callee();
            let instance = Instance::default();
            for by in ALL {
                for tracing in [
                    ClientTracing::default().without_baggage(),
                    ClientTracing::default(),
                ] {
                    let asked = ask(by, callee.address(), PARTNER, tracing);
                    with_baggage(&instance, asked).await;
                }
            }
            instance.telemetry.shutdown().await;
        });
    };
    assert_eq!(stderr.matches("carries no baggage").count(), 1, "{stderr}");
    assert!(stderr.contains("\"partner.example\""), "{stderr}");
    let refused = "BIZTRACE_BAGGAGE_TO=\"…\" is not a comma-separated list of hosts";
    assert!(stderr.contains(refused), "{stderr}");
}

#[actix_web::test]
async fn hosts_that_the_environment_lists_get_baggage() {
    let test = "clients::baggage::hosts_that_the_environment_lists_get_baggage";
    if rerun(test, &[("BIZTRACE_BAGGAGE_TO", "api.example, *.example")]).is_some() {
        return;
    }
    let (callee, instance) = (callee(), Instance::default());
    let asked = ask(
        By::Reqwest,
        callee.address(),
        PARTNER,
        ClientTracing::default(),
    );
    let headers = with_baggage(&instance, asked).await;
    assert_eq!(carried(&headers), (true, true));
}

#[actix_web::test]
async fn redirects_to_others_are_not_followed_with_baggage() {
    use client::reqwest::{SendTraced, redirect_policy};

    let callee = callee();
    let (address, instance) = (callee.address(), Instance::default());
    let client = reqwest_client(address, redirect_policy());
    let (own, partner) = (
        callee.url(""),
        format!("http://{PARTNER}:{}", address.port()),
    );
    for (from, to, expected) in [
        (&own, &own, Some((true, true))),
        (&own, &partner, None),
        (&partner, &own, Some((true, false))),
        (&partner, &partner, Some((true, false))),
    ] {
        let request = client.get(format!("{from}/redirect?to={to}/headers"));
        let response = with_baggage(&instance, request.send_traced())
            .await
            .unwrap();
        assert_eq!(response.status() == 302, expected.is_none(), "{from} {to}");
        if let Some(expected) = expected {
            let headers = response.text().await.unwrap();
            assert_eq!(carried(&headers), expected, "{from} {to}");
        }
    }
}
