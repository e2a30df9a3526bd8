//! What is active, and where each setting came from.

use std::fmt;

use super::resource::SERVICE_NAME;
use crate::config::{Listing, Source};

/// What a [`Telemetry`](crate::Telemetry) instance does, and where each of its settings came from. Secrets are masked.
///
/// `{}` is one line with all that is not by default, and with the service, the sampler, the exporters and where they send to; `{:#}`
/// has a line for each setting.
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

impl Description {
    pub(super) fn new(listing: Listing) -> Self {
        let settings = listing.settings.into_iter();
        let setting = |(name, value, source)| Setting {
            name,
            value,
            source,
        };
        Self(settings.map(setting).collect())
    }

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
        let is_told = |setting: &&Setting| {
            let name = &*setting.name;
            [SERVICE_NAME, "exporter", "sampler", "keep"].contains(&name)
                || name.ends_with(".endpoint")
        };
        let shown = self
            .iter()
            .filter(|setting| all || setting.source != Source::Default || is_told(setting));
        for (i, setting) in shown.enumerate() {
            let between = if i > 0 { between } else { "" };
            write!(f, "{between}{setting}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            value,
            source,
        } = self;
        let hint = match source {
            Source::Default if name == SERVICE_NAME => "; set OTEL_SERVICE_NAME",
            _ => "",
        };
        write!(f, "{name}={value} ({source}{hint})")
    }
}
