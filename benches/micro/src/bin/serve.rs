//! Serves requests in process, for callgrind: `serve bare|traced NUMBER`.

use micro_bench::{Variant, request, serve, service, telemetry};

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (variant, requests) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare", number] => (Variant::Bare, number.parse()),
        ["traced", number] => (Variant::Traced, number.parse()),
        _ => panic!("usage: serve bare|traced NUMBER"),
    };
    let telemetry = telemetry();
    let service = service(variant, &telemetry).await;
    for _ in 0..requests.expect("a number of requests") {
        serve(&service, request()).await;
    }
}
