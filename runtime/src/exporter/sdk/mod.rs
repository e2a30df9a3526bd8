//! Any exporter of the OpenTelemetry SDK.

mod spec;
mod thread;

pub(crate) use self::spec::SdkSpec;
