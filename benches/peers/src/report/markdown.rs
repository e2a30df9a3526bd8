//! The report as a page.

use std::fmt::Write as _;

use super::Report;
use super::bars::Bar;
use super::chart;
use super::summary::Row;
use crate::run::{Scenario, Variant};

const METHOD: &str = "\
Each variant is the same small service: `POST /orders/{id}` takes a JSON body, awaits a function that yields once, and
answers with JSON. Those that trace record a SERVER span with what their middleware records and five business tags, and
a child span around the yield with three attributes. All export in the background by OTLP over HTTP, in batches of 512
(fastrace, which has no such setting: what a second has brought), with a queue that is large enough not to drop spans.
By gRPC those on actix-web export the same: biztrace on its export thread, its peers by the tonic of opentelemetry-otlp,
which needs a runtime and has one of one thread. The receiver is a server of tonic then, which decodes no more than that of
HTTP. Nothing is compressed.

A round measures each variant once, one after the other, in an order that is drawn for each round; each time in a fresh
process, after a warm-up. Those on actix-web export on threads beside the worker; Gin's run all Go code, exporting
included, on as many threads as there are workers, which bears on their rate and latency. *CPU* is the processor time
of the service's process, all threads, for a request, from the first request until the last span has arrived at the
receiver, so exporting is in it. Requests come as fast as they are answered. *Added* is the difference to the same
round's service without tracing (`noop` for those on actix-web, `gin` for `otelgin`), as the median of the rounds with
its 95 % interval by bootstrap. *Latency* is measured at two fixed rates, the steady one that all can answer and half of
what `bare` can do; it counts from when a request was due, so a stall shows in all requests that had to wait, and a
variant that cannot keep a rate falls ever further behind. *Peak* is the most memory resident before that. *Attributes* are those of a recorded request's
spans, as they arrived. Other figures are medians of the rounds; spans are their sum. Receiver and load generator are
processes of their own on the same machine; the receiver decodes only when nothing is measured.

The *best peer* is the one that adds the least of those that do the whole work: a peer that did not deliver all spans is
none, and fastrace is none where not all is recorded, since it has no sampler: a request that is not recorded there has
no span at all, and passes nothing on. What biztrace adds is divided by what a peer adds round by round, and a bar is met
if the upper end of that ratio's interval meets it. With `BIZTRACE_KEEP=errors,slow=500ms` biztrace records every request, and
drops nine in ten when they are over: no request here fails. Its sampler is the same as without, and as the peers'. No peer can do
that, so it is compared with the best one at a plain tenth, which loses errors. Peak memory of `opentelemetry` and `tracing` is mostly that of their
queue, which the SDK allocates in advance. fastrace keeps messages beyond its ring of 10,240 with the thread that made them until that thread's
next span, and a flush does not reach those. `tracing` is on opentelemetry 0.32, the last that its middleware works with.
";

impl Report {
    pub(super) fn markdown(&self) -> String {
        let scenarios = [
            (Scenario::All, "Everything recorded"),
            (Scenario::Tenth, "A tenth recorded"),
            (
                Scenario::Keep,
                "A tenth kept, beside each that fails or is slow",
            ),
            (Scenario::None, "Nothing recorded"),
            (Scenario::TwoWorkers, "Everything recorded, by two workers"),
            (Scenario::Grpc, "Everything recorded, exported by gRPC"),
        ];
        let mut page =
            String::from("# biztrace and its peers\n\nWritten by the benchmark itself.\n\n");
        page += &self.environment();
        if chart::draw(&self.summary).is_some() {
            page += "\n![CPU time that tracing adds to a request](chart.svg)\n";
        }
        page += "\n## Bars\n\n";
        page += &bars(&self.bars);
        for (scenario, title) in scenarios {
            let rows = self.summary.iter().filter(|row| row.scenario == scenario);
            let rows: Vec<&Row> = rows.collect();
            if !rows.is_empty() {
                page += &format!("\n## {title}\n\n{}", table(&rows));
            }
        }
        page + "\n## How it is measured\n\n" + METHOD
    }

