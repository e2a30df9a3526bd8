//! Sending a request again where the receiver may take it later (OTLP specification, "Failures").

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use super::{Delivery, DropReason, Export, Failure, Request, Retry, after};

/// Sends `request` until it is taken, refused for good, or would have to wait past `limit`. `retried` is told of each failure that is
/// not the last. If the caller gives up first, the failure before is the outcome, unless the request was on its way again.
pub(super) async fn deliver(
    exporter: &mut impl Export,
    request: Request,
    limit: Instant,
    mut retried: impl FnMut(Failure),
) -> Result<Delivery, Failure> {
    let mut delays = backoff();
    let mut may_have_arrived = false;
    loop {
        let mut failure = match exporter.export(request.clone()).await {
            Ok(delivery) => return Ok(delivery),
            Err(failure) => failure,
        };
        request.sent.reset();
        // What was sent once may have arrived, whatever became of it later.
        may_have_arrived |= failure.reason == DropReason::Unknown;
        if may_have_arrived {
            failure.reason = DropReason::Unknown;
        }
        let delay = match failure.retry {
            Retry::Never => return Err(failure),
            Retry::Later => delays.next().unwrap_or(MAX_DELAY),
            // No receiver is asked again and again without a pause, even if it says so.
            Retry::After(delay) => delay.max(MIN_DELAY),
        };
        if after(delay) >= limit {
            return Err(failure);
        }
        retried(failure);
        sleep(delay).await;
    }
}

/// The first pause is at least this; each further one is twice as long, up to [`MAX_DELAY`], and the jitter comes on top.
const MIN_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(5);

fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(MIN_DELAY)
        .with_max_delay(MAX_DELAY)
        .with_factor(2.0)
        .without_max_times()
        .with_jitter()
        .build()
}
