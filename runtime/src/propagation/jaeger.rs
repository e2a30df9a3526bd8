//! [Jaeger's own format][jaeger], in the header `uber-trace-id`.
//!
//! ```text
//! uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1
//!                │                                │                │ └ flags: 1 sampled, 2 debug
//!                │                                │                └ the caller's parent, which is of no use
//!                │                                └ the caller's span
//!                └ trace id; it and the others may lack leading zeros
//! ```
//!
//! [jaeger]: https://www.jaegertracing.io/docs/1.62/client-libraries/#propagation-format

use opentelemetry::propagation::Injector;
use opentelemetry::trace::SpanContext;

use super::carrier::{Carrier, caller, only, trim};
use super::ids;

pub(super) const HEADER: &str = "uber-trace-id";

const SAMPLED: u8 = 0x01;
const DEBUG: u8 = 0x02;

/// The caller's span, and whether it debugs.
pub(super) fn extract(carrier: &impl Carrier) -> Option<(SpanContext, bool)> {
    let line = str::from_utf8(trim(only(carrier, HEADER)?)).ok()?;
    // Some clients write it as a URL has it.
    let fields = line.split(':').flat_map(|part| part.split("%3A"));
    let mut fields = fields.flat_map(|part| part.split("%3a"));
    let trace_id = ids::trace_id(fields.next()?.as_bytes())?;
    let span_id = ids::span_id(fields.next()?.as_bytes())?;
    let _parent = fields.next()?;
    let flags = fields.next().filter(|flags| !flags.starts_with('+'))?;
    let flags = u8::from_str_radix(flags, 16).ok()?;
    if fields.next().is_some() {
        return None;
    }
    let is_debug = flags & DEBUG != 0;
    let is_sampled = is_debug || flags & SAMPLED != 0;
    Some((caller(trace_id, span_id, is_sampled), is_debug))
}

pub(super) fn inject(span: &SpanContext, is_debug: bool, injector: &mut dyn Injector) {
    let flags = match (is_debug, span.is_sampled()) {
        (true, _) => SAMPLED | DEBUG,
        (false, true) => SAMPLED,
        (false, false) => 0,
    };
    let value = format!("{}:{}:0:{flags:x}", span.trace_id(), span.span_id());
    injector.set(HEADER, value);
}
