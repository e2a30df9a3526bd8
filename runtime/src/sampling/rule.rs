//! What is done with some traces in place of what the sampler says, as settings have it.

use std::fmt;

use super::glob::Glob;
use super::path_glob::PathGlob;

/// What is done with requests that match a condition: [`TelemetryBuilder::rule`](crate::TelemetryBuilder::rule).
///
/// A rule is a condition, or several that must all hold, and an outcome. Of several rules the first that matches decides, in place of the
/// sampler.
///
/// ```
/// use biztrace::Telemetry;
/// use biztrace::settings::{Rule, Sampler};
///
/// let telemetry = Telemetry::builder()
///     .sampler(Sampler::probability(0.1))
///     .rule(Rule::path("/health*").never())
///     .rule(Rule::path("/checkout/**").method("POST").rate(1.0))
///     .rule(Rule::route("/orders/{id}").keep());
/// # let _ = telemetry;
/// ```
///
/// Most conditions ask the head of the request, when its trace begins. [`route`](Self::route) is known only later: such a rule decides when
/// the trace is over, and what may match it is recorded until then. Traces that no request begins, those of jobs, match no rule that asks
/// for a request: only [`parent`](Self::parent) alone.
///
/// Anyone who sends requests chooses their path, method, host and headers.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "`TelemetryBuilder::rule` takes it"]
pub struct Rule {
    pub(super) conditions: Vec<Condition>,
    pub(super) outcome: Outcome,
}

/// The condition of a [`Rule`] that has no outcome yet: [`never`](Self::never), [`rate`](Self::rate) or [`keep`](Self::keep) make a rule of
/// it.
#[derive(Debug, Clone)]
#[must_use = "it does nothing without `never`, `rate` or `keep`"]
pub struct RuleCondition(Vec<Condition>);

/// What a trace's first span here stands below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parent {
    /// Nothing: the trace begins here.
    None,
    /// A caller in another process, which must be trusted.
    Remote,
    /// A span of another OpenTelemetry implementation in this process.
    Local,
}

#[derive(Clone, PartialEq)]
pub(super) enum Condition {
    Path(PathGlob),
    Route(PathGlob),
    Method(String),
    Host(Glob),
    /// The name is in lower case.
    Header(String, Glob),
    Parent(Parent),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    Never,
    Rate(f64),
}

impl Rule {
    /// Requests for such a path, as `url.path` has it. `*` stands for any characters within a segment, `**` for any number of segments:
    /// `/health*`, `/users/*/orders`, `/checkout/**` (also `/checkout` itself), `**/*.css`.
    pub fn path(pattern: impl AsRef<str>) -> RuleCondition {
        RuleCondition(Vec::new()).path(pattern)
    }

    /// Requests that are routed so, as `http.route` has it: `/orders/{id}`. The pattern is as for [`path`](Self::path); braces stand for
    /// themselves. Such a rule decides when the trace is over.
    pub fn route(pattern: impl AsRef<str>) -> RuleCondition {
        RuleCondition(Vec::new()).route(pattern)
    }

    /// Requests of that method. Upper and lower case are alike.
    pub fn method(method: impl Into<String>) -> RuleCondition {
        RuleCondition(Vec::new()).method(method)
    }

    /// Requests to that host, as `server.address` has it: the one that the client or a trusted proxy names, without a port. `*` stands for
    /// any characters: `*.internal`. Upper and lower case are alike.
    pub fn host(pattern: impl AsRef<str>) -> RuleCondition {
        RuleCondition(Vec::new()).host(pattern)
    }

    /// Requests with a header of that name and value. In the value `*` stands for any characters, and `*` alone asks only whether the header
    /// is there.
    pub fn header(name: impl AsRef<str>, value: impl Into<String>) -> RuleCondition {
        RuleCondition(Vec::new()).header(name, value)
    }

