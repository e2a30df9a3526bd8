//! What is kept of a trace when it is over, whatever the sampler has said when it began.

use std::fmt;
use std::time::Duration;

use super::late::Late;
use super::policy::{Policy, check_number};
use super::sample::RecordedTrace;
use crate::error::Error;

/// The traces that are kept in any case, decided when they are over: [`TelemetryBuilder::keep`](crate::TelemetryBuilder::keep), or
/// `BIZTRACE_KEEP`.
///
/// ```
/// use std::time::Duration;
///
/// use biztrace::Telemetry;
/// use biztrace::settings::{Keep, Sampler};
///
/// // One ordinary trace in a hundred, and each that has failed or was slow.
/// let telemetry = Telemetry::builder()
///     .sampler(Sampler::probability(0.01))
///     .keep(Keep::errors().slower_than(Duration::from_millis(500)));
/// # let _ = telemetry;
/// ```
/// Where several keep a trace, the first is its `sampling.reason`: errors, then time, then policies in their order. A policy that keeps a
/// share of the traces gives way to those that keep all.
#[derive(Debug, Clone)]
#[must_use = "`TelemetryBuilder::keep` takes it"]
pub struct Keep {
    errors: bool,
    slower_than: Option<Duration>,
    until_body_end: bool,
    pub(super) policies: Vec<Policy>,
    pub(super) drops: Vec<Policy>,
}

impl Keep {
    /// Each trace in which a span of this process has failed: the response is a 5xx, a function or a handler has returned an error that
    /// counts as one, or has panicked, or a request to another service was answered with a 4xx or 5xx.
    pub fn errors() -> Self {
        Self {
            errors: true,
            ..Self::none()
        }
    }

    /// Nothing, to which other methods add: for the rare service whose errors are not worth keeping. Without one of them, what the sampler
    /// keeps is kept, and nothing else.
    pub fn none() -> Self {
        Self {
            errors: false,
            slower_than: None,
            until_body_end: false,
            policies: Vec::new(),
            drops: Vec::new(),
        }
    }

    /// And each trace whose first span here takes longer than that. For a request it is the time to the response's head: a long download
    /// is not slow, nor is a WebSocket.
    pub fn slower_than(mut self, latency: Duration) -> Self {
        self.slower_than = Some(latency);
        self
    }

    /// Has a request take until its response's body has ended, for [`slower_than`](Self::slower_than) and for policies that ask for the
    /// time. A response that goes on by design takes until its head still: status 101, and `text/event-stream`.
    pub fn until_body_end(mut self) -> Self {
        self.until_body_end = true;
        self
    }

    /// And each trace that passes `policy`, or a share of those.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// But no trace that passes `policy`, whatever else keeps it: the sampler, a caller, or an error.
    pub fn drop(mut self, policy: Policy) -> Self {
        self.drops.push(policy);
        self
    }

    /// As `BIZTRACE_KEEP` has it: `errors`, `slow=500ms`, `slow=2s`, with commas between them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut keep = Self::none();
        if text.eq_ignore_ascii_case("none") {
            return Some(keep);
        }
        for policy in text.split(',').map(str::trim) {
            match policy.split_once('=') {
                None if policy.eq_ignore_ascii_case("errors") => keep.errors = true,
                Some((name, latency)) if name.trim().eq_ignore_ascii_case("slow") => {
                    keep.slower_than = Some(duration(latency.trim())?);
                }
                _ => return None,
            }
        }
        Some(keep)
    }

    /// Refuses settings that cannot work.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.slower_than == Some(Duration::ZERO) {
            return Err(Error::Zero("Keep::slower_than"));
        }
        self.policies.iter().try_for_each(Policy::check)?;
        self.drops.iter().try_for_each(Policy::check_drop)?;
        check_number(self.policies.iter().chain(&self.drops))
    }

    /// Whether it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        let names_time = self.errors || self.slower_than.is_some();
        !names_time && self.policies.is_empty() && self.drops.is_empty()
    }

    /// How many tests of tags it has.
    pub(crate) fn tests(&self) -> usize {
        let policies = self.policies.iter().chain(&self.drops);
        policies.map(Policy::tests).sum()
    }

    /// Whether something is kept, and errors are not.
    pub(crate) fn forgets_errors(&self) -> bool {
        !self.errors && self.keeps_some()
    }

    /// Whether it adds to what a sampler keeps, and takes nothing from that.
    pub(crate) fn only_adds(&self) -> bool {
        self.drops.is_empty() && self.keeps_some()
    }

    fn keeps_some(&self) -> bool {
        self.errors || self.slower_than.is_some() || !self.policies.is_empty()
    }

    /// Whether a request takes until its response's body has ended.
    pub(super) fn counts_bodies(&self) -> bool {
        self.until_body_end
    }

    /// What brings a trace back that was dropped before it was over.
    pub(super) fn late(&self) -> Late {
        Late {
            errors: self.errors,
            slower_than: self.slower_than,
        }
    }

    /// Whether a trace is kept for an error.
    pub(super) fn keeps_error(&self, trace: &RecordedTrace<'_>) -> bool {
        self.errors && trace.has_failed
    }

    /// Whether a trace is kept for the time that it has taken.
    pub(super) fn keeps_slow(&self, trace: &RecordedTrace<'_>) -> bool {
        self.slower_than.is_some_and(|least| trace.latency > least)
    }
}

/// A whole number above 0, and a unit.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        _ => None,
    }
}

/// As `BIZTRACE_KEEP` has it, and then the policies.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slow = self.slower_than.map(|latency| format!("slow={latency:?}"));
        let mut all: Vec<_> = slow.into_iter().collect();
        if self.errors {
            all.insert(0, "errors".to_owned());
        }
        if self.until_body_end {
            all.push("until_body_end".to_owned());
        }
        all.extend(self.policies.iter().map(|it| format!("policy={it}")));
        all.extend(self.drops.iter().map(|it| format!("drop={it}")));
        match &*all {
            [] => f.write_str("none"),
            all => f.write_str(&all.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_millis(500);

    #[test]
    fn policies_are_read_as_they_are_written() {
        let both = Keep::errors().slower_than(BOUND);
        for (text, shown) in [
            ("errors", Some("errors")),
            ("errors,slow=500ms", Some("errors,slow=500ms")),
            ("Slow=2s", Some("slow=2s")),
            (" slow = 500ms , ERRORS", Some("errors,slow=500ms")),
            ("", None),
            ("errors,", None),
            ("slow", None),
            ("slow=", None),
            ("slow=0ms", None),
            ("slow=500", None),
            ("slow=-1s", None),
            ("slow=1.5s", None),
            ("slow=5 s", None),
            ("slow=99999999999s", None),
            ("None", Some("none")),
            ("none,errors", None),
            ("error", None),
        ] {
            let keep = Keep::parse(text);
            assert_eq!(
                keep.map(|keep| keep.to_string()).as_deref(),
                shown,
                "{text:?}"
            );
        }
        let again = Keep::parse(&both.to_string()).unwrap();
        assert_eq!(again.to_string(), both.to_string());
        let zero = Keep::errors().slower_than(Duration::ZERO).check();
        let error = zero.unwrap_err().to_string();
        assert!(error.contains("`Keep::slower_than` is zero"), "{error}");
    }
}
