//! The thread that keeps the strategy of a remote sampler up to date.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::error::Error;
use crate::pipeline::thread;

/// A thread that polls. It ends when this is told to stop, or dropped; nobody waits for that.
#[derive(Debug)]
pub(super) struct Poller(Arc<Notify>);

impl Poller {
    pub(super) fn start<F>(poll: F) -> Result<Self, Error>
    where
        F: Future<Output = Infallible> + Send + 'static,
    {
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        thread::spawn("biztrace-sampler", move || async move {
            tokio::select! {
                () = stopped.notified() => {}
                never = poll => match never {},
            }
        })?;
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
