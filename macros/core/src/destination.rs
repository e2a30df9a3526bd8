//! The places that attributes go to, beside their spans.

use std::collections::BTreeSet;

/// A place that an attribute goes to, beside its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Destination {
    /// The spans below, in this process.
    Descendants,
    /// The baggage of the trace, which the services that are called receive.
    Baggage,
}

/// The places that an attribute goes to, beside its span.
pub type Destinations = BTreeSet<Destination>;

impl Destination {
    /// Its name in a catalogue.
    pub fn name(self) -> &'static str {
        match self {
            Self::Descendants => "inherited",
            Self::Baggage => "baggage",
        }
    }
}
