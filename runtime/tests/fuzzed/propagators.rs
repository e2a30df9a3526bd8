//! Reads bytes as headers, and passes their context on in the same format.
//!
//! The first byte is a digit for the format. Each line of the rest is a header: a digit for its name, then its value.

use biztrace::settings::Propagator;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;

const FORMATS: [Propagator; 6] = [
    Propagator::TraceContext,
    Propagator::Baggage,
    Propagator::B3,
    Propagator::B3Multi,
    Propagator::Jaeger,
    Propagator::XTrace,
];

/// Header lines in order, each with its name.
#[derive(Debug, Default)]
struct Headers(Vec<(String, String)>);

impl Headers {
    fn read(names: &[&str], text: &str) -> Self {
        let lines = text.lines().filter_map(|line| {
            let (digit, value) = line.split_at_checked(1)?;
            let name = names.get(digit.parse::<usize>().ok()?)?;
            Some((name.to_string(), value.to_owned()))
        });
        Self(lines.collect())
    }
}

impl Extractor for Headers {
    fn get(&self, name: &str) -> Option<&str> {
        let line = self.0.iter().find(|line| line.0 == name)?;
        Some(&line.1)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|line| &*line.0).collect()
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        let lines = self.0.iter().filter(|line| line.0 == name);
        Some(lines.map(|line| &*line.1).collect())
    }
}

impl Injector for Headers {
    fn set(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }
}

/// Extracts the context of the headers that `bytes` encode, injects it, and extracts it again.
///
/// # Panics
///
/// If the second context differs from the first.
pub(crate) fn propagate(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((digit, lines)) = text.split_at_checked(1) else {
        return;
    };
    let Some(format) = digit.parse().ok().and_then(|at: usize| FORMATS.get(at)) else {
        return;
    };
    // `x-parent-id` is extracted, but never injected.
    let names: Vec<_> = format.fields().chain(["x-parent-id"]).collect();
    let read = |headers: &Headers| format.extract_with_context(&Context::new(), headers);
    let cx = read(&Headers::read(&names, lines));
    let mut written = Headers::default();
    format.inject_context(&cx, &mut written);
    let again = read(&written);
    let (span, span_again) = (cx.span(), again.span());
    let (span, span_again) = (span.span_context(), span_again.span_context());
    assert_eq!(span.trace_id(), span_again.trace_id());
    assert_eq!(span.span_id(), span_again.span_id());
    assert_eq!(span.trace_flags(), span_again.trace_flags());
    assert_eq!(span.trace_state(), span_again.trace_state());
    // Text grows when it is encoded: entries beyond the limits are left out.
    for (key, (value, _)) in again.baggage() {
        assert_eq!(cx.baggage().get(key), Some(value), "{written:?}");
    }
}
