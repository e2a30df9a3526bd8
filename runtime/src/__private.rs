//! All that an expansion of the macros may name. No part of the public API: it changes with the macros.

mod result;

pub use biztrace_macros::tag;
pub use opentelemetry::trace::SpanKind;

pub use self::result::*;
pub use crate::attribute::{
    BizAttrs, BizValue, Debug, Display, Encoder, Hash, Key, Mask, MaxLen, Pii, Shown, Tags, Value,
};
pub use crate::recorder::{
    BodySpan, HandlerRequest, NoRequest, Recording, RequestReader, RequestSource, ResultSpan, Site,
    Traced, TracedStream, annotate, annotated, child_handler, handler, traced, traced_root,
};

/// Has the type `T` known where a body's result is inferred. Never runs.
#[must_use]
pub fn returns<T>() -> T {
    unreachable!("the expansion calls this below `if false`")
}
