//! The work without spans.

use std::hint::black_box;

use super::case::{Dimension, Operation};
use super::work::{self, Ring};

pub(super) fn operation(dimension: Dimension, size: usize) -> Operation {
    match dimension {
        Dimension::Spans | Dimension::Attributes => {
            Box::new(move || (0..size).for_each(|number| _ = black_box(number)))
        }
        Dimension::Value => {
            let value = "x".repeat(size);
            Box::new(move || _ = black_box(&value))
        }
        Dimension::Tasks => work::on_threads(move || async move {
            let tasks = (0..size).map(|_| tokio::spawn(async {}));
            work::join(tasks.collect()).await;
        }),
        Dimension::Open => {
            let mut ring = Ring::new(size, work::pause);
            Box::new(move || ring.turn())
        }
    }
}
