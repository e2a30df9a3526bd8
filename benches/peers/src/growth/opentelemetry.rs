//! The work with OpenTelemetry's API and SDK.

use anyhow::Result;
use opentelemetry::global;
use opentelemetry::trace::{FutureExt, SpanBuilder, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::case::{Dimension, Operation};
use super::work::{self, Ring};

/// Returns how to flush.
pub(super) fn install(sink: &str) -> Result<impl Fn() + 'static> {
    let provider = crate::service::opentelemetry::install(sink, 1.0)?;
    Ok(move || {
        // A flush gives up after 5 s, though the export goes on.
        let flushed = (0..10).any(|_| provider.force_flush().is_ok());
        assert!(flushed, "the sink takes all spans");
    })
}

pub(super) fn operation(dimension: Dimension, size: usize) -> Operation {
    // Once, since to ask for a tracer allocates.
    let tracer = global::tracer("growth");
    match dimension {
        Dimension::Spans => Box::new(move || {
            tracer.in_span("spans", |_| {
                (1..size).for_each(|_| tracer.in_span("child", |_| ()));
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
                    tracer.build(SpanBuilder::from_name("attributes").with_attributes(attributes)),
                );
            })
        }
        Dimension::Value => {
            let text = "x".repeat(size);
            Box::new(move || {
                let attributes = [KeyValue::new("order.note", text.clone())];
                drop(tracer.build(SpanBuilder::from_name("value").with_attributes(attributes)));
            })
        }
        Dimension::Tasks => work::on_threads(move || tasks(size)),
        Dimension::Open => {
            let mut ring = Ring::new(size, move || {
                let cx = Context::current_with_span(tracer.start("open"));
                work::pause().with_context(cx)
            });
            Box::new(move || ring.turn())
        }
    }
}

fn tasks(number: usize) -> impl Future<Output = ()> {
    let tracer = global::tracer("growth");
    let cx = Context::current_with_span(tracer.start("tasks"));
    let task = move || {
        let tracer = global::tracer("growth");
        async move { drop(tracer.start("task")) }
    };
    async move {
        let tasks = (0..number).map(|_| tokio::spawn(task().with_current_context()));
        work::join(tasks.collect()).await;
    }
    .with_context(cx)
}
