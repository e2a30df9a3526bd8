//! Reads [`Settings`] from OpenTelemetry's environment variables, as the specification's page
//! "Environment Variable Specification" says. The process's environment is behind a lookup, so
//! that tests bring their own.

use std::{ffi::OsString, fmt, str::FromStr, time::Duration};

use super::{
    Batch, ExceptionSignal, Exporter, JaegerRemote, Limits, Otlp, Propagator, Sampler, Settings,
    Zipkin,
};
use crate::attribute::{HashKey, MIN_KEY_BYTES, PiiPolicy, Privacy};
use crate::semconv::KnownMethods;

mod otlp;
#[cfg(test)]
mod tests;

/// The settings that the environment asks for, and what in it was not understood.
///
/// An empty variable counts as unset. Nothing here fails: as the specification wants, what cannot
/// be read is reported and ignored.
pub(crate) fn from_env(lookup: &dyn Fn(&str) -> Option<OsString>) -> Environment {
    let mut reader = Reader {
        lookup,
        read: Vec::new(),
        warnings: Vec::new(),
    };
    let settings = reader.settings();
    let Reader {
        read: mut variables,
        warnings,
        ..
    } = reader;
    let refused = |name: &String| {
        let mut refused = warnings.iter().filter(|warning| !warning.in_part);
        refused.any(|warning| warning.variable == *name)
    };
    variables.retain(|name| !refused(name));
    Environment {
        settings,
        variables,
        warnings,
    }
}

/// What the environment says.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) settings: Settings,
    /// The variables that the settings were taken from.
    pub(crate) variables: Vec<String>,
    /// What was not understood.
    pub(crate) warnings: Vec<Warning>,
}

/// A variable that could not be taken as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) variable: String,
    /// What follows the variable's name: that, and what is done instead.
    problem: String,
    /// Whether the rest of it counts.
    in_part: bool,
}

impl Warning {
    pub(crate) fn new(variable: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            variable: variable.into(),
            problem: problem.into(),
            in_part: false,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variable, problem, ..
        } = self;
        write!(f, "{variable}{problem}")
    }
}

