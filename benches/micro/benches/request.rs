//! The time of one request, served in process, without and with recording.

use divan::Bencher;
use micro_bench::{Variant, receiver, request, serve, service, telemetry};

fn main() {
    divan::main();
}

#[divan::bench(args = [Variant::Bare, Variant::Traced, Variant::Unsampled], sample_count = 200, sample_size = 200)]
fn one_request(bencher: Bencher<'_, '_>, variant: Variant) {
    let runtime = actix_web::rt::Runtime::new().expect("a runtime starts");
    let telemetry = telemetry(variant, &receiver::start().expect("a receiver starts"));
    let service = runtime.block_on(service(variant, &telemetry));
    bencher
        .with_inputs(request)
        .bench_local_values(|request| runtime.block_on(serve(&service, request)));
}
