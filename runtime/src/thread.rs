//! Threads of our own: each with a runtime, whatever the host's, with telemetry suppressed, and silent.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use opentelemetry::Context;
use tokio::runtime::Builder;
use tokio::sync::Notify;

use crate::diag::Muted;
use crate::error::Error;

/// Has a thread of that name run the future that `work` makes there. Nobody waits for its end.
pub(crate) fn spawn<F>(name: &str, work: impl FnOnce() -> F + Send + 'static) -> Result<(), Error>
where
    F: Future<Output = ()>,
{
    let runtime = Builder::new_current_thread()
        .enable_all()
        .on_thread_unpark(mute)
        .build()
        .map_err(Error::Thread)?;
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            mute();
            runtime.block_on(async { work().await });
        })
        .map_err(Error::Thread)?;
    Ok(())
}

/// Has this thread tell `tracing` nothing from now on. A client's events while it exports would hold up the export if a subscriber
/// blocks, end it if one panics, and never end if one exports them.
fn mute() {
    thread_local! {
        static MUTED: RefCell<Option<Muted>> = const { RefCell::new(None) };
    }
    // A subscriber may be set long after the thread has started.
    MUTED.with_borrow_mut(|muted| {
        if muted.is_none() {
            *muted = Muted::new();
        }
    });
}

/// A thread that polls. It ends when this is told to stop, or dropped; nobody waits for that.
#[derive(Debug)]
pub(crate) struct Poller(Arc<Notify>);

impl Poller {
    #[cfg_attr(
        not(feature = "otlp-grpc"),
        allow(dead_code, reason = "only servers over gRPC are polled")
    )]
    pub(crate) fn start<F>(name: &str, poll: F) -> Result<Self, Error>
    where
        F: Future<Output = Infallible> + Send + 'static,
    {
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        spawn(name, move || async move {
            tokio::select! {
                () = stopped.notified() => {}
                never = poll => match never {},
            }
        })?;
        Ok(Self(stop))
    }

    pub(crate) fn stop(&self) {
        self.0.notify_one();
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.stop();
    }
}