/// A value as a warning shows it: a word or a number. What is more than that may be a secret in the wrong variable.
fn shown(value: &str) -> &str {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || " .,+-_/".contains(char);
    if value.len() <= 24 && value.chars().all(is_plain) {
        value
    } else {
        "…"
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
    /// The variables that were found.
    read: Vec<String>,
    warnings: Vec<Warning>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Settings {
        let disabled = self.read("OTEL_SDK_DISABLED", "true or false", false, boolean);
        let service_name = self.text("OTEL_SERVICE_NAME");
        let mut resource = self.resource();
        if service_name.is_some() {
            resource.retain(|(key, _)| key != "service.name");
        }
        let otlp = self.otlp();
        let zipkin = self.zipkin();
        if self.text("OTEL_CONFIG_FILE").is_some() {
            self.warn_that(
                "OTEL_CONFIG_FILE",
                " is not read, as this version takes no such files: the other variables count",
            );
        }
        Settings {
            disabled: disabled.unwrap_or(false),
            service_name,
            resource,
            exporters: self.exporters(&otlp, &zipkin),
            otlp,
            zipkin,
            propagators: self.propagators(),
            exceptions: self.exceptions(),
            known_methods: self
                .text("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS")
                .map_or(KnownMethods::DEFAULT, |list| KnownMethods::listed(&list)),
            sampler: self.sampler(),
            batch: self.batch(),
            limits: self.limits(),
            privacy: self.privacy(),
            tags: Vec::new(),
            shutdown_timeout: Settings::default().shutdown_timeout,
            no_color: self.text("NO_COLOR").is_some(),
        }
    }

    fn propagators(&mut self) -> Vec<Propagator> {
        const EXPECTED: &str = "tracecontext, baggage, b3, b3multi, jaeger or xtrace, of which there may be several, nor none, which \
             stands alone";
        let named = |name: &str| {
            let mut all = Propagator::ALL.into_iter();
            all.find(|it| it.to_string() == name)
        };
        self.list("OTEL_PROPAGATORS", EXPECTED, "tracecontext,baggage", named)
            .unwrap_or_else(|| Propagator::DEFAULT.to_vec())
    }

    fn exceptions(&mut self) -> ExceptionSignal {
        let signal = |value: &str| {
            let mut all = [ExceptionSignal::Logs, ExceptionSignal::Both].into_iter();
            all.find(|it| value.eq_ignore_ascii_case(&it.to_string()))
        };
        let default = ExceptionSignal::default();
        self.read(
            "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN",
            "logs or logs/dup",
            default,
            signal,
        )
        .unwrap_or(default)
    }

    /// `None` where neither exporters nor an endpoint are named.
    fn exporters(&mut self, otlp: &Otlp, zipkin: &Zipkin) -> Option<Vec<Exporter>> {
        const EXPECTED: &str =
            "otlp, console or zipkin, of which there may be several, nor none, which stands alone";
        let named = |name: &str| match name {
            "otlp" => Some(Exporter::Otlp(otlp.clone())),
            "console" => Some(Exporter::Console),
            "zipkin" => Some(Exporter::Zipkin(zipkin.clone())),
            _ => None,
        };
        let exporters = self.list("OTEL_TRACES_EXPORTER", EXPECTED, "the default", named);
        const ZIPKIN: &str = "OTEL_EXPORTER_ZIPKIN_ENDPOINT";
        let is_zipkin = |exporter: &Exporter| matches!(exporter, Exporter::Zipkin(_));
        if !exporters.iter().flatten().any(is_zipkin) && self.text(ZIPKIN).is_some() {
            self.warn_that(
                ZIPKIN,
                " is set, but nothing is sent there: OTEL_TRACES_EXPORTER does not name zipkin",
            );
        }
        exporters.or_else(|| {
            otlp.endpoint.as_ref()?;
            Some(vec![Exporter::Otlp(otlp.clone())])
        })
    }

    /// What a list names, each once, as `named` finds it by its name in lower case. Empty for `none` alone; `None` if the variable
    /// is unset or nothing of it is known.
    fn list<T: PartialEq>(
        &mut self,
        variable: &str,
        expected: &str,
        default: &str,
        named: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.text(variable)?;
        let (mut all, mut unknown) = (Vec::new(), Vec::new());
        if value.trim().eq_ignore_ascii_case("none") {
            return Some(all);
        }
        for name in value.split(',').filter(|name| !name.trim().is_empty()) {
            match named(&name.trim().to_ascii_lowercase()) {
                Some(it) if all.contains(&it) => {}
                Some(it) => all.push(it),
                None => unknown.push(name),
            }
        }
        if all.is_empty() && unknown.is_empty() {
            unknown.push(&value);
        }
        for name in unknown {
            let instead = if all.is_empty() {
                default
            } else {
                "the others"
            };
            let warning = self.warn(variable, name, expected, instead);
            warning.in_part = !all.is_empty();
        }
        (!all.is_empty()).then_some(all)
    }

    fn zipkin(&mut self) -> Zipkin {
        let default = Zipkin::default();
        Zipkin {
            endpoint: self
                .text("OTEL_EXPORTER_ZIPKIN_ENDPOINT")
                .unwrap_or(default.endpoint),
            timeout: self.milliseconds("OTEL_EXPORTER_ZIPKIN_TIMEOUT", default.timeout),
        }
    }

    fn privacy(&mut self) -> Privacy {
        const KEY: &str = "BIZTRACE_HASH_KEY";
        let key = self.text(KEY);
        let hash_key = key.as_ref().and_then(|key| HashKey::new(key.as_bytes()));
        if key.is_some() && hash_key.is_none() {
            let expected = format!("a key of {MIN_KEY_BYTES} bytes or more");
            self.warn(KEY, "…", expected, "none: what is to be hashed is left out");
        }
        Privacy {
            hash_key,
            pii: self.pii(),
        }
    }

    fn pii(&mut self) -> PiiPolicy {
        const PII: &str = "BIZTRACE_PII";
        let Some(value) = self.text(PII) else {
            return PiiPolicy::default();
        };
        match value.to_ascii_lowercase().as_str() {
            "keep" => PiiPolicy::Keep,
            "hash" => PiiPolicy::Hash,
            "drop" => PiiPolicy::Drop,
            _ => {
                // Whoever takes one variable for the other writes the key here.
                self.warn(PII, "…", "keep, hash or drop", "drop");
                PiiPolicy::default()
            }
        }
    }

    fn resource(&mut self) -> Vec<(String, String)> {
        const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let Some(value) = self.text(VARIABLE) else {
            return Vec::new();
        };
        let members = value.split(',').enumerate();
        let pairs: Result<_, _> = members
            .filter(|(_, member)| !member.trim().is_empty())
            .map(|(i, member)| pair(member).ok_or((i + 1, member)))
            .collect();
        pairs.unwrap_or_else(|(number, member)| {
            let key = member.split_once('=').map_or("", |(key, _)| shown(key.trim()));
            let expected = format!(
                "a comma-separated list of percent-encoded key=value pairs, see its member {number}, {key:?}"
            );
            self.warn(VARIABLE, "…", expected, "none of them");
            Vec::new()
        })
    }

    fn sampler(&mut self) -> Sampler {
        const VARIABLE: &str = "OTEL_TRACES_SAMPLER";
        let Some(value) = self.text(VARIABLE) else {
            if self.text(SAMPLER_ARG).is_some() {
                let problem = " is set, but OTEL_TRACES_SAMPLER names no sampler that takes it, as traceidratio does";
                self.warn_that(SAMPLER_ARG, problem);
            }
            return Sampler::default();
        };
        let name = value.to_ascii_lowercase();
        let (parent_based, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name.as_str()),
        };
        let root = match root {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => Sampler::TraceIdRatio(self.ratio()),
            "jaeger_remote" => Sampler::JaegerRemote(self.jaeger_remote()),
            _ => {
                let expected = "always_on, always_off, traceidratio or jaeger_remote, alone or after parentbased_";
                self.warn(VARIABLE, &value, expected, "parentbased_always_on");
                return Sampler::default();
            }
        };
        if parent_based {
            Sampler::parent_based(root)
        } else {
            root
        }
    }

    /// The argument of a sampler that a server sets. Each part that is not understood is as if it were left out.
    fn jaeger_remote(&mut self) -> JaegerRemote {
        const EXPECTED: &str =
            "endpoint=http://…, pollingIntervalMs=… or initialSamplingRate=… (from 0 to 1)";
        let mut remote = JaegerRemote::default();
        let argument = self.text(SAMPLER_ARG).unwrap_or_default();
        for part in argument.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let is_set = match (name.trim(), value.trim()) {
                ("endpoint", url) => {
                    let url = (!url.is_empty()).then(|| url.to_owned());
                    replace(&mut remote.endpoint, url)
                }
                ("pollingIntervalMs", text) => {
                    replace(&mut remote.polling_interval, milliseconds::parse(text))
                }
                ("initialSamplingRate", text) => replace(&mut remote.initial_rate, ratio(text)),
                _ => false,
            };
            if !is_set {
                let part = if part.contains('=') {
                    format!("{}={}", shown(name.trim()), shown(value.trim()))
                } else {
                    shown(part).to_owned()
                };
                let problem = format!("={part:?} is not {EXPECTED}; using the default");
                self.warn_that(SAMPLER_ARG, problem).in_part = true;
            }
        }
        remote
    }

    /// The argument of a ratio sampler. That it is missing is worth a warning too: whoever asks for
    /// a ratio does not want everything.
    fn ratio(&mut self) -> f64 {
        let value = self.text(SAMPLER_ARG).unwrap_or_default();
        ratio(&value).unwrap_or_else(|| {
            self.warn(SAMPLER_ARG, &value, "a ratio from 0 to 1", 1);
            1.0
        })
    }

    fn batch(&mut self) -> Batch {
        let default = Batch::default();
        Batch {
            schedule_delay: self.milliseconds("OTEL_BSP_SCHEDULE_DELAY", default.schedule_delay),
            export_timeout: self.milliseconds("OTEL_BSP_EXPORT_TIMEOUT", default.export_timeout),
            max_queue_size: self.positive("OTEL_BSP_MAX_QUEUE_SIZE", default.max_queue_size),
            max_export_batch_size: self.positive(
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                default.max_export_batch_size,
            ),
        }
    }

    fn limits(&mut self) -> Limits {
        let default = Limits::default();
        let attributes = self.count("OTEL_ATTRIBUTE_COUNT_LIMIT", default.attributes);
        let length = self.length(
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            default.attribute_value_length,
        );
        Limits {
            attributes: self.count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", attributes),
            attribute_value_length: self.length("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length),
            events: self.count("OTEL_SPAN_EVENT_COUNT_LIMIT", default.events),
            links: self.count("OTEL_SPAN_LINK_COUNT_LIMIT", default.links),
            event_attributes: self
                .count("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", default.event_attributes),
            link_attributes: self.count("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", default.link_attributes),
            ..default
        }
    }

    fn count(&mut self, variable: &'static str, fallback: usize) -> usize {
        self.read(variable, "a whole number", fallback, number)
            .unwrap_or(fallback)
    }

    fn length(&mut self, variable: &'static str, fallback: Option<usize>) -> Option<usize> {
        let instead = fallback.map_or(String::from("no limit"), |length| length.to_string());
        self.read(variable, "a whole number", instead, number)
            .or(fallback)
    }

    fn positive(&mut self, variable: &'static str, fallback: usize) -> usize {
        let parse = |value: &str| number(value).filter(|count| *count > 0);
        self.read(variable, "a whole number above 0", fallback, parse)
            .unwrap_or(fallback)
    }

    fn milliseconds(&mut self, variable: &'static str, fallback: Duration) -> Duration {
        let instead = fallback.as_millis();
        self.read(
            variable,
            milliseconds::EXPECTED,
            instead,
            milliseconds::parse,
        )
        .unwrap_or(fallback)
    }

    /// The variable as `parse` reads it; `None` if it is unset, or refused, which adds a warning.
    fn read<T>(
        &mut self,
        variable: &str,
        expected: &str,
        instead: impl fmt::Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.text(variable)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.warn(variable, &value, expected, instead);
        }
        parsed
    }

    fn text(&mut self, variable: &str) -> Option<String> {
        let value = (self.lookup)(variable).filter(|value| !value.is_empty())?;
        let Ok(value) = value.into_string() else {
            self.warn_that(variable, " is ignored: it is not text in UTF-8");
            return None;
        };
        self.read.push(variable.to_owned());
        Some(value)
    }

    fn warn(
        &mut self,
        variable: impl Into<String>,
        value: &str,
        expected: impl Into<String>,
        instead: impl fmt::Display,
    ) -> &mut Warning {
        let (value, expected) = (shown(value), expected.into());
        let problem = format!("={value:?} is not {expected}; using {instead}");
        self.warn_that(variable, problem)
    }

    fn warn_that(
        &mut self,
        variable: impl Into<String>,
        problem: impl Into<String>,
    ) -> &mut Warning {
        self.warnings.push_mut(Warning::new(variable, problem))
    }
}

