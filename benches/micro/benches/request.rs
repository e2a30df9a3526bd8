//! The time of one request, served in process, without and with recording, and of passing its trace on.

use biztrace::opentelemetry::Context;
use biztrace::opentelemetry::propagation::{Injector, TextMapPropagator};
use biztrace::opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use biztrace::settings::Propagator;
use divan::Bencher;
use micro_bench::{Variant, receiver, request, serve, service, telemetry};

fn main() {
    divan::main();
}

#[divan::bench(args = [Variant::Bare, Variant::Traced, Variant::Unsampled, Variant::Alone], sample_count = 200, sample_size = 200)]
fn one_request(bencher: Bencher<'_, '_>, variant: Variant) {
    let runtime = actix_web::rt::Runtime::new().expect("a runtime starts");
    let telemetry = telemetry(variant, &receiver::start().expect("a receiver starts"));
    let service = runtime.block_on(service(variant, &telemetry));
    bencher
        .with_inputs(request)
        .bench_local_values(|request| runtime.block_on(serve(&service, request)));
}

/// A carrier that costs nothing of its own.
struct Sent(String);

impl Injector for Sent {
    fn set(&mut self, _: &str, value: String) {
        self.0 = value;
    }
}

#[divan::bench(sample_count = 200, sample_size = 200)]
fn inject(bencher: Bencher<'_, '_>) {
    let telemetry = telemetry(
        Variant::Traced,
        &receiver::start().expect("a receiver starts"),
    );
    let span = telemetry.tracer_provider().tracer("bench").start("caller");
    let cx = Context::new().with_span(span);
    bencher.bench_local(|| {
        let mut sent = Sent(String::new());
        Propagator::TraceContext.inject_context(&cx, &mut sent);
        sent.0
    });
}
