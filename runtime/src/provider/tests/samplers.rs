//! Samplers that the environment names.

use super::{accepts, read};

#[test]
fn samplers() {
    #[rustfmt::skip]
    let cases = [
        ("always_on", "", "always_on"),
        ("always_off", "", "always_off"),
        ("ALWAYS_OFF", "", "always_off"),
        ("always_off", "not looked at", "always_off"),
        ("traceidratio", "0.25", "traceidratio(0.25)"),
        ("traceidratio", "0", "traceidratio(0)"),
        ("traceidratio", "1", "traceidratio(1)"),
        ("traceidratio", "1e-3", "traceidratio(0.001)"),
        ("parentbased_always_on", "", "parentbased_always_on"),
        ("parentbased_always_off", "", "parentbased_always_off"),
        ("parentbased_traceidratio", "0.5", "parentbased_traceidratio(0.5)"),
    ];
    for (name, argument, sampler) in cases {
        let variables = [
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ];
        accepts(&variables, &[&format!("sampler={sampler}")]);
    }
}

#[test]
fn bad_ratio_keeps_everything() {
    for argument in ["", "1.5", "-0.1", "NaN", "inf", "half", "0,5"] {
        let (set, warnings) = read(&[
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ]);
        assert_eq!(set, ["sampler=parentbased_traceidratio(1)"]);
        let problem = match argument {
            "" => " is not set, but should be".to_owned(),
            _ => format!("={argument:?} is not"),
        };
        let expected =
            "a ratio from 0 to 1, where 1 keeps every trace; using parentbased_traceidratio(1)";
        assert_eq!(
            warnings,
            [format!("OTEL_TRACES_SAMPLER_ARG{problem} {expected}")]
        );
    }
}

#[cfg(feature = "otlp-grpc")]
#[test]
fn samplers_that_a_server_sets() {
    let url = "http://jaeger:14250";
    for (argument, server) in [
        ("", "http://localhost:14250"),
        ("endpoint=http://jaeger:14250", url),
        (
            " endpoint = http://jaeger:14250 ,pollingIntervalMs=1000,initialSamplingRate=0.25,",
            url,
        ),
    ] {
        for name in ["jaeger_remote", "parentbased_jaeger_remote"] {
            let variables = [
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ];
            accepts(&variables, &[&format!("sampler={name}({server})")]);
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
        let (set, warnings) = read(&[
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_TRACES_SAMPLER_ARG", &argument),
        ]);
        // What is right counts.
        assert_eq!(set, [format!("sampler=jaeger_remote({url})")], "{bad}");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let start = format!("OTEL_TRACES_SAMPLER_ARG={shown:?} is not endpoint=http://…,");
        assert!(warnings[0].starts_with(&start), "{warnings:?}");
    }
}
