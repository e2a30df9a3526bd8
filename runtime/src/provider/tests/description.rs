//! Descriptions, and the warnings that matter.

use super::{lookup, warnings};
use crate::exporter::otlp::Otlp;
use crate::provider::{Telemetry, TelemetryBuilder};
use crate::sampling::{Rule, Sampler, Tenants, Tier};

/// The one line of what is built in that environment, without the name of the service and the default sampler.
fn line(
    variables: &[(&str, &str)],
    build: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
) -> String {
    let builder = build(Telemetry::builder().service("shop", "1"));
    let telemetry = builder
        .build_over(super::environment(&lookup(variables)))
        .unwrap();
    let line = telemetry.describe().to_string();
    assert!(line.contains("service.name=shop (code)") && line.contains("sampler="));
    line.replace("service.name=shop (code), service.version=1 (code), ", "")
        .replace(", sampler=parentbased_always_on (default)", "")
}

/// The variables that are warned of.
fn names(
    variables: &[(&str, &str)],
    build: fn(TelemetryBuilder) -> TelemetryBuilder,
) -> Vec<String> {
    let warnings = warnings(variables, build).into_iter();
    let name = |warning: String| warning.split(['=', ' ']).next().map(str::to_owned);
    warnings.filter_map(name).collect()
}

#[test]
fn each_limit_that_the_code_leaves_alone_is_that_of_the_environment() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "7"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "8"),
    ];
    let line = line(&variables, |builder| {
        builder.limits(|limits| limits.links = 9)
    });
    assert_eq!(
        line,
        "exporter=none (OTEL_TRACES_EXPORTER), limits.events=7 (OTEL_SPAN_EVENT_COUNT_LIMIT), limits.links=9 (code)"
    );
}

#[cfg(feature = "otlp-http")]
#[test]
fn each_header_says_where_it_comes_from_and_an_endpoint_is_always_there() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret,x-tenant=7"),
    ];
    let line = line(&variables, |builder| {
        builder.otlp(Otlp::default().header("X-Key", "s3cret"))
    });
    assert_eq!(
        line,
        "exporter=otlp (code), otlp.endpoint=http://localhost:4318/v1/traces (default), \
         otlp.headers.X-Key=… (code), otlp.headers.x-tenant=… (OTEL_EXPORTER_OTLP_HEADERS)"
    );
}

#[cfg(feature = "otlp-http")]
#[test]
fn header_that_is_set_twice_is_described_once_as_it_is_sent() {
    let variables = [(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "x-key=1,X-KEY=2,x-id=3,X-Id=4",
    )];
    let line = line(&variables, |builder| {
        builder.otlp(Otlp::default().header("x-key", "5").header("X-Key", "6"))
    });
    let headers: Vec<_> = line
        .split(", ")
        .filter(|it| it.contains("headers"))
        .collect();
    assert_eq!(
        headers,
        [
            "otlp.headers.X-Key=… (code)",
            "otlp.headers.X-Id=… (OTEL_EXPORTER_OTLP_HEADERS)"
        ]
    );
}

#[test]
fn a_batch_that_the_queue_cuts_short_is_as_the_queue_says() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "200"),
    ];
    let line_of = line(&variables, |builder| builder.max_queue_size(100));
    assert_eq!(
        line_of,
        "exporter=none (OTEL_TRACES_EXPORTER), max_queue_size=100 (code), max_export_batch_size=100 (code)"
    );
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
    ];
    let queue = "OTEL_BSP_MAX_QUEUE_SIZE";
    assert_eq!(
        line(&variables, |builder| builder),
        format!(
            "exporter=none (OTEL_TRACES_EXPORTER), max_queue_size=100 ({queue}), max_export_batch_size=100 ({queue})"
        )
    );
}

