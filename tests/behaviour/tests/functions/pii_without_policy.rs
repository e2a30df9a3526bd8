//! Values that are marked as personal where nobody has said what becomes of them. A process is warned once.

use behaviour::rerun;
use biztrace::settings::PiiPolicy;
use biztrace::testing::Capture;
use biztrace::{Telemetry, TelemetryBuilder, tag, traced};

#[traced]
fn sign_in() {
    tag!(
        #[pii]
        user.name = "ada"
    );
}

fn signs_in(builder: TelemetryBuilder) -> Option<String> {
    let capture = Capture::with(builder);
    capture.scope_sync(sign_in);
    let name = capture.span("sign_in").tag("user.name")?;
    Some(name.as_str().into_owned())
}

#[test]
fn value_is_dropped_with_one_warning_without_a_policy() {
    let test = "pii_without_policy::value_is_dropped_with_one_warning_without_a_policy";
    let Some(stderr) = rerun(test, &[]) else {
        for _ in 0..3 {
            assert_eq!(signs_in(Telemetry::builder()), None);
        }
        Telemetry::builder().build().unwrap().shutdown_blocking();
        return;
    };
    let said: Vec<_> = stderr.lines().filter(|it| it.contains("#[pii]")).collect();
    assert_eq!(said.len(), 1, "{stderr}");
    for part in [
        "the value of \"user.name\" is",
        "BIZTRACE_PII",
        "`TelemetryBuilder::pii`",
        "left out",
    ] {
        assert!(said[0].contains(part), "{stderr}");
    }
}

#[test]
fn value_is_dropped_in_silence_if_that_is_the_policy() {
    let test = "pii_without_policy::value_is_dropped_in_silence_if_that_is_the_policy";
    let Some(stderr) = rerun(test, &[]) else {
        assert_eq!(signs_in(Telemetry::builder().pii(PiiPolicy::Drop)), None);
        Telemetry::builder().build().unwrap().shutdown_blocking();
        return;
    };
    assert!(!stderr.contains("#[pii]"), "{stderr}");
}
