//! What an export thread logs of losses and of outages.

use std::time::Duration;

use tokio::time::Instant;

use super::report::Dropped;
use super::tier::TierCounts;
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

/// Spans that were to be delivered and were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lost {
    dropped: Dropped,
    /// Nothing without tenants.
    by_tier: TierCounts,
}

/// From the first export that fails to the next that succeeds.
struct Outage {
    since: Instant,
    /// What had been lost before it.
    lost: Lost,
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
                if let Some((duration, lost)) = self.end(now, || lost(shared)) {
                    say_end(shared, duration, &lost);
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
    fn begin(&mut self, now: Instant, lost: impl FnOnce() -> Lost) -> bool {
        if self.outage.is_some() {
            return false;
        }
        let is_logged = self.outage_at.is_none_or(|at| now - at >= LOG_EVERY);
        if is_logged {
            self.outage_at = Some(now);
        }
        self.outage = Some(Outage {
            since: now,
            lost: lost(),
            is_logged,
        });
        is_logged
    }

    /// Ends the outage under way. Returns how long it took and what was lost meanwhile, if that is to be logged.
    fn end(&mut self, now: Instant, lost: impl FnOnce() -> Lost) -> Option<(Duration, Lost)> {
        let outage = self.outage.take().filter(|outage| outage.is_logged)?;
        let lost = lost();
        self.dropped = lost.dropped.total();
        Some((now - outage.since, lost.since(&outage.lost)))
    }

    /// The exporter itself could not flush or close.
    pub(super) fn trouble(&mut self, message: String) {
        (self.last_message, self.is_news) = (message, true);
    }

    /// Logs what is new; the last time at once.
    pub(super) fn log(&mut self, shared: &Shared, is_last: bool) {
        let Some(lost) = self.news(Instant::now(), is_last, || lost(shared)) else {
            return;
        };
        let (exporter, message) = (shared.exporter, &self.last_message);
        let shown = shown(shared, &lost);
        match (lost.dropped.total(), &**message) {
            (0, _) => diag::warn(format_args!("{exporter}: {message}")),
            (_, "") => diag::warn(format_args!("{exporter}: spans dropped so far: {shown}")),
            _ => diag::warn(format_args!(
                "{exporter}: spans dropped so far: {shown}; last trouble: {message}"
            )),
        }
    }

    /// What has been lost so far, if there is news and it is time to log it.
    fn news(&mut self, now: Instant, is_last: bool, lost: impl FnOnce() -> Lost) -> Option<Lost> {
        let is_soon = self.at.is_some_and(|at| now - at < LOG_EVERY);
        if is_soon && !is_last {
            return None;
        }
        let lost = lost();
        let dropped = lost.dropped.total();
        if !self.is_news && dropped == self.dropped {
            return None;
        }
        (self.dropped, self.at, self.is_news) = (dropped, Some(now), false);
        Some(lost)
    }
}

impl Lost {
    /// What was lost after `earlier`.
    fn since(&self, earlier: &Self) -> Self {
        Self {
            dropped: self.dropped.since(&earlier.dropped),
            by_tier: self.by_tier.since(&earlier.by_tier),
        }
    }
}

fn lost(shared: &Shared) -> Lost {
    let report = shared.report();
    let mut by_tier = TierCounts::default();
    for (i, tier) in report.tiers.iter().enumerate() {
        by_tier.add(i, tier.dropped.lost().total());
    }
    Lost {
        dropped: report.dropped.lost(),
        by_tier,
    }
}

/// For example `queue_full 90 (tier free 80, tier default 10)`.
fn shown(shared: &Shared, lost: &Lost) -> String {
    let mut text = lost.dropped.to_string();
    for (i, (tier, spans)) in lost.by_tier.iter().enumerate() {
        let name = shared.shards.tiers[tier].name.as_deref().unwrap_or("");
        let before = if i == 0 { " (" } else { ", " };
        text += &format!("{before}tier {name} {spans}");
    }
    if lost.by_tier.total() > 0 {
        text.push(')');
    }
    text
}

fn say_end(shared: &Shared, duration: Duration, lost: &Lost) {
    let tenths = duration.as_millis() / 100;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let again = format!(
        "{}: exports succeed again after {seconds}.{tenth} s",
        shared.exporter
    );
    match lost.dropped.total() {
        0 => diag::warn(format_args!("{again}; no spans were dropped meanwhile")),
        _ => diag::warn(format_args!(
            "{again}; spans dropped meanwhile: {}",
            shown(shared, lost)
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Batch;
    use crate::pipeline::DropReason;
    use crate::pipeline::shard::Shards;
    use crate::pipeline::tier::{Tier, TierSetup};
    use crate::recorder::MemoryBudget;

    #[test]
    fn an_outage_is_logged_when_it_begins_and_when_it_ends() {
        let (mut losses, start) = (LossLog::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let lost = |unreachable, queue_full| {
            let mut dropped = Dropped::default();
            dropped.add(DropReason::Unreachable, unreachable);
            dropped.add(DropReason::QueueFull, queue_full);
            Lost {
                dropped,
                ..Lost::default()
            }
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
    fn tiers_that_have_lost_spans_are_named() {
        let batch = Batch::default();
        let memory = Arc::new(MemoryBudget::new(usize::MAX));
        let setup = |name: &str| TierSetup {
            name: Some(name.into()),
            queue: 10,
            weight: 1,
        };
        let setups = ["vip", "free", "rest"].map(setup).to_vec();
        let tiers = Tier::all(setups, &batch, &memory);
        let shared = Shared::new("otlp", Shards::new(tiers, 10));
        let mut lost = lost(&shared);
        assert_eq!(shown(&shared, &lost), "");
        lost.dropped.add(DropReason::QueueFull, 90);
        assert_eq!(shown(&shared, &lost), "queue_full 90");
        lost.by_tier.add(1, 80);
        lost.by_tier.add(2, 10);
        let text = "queue_full 90 (tier free 80, tier rest 10)";
        assert_eq!(shown(&shared, &lost), text);
    }

    #[test]
    fn losses_are_logged_once_a_minute_at_most() {
        let (mut losses, start) = (LossLog::default(), Instant::now());
        let lost = |spans| {
            move || {
                let mut dropped = Dropped::default();
                dropped.add(DropReason::QueueFull, spans);
                Lost {
                    dropped,
                    ..Lost::default()
                }
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
