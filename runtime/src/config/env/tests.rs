use std::{collections::HashMap, time::Duration};

use super::*;
use crate::config::Certificates;

/// The settings, and the warnings as they are shown.
fn read(variables: &[(&str, &str)]) -> (Settings, Vec<String>) {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let environment = from_env(&|name| variables.get(name).map(OsString::from));
    let warnings = environment.warnings.iter().map(Warning::to_string);
    (environment.settings, warnings.collect())
}

/// What the variables change in the default settings, with no warning given.
#[track_caller]
fn accepts(variables: &[(&str, &str)], change: impl FnOnce(&mut Settings)) {
    let mut expected = Settings::default();
    change(&mut expected);
    assert_eq!(read(variables), (expected, Vec::new()), "{variables:?}");
}

#[test]
fn an_empty_environment_gives_the_defaults_of_the_specification() {
    accepts(&[], |_| ());
    let default = Settings::default();
    assert_eq!(default.otlp.url(), "http://localhost:4318/v1/traces");
    assert_eq!(default.batch.schedule_delay, Duration::from_millis(5000));
    assert_eq!(default.batch.export_timeout, Duration::from_millis(30000));
}

#[test]
fn an_empty_variable_is_unset() {
    let all_empty = from_env(&|_| Some(OsString::new()));
    assert_eq!(all_empty.settings, Settings::default());
    assert_eq!(
        (all_empty.variables.len(), all_empty.warnings.len()),
        (0, 0)
    );
}

#[test]
fn off_switch() {
    for value in ["true", "TRUE", "True"] {
        accepts(&[("OTEL_SDK_DISABLED", value)], |s| s.disabled = true);
    }
    for value in ["false", "False"] {
        accepts(&[("OTEL_SDK_DISABLED", value)], |_| ());
    }
}

#[test]
fn resource_attributes() {
    #[rustfmt::skip]
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("a=1", &[("a", "1")]),
        ("a=1,b=2", &[("a", "1"), ("b", "2")]),
        (" a\t=  1 , b = 2 ", &[("a", "1"), ("b", "2")]),
        ("a=", &[("a", "")]),
        (",a=1,, ", &[("a", "1")]),
        ("a=b=c", &[("a", "b=c")]),
        ("a=x%2Cy%3dz%20%25", &[("a", "x,y=z %")]),
        ("caf%C3%A9=%e2%82%ac", &[("café", "€")]),
        ("a=a+b", &[("a", "a+b")]),
        ("a=ü", &[("a", "ü")]),
        ("service.name=shop,a=1", &[("service.name", "shop"), ("a", "1")]),
    ];
    for (value, expected) in cases {
        accepts(&[("OTEL_RESOURCE_ATTRIBUTES", value)], |settings| {
            settings.resource = expected
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect();
        });
    }
}

#[test]
fn one_bad_resource_attribute_discards_all_and_is_named() {
    for bad in [
        "b", "=2", " = 2", "b=%", "b=%4", "b=%zz", "b=%+1", "%4=b", "b=%ff", "b=%%20",
    ] {
        let value = format!("a=1,{bad}");
        let (settings, warnings) = read(&[("OTEL_RESOURCE_ATTRIBUTES", &value)]);
        assert_eq!(settings, Settings::default(), "{value}");
        let key = match bad.split_once('=') {
            Some((key, _)) if key.contains('%') => "…",
            Some((key, _)) => key.trim(),
            None => "",
        };
        assert_eq!(
            warnings,
            [format!(
                "OTEL_RESOURCE_ATTRIBUTES=\"…\" is not a comma-separated list of percent-encoded key=value pairs, \
                 see its member 2, {key:?}; using none of them"
            )],
        );
    }
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
        let (settings, warnings) = read(&[(variable, value)]);
        assert_eq!(settings.otlp.headers, []);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with(variable), "{warnings:?}");
        assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_said_to_be_ignored() {
    use std::os::unix::ffi::OsStringExt;

    let garbled =
        |name: &str| (name == "OTEL_SERVICE_NAME").then(|| OsString::from_vec(vec![b'a', 0xff]));
    let environment = from_env(&garbled);
    assert_eq!(environment.settings, Settings::default());
    assert_eq!(
        environment.warnings[0].to_string(),
        "OTEL_SERVICE_NAME is ignored: it is not text in UTF-8"
    );
}

