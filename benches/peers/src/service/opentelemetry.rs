//! OpenTelemetry: the middleware of opentelemetry-rust-contrib over the SDK.

use std::io;
use std::sync::LazyLock;

use actix_web::{App, HttpRequest, web};
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{FutureExt, SpanKind, TraceContextExt, Tracer, get_active_span};
use opentelemetry::{Context, KeyValue};
use opentelemetry_instrumentation_actix_web::RequestTracing;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};

use super::orders::{self, NewOrder, PATH, Receipt, TENANT, UPDATE_STOCK};
use super::{BATCH_SPANS, Export, ServeArgs, otlp};
use crate::process::{self, Telemetry};

pub(super) fn serve(args: &ServeArgs) -> io::Result<()> {
    let provider = install(&args.export, args.ratio)?;
    process::run(args.workers, provider, || {
        App::new()
            .wrap(RequestTracing::new())
            .route(PATH, web::post().to(create))
    })
}

/// Records for the whole process.
pub(crate) fn install(export: &Export, ratio: f64) -> io::Result<SdkTracerProvider> {
    let batch = BatchConfigBuilder::default()
        .with_max_export_batch_size(BATCH_SPANS)
        .with_max_queue_size(export.queue)
        .with_scheduled_delay(export.schedule_delay())
        .build();
    let processor = BatchSpanProcessor::builder(otlp::exporter(export)?)
        .with_batch_config(batch)
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(otlp::resource())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            ratio,
        ))))
        .build();
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(provider)
}

async fn create(
    id: web::Path<i64>,
    order: web::Json<NewOrder>,
    request: HttpRequest,
) -> web::Json<Receipt> {
    get_active_span(|span| {
        if span.is_recording() {
            span.set_attributes([
                KeyValue::new("order.id", *id),
                KeyValue::new("order.sku", order.sku.clone()),
                KeyValue::new("order.amount", order.amount),
                KeyValue::new("order.express", order.express),
            ]);
            if let Some(tenant) = request
                .headers()
                .get(TENANT)
                .and_then(|id| id.to_str().ok())
            {
                span.set_attribute(KeyValue::new("tenant.id", tenant.to_owned()));
            }
        }
    });
    let left = reserve(order.quantity).await;
    web::Json(Receipt { order: *id, left })
}

async fn reserve(quantity: i64) -> i64 {
    static TRACER: LazyLock<BoxedTracer> = LazyLock::new(|| global::tracer("shop"));

    let span = TRACER
        .span_builder("reserve")
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", "sqlite"),
            KeyValue::new("db.query.text", UPDATE_STOCK),
            KeyValue::new("stock.quantity", quantity),
        ])
        .start(&*TRACER);
    orders::reserve(quantity)
        .with_context(Context::current_with_span(span))
        .await
}

impl Telemetry for SdkTracerProvider {
    fn flush(&self) -> io::Result<()> {
        otlp::flush(|| self.force_flush())
    }

    fn shutdown(&self) -> io::Result<()> {
        SdkTracerProvider::shutdown(self).map_err(io::Error::other)
    }
}