mod milliseconds {
    use super::{Duration, number};

    pub(super) const EXPECTED: &str = "a whole number of milliseconds above 0, below 2^32";

    /// 32 bits are 49 days; with 64, a deadline could overflow the clock.
    pub(super) fn parse(value: &str) -> Option<Duration> {
        let count = number::<u32>(value).filter(|count| *count > 0)?;
        Some(Duration::from_millis(count.into()))
    }
}

/// Whether there is a value to replace the setting by.
fn replace<T>(setting: &mut T, by: Option<T>) -> bool {
    by.map(|value| *setting = value).is_some()
}

const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

fn ratio(value: &str) -> Option<f64> {
    number(value).filter(|ratio| (0.0..=1.0).contains(ratio))
}

fn number<T: FromStr>(value: &str) -> Option<T> {
    value.parse().ok()
}

fn boolean(value: &str) -> Option<bool> {
    value.to_ascii_lowercase().parse().ok()
}

/// One member of the resource list, in the format of W3C Baggage without its metadata. A value may
/// be empty and may contain `=`.
fn pair(member: &str) -> Option<(String, String)> {
    let (key, value) = member.split_once('=')?;
    let key = percent_decode(key.trim()).filter(|key| !key.is_empty())?;
    Some((key, percent_decode(value.trim())?))
}

/// Stricter than decoders for URLs, which let a broken escape through: it is an error here.
fn percent_decode(text: &str) -> Option<String> {
    let mut encoded = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = encoded.next() {
        decoded.push(match byte {
            b'%' => hex_digit(encoded.next()?)? << 4 | hex_digit(encoded.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
