//! A process that listens to nothing: warnings reach stderr. The test runs itself again as that process.

use std::env;
use std::process::Command;

use biztrace::{PiiPolicy, Telemetry};

const CHILD: &str = "BEHAVIOUR_UNHEARD";

#[test]
fn a_warning_that_nobody_listens_to_is_on_stderr() {
    if env::var_os(CHILD).is_some() {
        let telemetry = Telemetry::builder()
            .build()
            .expect("a bad variable is ignored");
        telemetry.shutdown_blocking();
        return;
    }
    let child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "a_warning_that_nobody_listens_to_is_on_stderr",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .env("OTEL_TRACES_SAMPLER", "sometimes")
        .env("BIZTRACE_PII", "hash")
        .output()
        .unwrap();
    let stderr = String::from_utf8(child.stderr).unwrap();
    assert!(child.status.success(), "{stderr}");
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
