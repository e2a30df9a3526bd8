//! biztrace.

use std::io;

use actix_web::{App, web};
use biztrace::actix::RequestTracing;
use biztrace::opentelemetry::KeyValue;
use biztrace::settings::{Otlp, Sampler};
use biztrace::{biz_attrs, traced, traced_handler};

use super::orders::{self, NewOrder, PATH, Receipt, UPDATE_STOCK};
use super::{BATCH_SPANS, Export, Protocol, SERVICE_NAME, ServeArgs};
use crate::process::{self, Telemetry};

pub(super) fn serve(args: &ServeArgs) -> io::Result<()> {
    let telemetry = install(&args.export, args.ratio)?;
    process::run(args.workers, telemetry, || {
        App::new()
            .wrap(RequestTracing::default())
            .route(PATH, web::post().to(create))
    })
}

/// Records for the whole process.
pub(crate) fn install(export: &Export, ratio: f64) -> io::Result<biztrace::Telemetry> {
    let otlp = match export.protocol {
        Protocol::Http => Otlp::http(&export.sink),
        Protocol::Grpc => Otlp::grpc(&export.sink),
    };
    biztrace::Telemetry::builder()
        .resource([KeyValue::new("service.name", SERVICE_NAME)])
        .otlp(otlp)
        .sampler(Sampler::trace_id_ratio(ratio).parent_based())
        .max_export_batch_size(BATCH_SPANS)
        .max_queue_size(export.queue)
        .schedule_delay(export.schedule_delay())
        .install()
        .map_err(io::Error::other)
}

#[traced_handler]
#[biz_attrs(
    order.id = *id,
    order.sku = order.sku,
    order.amount = order.amount,
    order.express = order.express,
    tenant.id = header("x-tenant-id"),
)]
async fn create(id: web::Path<i64>, order: web::Json<NewOrder>) -> web::Json<Receipt> {
    let left = reserve(order.quantity).await;
    web::Json(Receipt { order: *id, left })
}

#[traced(
    kind = "client",
    attrs(db.system.name = "sqlite", db.query.text = UPDATE_STOCK, stock.quantity = quantity)
)]
async fn reserve(quantity: i64) -> i64 {
    orders::reserve(quantity).await
}

impl Telemetry for biztrace::Telemetry {
    fn flush(&self) -> io::Result<()> {
        self.force_flush_blocking();
        Ok(())
    }

    fn report(&self) -> String {
        self.report().to_string()
    }

    fn shutdown(&self) -> io::Result<()> {
        self.shutdown_blocking();
        Ok(())
    }
}
