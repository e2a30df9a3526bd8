//! What tests need around biztrace: a receiver of spans that can be told how to fail, addresses, and processes of their own.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

mod address;
mod connection;
mod process;
mod receiver;
mod spans;

pub use address::Reserved;
pub use process::rerun;
pub use receiver::{Fault, Received, Receiver};
pub use spans::{Span, Spans, is_child, tag_of};
