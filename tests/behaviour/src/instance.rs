//! Telemetry of a test's own.

use std::future::Future;

use biztrace::actix::RequestTracing;
use biztrace::opentelemetry::trace::{
    FutureExt, TraceContextExt, Tracer as _, TracerProvider as _,
};
use biztrace::otel::Tracer;
use biztrace::report::Report;
use biztrace::{Telemetry, TelemetryBuilder};
use opentelemetry::Context;

use crate::{Receiver, Spans, eventually};

/// A telemetry instance that sends to a receiver beside it.
#[derive(Debug)]
pub struct Instance {
    /// The instance.
    pub telemetry: Telemetry,
    /// Where its spans arrive.
    pub receiver: Receiver,
}

impl Default for Instance {
    fn default() -> Self {
        Self::new(|settings| settings)
    }
}

impl Instance {
    /// An instance with some settings changed.
    pub fn new(settings: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder) -> Self {
        Self::sending_to(Receiver::default(), settings)
    }

    /// An instance that sends to `receiver`.
    ///
    /// # Panics
    ///
    /// If the settings are wrong.
    pub fn sending_to(
        receiver: Receiver,
        settings: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
    ) -> Self {
        let url = receiver.url();
        let settings = |builder: TelemetryBuilder| settings(builder.otlp(url));
        Self {
            receiver,
            ..Self::exporting(settings)
        }
    }

    /// An instance whose settings say where spans go.
    ///
    /// # Panics
    ///
    /// If the settings are wrong.
    pub fn exporting(settings: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder) -> Self {
        let builder = Telemetry::builder().service("behaviour", "1.2.3");
        let telemetry = settings(builder)
            .build()
            .expect("settings of a test are right");
        Self {
            telemetry,
            receiver: Receiver::default(),
        }
    }

    /// The middleware, recording here.
    #[must_use]
    pub fn tracing(&self) -> RequestTracing {
        RequestTracing::default().tracer_provider(self.telemetry.tracer_provider())
    }

    /// The tracer of a library that is instrumented with the OpenTelemetry API.
    #[must_use]
    pub fn tracer(&self) -> Tracer {
        self.telemetry.tracer_provider().tracer("library")
    }

    /// Runs `future` under a span named `root`, which ends with it.
    pub async fn under_root<F: Future>(&self, future: F) -> F::Output {
        let root = self.tracer().start("root");
        let cx = Context::current_with_span(root);
        let output = future.with_context(cx.clone()).await;
        cx.span().end();
        output
    }

    /// Waits until `count` spans have ended, shuts down, and returns them: these and no more were recorded, and all of
    /// them have arrived.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub async fn spans(&self, count: u64) -> Spans {
        let spans = self.report_of(count).await;
        assert_eq!(
            (spans.delivered, spans.dropped.total()),
            (count, 0),
            "{spans}"
        );
        let spans = self.receiver.spans();
        assert_eq!(spans.len() as u64, count);
        spans
    }

    /// Waits until `count` spans have ended, shuts down, and returns what became of them. The books balance.
    ///
    /// # Panics
    ///
    /// If they do not, or if there are more spans.
    pub async fn report_of(&self, count: u64) -> Report {
        eventually(&format!("{count} spans recorded"), || {
            self.telemetry.report().recorded >= count
        })
        .await;
        let report = self.telemetry.shutdown().await;
        assert_eq!((report.recorded, report.waiting), (count, 0), "{report}");
        assert_eq!(report.delivered + report.dropped.total(), count, "{report}");
        report
    }
}
