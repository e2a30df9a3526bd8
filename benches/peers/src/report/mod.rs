//! What the run has found, for people and for programs.

mod bars;
mod chart;
mod environment;
mod markdown;
mod summary;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::run::{Measurement, RunArgs, Variant};
use bars::Bar;
pub(crate) use environment::Environment;
pub(crate) use markdown::thousands;
use summary::{Row, Summary};

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    environment: Environment,
    settings: RunArgs,
    bars: Vec<Bar>,
    summary: Vec<Row>,
    rounds: Vec<Measurement>,
}

impl Report {
    pub(crate) fn new(settings: &RunArgs, rounds: Vec<Measurement>) -> Result<Self> {
        let summary = Summary::new(&rounds);
        let mut variants: Vec<Variant> = Vec::new();
        for row in &summary.rows {
            if !variants.contains(&row.variant) {
                variants.push(row.variant);
            }
        }
        Ok(Self {
            environment: Environment::new(&variants)?,
            settings: settings.clone(),
            bars: summary.bars(),
            summary: summary.rows,
            rounds,
        })
    }

    /// Prints it, and writes it to the directory.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        let markdown = self.markdown();
        print!("{markdown}");
        write_file(directory, "README.md", &markdown)?;
        write_file(
            directory,
            "results.json",
            &(serde_json::to_string_pretty(self)? + "\n"),
        )?;
        if let Some(chart) = chart::draw(&self.summary) {
            write_file(directory, "chart.svg", &chart)?;
        }
        eprintln!("written to {}", directory.display());
        Ok(())
    }
}

/// Writes a file of a report, into a directory that need not be there.
pub(crate) fn write_file(directory: &Path, name: &str, content: &str) -> Result<()> {
    fs::create_dir_all(directory)?;
    let path = directory.join(name);
    fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
}
