//! The count of one variant: two runs that differ in their length only.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::callgrind;
use crate::child::{Child, this_binary};
use crate::load::{LoadArgs, drive};
use crate::run::{KEEP, Scenario, Variant};
use crate::service::Protocol;
use crate::sink::Sink;

/// Valgrind slows a service down, but not its timer, which would export many times as often for a request. At the service's
/// own pace batches fill before. So the timer is longer than a run: only full batches and a flush export.
const DELAY_SECONDS: &str = "3600";

/// Requests come over one connection, with pauses in which the service goes to sleep. Otherwise the count depends on how often the
/// idle worker polls, at thousands of instructions a poll.
const CONNECTIONS: usize = 1;
const PAUSE_MICROS: u64 = 2_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) variant: Variant,
    /// Whether it records every request, and keeps errors and slow ones beside what its sampler keeps.
    pub(super) keeps: bool,
}

impl Subject {
    pub(super) fn name(self) -> String {
        let keep = if self.keeps { ", keep" } else { "" };
        format!("{}{keep}", self.variant.name())
    }

    /// The spans that must arrive; `None` if that is left to chance.
    fn expected_spans(self, scenario: Scenario, requests: u64) -> Option<u64> {
        let expected = self.variant.expected_spans(scenario, requests);
        // Valgrind may make a request slow, which is kept then.
        expected.filter(|expected| *expected > 0 || !self.keeps)
    }
}

impl From<Variant> for Subject {
    fn from(variant: Variant) -> Self {
        Self {
            variant,
            keeps: false,
        }
    }
}

/// Its instructions for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) subject: Subject,
    /// with everything recorded, or kept
    pub(super) all: f64,
    /// with a tenth recorded, or kept
    pub(super) tenth: f64,
    /// with nothing recorded, or kept
    pub(super) nothing: f64,
    /// of the requests that `tenth` was counted with, delivered; none, if the variant never records
    pub(super) share: Option<f64>,
}

/// The difference of two runs, for a request.
#[derive(Debug, Clone, Copy)]
struct Count {
    instructions: f64,
    /// of the requests, delivered
    share: f64,
}

impl Count {
    /// The instructions if exactly `share` were recorded. The share that chance has recorded differs a little. The difference is
    /// corrected linearly, by the price of a recorded request.
    fn at(self, share: f64, nothing: f64, all: f64) -> f64 {
        self.instructions + (share - self.share) * (all - nothing)
    }
}

/// The receiver and the lengths of run of all counts.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) sink: Sink,
    /// requests of the shorter run
    pub(super) warm_up: u64,
    /// requests that the longer run has more
    pub(super) requests: u64,
}

impl Bench {
    pub(super) fn count(&self, subject: Subject) -> Result<Row> {
        let nothing = self.difference(subject, Scenario::None)?.instructions;
        if subject.variant.baseline().is_none() {
            return Ok(Row {
                subject,
                all: nothing,
                tenth: nothing,
                nothing,
                share: None,
            });
        }
        let all = self.difference(subject, Scenario::All)?.instructions;
        let tenth = self.difference(subject, Scenario::Tenth)?;
        Ok(Row {
            subject,
            all,
            tenth: tenth.at(Scenario::Tenth.ratio(), nothing, all),
            nothing,
            share: Some(tenth.share),
        })
    }

    /// The instructions of a request, without the start and the end of the process, which both runs have.
    fn difference(&self, subject: Subject, scenario: Scenario) -> Result<Count> {
        let (few, few_recorded) = self.run(subject, scenario, self.warm_up)?;
        let (many, many_recorded) = self.run(subject, scenario, self.warm_up + self.requests)?;
        let a_request = |few: u64, many: u64| (many as f64 - few as f64) / self.requests as f64;
        let count = Count {
            instructions: a_request(few, many),
            share: a_request(few_recorded, many_recorded),
        };
        eprintln!(
            "{:<14} {:<5} {:>7.0} instructions  {:5.1} % recorded",
            subject.name(),
            scenario.name(),
            count.instructions,
            100.0 * count.share
        );
        Ok(count)
    }

    /// Instructions of a process until its end, and the requests that it has recorded.
    fn run(&self, subject: Subject, scenario: Scenario, requests: u64) -> Result<(u64, u64)> {
        self.sink.reset()?;
        let mut serve = this_binary("serve")?;
        serve
            .args([
                subject.variant.name(),
                "--sink",
                &self.sink.url(Protocol::Http),
            ])
            .args(["--ratio", &scenario.ratio().to_string()])
            .args(["--delay", DELAY_SECONDS])
            .envs(subject.keeps.then_some(KEEP));
        let directory = tempfile::tempdir()?;
        let out = directory.path().join("profile");
        let mut service = Child::start(callgrind::wrap(&serve, &out))?;
        drive(&LoadArgs {
            service: service.address(),
            requests,
            connections: CONNECTIONS,
            rate: None,
            pause: PAUSE_MICROS,
        })?;
        service.flush()?;
        service.stop()?;

        let arrived = self.sink.counts()?;
        let expected = subject.expected_spans(scenario, requests);
        // Of each request that is recorded, both spans must be there, however many chance has picked.
        let expected = expected.unwrap_or(2 * arrived.server_spans);
        ensure!(
            arrived.spans == expected,
            "{} of {expected} spans arrived from {requests} requests in {}, so their instructions say nothing",
            arrived.spans,
            scenario.name()
        );
        let profile = fs::read_to_string(&out).context("callgrind has written no profile")?;
        Ok((callgrind::total(&profile)?, arrived.server_spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_beyond_the_tenth_is_taken_off() {
        let count = Count {
            instructions: 61_200.0,
            share: 0.11,
        };
        assert!((count.at(0.1, 50_000.0, 150_000.0) - 60_200.0).abs() < 1e-6);
        assert!((count.at(0.11, 50_000.0, 150_000.0) - 61_200.0).abs() < 1e-6);
    }

    #[test]
    fn slow_requests_are_left_to_chance_where_they_are_kept() {
        let expected = |subject: Subject, scenario| subject.expected_spans(scenario, 100);
        let plain = Subject::from(Variant::Biztrace);
        let keeping = Subject {
            keeps: true,
            ..plain
        };
        for (scenario, without, with) in [
            (Scenario::None, Some(0), None),
            (Scenario::Tenth, None, None),
            (Scenario::All, Some(200), Some(200)),
        ] {
            assert_eq!(expected(plain, scenario), without);
            assert_eq!(expected(keeping, scenario), with);
        }
    }
}