#[test]
fn a_batch_that_is_set_and_cut_is_warned_of_by_the_queue_that_is_used() {
    let variables = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "200"),
    ];
    let size = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=200 is more than the queue holds";
    let cut = |queue| [format!("{size}; using {queue}")];
    assert_eq!(warnings(&variables, |builder| builder), cut(100));
    assert_eq!(warnings(&variables, |it| it.max_queue_size(150)), cut(150));
    let none: [String; 0] = [];
    assert_eq!(warnings(&variables, |it| it.max_queue_size(200)), none);
    assert_eq!(warnings(&variables, |it| it.max_export_batch_size(9)), none);
    // A small queue alone is no mistake: the default batch shrinks with it.
    assert_eq!(warnings(&variables[..1], |builder| builder), none);
}

#[test]
fn errors_that_a_sampler_has_kept_are_described() {
    let none = [("OTEL_TRACES_EXPORTER", "none")];
    let line = line(&none, |builder| builder.sampler(Sampler::probability(0.1)));
    assert!(line.contains("keep=errors (default)"), "{line}");
}

#[test]
fn keep_that_has_nothing_left_to_keep_is_warned_of() {
    let variables = |sampler, keep| [("OTEL_TRACES_SAMPLER", sampler), ("BIZTRACE_KEEP", keep)];
    let of = |sampler, keep| warnings(&variables(sampler, keep), |builder| builder);
    let expected = "keep=errors has nothing left to keep: the sampler always_on keeps every trace. \
                    Remove it, or choose a sampler that keeps a share";
    assert_eq!(of("always_on", "errors"), [expected]);
    let none: [String; 0] = [];
    assert_eq!(of("always_on", "none"), none);
    assert_eq!(of("parentbased_always_on", "errors"), none);
    let rule = || Rule::path("/search/**").rate(0.1);
    let variables = [
        ("BIZTRACE_KEEP", "errors"),
        ("OTEL_TRACES_SAMPLER", "always_on"),
    ];
    assert_eq!(warnings(&variables, |builder| builder.rule(rule())), none);
    let slow = of("always_off", "slow=1s");
    assert!(slow.len() == 1 && slow[0].contains("keep=slow=1s does not include errors"));
}

#[test]
fn what_is_not_used_is_not_warned_of() {
    let timeout = ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon");
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret");
    let endpoint = ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://zipkin:9411");
    let sampler = ("OTEL_TRACES_SAMPLER", "sometimes");
    let propagators = ("OTEL_PROPAGATORS", "pigeons");
    let all = [timeout, headers, endpoint, sampler, propagators];
    let with = |variable| [&all[..], &[variable]].concat();
    let otlp = with(("OTEL_TRACES_EXPORTER", "otlp"));
    let mut sent = names(&otlp, |builder| builder);
    sent.sort();
    let mut expected = all.map(|(name, _)| name);
    expected.sort_unstable();
    assert_eq!(sent, expected);
    // Those that ask for an exporter are used for nothing else.
    assert_eq!(
        names(&otlp, TelemetryBuilder::console),
        ["OTEL_TRACES_EXPORTER", endpoint.0, sampler.0, propagators.0]
    );
    let none = with(("OTEL_TRACES_EXPORTER", "none"));
    assert_eq!(names(&none, |it| it), [sampler.0, propagators.0]);
    let disabled = with(("OTEL_SDK_DISABLED", "true"));
    assert_eq!(names(&disabled, |it| it), [propagators.0]);
}

/// Variables that no text is read from are warned of, every one, and those alone that count.
#[cfg(all(unix, feature = "zipkin"))]
#[test]
fn each_variable_counts_for_something() {
    use std::cell::RefCell;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let asked = RefCell::new(Vec::new());
    let lookup = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        Some(OsString::from_vec(vec![0xff]))
    };
    let builder = || Telemetry::builder().otlp(Otlp::default()).console();
    let builder = builder().zipkin("http://zipkin:9411/api/v2/spans");
    let mut warned: Vec<_> = super::listing_in(super::environment(&lookup), builder)
        .warnings
        .iter()
        .map(|warning| {
            warning
                .to_string()
                .replace(" is ignored: it is not text in UTF-8", "")
        })
        .collect();
    let mut asked = asked.into_inner();
    let in_code = ["OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_ZIPKIN_ENDPOINT"];
    asked.retain(|name| !in_code.contains(&name.as_str()));
    for names in [&mut warned, &mut asked] {
        names.sort_unstable();
        names.dedup();
    }
    assert_eq!(warned, asked);
}

