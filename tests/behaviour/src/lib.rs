//! What the tests of biztrace's behaviour share: telemetry of a test's own and a server on a real port.
//!
//! Each test makes its own [`Instance`], or a [`Service`] with one, so that tests run in parallel.

mod books;
mod instance;
mod service;

use std::time::{Duration, Instant};

pub use self::books::{assert_balanced, lost};
pub use self::instance::Instance;
pub use self::service::{Service, TRACEPARENT};
pub use support::{Fault, Receiver, Reserved, Span, Spans, is_child, rerun, tag_of};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a test of a loaded service goes on: a few seconds, or as many as `TEST_STRESS_SECONDS` says.
///
/// # Panics
///
/// If the variable is not a whole number.
#[must_use]
pub fn stress_time() -> Duration {
    let seconds = std::env::var("TEST_STRESS_SECONDS").ok();
    let seconds = seconds.map_or(3, |seconds| seconds.parse().expect("a whole number"));
    Duration::from_secs(seconds)
}

/// Waits until `condition` holds, and panics if it never does.
///
/// # Panics
///
/// After ten seconds, with `what` was waited for.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
