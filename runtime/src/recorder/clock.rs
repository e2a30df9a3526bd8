//! Time, injected so that tests can simulate it.

use std::fmt::Debug;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where a recorder reads the time.
pub(crate) trait Clock: Debug + Send + Sync {
    /// The time of day: it may jump.
    fn wall(&self) -> SystemTime;
    /// A clock that never goes back.
    fn monotonic(&self) -> Instant;
}

/// The clocks of the operating system.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

/// The clock of one trace: the time of day at its start, then only monotonic steps from there, so that no span of the
/// trace ends before it starts, whatever happens to the time of day meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceClock {
    start: u64,
    anchor: Instant,
}

/// A timestamp this close to the time of day was taken as "now" by a caller that has no access to the trace's clock.
const NOW: u64 = 50_000;

impl TraceClock {
    pub(crate) fn start(clock: &dyn Clock) -> Self {
        Self {
            start: unix_nanos(clock.wall()),
            anchor: clock.monotonic(),
        }
    }

    /// When the trace started, in nanoseconds since the Unix epoch.
    pub(crate) fn start_time(&self) -> u64 {
        self.start
    }

    /// Nanoseconds since the Unix epoch.
    pub(crate) fn now(&self, clock: &dyn Clock) -> u64 {
        let elapsed = clock.monotonic().saturating_duration_since(self.anchor);
        self.start.saturating_add(elapsed.as_nanos() as u64)
    }

    /// A timestamp given by a caller. The OpenTelemetry API reads the time of day itself where its user means "now":
    /// such a timestamp is taken from the trace's clock instead.
    pub(crate) fn given(&self, time: SystemTime, clock: &dyn Clock) -> u64 {
        let time = unix_nanos(time);
        if unix_nanos(clock.wall()).abs_diff(time) < NOW {
            self.now(clock)
        } else {
            time
        }
    }
}

fn unix_nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::doubles::SimulatedClock;
    use super::*;

    #[test]
    fn a_step_back_of_the_time_of_day_does_not_reach_a_trace() {
        let noon = UNIX_EPOCH + Duration::from_secs(43_200);
        let clock = SimulatedClock::at(noon);
        let trace = TraceClock::start(&clock);
        clock.set_back(Duration::from_secs(3600));
        clock.pass(Duration::from_millis(5));
        assert_eq!(trace.now(&clock), unix_nanos(noon) + 5_000_000);
        assert_eq!(
            trace.given(clock.wall(), &clock),
            trace.now(&clock),
            "now, as the API says it"
        );
        let long_ago = noon - Duration::from_secs(7200);
        assert_eq!(
            trace.given(long_ago, &clock),
            unix_nanos(long_ago),
            "a time the caller really means"
        );
    }
}
