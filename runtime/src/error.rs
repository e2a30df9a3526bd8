//! What can be wrong with a set-up.

use std::fmt::Write as _;
use std::{fmt, io};

/// Why telemetry could not be set up. Each message names the setting at fault and what to do.
///
/// Variants and their fields may be added: match a variant with `..`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An instance has been installed before.
    #[error(
        "telemetry is installed already: a process can install it once only, even after a shutdown. Install it at the start of `main`; `build()` makes further, isolated instances"
    )]
    AlreadyInstalled,
    /// The URL of the receiver is invalid.
    #[error(
        "invalid endpoint {url:?}: {problem}. Expected, for example, {example}. Set by {settings}"
    )]
    #[non_exhaustive]
    Endpoint {
        /// The URL as it is set, in code or by a variable of the environment; what may be secret in it is masked.
        url: String,
        /// What is wrong with it.
        problem: String,
        /// What sets it.
        settings: &'static str,
        /// A valid URL.
        example: &'static str,
    },
    /// A header of an exporter cannot be sent. Its value is not shown.
    #[error("invalid header {name:?}: {problem}. Set by {settings}")]
    Header {
        /// The header's name as it is set, or the part of it that is valid as a name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What sets it.
        settings: &'static str,
    },
    /// TLS cannot work as it is set up.
    #[error("TLS to the receiver of traces: {problem}: {cause}")]
    #[non_exhaustive]
    Tls {
        /// The setting, and what is wrong with it.
        problem: String,
        /// The cause, and what to do.
        cause: String,
    },
    /// A ratio is not between 0 and 1.
    #[error("the sampling ratio {0} is not a number from 0 to 1. Write 0.25 for 25 %")]
    #[non_exhaustive]
    Ratio(f64),
    /// A rate of traces is not a number above 0.
    #[error(
        "the rate {0} of traces a second is not a number above 0. Write, for example, 100.0; `Sampler::always_off` records none"
    )]
    #[non_exhaustive]
    Rate(f64),
    /// A policy cannot work.
    #[error("the policy {policy:?} of `Keep`: {problem}")]
    #[non_exhaustive]
    Policy {
        /// Its name: the tag's key, unless it has another.
        policy: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A rule cannot work.
    #[error("the rule {rule:?} of `TelemetryBuilder::rule`: {problem}")]
    #[non_exhaustive]
    Rule {
        /// Its conditions and its outcome.
        rule: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A tier of tenants cannot work.
    #[error("the tier {tier:?} of `Tenants`: {problem}")]
    #[non_exhaustive]
    Tier {
        /// Its name.
        tier: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The header that is to name tenants is not one.
    #[error(
        "`Tenants::from_header`: {name:?} is not the name of a header. Write, for example, \"x-tenant-id\""
    )]
    #[non_exhaustive]
    TenantHeader {
        /// What was given.
        name: String,
    },
    /// A size or a duration is zero and must not be: the method that set it, for example `Otlp::timeout`.
    #[error("`{0}` is zero: set more, or leave it out for the default")]
    #[non_exhaustive]
    Zero(&'static str),
    /// The memory that telemetry may hold is less than the exporters need.
    #[error(
        "`Limits::memory` is {limit} bytes, but the exporters need at least {least}. Set more, especially with many threads or open traces"
    )]
    #[non_exhaustive]
    Memory {
        /// The limit that was set.
        limit: usize,
        /// The least that works.
        least: usize,
    },
    /// A key for `#[hash]` is too short.
    #[error(
        "the key of `TelemetryBuilder::hash_key` has {0} bytes: use 16 or more, random and secret"
    )]
    #[non_exhaustive]
    HashKey(usize),
    /// `#[pii]` values are to be hashed, but there is no key.
    #[error(
        "`PiiPolicy::Hash` of `TelemetryBuilder::pii` needs a key: set BIZTRACE_HASH_KEY, or call `TelemetryBuilder::hash_key`"
    )]
    NoHashKey,
    /// A tag has no name.
    #[error(
        "a tag of `TelemetryBuilder::default_tags` has no name. Write, for example, KeyValue::new(\"env.region\", \"eu-west-1\")"
    )]
    UnnamedTag,
    /// A trusted proxy is not an address.
    #[error(
        "`RequestTracing::trusted_proxies`: {text:?} is not an IP address or a network. Write, for example, \"10.0.0.0/8\", \"2001:db8::1\" or \"unix\""
    )]
    #[non_exhaustive]
    Proxy {
        /// What was given.
        text: String,
    },
    /// A header is not one that says where a request comes from.
    #[error(
        "`RequestTracing::proxy_headers`: {name:?} is not read. Name those that the proxies write of `forwarded`, `x-forwarded-for`, `x-forwarded-host` and `x-forwarded-proto`"
    )]
    #[non_exhaustive]
    ProxyHeader {
        /// What was given.
        name: String,
    },
    /// A host that baggage is to be sent to is not one.
    #[error(
        "`TelemetryBuilder::baggage_to`: {text:?} is not a host. Write, for example, \"api.example.com\", \"*.example.com\" or \"10.0.0.0/8\", without a scheme and a port"
    )]
    #[non_exhaustive]
    Host {
        /// What was given.
        text: String,
    },
    /// The file of `TelemetryBuilder::json_file` cannot be written to.
    #[error("`TelemetryBuilder::json_file`: cannot write to {path}: {source}")]
    #[non_exhaustive]
    File {
        /// Its path.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// An exporter could not be created.
    #[error("`TelemetryBuilder::span_exporter`: cannot create {exporter}: {source}")]
    #[non_exhaustive]
    Exporter {
        /// Its name.
        exporter: &'static str,
        /// The error of its constructor.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A part that is asked for needs a feature that this build does not have.
    #[error(
        "this build has no {part}: enable the feature `{feature}` of biztrace, or choose another with {setting}"
    )]
    #[non_exhaustive]
    NotBuilt {
        /// The part.
        part: &'static str,
        /// The feature that adds it.
        feature: &'static str,
        /// The setting that asks for it.
        setting: &'static str,
    },
    /// The operating system did not start the export thread.
    #[error("cannot start the export thread: {0}")]
    #[non_exhaustive]
    Thread(#[source] io::Error),
}

/// The message, since `main` and `expect` show this form.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error's message and those of its sources, as `anyhow` joins them.
pub(crate) fn message(error: &(impl std::error::Error + ?Sized)) -> String {
    let mut message = text(error);
    let mut source = error.source();
    // Errors may form a cycle, by mistake.
    for _ in 0..MAX_SOURCES {
        let Some(error) = source else { break };
        let cause = text(error);
        // Some errors have their source's message in their own.
        if !message.ends_with(&cause) {
            message += ": ";
            message += &cause;
        }
        source = error.source();
    }
    message
}

/// The text of `shown`, up to an error of its own: `to_string` would panic then.
pub(crate) fn text(shown: &(impl fmt::Display + ?Sized)) -> String {
    let mut text = String::new();
    let _ = write!(text, "{shown}");
    text
}

const MAX_SOURCES: usize = 32;

/// The sources of an error, the nearest first.
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
pub(crate) fn sources<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}
