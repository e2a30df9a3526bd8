//! Functions with the names of the request readers, for rustc to name them where a reader is misspelt: `querry("a")`.
//!
//! An expansion never calls them: it makes a reader with its right name a method of the request's head.

/// Reads a header of the request.
pub fn header(_name: &'static str) {}

/// Reads a parameter of the request's query string.
pub fn query(_name: &'static str) {}

/// Reads a cookie of the request.
pub fn cookie(_name: &'static str) {}

/// Reads the trace's baggage.
pub fn baggage(_key: &'static str) {}
