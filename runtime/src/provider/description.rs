//! What is active, and where each setting came from.

#[cfg(test)]
mod tests;

use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::resource::SDK;
use crate::attribute::PiiPolicy;
use crate::config::{
    Batch, Compression, Environment, Exporter, Limits, Otlp, Protocol, Settings, Warning, masked,
};

/// What a [`Telemetry`](crate::Telemetry) instance does, and where each of its settings came from. Secrets are masked.
///
/// `{}` is one line with all that is not by default, and with the exporters and where they send to; `{:#}` has a line for each
/// setting.
///
/// ```
/// let telemetry = biztrace::Telemetry::builder()
///     .service("orders", "1.2.0")
///     .otlp("http://localhost:4318")
///     .build()?;
/// let text = telemetry.describe().to_string();
/// assert!(text.contains("service.name=orders (code)"), "{text}");
/// # Ok::<(), biztrace::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(Vec<Setting>);

/// One setting that is active.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// Its name: that of the builder's method, a key of the resource, or an exporter with one of its settings.
    pub name: String,
    /// Its value as text; of a secret, that there is one.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The builder.
    Code,
    /// That environment variable.
    Variable(String),
    /// Nobody said otherwise.
    Default,
}

impl Description {
    /// The settings, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (between, all) = if f.alternate() {
            ("\n", true)
        } else {
            (", ", false)
        };
        let is_exporter =
            |setting: &&Setting| setting.name == EXPORTER || setting.name.ends_with(".endpoint");
        let shown = self
            .iter()
            .filter(|setting| all || setting.source != Source::Default || is_exporter(setting));
        for (i, setting) in shown.enumerate() {
            let between = if i > 0 { between } else { "" };
            write!(f, "{between}{setting}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} ({})", self.name, self.value, self.source)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "code",
            Self::Variable(name) => name,
            Self::Default => "default",
        })
    }
}

const EXPORTER: &str = "exporter";

/// Collects a description.
pub(super) struct Describe<'a> {
    environment: &'a Environment,
    settings: Vec<Setting>,
    /// The variables that count where they are set: no settings in code go before them.
    counting: Vec<String>,
    /// What is wrong with them together.
    warnings: Vec<Warning>,
}

