//! Threads of our own: each with a runtime, whatever the host's, with telemetry suppressed, and silent.

use std::cell::RefCell;
use std::future::Future;

use opentelemetry::Context;
use tokio::runtime::Builder;

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
