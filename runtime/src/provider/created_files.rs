//! The files that a set-up creates: one that fails leaves none behind.

use std::fs;
use std::path::{Path, PathBuf};

/// Files that are deleted with this if they are empty, unless they are kept.
#[derive(Debug, Default)]
pub(super) struct CreatedFiles(Vec<PathBuf>);

impl CreatedFiles {
    /// Notes a file that is about to be created, if it is not there yet.
    pub(super) fn note(&mut self, path: &Path) {
        if fs::symlink_metadata(path).is_err() {
            self.0.push(path.to_owned());
        }
    }

    /// Keeps them: the set-up is done.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for CreatedFiles {
    fn drop(&mut self) {
        for path in &self.0 {
            // Another process may have written to it meanwhile.
            if fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.len() == 0) {
                let _ = fs::remove_file(path);
            }
        }
    }
}
