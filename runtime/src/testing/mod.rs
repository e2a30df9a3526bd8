//! Captures the spans of one test, in parallel tests too.
//!
//! ```
//! use biztrace::testing::Capture;
//! use biztrace::traced;
//!
//! #[traced(attrs(cart.items = items.len()))]
//! fn price(items: &[u32]) -> u32 {
//!     items.iter().sum()
//! }
//!
//! let capture = Capture::new();
//! capture.scope_sync(|| price(&[3, 4]));
//! capture.span("price").assert_tag("cart.items", 2);
//! ```

mod span;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::FutureExt;

pub use self::span::CapturedSpan;

use crate::config::Batch;
use crate::exporter::in_memory::InMemoryExporter;
use crate::pipeline::{Pipeline, Report, Setup, TierSetup};
use crate::provider::TelemetryBuilder;
use crate::recorder::{self, Mode, Recorder, TracerProvider};

/// Records the spans of what runs in its scope, instead of the installed telemetry.
///
/// The scope is that of the OpenTelemetry context: it reaches what is awaited, not tasks and threads that are spawned. A
/// server on threads of its own is given [`tracer_provider`](Self::tracer_provider).
///
/// A request's span ends with its response's body: read it, as below, or the span says that its client gave up.
///
/// ```
/// # #[actix_web::main]
/// # async fn main() {
/// use actix_web::{App, get, test};
/// use biztrace::{actix::RequestTracing, testing::Capture, traced_handler};
///
/// #[get("/stock/{sku}")]
/// #[traced_handler]
/// async fn stock() -> &'static str {
///     "7"
/// }
///
/// let capture = Capture::new();
/// capture
///     .scope(async {
///         let app = test::init_service(App::new().wrap(RequestTracing::default()).service(stock)).await;
///         let request = test::TestRequest::get().uri("/stock/a-1").to_request();
///         test::call_and_read_body(&app, request).await;
///     })
///     .await;
/// capture.span("GET /stock/{sku}").assert_tag("http.response.status_code", 200);
/// # }
/// ```
#[derive(Debug)]
pub struct Capture {
    recorder: Arc<Recorder>,
    pipeline: Pipeline,
    memory: InMemoryExporter,
}

/// More spans than a test makes.
const QUEUE: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Capture {
    fn default() -> Self {
        Self::new()
    }
}

impl Capture {
    /// Captures all spans, within the default limits.
    ///
    /// # Panics
    ///
    /// If the operating system starts no more threads.
    #[must_use]
    pub fn new() -> Self {
        Self::with(TelemetryBuilder::default())
    }

    /// Captures with the settings of the service that is tested: its sampler, limits, tags and propagators, how it records errors
    /// and protects values. Its exporters and its resource make no difference, and the environment is not read. A sampler whose
    /// strategy a server sets keeps to its initial rate.
    ///
    /// ```
    /// use biztrace::{Telemetry, tag, testing::Capture, traced};
    /// use biztrace::settings::PiiPolicy;
    ///
    /// #[traced]
    /// fn sign_in(user: &str) {
    ///     tag!(#[pii] user.name = user);
    /// }
    ///
    /// let capture = Capture::with(Telemetry::builder().pii(PiiPolicy::Keep));
    /// capture.scope_sync(|| sign_in("ada"));
    /// capture.span("sign_in").assert_tag("user.name", "ada");
    /// ```
    ///
    /// # Panics
    ///
    /// If a setting is wrong, or the operating system starts no more threads.
    #[must_use]
    #[track_caller]
    pub fn with(builder: TelemetryBuilder) -> Self {
        let mut builder = builder;
        if let Err(error) = builder.settle() {
            panic!("{error}");
        }
        let propagators = builder.take_propagators();
        let (settings, ids) = (builder.settings, builder.ids);
        let memory = InMemoryExporter::default();
        let exporter = memory.clone();
        let limit = Arc::new(recorder::MemoryBudget::new(settings.limits.limits.memory));
        let setup = Setup {
            batch: Batch {
                max_queue_size: QUEUE,
                ..Batch::default()
            },
            resource: Vec::new(),
            memory: Arc::clone(&limit),
            tiers: TierSetup::only(QUEUE),
        };
        let pipeline =
            Pipeline::start("memory", setup, || exporter).expect("a test can start a thread");
        let sink = pipeline.sink();
        let recorder = Recorder::new(Mode::Record, settings, propagators, limit, sink);
        let recorder = Arc::new(match ids {
            Some(ids) => recorder.with_ids(ids),
            None => recorder,
        });
        pipeline.watch(&recorder);
        Self {
            recorder,
            pipeline,
            memory,
        }
    }

    /// Runs `future` in the scope.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        future.with_context(self.context()).await
    }

    /// Runs `f` in the scope.
    pub fn scope_sync<R>(&self, f: impl FnOnce() -> R) -> R {
        let _scope = self.context().attach();
        f()
    }

    fn context(&self) -> Context {
        recorder::with_recorder(&Context::current(), Arc::clone(&self.recorder))
    }

    /// For what runs elsewhere: a server, or a library that uses the OpenTelemetry API.
    #[must_use]
    pub fn tracer_provider(&self) -> TracerProvider {
        TracerProvider::new(Arc::clone(&self.recorder))
    }

    /// What became of the spans so far.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            incomplete_heads: self.recorder.incomplete_heads(),
            unsampled_by_callers: self.recorder.unsampled_by_callers(),
            ..[self.pipeline.report()].into_iter().collect()
        }
    }

    /// All spans that have ended, in the order in which they were handed over: the spans of one trace together.
    #[must_use]
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.pipeline.flush(TIMEOUT).wait();
        CapturedSpan::all(self.memory.spans())
    }

    /// The one span of that name.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one. The message lists what there is.
    #[must_use]
    #[track_caller]
    pub fn span(&self, name: &str) -> CapturedSpan {
        let all = self.spans();
        let mut named = all.iter().filter(|span| span.name() == name);
        match (named.next(), named.next()) {
            (Some(span), None) => span.clone(),
            (found, _) => {
                let problem = if found.is_none() {
                    "no span is"
                } else {
                    "several spans are"
                };
                let list: String = all.iter().map(|span| format!("\n  {span}")).collect();
                let list = if list.is_empty() { " none" } else { &list };
                panic!(
                    "{problem} called {name:?}; captured are:{list}\n\
                     (a request's span ends with its response's body: has it been read or dropped?)"
                );
            }
        }
    }
}
