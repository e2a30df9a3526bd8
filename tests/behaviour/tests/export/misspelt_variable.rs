//! A variable that nobody reads, since its name is misspelt.

use behaviour::rerun;
use biztrace::Telemetry;

#[test]
fn process_with_a_misspelt_variable_is_told_its_name() {
    let Some(stderr) = rerun(
        "misspelt_variable::process_with_a_misspelt_variable_is_told_its_name",
        &[
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_EXPORTER_OTLP_HEADER", "x-api-key=s3cret"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ],
    ) else {
        let telemetry = Telemetry::builder().build().unwrap();
        telemetry.shutdown_blocking();
        return;
    };
    let warning = "biztrace: OTEL_EXPORTER_OTLP_HEADER is not read: no setting has this name. \
                   Did you mean OTEL_EXPORTER_OTLP_HEADERS?\n";
    assert!(stderr.contains(warning), "{stderr}");
    assert_eq!(stderr.matches("is not read").count(), 1, "{stderr}");
    assert!(!stderr.contains("s3cret"), "{stderr}");
}
