//! How spans leave: exporters, shutdowns, receivers that fail, and what biztrace logs of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod exporters;
mod failures;
mod files;
mod lifecycle;
mod log;
mod misspelt_variable;
mod sdk_exporters;
mod shutdown;
mod stderr_fallback;
#[cfg(target_os = "linux")]
mod stuck_streams;
