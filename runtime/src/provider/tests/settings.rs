//! Settings of the environment.

use super::{accepts, read, refuses};

#[test]
fn empty_environment_gives_the_defaults_of_the_specification() {
    accepts(&[], &[]);
    let listing = super::listing(&[], |builder| builder);
    let shown = |name: &str| {
        let mut settings = listing.settings.iter();
        let setting = settings.find(|(it, _, _)| it == name);
        setting.map(|(_, value, _)| value.clone()).unwrap()
    };
    for (name, value) in [
        ("otlp.endpoint", "http://localhost:4318/v1/traces"),
        ("otlp.timeout", "10s"),
        ("sampler", "parentbased_always_on"),
        ("schedule_delay", "5s"),
        ("export_timeout", "30s"),
        ("max_queue_size", "2048"),
        ("max_export_batch_size", "512"),
        ("limits.attributes", "128"),
        ("limits.attribute_value_length", "4096 (API: no limit)"),
        ("propagators", "tracecontext,baggage"),
        ("exceptions", "span events"),
    ] {
        assert_eq!(shown(name), value, "{name}");
    }
}

#[test]
fn empty_variable_is_unset() {
    let all_empty = super::listing_in(
        super::environment(&|_| Some(std::ffi::OsString::new())),
        super::Telemetry::builder(),
    );
    let unset = super::listing(&[], |builder| builder);
    assert_eq!(
        (all_empty.settings, all_empty.warnings),
        (unset.settings, unset.warnings)
    );
}

#[test]
fn off_switch() {
    let off = ["disabled=true", "exporter=none"];
    for value in ["true", "TRUE", "True"] {
        accepts(&[("OTEL_SDK_DISABLED", value)], &off);
    }
    for value in ["false", "False"] {
        accepts(&[("OTEL_SDK_DISABLED", value)], &[]);
    }
}

#[test]
fn resource_attributes() {
    #[rustfmt::skip]
    let cases: &[(&str, &[&str])] = &[
        ("a=1", &["a=1"]),
        ("a=1,b=2", &["a=1", "b=2"]),
        (" a\t=  1 , b = 2 ", &["a=1", "b=2"]),
        ("a=", &["a="]),
        (",a=1,, ", &["a=1"]),
        ("a=b=c", &["a=b=c"]),
        ("a=x%2Cy%3dz%20%25", &["a=x,y=z %"]),
        ("caf%C3%A9=%e2%82%ac", &["café=€"]),
        ("a=a+b", &["a=a+b"]),
        ("a=ü", &["a=ü"]),
        ("service.name=shop,a=1", &["a=1", "service.name=shop"]),
        ("service.instance.id=7", &["service.instance.id=7"]),
        ("service.name=,a=1", &["a=1"]),
        ("service.name=%20", &[]),
    ];
    for (value, expected) in cases {
        accepts(&[("OTEL_RESOURCE_ATTRIBUTES", value)], expected);
    }
}

#[test]
fn bad_resource_attribute_discards_all_and_is_named() {
    for bad in [
        "b", "=2", " = 2", "b=%", "b=%4", "b=%zz", "b=%+1", "%4=b", "b=%ff", "b=%%20",
    ] {
        let key = match bad.split_once('=') {
            Some((key, _)) if key.contains('%') => "…",
            Some((key, _)) => key.trim(),
            None => "",
        };
        refuses(
            "OTEL_RESOURCE_ATTRIBUTES",
            &format!("a=1,{bad}"),
            &format!(
                "=\"…\" is not a comma-separated list of percent-encoded key=value pairs, see its member 2, {key:?}; \
                 using none of them"
            ),
        );
    }
}

#[test]
fn service_name_beats_the_resource_attribute() {
    let resource = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=old,a=1");
    accepts(
        &[("OTEL_SERVICE_NAME", "shop"), resource],
        &["a=1", "service.name=shop"],
    );
    accepts(
        &[("OTEL_SERVICE_NAME", " "), resource],
        &["a=1", "service.name=old"],
    );
}

#[test]
fn instance_has_a_random_uuid() {
    let listing = super::listing(&[], |builder| builder);
    let mut settings = listing.settings.iter();
    let (_, id, _) = settings
        .find(|(name, _, _)| name == "service.instance.id")
        .unwrap();
    let parts: Vec<_> = id.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
    assert!(
        parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']),
        "{id}"
    );
}

