//! What is recorded of requests: those that a service serves, and those that it sends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod baggage;
mod bodies;
mod clients;
mod context;
mod disconnects;
mod endless_responses;
mod global_attributes;
mod handlers;
mod head_values;
mod keep;
mod long_texts;
mod middleware;
mod open_traces;
mod outcomes;
mod private_urls;
mod probability;
mod propagators;
mod proxies;
mod request_attributes;
mod request_ids;
mod routes;
mod rules;
mod server_span;
#[cfg(unix)]
mod sigterm;
mod tenants;
mod trust;
