//! The work with this crate's macros.

use anyhow::Result;
use biztrace::opentelemetry::trace::FutureExt;
use biztrace::traced;

use super::case::{Dimension, Operation};
use super::work::{self, Ring};
use crate::service::{self, Export};

/// Returns how to flush.
pub(super) fn install(sink: &str) -> Result<impl Fn() + 'static> {
    let telemetry = service::biztrace::install(&Export::to(sink), 1.0)?;
    Ok(move || _ = telemetry.force_flush_blocking())
}

pub(super) fn operation(dimension: Dimension, size: usize) -> Operation {
    match dimension {
        Dimension::Spans => Box::new(move || spans(size - 1)),
        Dimension::Attributes => {
            let attributes = match size {
                0 => none,
                4 => four,
                16 => sixteen,
                _ => sixty_four,
            };
            let mut number = 0;
            Box::new(move || {
                number += 1;
                attributes(number);
            })
        }
        Dimension::Value => {
            let text = "x".repeat(size);
            Box::new(move || value(&text))
        }
        Dimension::Tasks => work::on_threads(move || tasks(size)),
        Dimension::Open => {
            let mut ring = Ring::new(size, open);
            Box::new(move || ring.turn())
        }
    }
}

#[traced]
fn spans(children: usize) {
    (0..children).for_each(|_| child());
}

#[traced]
fn child() {}

#[traced]
fn none(_: i64) {}

macro_rules! numbers {
    ($name:ident: $($key:ident)*) => {
        #[traced(attrs($(number.$key = number,)*))]
        fn $name(number: i64) {}
    };
}

numbers!(four: a0 a1 a2 a3);
numbers!(sixteen: a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7);
numbers!(sixty_four:
    a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7 c0 c1 c2 c3 c4 c5 c6 c7 d0 d1 d2 d3 d4 d5 d6 d7
    e0 e1 e2 e3 e4 e5 e6 e7 f0 f1 f2 f3 f4 f5 f6 f7 g0 g1 g2 g3 g4 g5 g6 g7 h0 h1 h2 h3 h4 h5 h6 h7
);

#[traced(attrs(order.note = text))]
fn value(text: &str) {}

#[traced]
async fn tasks(number: usize) {
    let tasks = (0..number).map(|_| tokio::spawn(task().with_current_context()));
    work::join(tasks.collect()).await;
}

#[traced]
async fn task() {}

#[traced]
async fn open() {
    work::pause().await;
}