#[test]
fn methods() {
    let variable = [("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "GET,PURGE")];
    accepts(&variable, |settings| {
        settings.known_methods = KnownMethods::listed("GET,PURGE");
    });
}

#[test]
fn exceptions() {
    const VARIABLE: &str = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN";
    for (value, signal) in [
        ("logs", ExceptionSignal::Logs),
        ("logs/dup", ExceptionSignal::Both),
    ] {
        accepts(&[(VARIABLE, value)], |s| s.exceptions = signal);
    }
    let (settings, warnings) = read(&[(VARIABLE, "metrics")]);
    assert_eq!(settings, Settings::default());
    let said = format!("{VARIABLE}=\"metrics\" is not logs or logs/dup; using span events");
    assert_eq!(warnings, [said]);
}

#[test]
fn what_is_set_in_vain_is_said_to_be() {
    for (variable, said) in [
        (
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
            "OTEL_TRACES_EXPORTER does not name zipkin",
        ),
        ("OTEL_CONFIG_FILE", "takes no such files"),
    ] {
        let (_, warnings) = read(&[(variable, "http://z/in")]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(said), "{warnings:?}");
    }
}

#[test]
fn service_name_beats_the_resource_attribute() {
    let resource = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=old,a=1");
    accepts(&[("OTEL_SERVICE_NAME", "shop"), resource], |settings| {
        settings.service_name = Some("shop".into());
        settings.resource = vec![("a".into(), "1".into())];
    });
}

#[test]
fn endpoints() {
    #[rustfmt::skip]
    let cases = [
        // protocol, endpoint, endpoint of traces
        ("", "", "", "http://localhost:4318/v1/traces"),
        ("", "http://c:1", "", "http://c:1/v1/traces"),
        ("", "http://c:1/", "", "http://c:1/v1/traces"),
        ("http/json", "http://c/otel", "", "http://c/otel/v1/traces"),
        ("", "", "http://c:1", "http://c:1"),
        ("", "", "http://c/in/", "http://c/in/"),
        ("", "http://b", "http://t/x", "http://t/x"),
        ("grpc", "", "", "http://localhost:4317"),
        ("grpc", "http://c:1", "", "http://c:1"),
        ("GRPC", "http://b", "http://c:2", "http://c:2"),
    ];
    for (protocol, base, traces, url) in cases {
        let (settings, warnings) = read(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", base),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces),
        ]);
        assert_eq!(settings.otlp.url(), url);
        assert_eq!(
            settings.exporters.is_some(),
            !(base.is_empty() && traces.is_empty())
        );
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn exporters() {
    use Exporter::Console;
    let otlp = || Exporter::Otlp(Otlp::default());
    let cases = [
        ("otlp", vec![otlp()]),
        ("OTLP", vec![otlp()]),
        ("console", vec![Console]),
        ("console, otlp", vec![Console, otlp()]),
        ("otlp,otlp", vec![otlp()]),
        ("none", vec![]),
    ];
    for (names, exporters) in cases {
        accepts(&[("OTEL_TRACES_EXPORTER", names)], |settings| {
            settings.exporters = Some(exporters)
        });
    }
}

#[test]
fn zipkin_is_sent_to_where_its_variables_say() {
    let zipkin = |endpoint: &str, milliseconds| Zipkin {
        endpoint: endpoint.into(),
        timeout: Duration::from_millis(milliseconds),
    };
    let default = zipkin("http://localhost:9411/api/v2/spans", 10_000);
    accepts(&[("OTEL_TRACES_EXPORTER", "zipkin")], |settings| {
        settings.exporters = Some(vec![Exporter::Zipkin(default.clone())]);
    });
    let set = zipkin("http://z/in", 500);
    accepts(
        &[
            ("OTEL_TRACES_EXPORTER", "console,zipkin"),
            ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z/in"),
            ("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "500"),
        ],
        |settings| {
            settings.exporters = Some(vec![Exporter::Console, Exporter::Zipkin(set.clone())]);
            settings.zipkin = set;
        },
    );
    let (settings, warnings) = read(&[("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "soon")]);
    assert_eq!(settings, Settings::default());
    assert!(
        warnings[0].contains("OTEL_EXPORTER_ZIPKIN_TIMEOUT"),
        "{warnings:?}"
    );
}

#[test]
fn an_unknown_exporter_is_left_out() {
    for (names, exporters, instead) in [
        ("carrier-pigeon", None, "; using the default"),
        (
            "console,carrier-pigeon",
            Some(vec![Exporter::Console]),
            "; using the others",
        ),
    ] {
        let (settings, warnings) = read(&[("OTEL_TRACES_EXPORTER", names)]);
        assert_eq!(settings.exporters, exporters);
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].starts_with("OTEL_TRACES_EXPORTER=\"carrier-pigeon\"")
                && warnings[0].ends_with(instead),
            "{warnings:?}"
        );
    }
}

#[test]
fn receivers_of_otlp() {
    use super::super::{Compression, Protocol};
    accepts(
        &[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "x-key=a%20b, x-tenant = 7 ,x-sum=a=b",
            ),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key.pem"),
            ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
        ],
        |settings| {
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            settings.otlp = Otlp {
                protocol: Some(Protocol::HttpJson),
                endpoint: None,
                headers: vec![
                    header("x-key", "a b"),
                    header("x-tenant", "7"),
                    header("x-sum", "a=b"),
                ],
                compression: Some(Compression::Gzip),
                timeout: Some(Duration::from_millis(2500)),
                certificates: Certificates {
                    ca_file: Some("/ca.pem".into()),
                    cert_file: Some("/cert.pem".into()),
                    key_file: Some("/key.pem".into()),
                },
                insecure: Some(true),
            };
        },
    );
}

#[test]
fn headers_that_do_not_parse_are_not_shown() {
    for value in ["s3cret", "a=s3cret,b", "=s3cret", "a=%zz"] {
        let (settings, warnings) = read(&[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", value)]);
        assert_eq!(settings, Settings::default());
        assert_eq!(
            warnings,
            [
                "OTEL_EXPORTER_OTLP_TRACES_HEADERS=\"…\" is not a comma-separated list of percent-encoded name=value pairs; \
              using none of them"
            ]
        );
    }
}

#[test]
fn samplers() {
    let ratio = Sampler::TraceIdRatio;
    let parent_based = Sampler::parent_based;
    #[rustfmt::skip]
    let cases = [
        ("always_on", "", Sampler::AlwaysOn),
        ("always_off", "", Sampler::AlwaysOff),
        ("ALWAYS_OFF", "", Sampler::AlwaysOff),
        ("always_off", "not looked at", Sampler::AlwaysOff),
        ("traceidratio", "0.25", ratio(0.25)),
        ("traceidratio", "0", ratio(0.0)),
        ("traceidratio", "1", ratio(1.0)),
        ("traceidratio", "1e-3", ratio(0.001)),
        ("parentbased_always_on", "", Sampler::default()),
        ("parentbased_always_off", "", parent_based(Sampler::AlwaysOff)),
        ("parentbased_traceidratio", "0.5", parent_based(ratio(0.5))),
    ];
    for (name, argument, sampler) in cases {
        let variables = [
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ];
        accepts(&variables, |settings| settings.sampler = sampler);
    }
}

#[test]
fn a_bad_ratio_keeps_everything() {
    for argument in ["", "1.5", "-0.1", "NaN", "inf", "half", "0,5"] {
        let (settings, warnings) = read(&[
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ]);
        assert_eq!(
            settings.sampler,
            Sampler::parent_based(Sampler::TraceIdRatio(1.0))
        );
        assert_eq!(
            warnings,
            [format!(
                "OTEL_TRACES_SAMPLER_ARG={argument:?} is not a ratio from 0 to 1; using 1"
            )],
        );
    }
}

#[test]
fn samplers_that_a_server_sets() {
    let url = "http://jaeger:14250";
    let second = Duration::from_secs(1);
    let default = JaegerRemote::default;
    for (argument, remote) in [
        ("", default()),
        ("endpoint=http://jaeger:14250", JaegerRemote::new(url)),
        (
            " endpoint = http://jaeger:14250 ,pollingIntervalMs=1000,initialSamplingRate=0.25,",
            JaegerRemote::new(url)
                .polling_interval(second)
                .initial_sampling_rate(0.25),
        ),
        ("pollingIntervalMs=1000", default().polling_interval(second)),
    ] {
        let sampler = Sampler::JaegerRemote(remote);
        for (name, sampler) in [
            ("jaeger_remote", sampler.clone()),
            ("parentbased_jaeger_remote", Sampler::parent_based(sampler)),
        ] {
            let variables = [
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ];
            accepts(&variables, |settings| settings.sampler = sampler);
        }
    }
    for (bad, shown) in [
        ("endpoint=", "endpoint="),
        ("0.25", "0.25"),
        ("pollingIntervalMs=0", "pollingIntervalMs=0"),
        (" pollingIntervalMs = 1s", "pollingIntervalMs=1s"),
        (
            "initialSamplingRate=http://ada:s3cret@c",
            "initialSamplingRate=…",
        ),
        ("samplingRate=1", "samplingRate=1"),
    ] {
        let argument = format!("endpoint={url},{bad}");
        let (settings, warnings) = read(&[
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_TRACES_SAMPLER_ARG", &argument),
        ]);
        // What is right counts.
        assert_eq!(
            settings.sampler,
            Sampler::JaegerRemote(JaegerRemote::new(url)),
            "{bad}"
        );
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let start = format!("OTEL_TRACES_SAMPLER_ARG={shown:?} is not endpoint=http://…,");
        assert!(warnings[0].starts_with(&start), "{warnings:?}");
    }
}

#[test]
fn a_list_of_nothing_is_warned_of_once_and_a_comma_too_many_is_not() {
    let (settings, warnings) = read(&[("OTEL_TRACES_EXPORTER", " , ")]);
    assert_eq!((settings.exporters, warnings.len()), (None, 1));
    accepts(&[("OTEL_TRACES_EXPORTER", "console,")], |settings| {
        settings.exporters = Some(vec![Exporter::Console]);
    });
}

#[test]
fn an_argument_without_a_sampler_is_warned_of() {
    let (settings, warnings) = read(&[("OTEL_TRACES_SAMPLER_ARG", "0.5")]);
    assert_eq!(settings.sampler, Sampler::default());
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let start = "OTEL_TRACES_SAMPLER_ARG is set, but OTEL_TRACES_SAMPLER names no sampler";
    assert!(warnings[0].starts_with(start), "{warnings:?}");
}

#[test]
fn numbers() {
    type Change = fn(&mut Settings);
    #[rustfmt::skip]
    let cases: &[(&str, &str, Change)] = &[
        ("OTEL_BSP_SCHEDULE_DELAY", "250", |s| s.batch.schedule_delay = Duration::from_millis(250)),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1", |s| s.batch.export_timeout = Duration::from_millis(1)),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4096", |s| s.batch.max_queue_size = 4096),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2048", |s| s.batch.max_export_batch_size = 2048),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "0", |s| s.limits.attribute_value_length = Some(0)),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "9", |s| {
            s.limits.attribute_value_length = Some(9);
        }),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1", |s| s.limits.attributes = 1),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0", |s| s.limits.attributes = 0),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "3", |s| s.limits.events = 3),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "4", |s| s.limits.links = 4),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "5", |s| s.limits.event_attributes = 5),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "6", |s| s.limits.link_attributes = 6),
    ];
    for (variable, value, change) in cases {
        accepts(&[(variable, value)], change);
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
    accepts(&variables, |settings| {
        settings.limits.attributes = 20;
        settings.limits.attribute_value_length = Some(40);
    });
}

