//! `db.query.summary`: what a query does and to which tables, found at compile time.

mod keyword;
mod parser;
mod scanner;
mod summary;
#[cfg(test)]
mod tests;

use parser::Parser;

pub use summary::QuerySummary;

impl QuerySummary {
    /// The summary of the first 4 KiB of `query`: rustc refuses constants that take long.
    #[must_use]
    pub const fn of(query: &str) -> Self {
        Parser::new(query.as_bytes()).read()
    }
}
