//! What is recorded of functions and by libraries: spans, their attributes, results and limits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod captures;
mod current_span;
mod databases;
mod debug;
mod derive;
mod exceptions;
mod hash_without_key;
mod inheritance;
mod inheritance_limits;
mod limits;
mod opentelemetry_api;
mod panics;
mod pii_without_policy;
mod privacy;
mod results;
mod returned_futures;
mod roots;
mod sampling;
mod spans;
