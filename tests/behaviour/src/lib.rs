//! What the tests of biztrace's behaviour share: telemetry of a test's own and a server on a real port.
//!
//! Each test makes its own [`Instance`], or a [`Service`] with one, so that tests run in parallel.

mod instance;
mod service;

use std::time::{Duration, Instant};

pub use self::instance::Instance;
pub use self::service::{Service, TRACEPARENT};
pub use support::{Fault, Receiver, Reserved, Span, Spans, is_child, rerun, tag_of};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

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
