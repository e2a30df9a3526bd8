//! Exporters of the environment.

use std::time::Duration;

use super::{TelemetryBuilder, accepts, read};
use crate::config::BatchSettings;

const SECOND: Duration = Duration::from_secs(1);

const EXPORTER: &str = "OTEL_TRACES_EXPORTER";

#[test]
fn exporters_are_named_by_a_list() {
    let cases: [(&str, &[&str]); 7] = [
        ("otlp", &["exporter=otlp"]),
        ("OTLP", &["exporter=otlp"]),
        ("console", &["exporter=console"]),
        ("console, otlp", &["exporter=console", "exporter=otlp"]),
        ("otlp,otlp", &["exporter=otlp"]),
        ("console,", &["exporter=console"]),
        ("none", &["exporter=none"]),
    ];
    for (names, exporters) in cases {
        accepts(&[(EXPORTER, names)], exporters);
    }
}

#[test]
fn unknown_exporter_is_left_out() {
    for (names, set, instead) in [
        ("carrier-pigeon", None, "; using the default"),
        (
            "console,carrier-pigeon",
            Some("exporter=console"),
            "; using the others",
        ),
    ] {
        let (settings, warnings) = read(&[(EXPORTER, names)]);
        assert_eq!(settings, Vec::from_iter(set));
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].starts_with("OTEL_TRACES_EXPORTER=\"carrier-pigeon\"")
                && warnings[0].ends_with(instead),
            "{warnings:?}"
        );
    }
    let (settings, warnings) = read(&[(EXPORTER, " , ")]);
    assert_eq!((settings.len(), warnings.len()), (0, 1), "{warnings:?}");
}

/// The delays that a description shows, by name.
fn delays(
    variables: &[(&str, &str)],
    build: fn(TelemetryBuilder) -> TelemetryBuilder,
) -> Vec<String> {
    let listing = super::listing(variables, build);
    let settings = listing.settings.into_iter();
    let delays = settings.filter(|(name, ..)| name.ends_with("schedule_delay"));
    let shown = delays.map(|(name, value, source)| format!("{name}={value} ({source})"));
    shown.collect()
}

#[test]
fn console_waits_half_a_second_unless_a_setting_says_otherwise() {
    const DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";
    let console = (EXPORTER, "console");
    assert_eq!(
        delays(&[console], |it| it),
        [
            "console.schedule_delay=500ms (default)",
            "schedule_delay=5s (default)"
        ]
    );
    assert_eq!(
        delays(&[console, (DELAY, "5000")], |it| it),
        ["schedule_delay=5s (OTEL_BSP_SCHEDULE_DELAY)"]
    );
    assert_eq!(
        delays(&[], |it| it.console().schedule_delay(SECOND)),
        ["schedule_delay=1s (code)"]
    );
    let own = Some(SECOND);
    let mut settings = BatchSettings::default();
    assert_eq!(settings.batch(own).schedule_delay, SECOND);
    assert_eq!(settings.batch(None).schedule_delay, 5 * SECOND);
    settings.schedule_delay.set(7 * SECOND);
    assert_eq!(settings.batch(own).schedule_delay, 7 * SECOND);
}

#[cfg(feature = "json")]
#[test]
fn json_on_stdout_waits_half_a_second_and_a_file_as_long_as_others() {
    use crate::exporter::json_lines::JsonFile;

    assert_eq!(
        delays(&[], |it| it.json_file(JsonFile::new("a")).json_stdout()),
        [
            "json_stdout.schedule_delay=500ms (default)",
            "schedule_delay=5s (default)"
        ]
    );
}

#[test]
fn variable_that_asks_for_an_exporter_is_warned_of_if_the_code_names_others() {
    const OTLP: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const ZIPKIN: &str = "OTEL_EXPORTER_ZIPKIN_ENDPOINT";
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Variables<'_>, &[&str]); 10] = [
        (&[(OTLP, "http://c")], &[OTLP]),
        (&[(OTLP, "http://c"), (TRACES, "http://c")], &[OTLP, TRACES]),
        (&[(ZIPKIN, "http://c")], &[ZIPKIN]),
        (&[(EXPORTER, "otlp")], &[EXPORTER]),
        (&[(EXPORTER, "none")], &[EXPORTER]),
        (&[(EXPORTER, "otlp,zipkin")], &[EXPORTER]),
        (
            &[(EXPORTER, "Console, otlp"), (OTLP, "http://c")],
            &[EXPORTER, OTLP],
        ),
        // What the code names, too, and what asks for none.
        (&[(EXPORTER, " Console,console,")], &[]),
        (&[(OTLP, ""), (EXPORTER, "")], &[]),
        (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "500")], &[]),
    ];
    for (variables, unused) in cases {
        let warnings = super::warnings(variables, |it| it.console().console());
        let expected: Vec<_> = unused
            .iter()
            .map(|it| format!("{it} is not used: the code names the exporters (console)"))
            .collect();
        assert_eq!(warnings, expected, "{variables:?}");
    }
    #[cfg(feature = "json")]
    {
        let build = |it: TelemetryBuilder| it.console().json_stdout();
        let warnings = super::warnings(&[(OTLP, "http://c")], build);
        let named = "the code names the exporters (console, json_stdout)";
        assert_eq!(warnings, [format!("{OTLP} is not used: {named}")]);
    }
    // Nothing is exported at all.
    let off = |it: TelemetryBuilder| it.console().disabled(true);
    assert_eq!(super::warnings(&[(OTLP, "http://c")], off), [""; 0]);
}

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
#[test]
fn variable_is_not_warned_of_if_the_code_names_its_exporter() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ];
    let build = |it: TelemetryBuilder| it.console().otlp("http://d");
    assert_eq!(super::warnings(&variables, build), [""; 0]);
}

