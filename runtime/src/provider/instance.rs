//! What the handles of an instance share, and what becomes of it when the last handle is gone.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task;

use super::description::Description;
use crate::diag;
use crate::pipeline::{Flushing, Pipeline, Report};
use crate::recorder::{Recorder, Waiting};
use crate::thread::Poller;

pub(super) struct Instance {
    pub(super) recorder: Arc<Recorder>,
    /// One for each exporter.
    pub(super) pipelines: Vec<Pipeline>,
    /// Of samplers that a server sets.
    pub(super) pollers: Vec<Poller>,
    pub(super) shutdown_timeout: Duration,
    pub(super) description: Description,
}

impl Instance {
    pub(super) fn report(&self) -> Report {
        Report {
            incomplete_heads: self.recorder.incomplete_heads(),
            unsampled_by_callers: self.recorder.unsampled_by_callers(),
            ..self.pipelines.iter().map(Pipeline::report).collect()
        }
    }

    /// Asks all export threads before the first is waited for.
    pub(super) fn flush(&self, timeout: Duration, close: bool) -> Vec<Flushing> {
        let pipelines = self.pipelines.iter();
        if !close {
            return pipelines.map(|pipeline| pipeline.flush(timeout)).collect();
        }
        self.recorder.close();
        self.pollers.iter().for_each(Poller::stop);
        pipelines.map(|pipeline| pipeline.close(timeout)).collect()
    }
}

/// Libraries may keep tracers of an instance that is gone: they record nothing any more.
impl Drop for Instance {
    fn drop(&mut self) {
        self.recorder.close();
        // The export threads, which send the rest, do not find the recorder any more.
        self.recorder.hand_over(Waiting::All, usize::MAX);
    }
}

/// Waits until all is done and said: the process may end after that. Says what it waits for if that takes longer than [`QUIET`].
pub(super) fn wait_for(flushing: Vec<Flushing>) {
    let soon = Instant::now() + QUIET;
    for waited_for in &flushing {
        if !waited_for.is_over_by(soon) {
            waited_for.tell();
        }
    }
    flushing.into_iter().for_each(Flushing::wait);
    diag::settle();
}

/// What takes longer looks as if it hangs.
const QUIET: Duration = Duration::from_secs(1);

/// What the application has of an instance. The process keeps an installed instance besides.
pub(super) struct Handle(pub(super) Arc<Instance>);

impl Deref for Handle {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0
    }
}

/// How long the thread that drops the last handle waits.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// Nobody has called `shutdown`: the process may be about to end.
impl Drop for Handle {
    fn drop(&mut self) {
        if self.recorder.is_closed() || self.pipelines.is_empty() {
            return;
        }
        let is_installed = Arc::strong_count(&self.0) > 1;
        let may_wait = may_wait();
        // In a task the export threads of an instance that ends send the rest by themselves.
        if self.report().waiting > 0 && (is_installed || may_wait) {
            let flushing = self.flush(DROP_TIMEOUT, !is_installed);
            if may_wait {
                flushing.into_iter().for_each(Flushing::wait);
            }
        }
        let report = self.report();
        if is_installed && report.recorded == 0 {
            // The process may be about to end by an error, which has the first word.
            self.recorder.leave_unattended();
        } else if is_installed {
            diag::warn(format_args!(
                "telemetry was dropped without a shutdown: {report}. Spans that wait or come later are lost when the process ends. Keep \
                 `Telemetry`, and call `shutdown` at the end of `main`"
            ));
        }
        if may_wait {
            diag::settle();
        }
    }
}

/// Not in a task, which would hold up others of its runtime. The future of a runtime's `block_on`, for example `main`, is not a task.
fn may_wait() -> bool {
    task::try_id().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_of_a_handle_does_not_wait_in_a_task() {
        assert!(may_wait());
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().unwrap();
        runtime.block_on(async {
            assert!(may_wait(), "as in `main`");
            let spawned = task::spawn(async { may_wait() });
            assert!(!spawned.await.unwrap());
        });
    }
}
