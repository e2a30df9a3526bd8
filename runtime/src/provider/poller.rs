//! The thread that keeps the strategy of a remote sampler up to date.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::thread;

use opentelemetry::Context;
use tokio::sync::Notify;

use crate::error::Error;

/// A thread that polls. It ends when this is told to stop, or dropped; nobody waits for that.
#[derive(Debug)]
pub(super) struct Poller(Arc<Notify>);

impl Poller {
    /// Starts a thread, with a runtime of its own and telemetry suppressed.
    pub(super) fn start<F>(poll: F) -> Result<Self, Error>
    where
        F: Future<Output = Infallible> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        thread::Builder::new()
            .name("biztrace-sampler".into())
            .spawn(move || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                runtime.block_on(async {
                    tokio::select! {
                        () = stopped.notified() => {}
                        never = poll => match never {},
                    }
                });
            })
            .map_err(Error::Thread)?;
        Ok(Self(stop))
    }

    pub(super) fn stop(&self) {
        self.0.notify_one();
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.stop();
    }
}
