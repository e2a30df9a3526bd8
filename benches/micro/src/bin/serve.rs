//! Serves requests in process, for callgrind: `serve VARIANT NUMBER`.

use biztrace::report::DropReason;
use micro_bench::{Variant, receiver, serve, service, telemetry};

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [variant, requests] = &arguments[..] else {
        panic!("usage: serve VARIANT NUMBER");
    };
    let variant = Variant::ALL.into_iter().find(|(name, _)| name == variant);
    let (_, variant) = variant.expect("one of the variants");
    let telemetry = telemetry(variant, &receiver::start().expect("a receiver starts"));
    let service = service(variant, &telemetry).await;
    for n in 0..requests.parse().expect("a number of requests") {
        serve(&service, variant.request(n)).await;
    }
    let report = telemetry.shutdown().await;
    let dropped = report.dropped.get(DropReason::SampledOut);
    assert_eq!(report.recorded, report.delivered + dropped, "{report}");
}
