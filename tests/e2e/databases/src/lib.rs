//! The guide's page on databases, compiled, and queries like its own, run.

#[cfg(doctest)]
#[doc = include_str!("../../../../docs/guide/databases.md")]
struct Page;

#[cfg(test)]
mod tests;
