//! What the run has found, for people and for programs.

mod bars;
mod chart;
mod environment;
mod markdown;
mod section;
mod summary;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::run::{Measurement, RunArgs, Variant};
pub(crate) use bars::{Bar, Limit};
pub(crate) use environment::Environment;
pub(crate) use markdown::{line, thousands};
pub(crate) use section::write_instructions;
use summary::{Row, Summary};

const PAGE: &str = "README.md";

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
        let page = section::keep_instructions(&read_page(directory)?, &markdown);
        write_file(directory, PAGE, &page)?;
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

/// The page that an earlier command has left in the directory; empty, if there is none.
fn read_page(directory: &Path) -> Result<String> {
    let path = directory.join(PAGE);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file of a report, into a directory that need not be there.
pub(crate) fn write_file(directory: &Path, name: &str, content: &str) -> Result<()> {
    fs::create_dir_all(directory)?;
    let path = directory.join(name);
    fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
}
