//! The first step: from tokens to what the user wrote, each value with its place.
//!
//! It reports what can't be read. [`validate`](crate::validate) checks whether it makes sense together.

mod annotated;
pub(crate) mod biz;
mod entries;
mod option_table;
pub(crate) mod similar;
mod span_options;
mod tag_options;
mod tokens;
mod tracing;

pub(crate) use annotated::{Annotated, SpanAttribute, annotated};
pub(crate) use entries::{Entry, EntryTarget, Key, entries};
pub(crate) use span_options::{KINDS, QUERY_SUMMARY, QUERY_TEXT, SpanOptions};
pub(crate) use tag_options::{AppliesTo, Effect, Group, ListKind, Needs, ResultArm, TagOption};
pub(crate) use tracing::span_field;
