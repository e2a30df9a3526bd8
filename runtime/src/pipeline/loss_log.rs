//! What an export thread logs of losses.

use std::time::Duration;

use tokio::time::Instant;

use super::report::Dropped;
use super::worker_state::Shared;
use super::{Delivery, Failure};
use crate::diag;

/// Logs lost spans and other trouble: once a minute at most.
#[derive(Default)]
pub(super) struct LossLog {
    at: Option<Instant>,
    dropped: u64,
    last_message: String,
    /// Whether that is news although it cost no spans.
    is_news: bool,
}

const LOG_EVERY: Duration = Duration::from_secs(60);

impl LossLog {
    pub(super) fn result(&mut self, result: &Result<Delivery, Failure>) {
        match result {
            Ok(delivery) if delivery.rejected > 0 => {
                self.last_message.clone_from(&delivery.message)
            }
            Ok(_) => {}
            Err(failure) => self.last_message.clone_from(&failure.message),
        }
    }

    /// The exporter itself could not flush or close.
    pub(super) fn trouble(&mut self, message: String) {
        (self.last_message, self.is_news) = (message, true);
    }

    /// Logs what is new; the last time at once.
    pub(super) fn log(&mut self, shared: &Shared, is_last: bool) {
        let Some(dropped) = self.news(Instant::now(), is_last, || shared.report().dropped.lost())
        else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::DropReason;

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
