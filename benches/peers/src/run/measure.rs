//! One measurement: a fresh process of one variant, from its start to its end.

use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::usage::{cpu_time, peak_memory, thread_time};
use super::{RunArgs, Scenario, Variant};
use crate::child::{Child, this_binary};
use crate::load::{Latency, Load};
use crate::sink::{Counts, Sink};

/// What was measured of one variant in one round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measurement {
    pub(crate) scenario: Scenario,
    pub(crate) round: u64,
    pub(crate) variant: Variant,
    pub(crate) requests: u64,
    /// of the service's process for a request, exporting included, in µs
    pub(crate) cpu: f64,
    /// of biztrace's export thread for a span that arrived, in µs
    pub(crate) export: Option<f64>,
    /// requests a second, as fast as they are answered
    pub(crate) rate: f64,
    /// at half of the bare service's rate
    pub(crate) latency: Option<Latency>,
    /// at a rate that all variants can answer
    pub(crate) steady_latency: Option<Latency>,
    /// most memory that was resident, in MiB
    pub(crate) peak_memory: f64,
    /// what arrived at the sink for these requests
    pub(crate) arrived: Counts,
}

/// Processor time of the thread that biztrace exports on.
pub(crate) fn export_time(service: &Child) -> Result<Option<Duration>> {
    thread_time(service.id(), "biztrace-export")
}

/// What measurements have in common.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) args: &'a RunArgs,
    pub(crate) sink: Sink,
    /// The Go services' binary.
    pub(crate) gin: PathBuf,
}

impl Bench<'_> {
    /// Measures the variant; latency at `pace` requests a second.
    pub(crate) fn measure(
        &self,
        scenario: Scenario,
        round: u64,
        variant: Variant,
        pace: Option<f64>,
    ) -> Result<Measurement> {
        let mut service = self.start(scenario, variant)?;
        let expected = |requests| variant.expected_spans(scenario, requests);
        let requests = self.args.requests;

        load(&service, scenario.connections(), self.args.warm_up, None)?;
        service.flush()?;
        self.settle(expected(self.args.warm_up))?;
        self.sink.reset()?;

        let export_before = export_time(&service)?;
        let before = cpu_time(service.id())?;
        let closed = load(&service, scenario.connections(), requests, None)?;
        service.flush()?;
        let arrived = self.settle(expected(requests))?;
        let cpu = cpu_time(service.id())? - before;
        let export = export_time(&service)?;
        let export = export.zip(export_before).filter(|_| arrived.spans > 0);
        let export = export
            .map(|(after, before)| (after - before).as_secs_f64() * 1e6 / arrived.spans as f64);
        let peak_memory = peak_memory(service.id())?;

        let latency = |rate: f64| {
            let requests = self.args.latency_requests;
            Ok::<_, anyhow::Error>(
                load(&service, scenario.connections(), requests, Some(rate))?.latency,
            )
        };
        let steady = pace.map(|_| self.args.steady_rate as f64);
        // The gentle rate first: what the other leaves behind must not delay it.
        let steady_latency = steady.map(latency).transpose()?;
        let latency = pace.map(latency).transpose()?;
        service.stop()?;

        Ok(Measurement {
            scenario,
            round,
            variant,
            requests,
            cpu: cpu.as_secs_f64() * 1e6 / requests as f64,
            export,
            rate: closed.rate,
            latency,
            steady_latency,
            peak_memory,
            arrived,
        })
    }

    /// How many requests a second the variant answers when it has nothing else to do.
    pub(crate) fn saturation(&self, scenario: Scenario, variant: Variant) -> Result<f64> {
        let service = self.start(scenario, variant)?;
        load(&service, scenario.connections(), self.args.warm_up, None)?;
        let rate = load(&service, scenario.connections(), self.args.requests, None)?.rate;
        service.stop()?;
        Ok(rate)
    }

    fn start(&self, scenario: Scenario, variant: Variant) -> Result<Child> {
        let sink = self.sink.url(scenario.protocol());
        Child::start(variant.command(scenario, &sink, &self.gin)?)
    }

    /// Waits until the spans have arrived, since a library's flush may return before they have.
    ///
    /// That is when the count holds still: briefly if all are there, else for longer than any of the libraries waits
    /// before it exports. The service has nothing to do meanwhile, so this costs none of its time.
    fn settle(&self, expected: Option<u64>) -> Result<Counts> {
        let mut counts = self.sink.counts()?;
        let mut still_since = Instant::now();
        loop {
            let enough = if expected == Some(counts.spans) {
                200
            } else {
                1500
            };
            if still_since.elapsed() > Duration::from_millis(enough) {
                return Ok(counts);
            }
            thread::sleep(Duration::from_millis(50));
            let now = self.sink.counts()?;
            if now != counts {
                (counts, still_since) = (now, Instant::now());
            }
        }
    }
}

/// Sends the service requests, from a process of its own.
pub(crate) fn load(
    service: &Child,
    connections: usize,
    requests: u64,
    rate: Option<f64>,
) -> Result<Load> {
    let mut command = this_binary("load")?;
    command
        .arg(service.address().to_string())
        .args(["--requests", &requests.to_string()])
        .args(["--connections", &connections.to_string()])
        .args(rate.map(|rate| format!("--rate={rate}")))
        .stderr(Stdio::inherit());
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "the load generator failed; see above"
    );
    serde_json::from_slice(&output.stdout).context("the load generator prints no result")
}