#[test]
fn a_resource_without_a_name_is_not_blamed_on_the_variable() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_RESOURCE_ATTRIBUTES", "host.name=a"),
    ];
    let lookup = lookup(&variables);
    let telemetry = Telemetry::builder()
        .build_over(super::environment(&lookup))
        .unwrap();
    let line = telemetry.describe().to_string();
    let (start, rest) = line.split_once(", service.name=unknown_service:").unwrap();
    assert_eq!(start, "host.name=a (OTEL_RESOURCE_ATTRIBUTES)");
    let (_, end) = rest
        .split_once(" (default; set OTEL_SERVICE_NAME), ")
        .unwrap();
    assert_eq!(
        end,
        "exporter=none (OTEL_TRACES_EXPORTER), sampler=parentbased_always_on (default)"
    );
}

#[test]
fn what_is_switched_off_sends_nothing_and_the_resource_names_us() {
    let variables = [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_RESOURCE_ATTRIBUTES", "telemetry.sdk.name=other"),
    ];
    let line = line(&variables, |builder| builder.otlp("http://c").console());
    assert_eq!(
        line,
        "disabled=true (OTEL_SDK_DISABLED), exporter=none (OTEL_SDK_DISABLED)"
    );
}

#[test]
fn what_the_code_overrides_is_not_warned_of() {
    let variables = [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_EXPORTER", "carrier-pigeon"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "thrift"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
    ];
    let warned = |build: fn(TelemetryBuilder) -> TelemetryBuilder| names(&variables, build);
    let all = warned(|builder| builder);
    assert_eq!(all.len(), variables.len(), "{all:?}");
    let sampled = warned(|builder| builder.sampler(Sampler::always_on()).console());
    assert!(
        !sampled.contains(&"OTEL_TRACES_SAMPLER".into()),
        "{sampled:?}"
    );
    assert!(
        !sampled.contains(&"OTEL_TRACES_EXPORTER".into()),
        "{sampled:?}"
    );
    let partly = warned(|builder| builder.otlp(Otlp::http("http://c")).otlp(Otlp::default()));
    assert!(
        partly.contains(&"OTEL_EXPORTER_OTLP_PROTOCOL".into()),
        "{partly:?}"
    );
}

#[test]
fn no_request_may_have_no_time_at_all() {
    let otlp = Otlp::http("http://c").timeout(std::time::Duration::ZERO);
    let error = Telemetry::builder().otlp(otlp).build().unwrap_err();
    assert!(
        error.to_string().starts_with("`Otlp::timeout` is zero"),
        "{error}"
    );
}

#[test]
fn tenants_are_described_without_their_names() {
    let variables = [("OTEL_TRACES_EXPORTER", "none")];
    let tenants = || {
        Tenants::from_header("X-Tenant-Id")
            .tier("vip", Tier::of(["acme", "globex-*"]).rate(1.0).queue(8192))
            .tier("free", Tier::of(["acme"]).spans_per_second_per_tenant(500))
    };
    let line = line(&variables, |builder| builder.tenants(tenants()));
    let expected = "tenants=header(x-tenant-id), vip(members=2 rate=1 queue=8192), \
        free(members=1 spans_per_second_per_tenant=500), rest(rest) (code)";
    assert!(line.contains(expected), "{line}");
    let warnings = warnings(&variables, move |builder| builder.tenants(tenants()));
    let said = "tenants: the member \"acme\" of the tier \"free\" never matches";
    assert!(
        warnings.iter().any(|warning| warning.starts_with(said)),
        "{warnings:?}"
    );
}

#[test]
fn wrong_tier_is_named_when_the_instance_is_built() {
    let tenants = Tenants::from_tag().tier("vip", Tier::of(["acme"]).rate(10.0));
    let built = Telemetry::builder().tenants(tenants).build();
    let error = built.unwrap_err().to_string();
    assert_eq!(
        error,
        "the tier \"vip\" of `Tenants`: its rate 10 is not a number from 0 to 1. Write 0.25 for 25 %"
    );
}
