//! A query that is no constant, or no text.

use std::sync::LazyLock;

use biztrace::traced;

static MADE: LazyLock<String> = LazyLock::new(|| "SELECT 1".to_owned());
const NUMBER: u32 = 1;

#[traced(db = "sqlite", query = MADE.as_str())]
fn made() {}

#[traced(db = "sqlite", query = NUMBER)]
fn number() {}

#[traced(db = "postgres", query = sql)]
fn argument(sql: &str) {}

fn main() {
    made();
    number();
    argument("");
}
