//! An installed instance that keeps a share of the traces that begin here: whole traces or nothing. It has its own process.

use std::time::Duration;

use behaviour::{Receiver, eventually, is_child, rerun};
use biztrace::settings::Sampler;
use biztrace::{Telemetry, traced};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

#[traced]
async fn job() -> bool {
    step();
    let cx = Context::current();
    let context = cx.span().span_context().clone();
    assert!(
        context.is_valid(),
        "what is called from here is told of the decision, whatever it was"
    );
    context.is_sampled()
}

#[traced]
fn step() {}

#[actix_web::test]
async fn sampling_decision_of_a_root_holds_for_its_calls() {
    if rerun(
        "sampling::sampling_decision_of_a_root_holds_for_its_calls",
        &[],
    )
    .is_some()
    {
        return;
    }
    let receiver = Receiver::default();
    let builder = Telemetry::builder()
        .otlp(receiver.url())
        .schedule_delay(Duration::from_millis(10));
    let sampler = Sampler::trace_id_ratio(0.5).parent_based();
    let telemetry = builder
        .sampler(sampler)
        .install()
        .expect("the first to be installed");

    let mut kept = 0;
    for _ in 0..200 {
        kept += usize::from(job().await);
    }
    assert!((50..150).contains(&kept), "{kept} of 200 at a ratio of 0.5");
    eventually("the kept jobs", || receiver.spans().len() >= 2 * kept).await;
    let report = telemetry.shutdown().await;
    assert_eq!(report.delivered, 2 * kept as u64, "{report}");
    let spans = receiver.spans();
    for job in spans.iter().filter(|span| span.name == "job") {
        assert_eq!(job.tag("sampling.reason"), Some("trace_id_ratio".into()));
        assert_eq!(job.tag("sampling.adjusted_count"), Some(2.0.into()));
        assert_eq!(spans.iter().filter(|span| is_child(span, job)).count(), 1);
    }
}
