//! tokio's tracing: the middleware of tracing-actix-web, bridged to OpenTelemetry's SDK by tracing-opentelemetry.
//!
//! tracing-actix-web 0.7.25 works with opentelemetry up to 0.32, so this variant is on that, SDK and exporter included.

use std::io;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{App, Error, web};
use opentelemetry_0_32::global;
use opentelemetry_0_32::trace::TracerProvider;
use opentelemetry_otlp_0_32::{SpanExporter, WithExportConfig};
use opentelemetry_sdk_0_32::Resource;
use opentelemetry_sdk_0_32::propagation::TraceContextPropagator;
use opentelemetry_sdk_0_32::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Span, record_all};
use tracing_actix_web::{
    DefaultRootSpanBuilder, RootSpan, RootSpanBuilder, TracingLogger, root_span,
};
use tracing_subscriber::layer::SubscriberExt;

use super::orders::{self, NewOrder, PATH, Receipt, TENANT, UPDATE_STOCK};
use super::{BATCH_SPANS, Export, Protocol, SERVICE_NAME, ServeArgs, otlp};
use crate::process::{self, Telemetry};

pub(super) fn serve(args: &ServeArgs) -> io::Result<()> {
    let provider = provider(args)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    // Without what the other variants do not record either: source locations, threads, busy and idle times, and targets.
    // Nor is the span made OpenTelemetry's current one, as nothing here asks for that.
    let layer = tracing_opentelemetry_0_33::layer()
        .with_tracer(provider.tracer(SERVICE_NAME))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_context_activation(false);
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(layer);
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    process::run(args.workers, provider, || {
        App::new()
            .wrap(TracingLogger::<OrderSpan>::new())
            .route(PATH, web::post().to(create))
    })
}

fn provider(args: &ServeArgs) -> io::Result<SdkTracerProvider> {
    let batch = BatchConfigBuilder::default()
        .with_max_export_batch_size(BATCH_SPANS)
        .with_max_queue_size(args.export.queue)
        .with_scheduled_delay(args.export.schedule_delay())
        .build();
    let processor = BatchSpanProcessor::builder(exporter(&args.export)?)
        .with_batch_config(batch)
        .build();
    Ok(SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(Resource::builder().with_service_name(SERVICE_NAME).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            args.ratio,
        ))))
        .build())
}

/// What [`otlp::exporter`] makes, of this version.
fn exporter(export: &Export) -> io::Result<SpanExporter> {
    let sink = &export.sink;
    let exporter = match export.protocol {
        Protocol::Http => SpanExporter::builder()
            .with_http()
            .with_protocol(opentelemetry_otlp_0_32::Protocol::HttpBinary)
            .with_endpoint(format!("{sink}/v1/traces"))
            .build(),
        Protocol::Grpc => {
            let _within = otlp::RUNTIME.enter();
            SpanExporter::builder()
                .with_tonic()
                .with_endpoint(sink)
                .build()
        }
    };
    exporter.map_err(io::Error::other)
}

/// The fields of a request's span: all of them have to be named when it starts.
struct OrderSpan;

impl RootSpanBuilder for OrderSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let tenant = request
            .headers()
            .get(TENANT)
            .and_then(|id| id.to_str().ok());
        root_span!(
            request,
            tenant.id = tenant,
            order.id = Empty,
            order.sku = Empty,
            order.amount = Empty,
            order.express = Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        DefaultRootSpanBuilder::on_request_end(span, outcome);
    }
}

async fn create(
    id: web::Path<i64>,
    order: web::Json<NewOrder>,
    span: RootSpan,
) -> web::Json<Receipt> {
    record_all!(
        span,
        order.id = *id,
        order.sku = order.sku.as_str(),
        order.amount = order.amount,
        order.express = order.express,
    );
    let left = reserve(order.quantity).await;
    web::Json(Receipt { order: *id, left })
}

#[tracing::instrument(
    skip_all,
    fields(
        otel.kind = "client",
        db.system.name = "sqlite",
        db.query.text = UPDATE_STOCK,
        stock.quantity = quantity,
    )
)]
async fn reserve(quantity: i64) -> i64 {
    orders::reserve(quantity).await
}

impl Telemetry for SdkTracerProvider {
    fn flush(&self) -> io::Result<()> {
        otlp::flush(|| self.force_flush())
    }

    fn shutdown(&self) -> io::Result<()> {
        SdkTracerProvider::shutdown(self).map_err(io::Error::other)
    }
}