#[test]
fn what_may_be_a_secret_in_the_wrong_place_is_not_shown() {
    for (variable, value) in [
        ("OTEL_TRACES_EXPORTER", "https://ada:s3cret@c/v1/traces"),
        ("OTEL_TRACES_SAMPLER", "Bearer s3cret=="),
        ("BIZTRACE_PII", "s3cret0123456789"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "s3crets3crets3crets3crets3cret"),
        ("OTEL_RESOURCE_ATTRIBUTES", "key=s3cret,s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret=="),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret="),
        ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Bearer s3cret"),
    ] {
        let (set, warnings) = read(&[(variable, value)]);
        assert_eq!(set, [""; 0]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with(variable), "{warnings:?}");
        assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
    }
}

#[cfg(unix)]
#[test]
fn variable_that_is_not_text_is_ignored() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let garbled =
        |name: &str| (name == "OTEL_SERVICE_NAME").then(|| OsString::from_vec(vec![b'a', 0xff]));
    let listing = super::listing_in(super::environment(&garbled), super::Telemetry::builder());
    let warnings: Vec<_> = listing.warnings.iter().map(ToString::to_string).collect();
    let expected = "OTEL_SERVICE_NAME is ignored: it is not text in UTF-8";
    assert_eq!(warnings, [expected]);
}

#[test]
fn exceptions_and_methods() {
    const EXCEPTIONS: &str = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN";
    accepts(&[(EXCEPTIONS, "logs")], &["exceptions=logs"]);
    accepts(&[(EXCEPTIONS, "logs/dup")], &["exceptions=logs/dup"]);
    refuses(
        EXCEPTIONS,
        "metrics",
        "=\"metrics\" is not logs or logs/dup; using span events",
    );
    accepts(
        &[("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET,PURGE")],
        &["known_methods=GET,PURGE"],
    );
    refuses(
        "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
        " ,",
        "=\" ,\" is not a comma-separated list of methods, for example GET,POST; using GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,\
         CONNECT,TRACE,QUERY",
    );
}

#[test]
fn what_is_kept() {
    const KEEP: &str = "BIZTRACE_KEEP";
    accepts(&[(KEEP, "slow=2s, errors")], &["keep=errors,slow=2s"]);
    accepts(&[], &[]);
    let problem =
        "=\"error\" is not a list of errors and slow=500ms, with commas, or none; using nothing";
    refuses(KEEP, "error", problem);
}

#[test]
fn redacted_parameters() {
    const REDACT: &str = "BIZTRACE_REDACT_QUERY";
    accepts(&[(REDACT, "pin, !key")], &["redact_query=pin,!key"]);
    refuses(
        REDACT,
        " ,",
        "=\" ,\" is not a comma-separated list of parameters, for example pin,!key; using default",
    );
}

#[test]
fn unused_variables_are_warned_of() {
    for (variable, said) in [
        (
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
            "OTEL_TRACES_EXPORTER does not name zipkin",
        ),
        ("OTEL_CONFIG_FILE", "reads no configuration files"),
        (
            "OTEL_TRACES_SAMPLER_ARG",
            " is set, but OTEL_TRACES_SAMPLER names no sampler",
        ),
    ] {
        let (_, warnings) = read(&[(variable, "http://z/in")]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].starts_with(variable) && warnings[0].contains(said),
            "{warnings:?}"
        );
    }
}

#[test]
fn numbers() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, &str)] = &[
        ("OTEL_BSP_SCHEDULE_DELAY", "250", "schedule_delay=250ms"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1", "export_timeout=1ms"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4096", "max_queue_size=4096"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2048", "max_export_batch_size=2048"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "0", "limits.attribute_value_length=0"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "9", "limits.attribute_value_length=9"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1", "limits.attributes=1"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0", "limits.attributes=0"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "3", "limits.events=3"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "4", "limits.links=4"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "5", "limits.event_attributes=5"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "6", "limits.link_attributes=6"),
    ];
    for (variable, value, setting) in cases {
        accepts(&[(variable, value)], &[setting]);
    }
}

#[test]
fn limits_of_spans_beat_general_ones() {
    let variables = [
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "30"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "40"),
    ];
    let expected = ["limits.attributes=20", "limits.attribute_value_length=40"];
    accepts(&variables, &expected);
    let (set, warnings) = read(&[
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "64"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1"),
    ]);
    assert_eq!(set, ["limits.attribute_value_length=64"]);
    assert_eq!(
        warnings,
        ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=\"-1\" is not a whole number; using 64"],
    );
}

