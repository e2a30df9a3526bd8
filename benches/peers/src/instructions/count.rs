//! The count of one variant: two runs that differ in their length only.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::callgrind;
use crate::child::{Child, this_binary};
use crate::load::{LoadArgs, drive};
use crate::run::{Scenario, Variant};
use crate::service::Protocol;
use crate::sink::Sink;

/// Valgrind slows a service down, but not its timer, which would export many times as often for a request. At the service's
/// own pace batches fill before. So the timer is longer than a run: only full batches and a flush export.
const DELAY_SECONDS: &str = "3600";

/// Requests come over one connection, with pauses in which the service goes to sleep. Otherwise the count depends on how often the
/// idle worker polls, at thousands of instructions a poll.
const CONNECTIONS: usize = 1;
const PAUSE_MICROS: u64 = 2_000;

/// Instructions of a variant for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) variant: Variant,
    /// with everything recorded
    pub(super) all: f64,
    /// with a tenth recorded
    pub(super) tenth: f64,
    /// with nothing recorded
    pub(super) nothing: f64,
    /// of the requests that `tenth` was counted with, recorded; none, if the variant never records
    pub(super) share: Option<f64>,
}

/// The difference of two runs, for a request.
#[derive(Debug, Clone, Copy)]
struct Count {
    instructions: f64,
    /// of the requests, recorded and delivered
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
    pub(super) fn count(&self, variant: Variant) -> Result<Row> {
        let nothing = self.difference(variant, Scenario::None)?.instructions;
        if variant.baseline().is_none() {
            return Ok(Row {
                variant,
                all: nothing,
                tenth: nothing,
                nothing,
                share: None,
            });
        }
        let all = self.difference(variant, Scenario::All)?.instructions;
        let tenth = self.difference(variant, Scenario::Tenth)?;
        Ok(Row {
            variant,
            all,
            tenth: tenth.at(Scenario::Tenth.ratio(), nothing, all),
            nothing,
            share: Some(tenth.share),
        })
    }

    /// The instructions of a request, without the start and the end of the process, which both runs have.
    fn difference(&self, variant: Variant, scenario: Scenario) -> Result<Count> {
        let (few, few_recorded) = self.run(variant, scenario, self.warm_up)?;
        let (many, many_recorded) = self.run(variant, scenario, self.warm_up + self.requests)?;
        let a_request = |few: u64, many: u64| (many as f64 - few as f64) / self.requests as f64;
        let count = Count {
            instructions: a_request(few, many),
            share: a_request(few_recorded, many_recorded),
        };
        eprintln!(
            "{:<13} {:<5} {:>7.0} instructions  {:5.1} % recorded",
            variant.name(),
            scenario.name(),
            count.instructions,
            100.0 * count.share
        );
        Ok(count)
    }

    /// Instructions of a process until its end, and the requests that it has recorded.
    fn run(&self, variant: Variant, scenario: Scenario, requests: u64) -> Result<(u64, u64)> {
        self.sink.reset()?;
        let mut serve = this_binary("serve")?;
        serve
            .args([variant.name(), "--sink", &self.sink.url(Protocol::Http)])
            .args(["--ratio", &scenario.ratio().to_string()])
            .args(["--delay", DELAY_SECONDS]);
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
        let expected = variant.expected_spans(scenario, requests);
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
}
