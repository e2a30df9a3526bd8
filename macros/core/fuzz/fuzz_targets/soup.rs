//! `cargo +nightly fuzz run soup` in `macros/core`.

#![no_main]

#[path = "../../tests/soup/expand.rs"]
mod expand;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| expand::expand(bytes));