#[test]
fn what_is_not_understood_is_named_and_changes_nothing() {
    let milliseconds = "a whole number of milliseconds above 0, below 2^32";
    let positive = "a whole number above 0";
    let number = "a whole number";
    let samplers = "one of always_on, always_off, traceidratio, probability, rate_limiting, jaeger_remote, alone or after parentbased_";
    let parent_based = "parentbased_always_on";
    #[rustfmt::skip]
    let cases = [
        ("OTEL_SDK_DISABLED", "1", "true or false", "false"),
        ("OTEL_SDK_DISABLED", "yes", "true or false", "false"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http", "http/protobuf, http/json or grpc", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zstd", "gzip or none", "none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", milliseconds, "10000"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "1", "true or false", "false"),
        ("OTEL_TRACES_SAMPLER", "sometimes", samplers, parent_based),
        ("OTEL_TRACES_SAMPLER", "xray", samplers, parent_based),
        ("OTEL_TRACES_SAMPLER", "parentbased_", samplers, parent_based),
        ("OTEL_TRACES_SAMPLER", "parentbased_sometimes", samplers, parent_based),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s", milliseconds, "5000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0", milliseconds, "5000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "18446744073709551615", milliseconds, "5000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "-1", milliseconds, "30000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", positive, "2048"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "2k", positive, "2048"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0", positive, "512"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", number, "4096 (API: no limit)"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "x", number, "4096 (API: no limit)"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1.5", number, "128"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "all", number, "128"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", " 1", number, "128"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "1 ", number, "128"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "0x10", number, "128"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "99999999999999999999", number, "128"),
    ];
    for (variable, value, expected, instead) in cases {
        let problem = format!("={value:?} is not {expected}; using {instead}");
        refuses(variable, value, &problem);
    }
}

#[test]
fn propagators() {
    const VARIABLE: &str = "OTEL_PROPAGATORS";
    for (value, propagators) in [
        ("tracecontext,baggage", "tracecontext,baggage"),
        ("b3", "b3"),
        ("B3Multi, jaeger ,xtrace", "b3multi,jaeger,xtrace"),
        ("b3,b3,tracecontext", "b3,tracecontext"),
        ("none", "none"),
    ] {
        accepts(
            &[(VARIABLE, value)],
            &[&format!("propagators={propagators}")],
        );
    }
    for (value, set) in [
        ("ottrace", None),
        ("ottrace,b3", Some("propagators=b3")),
        ("none,b3", Some("propagators=b3")),
    ] {
        let (settings, warnings) = read(&[(VARIABLE, value)]);
        assert_eq!(settings, Vec::from_iter(set), "{value}");
        assert!(
            warnings[0].contains("b3multi, jaeger and xtrace"),
            "{warnings:?}"
        );
    }
}

#[test]
fn hosts_that_get_baggage() {
    const VARIABLE: &str = "BIZTRACE_BAGGAGE_TO";
    let hosts = "*.example.com,api.example.org,10.0.0.0/8";
    accepts(&[(VARIABLE, hosts)], &[&format!("baggage_to={hosts}")]);
    accepts(&[(VARIABLE, "*")], &["baggage_to=*"]);
    let expected = "a comma-separated list of hosts, for example *.partner.example,api.example.com,10.0.0.0/8, or * for all";
    let problem = format!("=\"api/v1\" is not {expected}; using none of them");
    refuses(VARIABLE, "api/v1", &problem);
    let (set, warnings) = read(&[(VARIABLE, "api.example.org, 10.0.0.0/33")]);
    assert_eq!(set, ["baggage_to=api.example.org"]);
    let problem = format!("=\"10.0.0.0/33\" is not {expected}; using the others");
    assert_eq!(warnings, [format!("{VARIABLE}{problem}")]);
}

#[test]
fn privacy() {
    const KEY: (&str, &str) = ("BIZTRACE_HASH_KEY", "0123456789abcdef");
    accepts(&[("BIZTRACE_PII", "keep")], &["pii=keep"]);
    accepts(
        &[KEY, ("BIZTRACE_PII", "HASH")],
        &["hash_key=set", "pii=hash"],
    );
    accepts(&[("BIZTRACE_PII", "drop")], &["pii=drop"]);
    refuses(
        "BIZTRACE_PII",
        "mask",
        "=\"…\" is not keep, hash or drop; using drop",
    );
    refuses(
        "BIZTRACE_HASH_KEY",
        "short",
        "=\"…\" is not a key of 16 bytes or more; using none: values to be hashed are left out",
    );
    let (set, warnings) = read(&[("BIZTRACE_PII", "hash")]);
    assert_eq!(set, ["pii=hash"]);
    assert!(
        warnings[0].starts_with("BIZTRACE_PII=hash needs a key"),
        "{warnings:?}"
    );
}
