//! Reads the sources of a crate, and finds which file imports which. The tests beside it hold the rules.
//!
//! [`CrateSources`] follows the `mod` declarations from the crate's root, and collects the paths that each module names. [`imports`]
//! resolves each path to the file that defines the item. [`circles`] finds the files that import each other.
//!
//! A re-export of a child is not an import. An import through a re-export counts as an import of the file that defines the item. Code
//! that only tests compile does not count. Methods do not count: to call one, a file needs no path to it.

mod circles;
mod crate_sources;
mod imports;
mod lengths;
mod paths;

use std::path::PathBuf;

pub use circles::circles;
pub use crate_sources::CrateSources;
pub use imports::{Import, imports};
pub use lengths::lengths;

/// The folder of that name in this repository.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../..", name].iter().collect()
}
