//! Open traces of other tenants fill the memory: requests of vip are recorded all the same, and delivered whole.

use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, get, web};
use behaviour::{Instance, Service, assert_balanced, eventually, lost};
use biztrace::report::DropReason;
use biztrace::settings::{Sampler, Tenants, Tier};
use biztrace::{tag, traced, traced_handler};
use futures_util::future::join_all;
use reqwest::Method;
use tokio::sync::Semaphore;

/// A request of the rest records so many spans of 4 kB, fewer than are decided early.
const STEPS: usize = 110;

/// More requests of the rest than memory has room for: 20 traces would take 9 MB.
const HELD: usize = 20;

/// Requests of vip at a time. What is set aside for its open traces is 384 KiB.
const ORDERS: usize = 20;

#[traced(attrs(order.note = note))]
fn step(note: &str) {
    assert!(!note.is_empty());
}

/// Records spans that wait, undecided, until the request goes on.
#[get("/held")]
#[traced_handler]
async fn held(release: web::Data<Semaphore>, _request: HttpRequest) -> HttpResponse {
    let note = "x".repeat(4_000);
    (0..STEPS).for_each(|_| step(&note));
    let _permit = release.acquire().await;
    HttpResponse::Ok().finish()
}

#[traced]
async fn charge() {
    tag!(order.total = 42);
    tokio::task::yield_now().await;
}

#[get("/order")]
#[traced_handler]
async fn order(_request: HttpRequest) -> HttpResponse {
    charge().await;
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn full_memory_of_other_tiers_refuses_no_request_of_vip() {
    let instance = Instance::new(|builder| {
        builder
            .limits(|limits| limits.memory = 8 << 20)
            .sampler(Sampler::probability(0.0))
            .tenants(
                Tenants::from_header("x-tenant-id")
                    .tier("vip", Tier::of(["acme"]).rate(1.0))
                    .tier("default", Tier::rest().rate(0.0)),
            )
    });
    let release = web::Data::from(Arc::new(Semaphore::new(0)));
    let shared = release.clone();
    let service = Service::recording_to(instance, move |tracing| {
        App::new()
            .app_data(shared.clone())
            .service((held, order))
            .wrap(tracing)
    });
    let telemetry = &service.instance.telemetry;
    let refused = || telemetry.report().dropped.get(DropReason::MemoryLimit);
    let of_rest = join_all((0..HELD).map(|_| service.get("/held")));
    let of_vip = async {
        eventually("memory is full", || refused() > 0).await;
        for _ in 0..5 {
            let orders = (0..ORDERS).map(|_| {
                let request = service.request(Method::GET, "/order");
                request.header("x-tenant-id", "acme").send()
            });
            let answers = join_all(orders).await;
            assert!(answers.iter().all(Result::is_ok));
        }
        release.add_permits(HELD);
    };
    tokio::join!(of_rest, of_vip);
    let report = telemetry.shutdown().await;
    assert_balanced(&report);
    assert!(lost(&report.dropped) < (HELD * STEPS) as u64);
    let vip = &report.tiers[0];
    let spans = 2 * 5 * ORDERS as u64;
    let kept = (vip.kept, vip.delivered, lost(&vip.dropped));
    assert_eq!(kept, (spans, spans, 0), "{report}");
    let arrived = service.instance.receiver.spans();
    let charges = arrived.iter().filter(|span| span.name == "charge");
    let totals = charges.filter(|span| span.tag("order.total") == Some(42.into()));
    assert_eq!(totals.count(), 5 * ORDERS, "with their tags");
}
