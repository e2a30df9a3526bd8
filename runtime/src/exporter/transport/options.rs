//! The settings of a receiver beside its address.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::format::{Format, MILLISECONDS, pairs};
use crate::config::{Origin, Pass, Source, Sourced};

/// How a receiver is reached.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Options {
    help: &'static OptionsHelp,
    /// Headers that the code sets.
    pub(crate) headers: Vec<(String, String)>,
    /// Headers that a variable lists.
    more_headers: Sourced<Vec<(String, String)>>,
    pub(crate) compression: Sourced<Compression>,
    /// How long one request may take.
    pub(crate) timeout: Sourced<Duration>,
    pub(crate) ca_file: Sourced<Option<PathBuf>>,
    pub(crate) cert_file: Sourced<Option<PathBuf>>,
    pub(crate) key_file: Sourced<Option<PathBuf>>,
}

/// What sets the options of an exporter, for errors: methods and variables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OptionsHelp {
    pub(crate) headers: &'static str,
    pub(crate) certificates: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Compression {
    #[default]
    None,
    Gzip,
}

/// The files of TLS, in PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// What the receiver's certificate is checked by, instead of what the system trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// What the receiver is shown.
    pub(crate) cert_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    /// What sets them.
    pub(crate) settings: &'static str,
}

impl Options {
    /// The defaults.
    pub(crate) fn new(help: &'static OptionsHelp) -> Self {
        Self {
            help,
            headers: Vec::new(),
            more_headers: Sourced::default(),
            compression: Sourced::default(),
            timeout: Sourced::new(Duration::from_secs(10)),
            ca_file: Sourced::default(),
            cert_file: Sourced::default(),
            key_file: Sourced::default(),
        }
    }
}

const COMPRESSION: Format<Compression> = Format {
    parse: |value, refused| {
        let parsed = match value.to_ascii_lowercase().as_str() {
            "gzip" => Some(Compression::Gzip),
            "none" => Some(Compression::None),
            _ => None,
        };
        refused.or_add(parsed, value, "gzip or none")
    },
    shown: |value| Some(name(*value).to_owned()),
    written: |value| name(*value).to_owned(),
};

fn name(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "none",
        Compression::Gzip => "gzip",
    }
}

/// In the format of W3C Baggage. The values are not shown: they are secrets as often as not.
const HEADERS: Format<Vec<(String, String)>> = Format {
    parse: |value, refused| {
        // A name alone is a secret as often as not, the padding of one included.
        let has_value = |(_, value): &(String, String)| !value.trim_matches('=').is_empty();
        let headers = pairs(value)
            .ok()
            .filter(|headers| headers.iter().all(has_value));
        if headers.is_none() {
            refused.add_secret("a comma-separated list of percent-encoded name=value pairs");
        }
        headers
    },
    shown: |_| None,
    written: |_| "none of them".to_owned(),
};

const FILE: Format<Option<PathBuf>> = Format {
    parse: |value, _| Some(Some(value.into())),
    shown: |file| {
        let file = file.as_ref()?;
        let shown = || file.display().to_string();
        Some(not_a_path(file).map_or_else(shown, |problem| format!("… ({problem})")))
    },
    written: |_| String::new(),
};

/// What is wrong with the path of a TLS file that is the file's text instead. It may be a private key: it is not shown.
pub(super) fn not_a_path(path: &Path) -> Option<&'static str> {
    let path = path.to_string_lossy();
    let is_text = path.trim_start().starts_with("-----BEGIN") || path.contains(['\n', '\r']);
    is_text.then_some("it takes the path of a file, without line breaks, and not its text")
}

impl Options {
    /// Lists the settings. `exporter` begins their names; `variables` are those that set one, by the end of their names.
    pub(crate) fn visit(
        &mut self,
        exporter: &str,
        variables: impl Fn(&str) -> Vec<String>,
        pass: &mut Pass<'_>,
    ) {
        let name = |setting: &str| format!("{exporter}.{setting}");
        pass.setting(
            &name("headers"),
            &variables("HEADERS"),
            &HEADERS,
            &mut self.more_headers,
        );
        for ((header, _), source) in self.all_headers() {
            pass.described(
                &name(&format!("headers.{header}")),
                Some("…".into()),
                &Origin::of(source.clone()),
            );
        }
        pass.setting(
            &name("compression"),
            &variables("COMPRESSION"),
            &COMPRESSION,
            &mut self.compression,
        );
        pass.setting(
            &name("timeout"),
            &variables("TIMEOUT"),
            &MILLISECONDS,
            &mut self.timeout,
        );
        for (setting, variable, file) in [
            ("ca_file", "CERTIFICATE", &mut self.ca_file),
            ("cert_file", "CLIENT_CERTIFICATE", &mut self.cert_file),
            ("key_file", "CLIENT_KEY", &mut self.key_file),
        ] {
            pass.setting(&name(setting), &variables(variable), &FILE, file);
        }
    }

    /// Forgets the credentials of the environment: headers and the client's certificate. Their warnings have that `problem`.
    #[cfg_attr(
        not(any(feature = "otlp-grpc", feature = "otlp-http")),
        allow(dead_code, reason = "no variables set credentials of Zipkin")
    )]
    pub(crate) fn withhold_credentials(&mut self, problem: &str) {
        withhold(&mut self.more_headers, problem);
        withhold(&mut self.cert_file, problem);
        withhold(&mut self.key_file, problem);
    }

    /// What sets the headers.
    pub(crate) fn header_settings(&self) -> &'static str {
        self.help.headers
    }

    /// All headers, with their sources. Of one name, whatever its case, the last counts, and the code takes precedence over the
    /// environment.
    pub(crate) fn all_headers(&self) -> impl Iterator<Item = (&(String, String), &Source)> {
        let more = &self.more_headers;
        let of_code = last_of_each(&self.headers).map(|header| (header, &Source::Code));
        let of_environment = last_of_each(&more.value).map(|header| (header, &more.origin.source));
        of_code.chain(of_environment.filter(|((name, _), _)| !has(&self.headers, name)))
    }

    pub(crate) fn certificates(&self) -> Certificates {
        Certificates {
            ca_file: self.ca_file.value.clone(),
            cert_file: self.cert_file.value.clone(),
            key_file: self.key_file.value.clone(),
            settings: self.help.certificates,
        }
    }
}

/// Forgets a value of the environment, with a warning.
#[cfg_attr(
    not(any(feature = "otlp-grpc", feature = "otlp-http")),
    allow(dead_code, reason = "no variables set credentials of Zipkin")
)]
fn withhold<T: Default>(setting: &mut Sourced<T>, problem: &str) {
    let Source::Variable(variable) = &setting.origin.source else {
        return;
    };
    let variable = variable.clone();
    setting.value = T::default();
    setting.origin.source = Source::Default;
    setting.origin.warn(&variable, problem);
}

/// Of each name in a list of headers, the last header.
fn last_of_each(headers: &[(String, String)]) -> impl Iterator<Item = &(String, String)> {
    let each = headers.iter().enumerate();
    each.filter(|(i, (name, _))| !has(&headers[i + 1..], name))
        .map(|(_, header)| header)
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    let mut names = headers.iter().map(|(name, _)| name);
    names.any(|it| it.eq_ignore_ascii_case(name))
}
