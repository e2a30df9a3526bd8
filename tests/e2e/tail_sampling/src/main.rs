//! `recording config PORT FOLDER` prints the configuration of a Collector that samples by each of the policies, `recording send PORT
//! FOLDER` sends it a recording of all traces, and samples the same traces by biztrace's policies into the folder.

mod policies;
mod traces;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use biztrace::Telemetry;
use biztrace::report::DropReason;
use biztrace::settings::{JsonFile, Otlp, Sampler};

use policies::{Pair, pairs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [command, port, folder] = &*arguments else {
        return Err("usage: recording config|send PORT FOLDER".into());
    };
    match &**command {
        "config" => print_config(port, folder),
        _ => send(port, Path::new(folder))?,
    }
    Ok(())
}

/// A pipeline for each policy.
fn print_config(port: &str, folder: &str) {
    println!(
        "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 127.0.0.1:{port}"
    );
    println!("processors:");
    for Pair {
        name, collectors, ..
    } in pairs()
    {
        println!("  tail_sampling/{name}:\n    decision_wait: 2s\n    policies: {collectors}");
    }
    println!("exporters:");
    for Pair { name, .. } in pairs() {
        let path = format!("{folder}/collector-{name}.jsonl");
        println!("  file/{name}:\n    path: {path}\n    flush_interval: 100ms");
    }
    println!(
        "service:\n  telemetry:\n    logs:\n      level: warn\n    metrics:\n      level: none\n  pipelines:"
    );
    for Pair { name, .. } in pairs() {
        println!(
            "    traces/{name}:\n      receivers: [otlp]\n      processors: [tail_sampling/{name}]\n      exporters: [file/{name}]"
        );
    }
}

fn send(port: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    for Pair { name, ours, .. } in pairs() {
        let telemetry = Telemetry::builder()
            // Below an unsampled caller it keeps nothing, and tells thresholds.
            .sampler(Sampler::probability(0.0))
            .keep(ours)
            .json_file(JsonFile::new(folder.join(format!("biztrace-{name}.jsonl"))))
            .max_queue_size(traces::NUMBER * 10)
            .build()?;
        traces::record(&telemetry);
        finish(&telemetry)?;
    }
    let telemetry = Telemetry::builder()
        .sampler(Sampler::always_on())
        .otlp(Otlp::http(format!("http://127.0.0.1:{port}")))
        .max_queue_size(traces::NUMBER * 10)
        .schedule_delay(Duration::from_millis(100))
        .build()?;
    traces::record(&telemetry);
    finish(&telemetry)
}

/// Nothing may be lost.
fn finish(telemetry: &Telemetry) -> Result<(), Box<dyn Error>> {
    let report = telemetry.shutdown_blocking();
    let lost = report.dropped.total() - report.dropped.get(DropReason::SampledOut);
    match lost {
        0 => Ok(()),
        _ => Err(report.to_string().into()),
    }
}
