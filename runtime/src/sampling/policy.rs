//! Tests of whole traces, as settings have them.

use std::fmt;
use std::ops::{Bound, Not, RangeBounds};
use std::time::Duration;

use regex_lite::Regex;

use super::glob::Glob;
use super::watch::{MAX_TESTS, Range, Test};
use crate::attribute::{Key, Tags, Value};
use crate::error::Error;

/// A test of a trace that is over, for [`Keep::policy`](super::Keep::policy) and [`Keep::drop`](super::Keep::drop).
///
/// A tag is looked for on each span of the trace in this process, whenever it was set: on the request's, on those of annotated functions,
/// and on those of other libraries. A trace passes if one span does. `!` turns a policy round: the trace passes if no span does.
///
/// ```
/// use std::time::Duration;
///
/// use biztrace::settings::{Keep, Policy};
///
/// let keep = Keep::errors()
///     .policy(Policy::equals("risk.review", true))
///     .policy(Policy::number("cart.total", 1000..).and(!Policy::glob("customer.id", "test-*")))
///     .drop(Policy::equals("synthetic", true).and(Policy::latency(..Duration::from_secs(1))));
/// # let _ = keep;
/// ```
///
/// A test that is named takes time where a span with that tag ends, and nowhere else. A trace has at most 64 tests of tags.
#[derive(Debug, Clone)]
#[must_use = "`Keep::policy` takes it"]
pub struct Policy {
    name: String,
    pub(super) condition: Condition,
}

#[derive(Debug, Clone)]
pub(super) enum Condition {
    Errors,
    Latency(Bound<Duration>, Bound<Duration>),
    Spans(Bound<u64>, Bound<u64>),
    Tag {
        key: String,
        /// What is wrong with a pattern, in place of the test.
        test: Result<Test, String>,
        first_only: bool,
    },
    Probability(f64),
    RateLimiting(f64),
    All(Vec<Policy>),
    Not(Box<Policy>),
}

impl Policy {
    fn new(name: impl Into<String>, condition: Condition) -> Self {
        Self {
            name: name.into(),
            condition,
        }
    }

    fn tag(key: impl Into<String>, test: Result<Test, String>) -> Self {
        let key = key.into();
        let condition = Condition::Tag {
            key: key.clone(),
            test,
            first_only: false,
        };
        Self::new(key, condition)
    }

    /// Whether a tag has that value: text, a number, a bool, or what else can be the value of a tag. Types count: `5` is not `5.0`, nor
    /// `"5"`.
    pub fn equals(key: impl Into<String>, value: impl Value) -> Self {
        Self::one_of(key, [value])
    }

    /// Whether a tag has one of these values.
    pub fn one_of<V: Value>(key: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let key = key.into();
        let encoded = values.into_iter().filter_map(|value| {
            let mut tags = Tags::new();
            tags.set(Key::new(&key), &value);
            let entry = *tags.entries.first()?;
            Some(entry.field(&tags.bytes).to_vec())
        });
        let test = Test::OneOf(encoded.collect());
        Self::tag(key, Ok(test))
    }

    /// Whether a tag is text of that form, where a `*` stands for any characters: `globex-*`.
    pub fn glob(key: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self::tag(key, Ok(Test::Glob(Glob::new(pattern))))
    }

    /// Whether that regular expression is found in a tag's text: `^…$` for all of it. The syntax is that of the crate `regex`, without
    /// Unicode's classes.
    pub fn regex(key: impl Into<String>, pattern: &str) -> Self {
        let regex = Regex::new(pattern).map(Test::Regex);
        let problem = |error| format!("{pattern:?} is not a regular expression: {error}");
        Self::tag(key, regex.map_err(problem))
    }

    /// Whether a tag is a number in that range: `1000..`, `0.0..=0.5`. All are compared as `f64`.
    pub fn number<N: Number>(key: impl Into<String>, range: impl RangeBounds<N>) -> Self {
        let (from, to) = bounds(&range);
        let range = Range {
            from: from.map(Number::as_f64),
            to: to.map(Number::as_f64),
        };
        Self::tag(key, Ok(Test::Number(range)))
    }

    /// Whether a span of the trace has failed, as [`Keep::errors`](super::Keep::errors) has it.
    pub fn errors() -> Self {
        Self::new("errors", Condition::Errors)
    }

    /// Whether the trace's first span here takes a time in that range, as [`Keep::slower_than`](super::Keep::slower_than) has it:
    /// `Duration::from_secs(1)..Duration::from_secs(10)`.
    pub fn latency(range: impl RangeBounds<Duration>) -> Self {
        let (from, to) = bounds(&range);
        Self::new("latency", Condition::Latency(from, to))
    }

    /// Whether the trace has so many spans here: `100..`.
    pub fn spans(range: impl RangeBounds<u64>) -> Self {
        let (from, to) = bounds(&range);
        Self::new("spans", Condition::Spans(from, to))
    }

    /// This share of the traces, from 0 to 1, picked as [`Sampler::probability`](super::Sampler::probability) does.
    pub fn probability(share: f64) -> Self {
        Self::new("probability", Condition::Probability(share))
    }

    /// So many traces a second, of those that nothing else keeps. How many traces such a one stands for is not known: its
    /// `sampling.adjusted_count` is 0, so that sums stay those of the others.
    pub fn rate_limiting(traces_per_second: f64) -> Self {
        let condition = Condition::RateLimiting(traces_per_second);
        Self::new("rate_limiting", condition)
    }

    /// Whether the trace passes both: each by whatever span.
    pub fn and(self, other: Self) -> Self {
        let name = format!("{}&{}", self.name, other.name);
        let mut all = match self.condition {
            Condition::All(all) => all,
            _ => vec![self],
        };
        all.push(other);
        Self::new(name, Condition::All(all))
    }

