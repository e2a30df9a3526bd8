//! What the rounds have found, as markdown.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};

use crate::project::{CARGO_LOCK, Variant};
use crate::{Args, Measurement, ROOT};

/// A measured quantity: its name, its unit, and how it is read.
type Quantity = (&'static str, &'static str, fn(&Measurement) -> f64);

const QUANTITIES: [Quantity; 3] = [
    ("`cargo check`", "s of CPU", |one| one.check.as_secs_f64()),
    ("`cargo build --release`", "s of CPU", |one| {
        one.release.as_secs_f64()
    }),
    ("stripped binary", "KiB", |one| one.size as f64 / 1024.0),
];

/// Prints the report, and writes it to where it belongs. Each round has one measurement of each variant, in their order.
pub(crate) fn write(args: &Args, rounds: &[Vec<Measurement>]) -> Result<()> {
    let report = report(args, rounds)?;
    print!("{report}");
    fs::write(&args.out, report).with_context(|| format!("cannot write {}", args.out.display()))
}

fn report(args: &Args, rounds: &[Vec<Measurement>]) -> Result<String> {
    let Args { handlers, .. } = args;
    let mut report = format!(
        "# What annotating handlers costs at compile time

Written by the benchmark itself.

{}, {} cores of {}, {}, actix-web {}, tracing {}, biztrace {}. Medians of {} rounds, in which the variants take turns.

```sh
cargo run --release -p compile-bench
```

A crate of {handlers} actix-web handlers, the README's example, compiled three times: as it is (bare), each handler under
`#[tracing::instrument(skip_all, fields(…))]`, and each under `#[traced_handler] #[biz_attrs(…)]`, with the same five
fields. No variant sets up an exporter. What they depend on is built before; this is the crate itself, without
incremental compilation, in processor time of cargo, rustc and the linker.

| | bare | tracing | biztrace | tracing adds [least, most] | biztrace adds [least, most] | biztrace's ÷ tracing's | bar |
|---|--:|--:|--:|--:|--:|--:|---|
",
        output("date", &["-u", "+%Y-%m-%d"]),
        available_parallelism()?.get(),
        cpu_model(&fs::read_to_string("/proc/cpuinfo")?),
        output("rustc", &["--version"]),
        locked_version("actix-web"),
        locked_version("tracing"),
        output("git", &["describe", "--always", "--dirty"]),
        rounds.len(),
    );
    for (name, unit, quantity) in QUANTITIES {
        report += &row(name, unit, rounds, quantity);
    }
    report += "
What is added is the difference within a round; the bar is that biztrace adds no more than tracing.
";
    Ok(report)
}

fn row(
    name: &str,
    unit: &str,
    rounds: &[Vec<Measurement>],
    quantity: fn(&Measurement) -> f64,
) -> String {
    let value = |round: &Vec<Measurement>, variant: Variant| quantity(&round[variant as usize]);
    let all = |variant| Spread::of(rounds.iter().map(|round| value(round, variant)));
    let added = |variant| {
        let bare = |round| value(round, Variant::Bare);
        Spread::of(
            rounds
                .iter()
                .map(|round| value(round, variant) - bare(round)),
        )
    };
    let [bare, tracing, biztrace] = Variant::ALL.map(|variant| all(variant).median);
    let (by_tracing, by_biztrace) = (added(Variant::Tracing), added(Variant::Biztrace));
    let ratio = by_biztrace.median / by_tracing.median;
    let bar = if ratio <= 1.0 { "met" } else { "missed" };
    format!(
        "| {name}, {unit} | {bare:.2} | {tracing:.2} | {biztrace:.2} | {by_tracing} | {by_biztrace} | {ratio:.2} | {bar} |\n"
    )
}

/// A median, and the least and the most.
#[derive(Debug, PartialEq)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Of at least one value.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Self {
            median: f64::midpoint(values[last / 2], values[last.div_ceil(2)]),
            least: values[0],
            most: values[last],
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.2} [{:.2}, {:.2}]",
            self.median, self.least, self.most
        )
    }
}

/// What a command says in its first line; nothing, if it is not there.
fn output(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command)
        .args(arguments)
        .current_dir(ROOT)
        .output();
    let stdout = output.map(|output| output.stdout).unwrap_or_default();
    let stdout = String::from_utf8_lossy(&stdout);
    stdout.lines().next().unwrap_or("unknown").to_owned()
}

/// The version of the package that the crates are locked to.
fn locked_version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    let mut lines = CARGO_LOCK.lines().skip_while(|line| *line != name);
    let version = lines
        .nth(1)
        .and_then(|line| line.strip_prefix("version = "));
    version.unwrap_or("unknown").trim_matches('"')
}

fn cpu_model(cpuinfo: &str) -> String {
    let mut lines = cpuinfo.lines();
    let model = lines.find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown", |(_, model)| model).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_where_they_are_locked() {
        assert!(locked_version("actix-web").starts_with("4."));
        assert_eq!(locked_version("actix"), "unknown");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied()).median;
        assert_eq!(spread(&[3.0]), 3.0);
        assert_eq!(spread(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(spread(&[9.0, 1.0, 2.0, 4.0]), 3.0);
    }
}
