//! Warnings of a process without a subscriber and without a logger: they reach stderr.

use behaviour::rerun;
use biztrace::Telemetry;
use biztrace::settings::PiiPolicy;

#[test]
fn a_warning_that_nobody_listens_to_is_on_stderr() {
    let Some(stderr) = rerun(
        "stderr_fallback::a_warning_that_nobody_listens_to_is_on_stderr",
        &[
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("BIZTRACE_PII", "hash"),
        ],
    ) else {
        let telemetry = Telemetry::builder().build();
        let telemetry = telemetry.expect("a bad variable is ignored");
        telemetry.shutdown_blocking();
        return;
    };
    for warning in [
        "biztrace: OTEL_TRACES_SAMPLER=\"sometimes\" is not",
        "biztrace: BIZTRACE_PII=hash needs a key",
    ] {
        assert!(stderr.contains(warning), "{stderr}");
    }
}

#[test]
fn hashing_without_a_key_is_refused_where_the_code_asks_for_it() {
    let error = Telemetry::builder()
        .pii(PiiPolicy::Hash)
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("BIZTRACE_HASH_KEY"), "{error}");
}
