//! OTLP in JSON, a line for each export: to a file that is replaced when it is full, or to stdout.

mod access;
mod escape;
#[cfg(unix)]
mod place;
mod rotating;
mod settings;
mod spec;

pub use self::settings::JsonFile;
pub(crate) use self::spec::JsonStdout;
