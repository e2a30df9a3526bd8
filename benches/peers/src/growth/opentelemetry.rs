//! The work with OpenTelemetry's API and SDK.

use std::sync::LazyLock;

use anyhow::Result;
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{FutureExt, SpanBuilder, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::case::{Dimension, Operation};
use super::work::{self, Ring};
use crate::service::{self, Export, otlp};

/// Asked for once, since that allocates.
static TRACER: LazyLock<BoxedTracer> = LazyLock::new(|| global::tracer("growth"));

/// Returns how to flush.
pub(super) fn install(sink: &str) -> Result<impl Fn() + 'static> {
    let provider = service::opentelemetry::install(&Export::to(sink), 1.0)?;
    Ok(move || otlp::flush(|| provider.force_flush()).expect("the sink takes all spans"))
}

pub(super) fn operation(dimension: Dimension, size: usize) -> Operation {
    match dimension {
        Dimension::Spans => Box::new(move || {
            TRACER.in_span("spans", |_| {
                (1..size).for_each(|_| TRACER.in_span("child", |_| ()));
            });
        }),
        Dimension::Attributes => {
            let keys: Vec<&'static str> =
                (0..size).map(|n| &*format!("number.a{n}").leak()).collect();
            let mut number = 0;
            Box::new(move || {
                number += 1;
                let attributes = keys.iter().map(|key| KeyValue::new(*key, number));
                drop(
                    TRACER.build(SpanBuilder::from_name("attributes").with_attributes(attributes)),
                );
            })
        }
        Dimension::Value => {
            let text = "x".repeat(size);
            Box::new(move || {
                let attributes = [KeyValue::new("order.note", text.clone())];
                drop(TRACER.build(SpanBuilder::from_name("value").with_attributes(attributes)));
            })
        }
        Dimension::Tasks => work::on_threads(move || tasks(size)),
        Dimension::Open => {
            let mut ring = Ring::new(size, move || {
                let cx = Context::current_with_span(TRACER.start("open"));
                work::pause().with_context(cx)
            });
            Box::new(move || ring.turn())
        }
    }
}

fn tasks(number: usize) -> impl Future<Output = ()> {
    let cx = Context::current_with_span(TRACER.start("tasks"));
    async move {
        let tasks = (0..number).map(|_| tokio::spawn(task().with_current_context()));
        work::join(tasks.collect()).await;
    }
    .with_context(cx)
}

async fn task() {
    drop(TRACER.start("task"));
}
