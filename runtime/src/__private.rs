//! All that an expansion of the macros may name. No part of the public API: it changes with the macros.

pub mod readers;
mod result;

pub use biztrace_macros::tag;
pub use opentelemetry::trace::SpanKind;

pub use self::result::*;
pub use crate::attribute::{
    BizAttrs, BizValue, Debug, Display, Encoder, Hash, Key, Mask, MaxLen, Pii, PrivateUrl, Shown,
    Tags, Value,
};
pub use crate::recorder::{
    BodySpan, HandlerRequest, NoRequest, Recording, RequestReader, RequestSource, ResultSpan, Site,
    Traced, TracedStream, annotate, annotated, child_handler, handler, traced, traced_root,
};
pub use crate::semconv::QuerySummary;

/// Has the type `T` known where a body's result is inferred. Never runs.
#[must_use]
pub fn returns<T>() -> T {
    unreachable!("the expansion calls this below `if false`")
}

/// Refuses an attribute on the `main` of a program, by the path of its module.
#[track_caller]
pub const fn not_main(module_path: &str) {
    let (path, mut at) = (module_path.as_bytes(), 0);
    while at < path.len() {
        // A function `main` within a module is like any other.
        if path[at] == b':' {
            return;
        }
        at += 1;
    }
    panic!(
        "`main` can't be traced: telemetry is installed in it, and a span that starts earlier is not recorded. \
         Put the attribute on the functions that `main` calls"
    );
}
