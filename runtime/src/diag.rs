//! What biztrace says about itself: to `tracing`, to `log` where no subscriber is set, and to stderr where there is no logger
//! either, so that a warning reaches somebody.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use opentelemetry::Context;

/// Says what is wrong, and what to do about it.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    if has_listener() {
        tracing::warn!(target: "biztrace", "{message}");
    } else {
        to_stderr(message);
    }
}

/// Says it on stderr. One that takes nothing, as on a disk that is full, is no reason for a service to fail.
pub(crate) fn to_stderr(message: fmt::Arguments<'_>) {
    let _ = io::stderr().write_all(format!("biztrace: {message}\n").as_bytes());
}

/// Says what is wrong, and waits for no more than `limit`: who is to take it may be what everything waits for, a pipe that nobody
/// reads for one.
pub(crate) fn warn_within(limit: Duration, message: String) {
    let (said, wait) = mpsc::channel::<()>();
    let speaker = thread::Builder::new().name("biztrace-warn".into());
    let spawned = speaker.spawn(move || {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        warn(format_args!("{message}"));
        drop(said);
    });
    if spawned.is_ok() {
        let _ = wait.recv_timeout(limit);
    }
}

/// Says what is going on, to those who listen.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    tracing::info!(target: "biztrace", "{message}");
}

fn has_listener() -> bool {
    tracing::dispatcher::has_been_set() || log::max_level() != log::LevelFilter::Off
}

/// Something to be said once.
///
/// Not a [`std::sync::Once`], which nobody may come back to while it runs: what takes the warning may be traced itself.
#[derive(Debug)]
pub(crate) struct Once(AtomicBool);

impl Once {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    pub(crate) fn warn(&self, message: fmt::Arguments<'_>) {
        if !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed) {
            warn(message);
        }
    }
}