    /// Looks for tags on the trace's first span here alone: the request's, where there is a request.
    pub fn on_first_span(mut self) -> Self {
        match &mut self.condition {
            Condition::Tag { first_only, .. } => *first_only = true,
            Condition::All(all) => {
                for policy in &mut *all {
                    *policy = policy.clone().on_first_span();
                }
            }
            Condition::Not(policy) => **policy = policy.clone().on_first_span(),
            _ => {}
        }
        self
    }

    /// What `sampling.policy` says of a trace that it keeps, in place of the tag's key.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How many tests of tags it has.
    pub(super) fn tests(&self) -> usize {
        match &self.condition {
            Condition::Tag { .. } => 1,
            Condition::All(all) => all.iter().map(Self::tests).sum(),
            Condition::Not(policy) => policy.tests(),
            _ => 0,
        }
    }

    /// Whether asking it takes from a rate.
    pub(super) fn takes(&self) -> bool {
        match &self.condition {
            Condition::RateLimiting(_) => true,
            Condition::All(all) => all.iter().any(Self::takes),
            _ => false,
        }
    }

    /// Whether it picks some of many that are alike.
    fn is_share(&self) -> bool {
        match &self.condition {
            Condition::Probability(_) | Condition::RateLimiting(_) => true,
            Condition::All(all) => all.iter().any(Self::is_share),
            Condition::Not(policy) => policy.is_share(),
            _ => false,
        }
    }

    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |problem: &str| {
            Err(Error::Policy {
                policy: self.name.clone(),
                problem: problem.to_owned(),
            })
        };
        match &self.condition {
            Condition::Tag { key, .. } if key.is_empty() => {
                refuse("it has no key. Name a tag, for example \"order.id\"")
            }
            Condition::Tag {
                test: Err(problem), ..
            } => refuse(problem),
            Condition::Tag {
                test: Ok(Test::OneOf(values)),
                ..
            } if values.is_empty() => refuse("it names no value, so that no trace passes"),
            Condition::Tag {
                test: Ok(Test::Number(range)),
                ..
            } if is_empty(&range.from, &range.to) => {
                refuse("no number is in its range. Write the lower bound first")
            }
            Condition::Latency(from, to) if is_empty(from, to) => {
                refuse("no time is in its range. Write the lower bound first")
            }
            Condition::Spans(from, to) if is_empty(from, to) || *to == Bound::Excluded(0) => {
                refuse("no number is in its range. Write the lower bound first")
            }
            Condition::Probability(share) if !(*share > 0.0 && *share <= 1.0) => refuse(&format!(
                "its share {share} is not a number above 0, up to 1. Write 0.25 for 25 %"
            )),
            Condition::RateLimiting(rate) if !(rate.is_finite() && *rate > 0.0) => {
                refuse(&format!(
                    "its rate {rate} of traces a second is not a number above 0. Write, for example, 10.0"
                ))
            }
            Condition::Not(policy) if policy.is_share() => refuse(
                "the rest of a share has no weight. Write `Policy::probability` of the share that you want",
            ),
            Condition::Not(policy) => policy.check(),
            Condition::All(all) => all.iter().try_for_each(Self::check),
            _ => Ok(()),
        }
    }

    /// Refuses what cannot work where it drops traces.
    pub(super) fn check_drop(&self) -> Result<(), Error> {
        self.check()?;
        if self.is_share() {
            return Err(Error::Policy {
                policy: self.name.clone(),
                problem: "`Keep::drop` takes no share: the weights of what is left would be wrong. Give the sampler a lower share"
                    .to_owned(),
            });
        }
        Ok(())
    }
}

/// Refuses more tests of tags than there are bits for their answers.
pub(super) fn check_number<'p>(policies: impl Iterator<Item = &'p Policy>) -> Result<(), Error> {
    let mut tests = 0;
    for policy in policies {
        tests += policy.tests();
        if tests > MAX_TESTS as usize {
            return Err(Error::Policy {
                policy: policy.name.clone(),
                problem: format!(
                    "there are more than {MAX_TESTS} tests of tags. Join values with `Policy::one_of`"
                ),
            });
        }
    }
    Ok(())
}

/// A bound of [`Policy::number`]: an integer or a float.
pub trait Number: Copy + sealed::Sealed {
    #[doc(hidden)]
    fn as_f64(self) -> f64;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(
            impl sealed::Sealed for $number {}

            impl Number for $number {
                fn as_f64(self) -> f64 {
                    self as f64
                }
            }
        )*
    };
}

numbers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64);

/// A trace passes if it does not pass the policy.
impl Not for Policy {
    type Output = Self;

    fn not(self) -> Self {
        let name = format!("!{}", self.name);
        Self::new(name, Condition::Not(Box::new(self)))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn bounds<T: Copy>(range: &impl RangeBounds<T>) -> (Bound<T>, Bound<T>) {
    (range.start_bound().cloned(), range.end_bound().cloned())
}

/// Whether nothing lies between two bounds.
fn is_empty<T: PartialOrd>(from: &Bound<T>, to: &Bound<T>) -> bool {
    use Bound::{Excluded, Included, Unbounded};
    match (from, to) {
        (Unbounded, _) | (_, Unbounded) => false,
        // Also where they cannot be compared.
        (Included(from), Included(to)) => from.partial_cmp(to).is_none_or(|it| it.is_gt()),
        (Included(from) | Excluded(from), Included(to) | Excluded(to)) => {
            from.partial_cmp(to).is_none_or(|it| it.is_ge())
        }
    }
}

#[cfg(test)]
mod tests;