impl<'a> Describe<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            settings: Vec::new(),
            counting: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds a setting that is `in_code`, or in the first of `variables` that was taken, or the default.
    pub(super) fn setting(
        &mut self,
        name: &str,
        value: impl fmt::Display,
        in_code: bool,
        variables: &[&str],
    ) {
        let source = if in_code {
            Source::Code
        } else {
            self.count(variables);
            let mut variables = variables.iter();
            variables
                .find(|name| self.is_taken(name))
                .map_or(Source::Default, |name| Source::Variable((*name).to_owned()))
        };
        self.settings.push(Setting {
            name: name.to_owned(),
            value: value.to_string(),
            source,
        });
    }

    /// Has those variables count, though nothing may be set by them.
    pub(super) fn count(&mut self, variables: &[&str]) {
        self.counting
            .extend(variables.iter().map(|name| (*name).to_owned()));
    }

    fn is_taken(&self, variable: &str) -> bool {
        self.environment.variables.iter().any(|it| it == variable)
    }

    /// Adds an exporter that is active; `code` is what the builder was told of it.
    pub(super) fn exporter(&mut self, exporter: &Exporter, code: Option<&Exporter>) {
        const VARIABLE: &str = "OTEL_TRACES_EXPORTER";
        match exporter {
            Exporter::Console => {
                self.setting(EXPORTER, "console", code.is_some(), &[VARIABLE]);
                self.count(&["NO_COLOR"]);
            }
            Exporter::Stdout => self.setting(EXPORTER, "stdout", code.is_some(), &[VARIABLE]),
            Exporter::File(file) => {
                self.setting(EXPORTER, "file", code.is_some(), &[VARIABLE]);
                let in_code = code.is_some();
                self.setting("file.path", file.path.display(), in_code, &[]);
                self.setting("file.max_bytes", file.max_bytes, in_code, &[]);
                self.setting("file.keep", file.keep, in_code, &[]);
            }
            Exporter::Zipkin(zipkin) => {
                let in_code = code.is_some();
                self.setting(EXPORTER, "zipkin", in_code, &[VARIABLE]);
                self.setting(
                    "zipkin.endpoint",
                    masked(&zipkin.endpoint),
                    in_code,
                    &["OTEL_EXPORTER_ZIPKIN_ENDPOINT"],
                );
                let timeout = format!("{:?}", zipkin.timeout);
                let variables = &["OTEL_EXPORTER_ZIPKIN_TIMEOUT"];
                self.setting("zipkin.timeout", timeout, false, variables);
            }
            Exporter::Otlp(otlp) => {
                let unset = Otlp::default();
                let code_otlp = match code {
                    Some(Exporter::Otlp(code)) => code,
                    _ => &unset,
                };
                self.setting(
                    EXPORTER,
                    "otlp",
                    code.is_some(),
                    &[VARIABLE, TRACES_ENDPOINT, ENDPOINT],
                );
                self.otlp(otlp, code_otlp);
            }
        }
    }

    fn otlp(&mut self, otlp: &Otlp, code: &Otlp) {
        let variables = |setting: &str| {
            ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"].map(|it| format!("{it}{setting}"))
        };
        // What may be read in vain, without a setting to show for it.
        for (in_code, setting) in [
            (false, "HEADERS"),
            (code.insecure.is_some(), "INSECURE"),
            (code.certificates.ca_file.is_some(), "CERTIFICATE"),
            (code.certificates.cert_file.is_some(), "CLIENT_CERTIFICATE"),
            (code.certificates.key_file.is_some(), "CLIENT_KEY"),
        ] {
            if !in_code {
                let [traces, all] = variables(setting);
                self.count(&[&traces, &all]);
            }
        }
        let mut add = |name: &str, value: String, in_code, setting: &str| {
            let [traces, all] = variables(setting);
            self.setting(&format!("otlp.{name}"), value, in_code, &[&traces, &all]);
        };
        let protocol = match otlp.protocol() {
            Protocol::HttpProtobuf => "http/protobuf",
            Protocol::HttpJson => "http/json",
            Protocol::Grpc => "grpc",
        };
        add(
            "endpoint",
            masked(&otlp.url()),
            code.endpoint.is_some(),
            "ENDPOINT",
        );
        add(
            "protocol",
            protocol.into(),
            code.protocol.is_some(),
            "PROTOCOL",
        );
        for header in &otlp.headers {
            let name = format!("headers.{}", header.0);
            add(&name, "…".into(), code.headers.contains(header), "HEADERS");
        }
        let compression = match otlp.compression() {
            Compression::None => "none",
            Compression::Gzip => "gzip",
        };
        add(
            "compression",
            compression.into(),
            code.compression.is_some(),
            "COMPRESSION",
        );
        if let Some(insecure) = otlp.insecure {
            let in_code = code.insecure.is_some();
            add("insecure", insecure.to_string(), in_code, "INSECURE");
        }
        let timeout = format!("{:?}", otlp.request_timeout());
        add("timeout", timeout, code.timeout.is_some(), "TIMEOUT");
        let (files, code) = (&otlp.certificates, &code.certificates);
        for (name, file, in_code, setting) in [
            ("ca_file", &files.ca_file, &code.ca_file, "CERTIFICATE"),
            (
                "cert_file",
                &files.cert_file,
                &code.cert_file,
                "CLIENT_CERTIFICATE",
            ),
            ("key_file", &files.key_file, &code.key_file, "CLIENT_KEY"),
        ] {
            if let Some(file) = file {
                add(name, file.display().to_string(), in_code.is_some(), setting);
            }
        }
    }

    /// Adds a setting for each attribute of the resource; `code` are those of the builder.
    pub(super) fn resource(&mut self, resource: &Resource, code: &[KeyValue]) {
        self.count(&["OTEL_SERVICE_NAME", RESOURCE]);
        let mut attributes: Vec<_> = resource.iter().collect();
        attributes.sort_unstable_by_key(|(key, _)| key.as_str());
        for (key, value) in attributes {
            let key = key.as_str();
            let is_ours = key.starts_with(SDK);
            let in_code = !is_ours && code.iter().any(|attribute| attribute.key.as_str() == key);
            let settings = &self.environment.settings;
            let variables: &[&str] = if is_ours {
                &[]
            } else if key == "service.name" && settings.service_name.is_some() {
                &["OTEL_SERVICE_NAME"]
            } else if settings.resource.iter().any(|(set, _)| set == key) {
                &[RESOURCE]
            } else {
                &[]
            };
            self.setting(key, value, in_code, variables);
        }
    }

    /// Adds the settings of batches, which are to have `asked` spans: they have no more than the queue.
    pub(super) fn batch(&mut self, batch: &Batch, asked: usize, in_code: impl Fn(&str) -> bool) {
        const QUEUE: (&str, &str) = ("max_queue_size", "OTEL_BSP_MAX_QUEUE_SIZE");
        const SIZE: (&str, &str) = ("max_export_batch_size", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
        let queue = batch.max_queue_size;
        let is_cut = asked > queue;
        if is_cut && !in_code(SIZE.0) && self.is_taken(SIZE.1) {
            let problem = format!("={asked} is more than the queue holds; using {queue}");
            self.warnings.push(Warning::new(SIZE.1, problem));
        }
        // Who sets a queue sets the batches that it cuts, too.
        let is_by_queue = is_cut && (in_code(QUEUE.0) || self.is_taken(QUEUE.1));
        let size_by = if is_by_queue { QUEUE } else { SIZE };
        for (name, value, by) in [
            (
                "schedule_delay",
                format!("{:?}", batch.schedule_delay),
                ("schedule_delay", "OTEL_BSP_SCHEDULE_DELAY"),
            ),
            (
                "export_timeout",
                format!("{:?}", batch.export_timeout),
                ("export_timeout", "OTEL_BSP_EXPORT_TIMEOUT"),
            ),
            (QUEUE.0, queue.to_string(), QUEUE),
            (SIZE.0, batch.max_export_batch_size.to_string(), size_by),
        ] {
            let (by, variable) = by;
            self.setting(name, value, in_code(by), &[variable]);
        }
        if !in_code(SIZE.0) {
            self.count(&[SIZE.1]);
        }
    }

    /// Adds the limits; those that are not as the environment has them are of the code.
    pub(super) fn limits(&mut self, limits: &Limits) {
        let (changed, before) = (
            limits_of(limits),
            limits_of(&self.environment.settings.limits),
        );
        for ((name, value, variables), (_, before, _)) in changed.into_iter().zip(before) {
            let in_code = value != before;
            self.setting(&format!("limits.{name}"), value, in_code, variables);
        }
    }

    pub(super) fn privacy(&mut self, settings: &Settings, key_in_code: bool, pii_in_code: bool) {
        let key = match settings.privacy.hash_key {
            Some(_) => "set",
            None => "none",
        };
        let pii = match settings.privacy.pii {
            PiiPolicy::Keep => "keep",
            PiiPolicy::Hash => "hash",
            PiiPolicy::Drop => "drop",
        };
        self.setting("hash_key", key, key_in_code, &["BIZTRACE_HASH_KEY"]);
        self.setting("pii", pii, pii_in_code, &["BIZTRACE_PII"]);
    }

    /// The description, and the warnings of variables that count.
    pub(super) fn finish(mut self, is_disabled: bool) -> (Description, Vec<Warning>) {
        if is_disabled {
            self.counting.clear();
            self.count(&["OTEL_PROPAGATORS"]);
        }
        self.count(&["OTEL_SDK_DISABLED", "OTEL_CONFIG_FILE"]);
        let all = self.environment.warnings.iter().chain(&self.warnings);
        let counts = |warning: &&Warning| self.counting.contains(&warning.variable);
        let warnings = all.filter(counts).cloned().collect();
        (Description(self.settings), warnings)
    }
}

const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The limits by name, each with the variables that set it.
fn limits_of(limits: &Limits) -> [(&'static str, String, &'static [&'static str]); 10] {
    let length = limits.attribute_value_length;
    let length = length.map_or("none".into(), |length| length.to_string());
    let count = |count: usize| count.to_string();
    [
        (
            "attributes",
            count(limits.attributes),
            &[
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                "OTEL_ATTRIBUTE_COUNT_LIMIT",
            ],
        ),
        (
            "attribute_value_length",
            length,
            &[
                "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            ],
        ),
        (
            "events",
            count(limits.events),
            &["OTEL_SPAN_EVENT_COUNT_LIMIT"],
        ),
        (
            "links",
            count(limits.links),
            &["OTEL_SPAN_LINK_COUNT_LIMIT"],
        ),
        (
            "event_attributes",
            count(limits.event_attributes),
            &["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"],
        ),
        (
            "link_attributes",
            count(limits.link_attributes),
            &["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"],
        ),
        ("spans_per_trace", count(limits.spans_per_trace), &[]),
        ("bytes_per_trace", count(limits.bytes_per_trace), &[]),
        ("hold", format!("{:?}", limits.hold), &[]),
        ("memory", count(limits.memory), &[]),
    ]
}
