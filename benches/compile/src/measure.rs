//! Compiles a variant's crate, and takes its time and the size of what comes out.

use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

use crate::project::{Project, Variant};

/// What one round finds out about a variant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measurement {
    pub(crate) check: Duration,
    pub(crate) release: Duration,
    /// Of the stripped binary, in bytes.
    pub(crate) size: u64,
}

/// What is asked of cargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    Check,
    Release,
}

/// Compiles the crate both ways, and what it depends on if that was not done before.
pub(crate) fn measure(project: &Project, variant: Variant) -> Result<Measurement> {
    let binary = format!("target/release/{variant}-handlers");
    Ok(Measurement {
        check: build(project, variant, Build::Check)?,
        release: build(project, variant, Build::Release)?,
        size: fs::metadata(project.directory().join(binary))?.len(),
    })
}

/// Has cargo compile the crate anew. Returns the processor time that it took, rustc's and the linker's included.
pub(crate) fn build(project: &Project, variant: Variant, build: Build) -> Result<Duration> {
    project.touch(variant)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(match build {
        Build::Check => ["check", "--quiet"].as_slice(),
        Build::Release => &["build", "--release", "--quiet"],
    });
    command
        .args(["--package", &format!("{variant}-handlers")])
        .args(["--target-dir", "target"])
        // An incremental build would find nothing to do.
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(project.directory());
    let before = children_time()?;
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "{command:?} failed");
    Ok(children_time()? - before)
}

/// Processor time of all processes that this one has waited for, and of those that they have waited for.
fn children_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let times = [usage.user_time(), usage.system_time()];
    let micros = times.map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok(Duration::from_micros(
        micros.iter().sum::<i64>().try_into()?,
    ))
}
