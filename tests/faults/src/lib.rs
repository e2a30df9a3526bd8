//! A receiver of OTLP over HTTP that can be told how to misbehave, with TLS if it is asked for, and links that do.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

mod certificates;
mod link;
mod receiver;

pub use certificates::{Authority, Identity};
pub use link::{Link, black_hole};
pub use receiver::{Fault, Received, Receiver};