#[test]
fn what_is_not_understood_is_named_and_changes_nothing() {
    let milliseconds = "a whole number of milliseconds above 0, below 2^32";
    let positive = "a whole number above 0";
    let number = "a whole number";
    let protocols = "http/protobuf, http/json or grpc";
    let samplers =
        "always_on, always_off, traceidratio or jaeger_remote, alone or after parentbased_";
    let parent_based = "parentbased_always_on";
    #[rustfmt::skip]
    let cases = [
        ("OTEL_SDK_DISABLED", "1", "true or false", "false"),
        ("OTEL_SDK_DISABLED", "yes", "true or false", "false"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http", protocols, "http/protobuf"),
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
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", number, "no limit"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "x", number, "no limit"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1.5", number, "128"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "all", number, "128"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", " 1", number, "128"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "1 ", number, "128"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "0x10", number, "128"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "99999999999999999999", number, "128"),
    ];
    for (variable, value, expected, instead) in cases {
        let (settings, warnings) = read(&[(variable, value)]);
        assert_eq!(settings, Settings::default(), "{variable}={value}");
        assert_eq!(
            warnings,
            [format!(
                "{variable}={value:?} is not {expected}; using {instead}"
            )],
        );
    }
}

#[test]
fn a_bad_limit_of_spans_leaves_the_general_one() {
    let (settings, warnings) = read(&[
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "64"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1"),
    ]);
    assert_eq!(settings.limits.attribute_value_length, Some(64));
    assert_eq!(
        warnings,
        ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=\"-1\" is not a whole number; using 64"],
    );
}

