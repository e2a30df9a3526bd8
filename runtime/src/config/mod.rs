//! Settings as plain data, each with its source: a default, an environment variable, or the code. This
//! module depends on `attribute`, `sampling` and `semconv` only.
//!
//! [`Settings::visit`] lists each setting once. A [`Pass`] over the list reads the environment, describes what is active, or lists
//! the variables.

mod batch;
mod environment;
mod exceptions;
#[cfg_attr(
    not(all(feature = "otlp-grpc", feature = "otlp-http")),
    allow(dead_code, reason = "receivers bring most formats into use")
)]
pub(crate) mod format;
mod limits;
pub(crate) mod misspelt;
mod pass;
mod privacy;
mod propagator;
mod settings;
mod sourced;

pub(crate) use self::batch::{Batch, BatchSettings};
pub(crate) use self::environment::Environment;
pub use self::exceptions::ExceptionSignal;
pub use self::limits::Limits;
pub(crate) use self::pass::{Listing, Pass};
pub use self::propagator::Propagator;
pub(crate) use self::settings::Settings;
pub use self::sourced::Source;
pub(crate) use self::sourced::{Origin, Sourced, Warning};
