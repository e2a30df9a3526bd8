//! What can be wrong with a set-up.

use std::fmt::Write as _;
use std::{fmt, io};

/// Why telemetry could not be set up. Each message names the setting at fault and what to do.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An instance has been installed before.
    #[error(
        "telemetry is installed already, which a process can do once only, even after a shutdown: install it at the start of `main`; `build()` makes further, isolated instances"
    )]
    AlreadyInstalled,
    /// The URL of the receiver is not one to send to.
    #[error(
        "{url:?} is no endpoint to use: {problem}; write the endpoint as in {example} (see {settings})"
    )]
    Endpoint {
        /// The URL as it is set, in code or by a variable of the environment; what may be secret in it is masked.
        url: String,
        /// What is wrong with it.
        problem: String,
        /// What sets it.
        settings: &'static str,
        /// One that could be.
        example: &'static str,
    },
    /// A header of `Otlp::header` or `OTEL_EXPORTER_OTLP_HEADERS` cannot be sent. Its value is not shown.
    #[error(
        "the header {name:?} for the receiver of traces {problem}: see `Otlp::header` and OTEL_EXPORTER_OTLP_HEADERS, …_TRACES_HEADERS"
    )]
    Header {
        /// The header's name as it is set, or as much of it as could be one.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// TLS cannot work as it is set up.
    #[error("TLS to the receiver of traces: {problem}: {cause}")]
    Tls {
        /// The setting, and what is wrong with it.
        problem: String,
        /// What is at the bottom of it, and what to do about it.
        cause: String,
    },
    /// A ratio is not between 0 and 1.
    #[error("a sampler cannot keep a share of {0} of all traces: write a number from 0.0 to 1.0")]
    Ratio(f64),
    /// A size or a duration that may not be zero is: the method that set it, `Otlp::timeout` for one.
    #[error("`{0}` was given zero: give it more, or leave it out for the default")]
    Zero(&'static str),
    /// What all telemetry may hold is no more than the exporters keep for themselves.
    #[error(
        "`Limits::memory` is {limit} bytes, of which the exporters alone keep the most: give it {least} at the least, and more for many threads or traces"
    )]
    Memory {
        /// The limit that was set.
        limit: usize,
        /// The least that works.
        least: usize,
    },
    /// A key for `#[hash]` is too short.
    #[error(
        "`Builder::hash_key` was given a key of {0} bytes: give it 16 or more, which are random and secret"
    )]
    HashKey(usize),
    /// Values that are `#[pii]` are to be hashed, but there is no key.
    #[error(
        "`Builder::pii` was given `PiiPolicy::Hash`, which needs a key: set BIZTRACE_HASH_KEY, or call `Builder::hash_key`"
    )]
    NoHashKey,
    /// A tag has no name.
    #[error(
        "`Builder::tags` was given a tag without a name: name it, as in KeyValue::new(\"env.region\", \"eu-west-1\")"
    )]
    UnnamedTag,
    /// A trusted proxy is no address.
    #[error(
        "`RequestTracing::trusted_proxies` was given {text:?}: write an IP address or a network, as in \"10.0.0.0/8\" or \"2001:db8::1\""
    )]
    Proxy {
        /// What was given.
        text: String,
    },
    /// The file of `Builder::file` cannot be written to.
    #[error("`Builder::file`: {path}: {source}")]
    File {
        /// Its path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// An exporter that the builder was to make could not be made.
    #[error("`Builder::span_exporter`: {exporter} could not be made: {source}")]
    Exporter {
        /// The name that it was given.
        exporter: &'static str,
        /// What its constructor said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was asked for is not part of this build.
    #[error(
        "this build has no {part}: enable the feature `{feature}` of biztrace, or choose another by {setting}"
    )]
    NotBuilt {
        /// What was asked for.
        part: &'static str,
        /// The feature that it comes with.
        feature: &'static str,
        /// What asks for it.
        setting: &'static str,
    },
    /// The operating system did not let the export thread start.
    #[error("cannot start the export thread: {0}")]
    Thread(#[source] io::Error),
}

/// The message, since it is this form that `main` and `expect` show.
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

/// What `shown` says of itself, as far as it gets: `to_string` would panic where it fails.
pub(crate) fn text(shown: &(impl fmt::Display + ?Sized)) -> String {
    let mut text = String::new();
    let _ = write!(text, "{shown}");
    text
}

const MAX_SOURCES: usize = 32;

/// What is behind an error, from its cause to the cause of all.
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
pub(crate) fn sources<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}
