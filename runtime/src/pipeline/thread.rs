//! Threads of our own: each with a runtime, whatever the host's, and with telemetry suppressed.

use std::future::Future;

use opentelemetry::Context;
use tokio::runtime::Builder;

use crate::error::Error;

/// Has a thread of that name run the future that `work` makes there. Nobody waits for its end.
pub(crate) fn spawn<F>(name: &str, work: impl FnOnce() -> F + Send + 'static) -> Result<(), Error>
where
    F: Future<Output = ()>,
{
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Thread)?;
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            runtime.block_on(async { work().await });
        })
        .map_err(Error::Thread)?;
    Ok(())
}
