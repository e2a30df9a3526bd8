//! What an export thread logs of losses and of outages.

use std::time::Duration;

use tokio::time::Instant;

use super::report::Dropped;
use super::worker_state::Shared;
use super::{Delivery, Failure};
use crate::diag;

/// Logs lost spans and other trouble: once a minute at most. The beginning and the end of an outage it logs at once.
#[derive(Default)]
pub(super) struct LossLog {
    at: Option<Instant>,
    dropped: u64,
    last_message: String,
    /// Whether that is news although it cost no spans.
    is_news: bool,
    outage: Option<Outage>,
    /// When the last outage began that was logged.
    outage_at: Option<Instant>,
}

/// From the first export that fails to the next that succeeds.
struct Outage {
    since: Instant,
    /// What had been dropped before it.
    dropped: Dropped,
    /// Not if the exporter fails every few seconds.
    is_logged: bool,
}

const LOG_EVERY: Duration = Duration::from_secs(60);

impl LossLog {
    /// An attempt has failed, and the request is sent again until `timeout` is over.
    pub(super) fn retried(&mut self, shared: &Shared, failure: &Failure, timeout: Duration) {
        if self.begin(Instant::now(), || lost(shared)) {
            let (exporter, message) = (shared.exporter, &failure.message);
            diag::warn(format_args!(
                "{exporter}: {message}; the request is retried for {timeout:?} at most (OTEL_BSP_EXPORT_TIMEOUT), then its spans are \
                 dropped"
            ));
        }
    }

    /// What became of a request in the end, whose spans are not counted yet.
    pub(super) fn result(&mut self, shared: &Shared, result: &Result<Delivery, Failure>) {
        let now = Instant::now();
        match result {
            Ok(delivery) => {
                if delivery.rejected > 0 {
                    self.last_message.clone_from(&delivery.message);
                }
                if let Some((duration, dropped)) = self.end(now, || lost(shared)) {
                    say_end(shared.exporter, duration, &dropped);
                }
            }
            Err(failure) => {
                self.last_message.clone_from(&failure.message);
                if self.begin(now, || lost(shared)) {
                    // The loss says it, at once.
                    self.at = None;
                }
            }
        }
    }

    /// Begins an outage unless one is under way. Returns whether it is to be logged.
    fn begin(&mut self, now: Instant, dropped: impl FnOnce() -> Dropped) -> bool {
        if self.outage.is_some() {
            return false;
        }
        let is_logged = self.outage_at.is_none_or(|at| now - at >= LOG_EVERY);
        if is_logged {
            self.outage_at = Some(now);
        }
        self.outage = Some(Outage {
            since: now,
            dropped: dropped(),
            is_logged,
        });
        is_logged
    }

    /// Ends the outage under way. Returns how long it took and what was dropped meanwhile, if that is to be logged.
    fn end(
        &mut self,
        now: Instant,
        dropped: impl FnOnce() -> Dropped,
    ) -> Option<(Duration, Dropped)> {
        let outage = self.outage.take().filter(|outage| outage.is_logged)?;
        let dropped = dropped();
        self.dropped = dropped.total();
        Some((now - outage.since, dropped.since(&outage.dropped)))
    }

    /// The exporter itself could not flush or close.
    pub(super) fn trouble(&mut self, message: String) {
        (self.last_message, self.is_news) = (message, true);
    }

    /// Logs what is new; the last time at once.
    pub(super) fn log(&mut self, shared: &Shared, is_last: bool) {
        let Some(dropped) = self.news(Instant::now(), is_last, || lost(shared)) else {
            return;
        };
        let (exporter, message) = (shared.exporter, &self.last_message);
        match (dropped.total(), &**message) {
            (0, _) => diag::warn(format_args!("{exporter}: {message}")),
            (_, "") => diag::warn(format_args!("{exporter}: spans dropped so far: {dropped}")),
            _ => diag::warn(format_args!(
                "{exporter}: spans dropped so far: {dropped}; last trouble: {message}"
            )),
        }
    }

    /// What has been dropped so far, if there is news and it is time to log it.
    fn news(
        &mut self,
        now: Instant,
        is_last: bool,
        dropped: impl FnOnce() -> Dropped,
    ) -> Option<Dropped> {
        let is_soon = self.at.is_some_and(|at| now - at < LOG_EVERY);
        if is_soon && !is_last {
            return None;
        }
        let dropped = dropped();
        if !self.is_news && dropped.total() == self.dropped {
            return None;
        }
        (self.dropped, self.at, self.is_news) = (dropped.total(), Some(now), false);
        Some(dropped)
    }
}

fn lost(shared: &Shared) -> Dropped {
    shared.report().dropped.lost()
}

fn say_end(exporter: &str, duration: Duration, dropped: &Dropped) {
    let tenths = duration.as_millis() / 100;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let again = format!("{exporter}: exports succeed again after {seconds}.{tenth} s");
    match dropped.total() {
        0 => diag::warn(format_args!("{again}; no spans were dropped meanwhile")),
        _ => diag::warn(format_args!("{again}; spans dropped meanwhile: {dropped}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::DropReason;

    #[test]
    fn an_outage_is_logged_when_it_begins_and_when_it_ends() {
        let (mut losses, start) = (LossLog::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let lost = |unreachable, queue_full| {
            let mut dropped = Dropped::default();
            dropped.add(DropReason::Unreachable, unreachable);
            dropped.add(DropReason::QueueFull, queue_full);
            dropped
        };
        assert_eq!(losses.end(at(0), || unreachable!("no outage")), None);
        assert!(losses.begin(at(1), || lost(0, 3)));
        assert!(!losses.begin(at(2), || unreachable!("it is the same outage")));
        let ended = losses.end(at(90), || lost(5, 4));
        assert_eq!(ended, Some((Duration::from_secs(89), lost(5, 1))));
        let told = losses.news(at(91), false, || lost(5, 4));
        assert_eq!(told, None, "the end has told of the losses");
        assert!(losses.begin(at(100), || lost(5, 4)));
        assert!(losses.end(at(101), || lost(5, 4)).is_some());
        assert!(!losses.begin(at(159), || lost(5, 4)), "it comes and goes");
        assert_eq!(losses.end(at(160), || lost(6, 4)), None);
        assert!(losses.begin(at(160), || lost(6, 4)));
    }

    #[test]
    fn losses_are_logged_once_a_minute_at_most() {
        let (mut losses, start) = (LossLog::default(), Instant::now());
        let lost = |spans| {
            move || {
                let mut dropped = Dropped::default();
                dropped.add(DropReason::QueueFull, spans);
                dropped
            }
        };
        let at = |seconds| start + Duration::from_secs(seconds);
        for (seconds, dropped, is_last, is_due) in [
            (0, 0, false, false),
            (1, 5, false, true),
            (2, 9, false, false),
            (60, 9, false, false),
            (61, 9, false, true),
            (200, 9, false, false),
            (201, 10, false, true),
            (202, 10, true, false),
            (203, 11, true, true),
        ] {
            assert_eq!(
                losses.news(at(seconds), is_last, lost(dropped)).is_some(),
                is_due,
                "{dropped} after {seconds} s"
            );
        }
        losses.trouble("no room".into());
        assert!(
            losses.news(at(300), false, lost(11)).is_some(),
            "no span was lost"
        );
        assert!(
            losses.news(at(400), false, lost(11)).is_none(),
            "it was logged already"
        );
    }
}