    fn environment(&self) -> String {
        let it = &self.environment;
        let settings = &self.settings;
        let mut lines = format!(
            "{machine}, {go}. {rounds} rounds of {requests} requests, and of \
             {latency_requests} for latency, at {steady_rate} a second and at half of bare's rate.\n\n```sh\n{command}\n```\n\n| variant | with |\n|---|---|\n",
            machine = it.machine(),
            go = it.go,
            rounds = settings.rounds,
            requests = thousands(settings.requests),
            latency_requests = thousands(settings.latency_requests),
            steady_rate = thousands(settings.steady_rate),
            command = it.command,
        );
        let mut variants: Vec<Variant> = it.packages.iter().map(|it| it.variant).collect();
        variants.dedup();
        for variant in variants {
            let packages = it.packages.iter().filter(|it| it.variant == variant);
            let packages = packages.map(|it| match it.variant {
                Variant::Biztrace => {
                    format!("{} {} ({})", it.name, it.version, self.environment.commit)
                }
                _ => format!("{} {}", it.name, it.version),
            });
            let packages: Vec<String> = packages.collect();
            line(&mut lines, &[variant.name().into(), packages.join(", ")]);
        }
        lines
    }
}

fn bars(bars: &[Bar]) -> String {
    let mut table = String::from("| | median | upper end | bar | |\n|---|--:|--:|--:|---|\n");
    for bar in bars {
        let number = |value: Option<f64>| value.map_or("–".into(), round);
        let (value, upper_end) = (number(bar.value), number(bar.upper_end));
        line(
            &mut table,
            &[
                bar.what.clone(),
                value,
                upper_end,
                bar.limit.to_string(),
                bar.verdict().into(),
            ],
        );
    }
    table
}

fn table(rows: &[&Row]) -> String {
    let has_latency = rows.iter().any(|row| row.latency.is_some());
    let mut header = vec!["variant", "CPU, µs", "added, µs [95 %]", "requests/s"];
    if has_latency {
        header.extend(["steady: p50, µs", "p99", "p99.9"]);
        header.extend(["half of bare's rate: p50, µs", "p99", "p99.9"]);
    }
    header.extend(["peak, MiB", "spans delivered ÷ recorded", "attributes"]);

    let mut table = String::new();
    line(
        &mut table,
        &header.iter().map(|&it| it.into()).collect::<Vec<_>>(),
    );
    let columns = "--:|".repeat(header.len() - 1);
    table += &format!("|---|{columns}\n");
    for row in rows {
        let added = row
            .added
            .map(|it| format!("{:.2} [{:.2}, {:.2}]", it.median, it.low, it.high));
        let mut cells = vec![
            row.variant.name().into(),
            format!("{:.2}", row.cpu),
            added.unwrap_or("–".into()),
            thousands(row.rate.round() as u64),
        ];
        if has_latency {
            for latency in [row.steady_latency, row.latency] {
                let latency = latency.map(|it| [it.p50, it.p99, it.p999]);
                cells.extend(match latency {
                    Some(latency) => latency.map(|it| thousands(it.round() as u64)),
                    None => ["–", "–", "–"].map(String::from),
                });
            }
        }
        cells.push(format!("{:.1}", row.peak_memory));
        cells.push(delivered(row));
        cells.push(row.attributes.map_or("–".into(), |it| format!("{it:.1}")));
        line(&mut table, &cells);
    }
    table
}

fn delivered(row: &Row) -> String {
    match row.expected_spans {
        Some(0) if row.delivered_spans == 0 => "–".into(),
        Some(expected) => format!(
            "{} ÷ {}",
            thousands(row.delivered_spans),
            thousands(expected)
        ),
        // How many were recorded is up to chance; so this says how many that should be two tenths.
        None => format!(
            "{:.3} a request",
            row.delivered_spans as f64 / row.requests as f64
        ),
    }
}

/// Adds a line of a table.
pub(crate) fn line(table: &mut String, cells: &[String]) {
    let _ = writeln!(table, "| {} |", cells.join(" | "));
}

/// To three digits after the point, but no zeros at the end; what is short of a limit by less still shows.
pub(super) fn round(value: f64) -> String {
    let short = format!("{value:.3}");
    if value != 1.0 && short == "1.000" {
        return value.to_string();
    }
    match short.trim_end_matches('0').trim_end_matches('.') {
        "" => short,
        trimmed if short.contains('.') => trimmed.into(),
        _ => short,
    }
}

pub(crate) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1000, 1_234_567].map(thousands)
        );
        assert_eq!(
            ["0.2", "1", "0.333", "10"],
            [0.2, 1.0, 1.0 / 3.0, 10.0].map(round)
        );
        assert_eq!(round(0.999_99), "0.99999");
        assert_eq!(round(f64::INFINITY), "inf");
    }
}
