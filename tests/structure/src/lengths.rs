//! Counts the lines of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Each Rust file below `src` with the number of its lines, tests included.
///
/// # Panics
///
/// If a file cannot be read.
#[must_use]
pub fn lengths(src: &Path) -> BTreeMap<String, usize> {
    let mut lengths = BTreeMap::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder);
        let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path);
                let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let name = path.strip_prefix(src).unwrap_or(&path);
                let name = name.to_string_lossy().replace('\\', "/");
                lengths.insert(name, text.lines().count());
            }
        }
    }
    lengths
}
