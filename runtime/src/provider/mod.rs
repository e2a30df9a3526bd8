//! Set-up: the one place that sees recorder, pipeline and exporters together.

mod builder;
mod created_files;
mod description;
mod exporters;
mod instance;
mod named;
mod resource;
mod samplers;
mod start;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use opentelemetry::global;
use tokio::sync::oneshot;

pub use self::builder::TelemetryBuilder;
pub use self::description::{Description, Setting};

use self::instance::{Handle, Instance, wait_for};
use crate::diag::{self, Muted};
use crate::error::Error;
use crate::pipeline::{Flushing, Report};
use crate::recorder::{self, TracerProvider};

/// Sets up telemetry for this process from the `OTEL_*` environment variables, and installs it.
///
/// Without an exporter or an endpoint in the environment, traces are shown as trees where stderr is a terminal, and sent to
/// `http://localhost:4318` where it is not. An unknown value of a variable is logged as a warning and ignored, as the
/// OpenTelemetry specification has it.
///
/// Shut it down before `main` returns, by whatever way: spans are sent every few seconds, and the last ones are lost otherwise.
/// [`Telemetry::shutdown_after`] runs a server and shuts down after it.
///
/// # Errors
///
/// If telemetry has been installed before, or cannot work with its settings.
///
/// ```no_run
/// let telemetry = biztrace::init()?;
/// // serve …
/// println!("{}", telemetry.shutdown_blocking());
/// # Ok::<(), biztrace::Error>(())
/// ```
pub fn init() -> Result<Telemetry, Error> {
    Telemetry::builder().install()
}

/// A telemetry instance: what records spans and the thread that exports them. Clones are handles of the same instance.
///
/// An installed instance serves the whole process until it is shut down. One that is only built serves what it is given to,
/// [`RequestTracing`](crate::actix::RequestTracing) or a library; it ends with its last handle.
///
/// If the last handle is dropped without a [`shutdown`](Self::shutdown), it sends what has ended, and waits two seconds at most, but
/// not in a task of a tokio runtime. A warning says what is lost; if nothing was recorded so far, with the first span that is.
#[derive(Clone)]
#[must_use = "shut it down at the end, or the last spans are lost"]
pub struct Telemetry(Arc<Handle>);

/// Neither settings nor spans: `describe` and `report` show them without secrets.
impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

impl Telemetry {
    /// What is active, and where each setting came from; secrets are masked. [`init`] and [`TelemetryBuilder::install`] log it in one
    /// line, as soon as `tracing` or `log` is set up. If neither is after five seconds, it is on stderr.
    #[must_use]
    pub fn describe(&self) -> &Description {
        &self.0.description
    }

    /// What became of the spans recorded so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.0.report()
    }

    /// Sends all that has ended by now, but for traces that wait for what [`TelemetryBuilder::keep`] says, and returns when that is done or the shutdown's timeout is over. Reports what became
    /// of all spans. For the end of a batch job, or before a process is frozen; a service need not call it.
    pub async fn force_flush(&self) -> Report {
        self.finish(false).await
    }

    /// Like [`force_flush`](Self::force_flush), for code that is not async. Blocks the thread.
    pub fn force_flush_blocking(&self) -> Report {
        self.finish_blocking(false)
    }

    /// Sends what is left and ends the export thread, within the timeout that the builder set (10 s). Reports what became
    /// of all spans. Works on any runtime. A second shutdown only reports.
    ///
    /// Spans that are open then, or start later, are not recorded. An exporter that is stuck in a call, for example a write to a
    /// console that nobody reads, is abandoned half a second after the timeout, and what it has not written is dropped. To log that
    /// may take as long again.
    pub async fn shutdown(&self) -> Report {
        self.finish(true).await
    }

    /// Like [`shutdown`](Self::shutdown), for code that is not async. Blocks the thread.
    pub fn shutdown_blocking(&self) -> Report {
        self.finish_blocking(true)
    }

    /// Runs `work`, for example an HTTP server, to its end, then [shuts down](Self::shutdown), and logs the report. Returns what `work`
    /// returns.
    ///
    /// ```no_run
    /// use actix_web::{App, HttpServer};
    /// use biztrace::actix::RequestTracing;
    ///
    /// #[actix_web::main]
    /// async fn main() -> std::io::Result<()> {
    ///     let telemetry = biztrace::init().expect("telemetry settings");
    ///     let server = HttpServer::new(|| App::new().wrap(RequestTracing::default()))
    ///         .bind("127.0.0.1:8080")?
    ///         .run();
    ///     telemetry.shutdown_after(server).await
    /// }
    /// ```
    pub async fn shutdown_after<F: IntoFuture>(&self, work: F) -> F::Output {
        let output = work.await;
        diag::info(format_args!("{}", self.shutdown().await));
        diag::settle();
        output
    }

    async fn finish(&self, close: bool) -> Report {
        let flushing = self.flush(close);
        let (done, wait) = oneshot::channel();
        // Whatever the host's runtime has or has not, a thread keeps the deadline.
        let waiter = std::thread::Builder::new()
            .name("biztrace-flush".into())
            .spawn(move || {
                wait_for(flushing);
                let _ = done.send(());
            });
        // Where the system gives no thread, there is nothing to wait for: the report says what is on its way.
        if waiter.is_ok() {
            let _ = wait.await;
        }
        self.report()
    }

    fn finish_blocking(&self, close: bool) -> Report {
        wait_for(self.flush(close));
        self.report()
    }

    fn flush(&self, close: bool) -> Vec<Flushing> {
        self.0.flush(self.0.shutdown_timeout, close)
    }

    /// The provider of tracers for libraries that use the OpenTelemetry API, for example `tracing-opentelemetry`. After
    /// [`TelemetryBuilder::install`] it is the global one too.
    ///
    /// ```
    /// use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    ///
    /// let telemetry = biztrace::Telemetry::builder().build()?;
    /// let tracer = telemetry.tracer_provider().tracer("my-library");
    /// tracer.in_span("work", |_cx| { /* … */ });
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    #[must_use]
    pub fn tracer_provider(&self) -> TracerProvider {
        TracerProvider::new(Arc::clone(&self.0.recorder))
    }
}

fn set_global(telemetry: &Telemetry) {
    // The API tells of it while it holds its lock: a subscriber that blocks or panics would leave nobody a tracer.
    let _muted = Muted::new();
    global::set_tracer_provider(telemetry.tracer_provider());
    global::set_text_map_propagator(telemetry.0.recorder.propagators().clone());
}

/// Keeps the installed instance for the life of the process.
static INSTALLED: OnceLock<Arc<Instance>> = OnceLock::new();

fn install(build: impl FnOnce() -> Result<Telemetry, Error>) -> Result<Telemetry, Error> {
    // Checked first, so that no second export thread starts.
    if INSTALLED.get().is_some() {
        return Err(Error::AlreadyInstalled);
    }
    let telemetry = build()?;
    INSTALLED
        .set(Arc::clone(&telemetry.0.0))
        .map_err(|_| Error::AlreadyInstalled)?;
    recorder::install(&telemetry.0.recorder);
    set_global(&telemetry);
    diag::summary(format_args!("{}", telemetry.describe()));
    Ok(telemetry)
}
