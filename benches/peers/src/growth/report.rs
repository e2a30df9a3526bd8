//! The costs as tables, and as JSON.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use super::Costs;
use super::case::{Dimension, Library};
use super::fit::line;
use crate::report::{Environment, write_file};
use crate::run::Variant;

/// Prints the report and writes it to the directory.
pub(super) fn write(directory: &Path, rounds: u64, measured: &[(Dimension, Costs)]) -> Result<()> {
    let mut text = String::from("# How the cost of tracing grows\n");
    let environment = Environment::new(&[Variant::Biztrace, Variant::Opentelemetry])?;
    write!(text, "\n{}", environment.machine())?;
    for package in &environment.packages {
        write!(text, ", {} {}", package.name, package.version)?;
        if package.variant == Variant::Biztrace {
            write!(text, " ({})", environment.commit)?;
        }
    }
    writeln!(
        text,
        ". Medians of {rounds} rounds.\n\n```sh\n{}\n```",
        environment.command
    )?;
    for (dimension, costs) in measured {
        table(&mut text, *dimension, costs)?;
    }
    println!("{text}");
    write_file(directory, "growth.md", &text)?;
    let json: Vec<_> = measured
        .iter()
        .flat_map(|(dimension, costs)| {
            costs.iter().map(|((size, library), nanos)| {
                serde_json::json!({
                    "dimension": dimension.name(),
                    "size": size,
                    "library": library.name(),
                    "nanoseconds": nanos,
                })
            })
        })
        .collect();
    write_file(
        directory,
        "growth.json",
        &serde_json::to_string_pretty(&json)?,
    )
}

fn table(text: &mut String, dimension: Dimension, costs: &Costs) -> Result<()> {
    let sizes = dimension.sizes();
    let help = dimension.to_possible_value();
    let title = help.as_ref().and_then(|value| value.get_help());
    let title = title.map(ToString::to_string).unwrap_or_default();
    write!(text, "\n## {title}\n\n| ns of CPU |")?;
    for size in sizes {
        write!(text, " {size} |")?;
    }
    writeln!(text, " each more | off the line, at most |")?;
    writeln!(text, "|---|{}", "---:|".repeat(sizes.len() + 2))?;
    for library in Library::value_variants() {
        let points: Vec<(f64, f64)> = sizes
            .iter()
            .filter_map(|size| Some((*size as f64, *costs.get(&(*size, *library))?)))
            .collect();
        write!(text, "| {} |", library.name())?;
        for (_, cost) in &points {
            write!(text, " {cost:.0} |")?;
        }
        match line(&points) {
            Some(line) => writeln!(text, " {:.3} | {:.0} % |", line.slope, line.bend * 100.0)?,
            None => writeln!(text, " | |")?,
        }
    }
    Ok(())
}