#[test]
fn propagators() {
    use Propagator::{B3, B3Multi, Baggage, Jaeger, TraceContext, XTrace};

    for (value, propagators) in [
        ("tracecontext,baggage", vec![TraceContext, Baggage]),
        ("b3", vec![B3]),
        ("B3Multi, jaeger ,xtrace", vec![B3Multi, Jaeger, XTrace]),
        ("b3,b3,tracecontext", vec![B3, TraceContext]),
        ("none", Vec::new()),
    ] {
        accepts(&[("OTEL_PROPAGATORS", value)], |settings| {
            settings.propagators = propagators;
        });
    }
    for (value, propagators) in [
        ("ottrace", vec![TraceContext, Baggage]),
        ("ottrace,b3", vec![B3]),
        ("none,b3", vec![B3]),
    ] {
        let (settings, warnings) = read(&[("OTEL_PROPAGATORS", value)]);
        assert_eq!(settings.propagators, propagators, "{value}");
        assert!(
            warnings[0].contains("b3multi, jaeger or xtrace"),
            "{warnings:?}"
        );
    }
}

#[test]
fn privacy() {
    for (value, policy) in [
        ("keep", PiiPolicy::Keep),
        ("HASH", PiiPolicy::Hash),
        ("drop", PiiPolicy::Drop),
    ] {
        accepts(&[("BIZTRACE_PII", value)], |s| s.privacy.pii = policy);
    }
    let (settings, warnings) = read(&[("BIZTRACE_PII", "mask")]);
    assert_eq!(settings, Settings::default());
    assert_eq!(
        warnings,
        ["BIZTRACE_PII=\"…\" is not keep, hash or drop; using drop"]
    );

    accepts(&[("BIZTRACE_HASH_KEY", "0123456789abcdef")], |s| {
        s.privacy.hash_key = HashKey::new(b"0123456789abcdef");
    });
    let (settings, warnings) = read(&[("BIZTRACE_HASH_KEY", "short")]);
    assert_eq!(settings, Settings::default());
    assert!(
        warnings[0].contains("is not a key of 16 bytes or more") && !warnings[0].contains("short")
    );
}
