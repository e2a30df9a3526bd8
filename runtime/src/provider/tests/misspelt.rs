//! Variables that nobody reads, but whose names are almost those of settings.

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
use super::read;
use super::{accepts, refuses};

#[test]
fn variable_is_warned_of_and_named_right() {
    for (variable, meant) in [
        ("OTEL_SERVICENAME", "OTEL_SERVICE_NAME"),
        ("OTEL_TRACE_SAMPLER", "OTEL_TRACES_SAMPLER"),
        ("OTEL_TRACES_SAMPLER_ARGS", "OTEL_TRACES_SAMPLER_ARG"),
        ("OTEL_TRACE_EXPORTER", "OTEL_TRACES_EXPORTER"),
        ("OTEL_CONFIGFILE", "OTEL_CONFIG_FILE"),
        ("OTEL_PROPAGATOR", "OTEL_PROPAGATORS"),
        ("OTEL_SDK_DISABLE", "OTEL_SDK_DISABLED"),
        ("OTEL_BSP_SHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY"),
        ("BIZTRACE_HASHKEY", "BIZTRACE_HASH_KEY"),
        ("BIZTRACE_PPI", "BIZTRACE_PII"),
    ] {
        let problem = format!(" is not read: no setting has this name. Did you mean {meant}?");
        refuses(variable, "s3cret", &problem);
    }
    // Those of OpenTelemetry that are not for traces, those of other tools, and others.
    for variable in [
        "OTEL_LOG_LEVEL",
        "OTEL_LOGS_EXPORTER",
        "OTEL_METRICS_EXPORTER",
        "OTEL_BLRP_SCHEDULE_DELAY",
        "OTEL_BLRP_EXPORT_TIMEOUT",
        "OTEL_BLRP_MAX_QUEUE_SIZE",
        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        "OTEL_EXPORTER_OTLP_PROFILES_TIMEOUT",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "OTEL_SEMCONV_STABILITY_OPT_IN",
        "OTEL_SERVICE_VERSION",
        "OTHER_SERVICE_NAME",
        "TEST_CHILD",
        "BIZTRACE",
    ] {
        accepts(&[(variable, "s3cret")], &[]);
    }
}

#[test]
fn each_unknown_variable_of_biztrace_is_warned_of() {
    for variable in [
        "BIZTRACE_",
        "BIZTRACE_HASH",
        "BIZTRACE_REDACT_QUERIES",
        "BIZTRACE_SECRET",
        "BIZTRACE_TRUSTED_PROXIES",
    ] {
        let problem = " is not read: no setting has this name. There are BIZTRACE_HASH_KEY, BIZTRACE_PII, BIZTRACE_BAGGAGE_TO, BIZTRACE_KEEP, BIZTRACE_REDACT_QUERY";
        refuses(variable, "s3cret", problem);
    }
}

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
#[test]
fn variable_of_an_exporter_is_warned_of_even_if_another_is_active() {
    for (variable, meant) in [
        ("OTEL_EXPORTER_OTLP_ENDPIONT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_HEADER", "OTEL_EXPORTER_OTLP_HEADERS"),
        (
            "OTEL_EXPORTER_OTLP_TRACE_HEADERS",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        ),
    ] {
        let console = ("OTEL_TRACES_EXPORTER", "console");
        let (_, warnings) = read(&[console, (variable, "s3cret")]);
        let warning =
            format!("{variable} is not read: no setting has this name. Did you mean {meant}?");
        assert_eq!(warnings, [warning]);
    }
}