#[cfg(feature = "zipkin")]
#[test]
fn zipkin_is_sent_to_where_its_variables_say() {
    accepts(&[(EXPORTER, "zipkin")], &["exporter=zipkin"]);
    accepts(
        &[
            (EXPORTER, "console,zipkin"),
            ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z/in"),
            ("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "500"),
        ],
        &[
            "exporter=console",
            "exporter=zipkin",
            "zipkin.endpoint=http://z/in",
            "zipkin.timeout=500ms",
        ],
    );
}

#[cfg(not(feature = "zipkin"))]
#[test]
fn exporter_that_is_not_built_is_an_error() {
    let lookup = super::lookup(&[(EXPORTER, "zipkin")]);
    let telemetry = super::Telemetry::builder().build_over(super::environment(&lookup));
    let error = telemetry.unwrap_err().to_string();
    assert!(
        error.contains("feature `zipkin`") && error.contains(EXPORTER),
        "{error}"
    );
}

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
mod otlp {
    use super::super::{accepts, listing, read};

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
            let listing = listing(
                &[
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", base),
                    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces),
                ],
                |builder| builder,
            );
            let value = |name: &str| {
                let mut settings = listing.settings.iter();
                settings.find(|(it, _, _)| it == name).unwrap().clone()
            };
            assert_eq!(value("otlp.endpoint").1, url);
            let source = value("exporter").2.to_string();
            let expected = match (base, traces) {
                ("", "") => "default",
                (_, "") => "OTEL_EXPORTER_OTLP_ENDPOINT",
                _ => "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            };
            assert_eq!(source, expected);
            assert_eq!(listing.warnings, []);
        }
    }

    #[test]
    fn receivers() {
        accepts(
            &[
                ("OTEL_TRACES_EXPORTER", "otlp"),
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
            &[
                "exporter=otlp",
                "otlp.protocol=http/json",
                "otlp.insecure=true",
                "otlp.headers.x-key=…",
                "otlp.headers.x-tenant=…",
                "otlp.headers.x-sum=…",
                "otlp.compression=gzip",
                "otlp.timeout=2.5s",
                "otlp.ca_file=/ca.pem",
                "otlp.cert_file=/cert.pem",
                "otlp.key_file=/key.pem",
            ],
        );
    }

    #[test]
    fn text_in_the_place_of_a_path_is_not_shown() {
        let hidden = "… (it takes the path of a file, without line breaks, and not its text)";
        accepts(
            &[
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
                ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert.pem\ns3cret"),
                (
                    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
                    " -----BEGIN PRIVATE KEY-----s3cret",
                ),
            ],
            &[
                "otlp.ca_file=/ca.pem",
                &format!("otlp.cert_file={hidden}"),
                &format!("otlp.key_file={hidden}"),
            ],
        );
    }

    #[cfg(feature = "otlp-http")]
    #[test]
    fn client_identity_of_the_environment_is_for_one_receiver() {
        use crate::exporter::otlp::Otlp;
        use crate::provider::TelemetryBuilder;

        let named = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://C:1/in");
        let secrets = [
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=1"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key.pem"),
        ];
        type Build = fn(TelemetryBuilder) -> TelemetryBuilder;
        let cases: [(bool, Build, usize, usize); 7] = [
            // Whether the environment names an endpoint, the code, settings that are taken, warnings
            (false, |it| it.otlp("https://a"), 3, 0),
            (false, |it| it.otlp("https://a").otlp("https://b"), 0, 6),
            (false, |it| it.otlp("https://a").otlp(Otlp::default()), 3, 3),
            (true, |it| it.otlp("https://a"), 0, 3),
            (true, |it| it.otlp("https://a").otlp(Otlp::default()), 3, 3),
            (true, |it| it.otlp("https://c:1").otlp("https://c:2"), 3, 3),
            (true, |it| it.otlp("http://c:1"), 0, 3),
        ];
        for (i, (is_named, build, taken, warned)) in cases.into_iter().enumerate() {
            let named = is_named.then_some(named);
            let variables: Vec<_> = secrets.into_iter().chain(named).collect();
            let listing = listing(&variables, build);
            let is_secret = |name: &str| {
                let parts = ["otlp.headers.x-key", "otlp.cert_file", "otlp.key_file"];
                parts.contains(&name)
            };
            let settings = listing.settings.iter();
            let all = settings.filter(|(name, _, _)| is_secret(name)).count();
            assert_eq!((all, listing.warnings.len()), (taken, warned), "case {i}");
        }
    }

    #[test]
    fn headers_that_do_not_parse_are_not_shown() {
        for value in ["s3cret", "a=s3cret,b", "=s3cret", "a=%zz"] {
            let (set, warnings) = read(&[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", value)]);
            assert_eq!(set, [""; 0]);
            assert_eq!(
                warnings,
                [
                    "OTEL_EXPORTER_OTLP_TRACES_HEADERS=\"…\" is not a comma-separated list of percent-encoded name=value pairs; \
                  using none of them"
                ]
            );
        }
    }
}

#[test]
fn off_switch_needs_no_part_that_is_not_built() {
    let variables = [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        (EXPORTER, "zipkin"),
    ];
    accepts(&variables, &["disabled=true", "exporter=none"]);
}

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
#[test]
fn exporter_that_an_address_names_is_warned_of_once() {
    let (_, warnings) = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
    ]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}