    /// Traces whose first span here has that parent.
    pub fn parent(parent: Parent) -> RuleCondition {
        RuleCondition(Vec::new()).parent(parent)
    }

    /// Whether it waits for the route.
    pub(super) fn has_route(&self) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.any(|condition| matches!(condition, Condition::Route(_)))
    }

    /// Whether it leaves traces out that the next one like it is kept for.
    pub(crate) fn thins(&self) -> bool {
        matches!(self.outcome, Outcome::Rate(rate) if rate < 1.0)
    }
}

impl RuleCondition {
    fn and(mut self, condition: Condition) -> Self {
        self.0.push(condition);
        self
    }

    fn then(self, outcome: Outcome) -> Rule {
        Rule {
            conditions: self.0,
            outcome,
        }
    }

    /// And for such a path: [`Rule::path`].
    pub fn path(self, pattern: impl AsRef<str>) -> Self {
        self.and(Condition::Path(PathGlob::new(pattern.as_ref())))
    }

    /// And routed so: [`Rule::route`].
    pub fn route(self, pattern: impl AsRef<str>) -> Self {
        self.and(Condition::Route(PathGlob::new(pattern.as_ref())))
    }

    /// And of that method: [`Rule::method`].
    pub fn method(self, method: impl Into<String>) -> Self {
        self.and(Condition::Method(method.into()))
    }

    /// And to that host: [`Rule::host`].
    pub fn host(self, pattern: impl AsRef<str>) -> Self {
        let pattern = pattern.as_ref().to_ascii_lowercase();
        self.and(Condition::Host(Glob::new(pattern)))
    }

    /// And with that header: [`Rule::header`].
    pub fn header(self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        let name = name.as_ref().to_ascii_lowercase();
        self.and(Condition::Header(name, Glob::new(value)))
    }

    /// And with that parent: [`Rule::parent`].
    pub fn parent(self, parent: Parent) -> Self {
        self.and(Condition::Parent(parent))
    }

    /// Makes no spans of them, not even where the caller samples the trace or something fails. Other services are told that the trace is not
    /// sampled. Metrics still count the request; `RequestTracing::skip` leaves out both.
    pub fn never(self) -> Rule {
        self.then(Outcome::Never)
    }

    /// Keeps this share of them, from 0 (none) to 1 (all), decided and told as by
    /// [`Sampler::probability`](super::Sampler::probability): with true weights, and with errors beside them unless
    /// [`TelemetryBuilder::keep`](crate::TelemetryBuilder::keep) says otherwise. What a caller samples is kept in any case.
    pub fn rate(self, share: f64) -> Rule {
        self.then(Outcome::Rate(share))
    }

    /// Keeps all of them: a rate of 1.
    pub fn keep(self) -> Rule {
        self.rate(1.0)
    }
}

/// As `describe` shows it: `path /checkout/**, method POST: rate 0.5`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, condition) in self.conditions.iter().enumerate() {
            let separator = if n == 0 { "" } else { ", " };
            write!(f, "{separator}{condition}")?;
        }
        match self.outcome {
            Outcome::Never => f.write_str(": never"),
            Outcome::Rate(1.0) => f.write_str(": keep"),
            Outcome::Rate(rate) => write!(f, ": rate {rate}"),
        }
    }
}

/// Without the value of a header, which may be a secret.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(glob) => write!(f, "path {glob}"),
            Self::Route(glob) => write!(f, "route {glob}"),
            Self::Method(method) => write!(f, "method {method}"),
            Self::Host(glob) => write!(f, "host {}", glob.as_str()),
            Self::Header(name, glob) if glob.as_str() == "*" => write!(f, "header {name}"),
            Self::Header(name, _) => write!(f, "header {name}=…"),
            Self::Parent(Parent::None) => f.write_str("no parent"),
            Self::Parent(Parent::Remote) => f.write_str("remote parent"),
            Self::Parent(Parent::Local) => f.write_str("local parent"),
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
