//! The demo: a mix of requests over real HTTP, each with the outcome that it must have.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use std::{env, fmt, panic};

use biztrace::report::DropReason;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::shop::Shop;

/// How a request ended for the client that sent it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Answered(StatusCode),
    /// The connection closed without an answer.
    Broken,
    /// The client ran out of patience.
    GivenUp,
}

/// How many requests ended how.
#[derive(Default)]
struct Summary(BTreeMap<Outcome, usize>);

/// Opens the shop, sends it the requests, and shows their traces and what came of both.
///
/// # Errors
///
/// If a request ends otherwise than it must, or spans are lost.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let telemetry = settings(crate::telemetry()).install()?;
    // One of the requests makes a handler panic: a line says enough.
    panic::set_hook(Box::new(|panic| {
        println!("  ({})", panic.to_string().replace('\n', " "))
    }));

    let shop = Shop::open(0, 0)?;
    let mut summary = Summary::default();
    let mut surprises = 0;
    for (story, request, expected) in steps(&shop)? {
        let outcome = send(request).await;
        println!("{story:<36} {outcome}");
        if outcome != expected {
            println!("  (expected: {expected})");
            surprises += 1;
        }
        *summary.0.entry(outcome).or_default() += 1;
    }
    println!();
    shop.close().await?;

    let report = telemetry.shutdown().await;
    println!("{summary}\n{report}");
    if surprises > 0 {
        return Err(format!("{surprises} requests did not end as expected").into());
    }
    // A sampler's verdict loses nothing.
    if report.dropped.total() > report.dropped.get(DropReason::SampledOut) {
        return Err("spans were lost".into());
    }
    Ok(())
}

/// Shows traces here, unless the environment sends them elsewhere.
fn settings(builder: biztrace::TelemetryBuilder) -> biztrace::TelemetryBuilder {
    let elsewhere = [
        "OTEL_TRACES_EXPORTER",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ];
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    // All at the end: a batch that leaves while the services are at work may cut a tree in two.
    let builder = builder.schedule_delay(Duration::from_secs(600));
    if elsewhere.into_iter().any(is_set) {
        builder
    } else {
        builder.console()
    }
}

type Step = (&'static str, RequestBuilder, Outcome);

fn steps(shop: &Shop) -> reqwest::Result<Vec<Step>> {
    const OK: Outcome = Outcome::Answered(StatusCode::OK);
    const CREATED: Outcome = Outcome::Answered(StatusCode::CREATED);
    const BAD_REQUEST: Outcome = Outcome::Answered(StatusCode::BAD_REQUEST);
    const PAYMENT_REQUIRED: Outcome = Outcome::Answered(StatusCode::PAYMENT_REQUIRED);
    const NOT_FOUND: Outcome = Outcome::Answered(StatusCode::NOT_FOUND);
    const CONFLICT: Outcome = Outcome::Answered(StatusCode::CONFLICT);

    let &Shop {
        storefront,
        inventory,
        ..
    } = shop;
    let http = Client::builder().no_proxy().build()?;
    let get = |service: SocketAddr, path: &str| http.get(format!("http://{service}{path}"));
    let post = |tier: &str, order: Value| {
        let request = http.post(format!("http://{storefront}/orders"));
        request
            .header("x-tenant-id", "berlin")
            .header("x-user-tier", tier)
            .json(&order)
    };
    let order = |tier: &str, quantity: u32, sku: &str, amount: f64, method: &str| {
        let order = json!({
            "sku": sku,
            "quantity": quantity,
            "amount": amount,
            "currency": "EUR",
            "method": method,
            "express": tier == "gold",
            "coupon": (tier == "gold").then_some("SPRING"),
        });
        post(tier, order)
    };
    let sales = || get(storefront, "/reports/sales?currency=EUR");
    Ok(vec![
        ("is the storefront up?", get(storefront, "/health"), OK),
        (
            "what is left of the oolong?",
            get(inventory, "/stock/tea-oolong"),
            OK,
        ),
        (
            "an order",
            order("gold", 3, "tea-oolong", 38.7, "card"),
            CREATED,
        ),
        (
            "another",
            order("basic", 1, "teapot-iron", 89.0, "alipay"),
            CREATED,
        ),
        ("its look-up", get(storefront, "/orders/2"), OK),
        (
            "an order too dear for the bank",
            order("gold", 2, "teapot-iron", 24_000.0, "card"),
            PAYMENT_REQUIRED,
        ),
        (
            "an order of more than there is",
            order("basic", 2, "teapot-iron", 178.0, "card"),
            CONFLICT,
        ),
        (
            "an order without a price",
            post("basic", json!({ "sku": "tea-sencha" })),
            BAD_REQUEST,
        ),
        (
            "an order that nobody made",
            get(storefront, "/orders/99"),
            NOT_FOUND,
        ),
        (
            "a handler that panics",
            get(storefront, "/crash"),
            Outcome::Broken,
        ),
        ("a slow report", sales(), OK),
        (
            "the same, for 50 ms of patience",
            sales().timeout(Duration::from_millis(50)),
            Outcome::GivenUp,
        ),
    ])
}

async fn send(request: RequestBuilder) -> Outcome {
    let answer = async {
        let response = request.send().await?;
        let status = response.status();
        response.bytes().await.map(|_| status)
    };
    match answer.await {
        Ok(status) => Outcome::Answered(status),
        Err(error) if error.is_timeout() => Outcome::GivenUp,
        Err(_) => Outcome::Broken,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(status) => status.fmt(f),
            Self::Broken => f.write_str("no answer"),
            Self::GivenUp => f.write_str("given up"),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests:", self.0.values().sum::<usize>())?;
        for (i, (outcome, requests)) in self.0.iter().enumerate() {
            let separator = if i > 0 { "," } else { "" };
            write!(f, "{separator} {requests} × {outcome}")?;
        }
        Ok(())
    }
}
