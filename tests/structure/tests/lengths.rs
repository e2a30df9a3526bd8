//! A file reads from top to bottom in one go: 400 lines at most.

use std::collections::BTreeMap;

use structure::{folder, lengths};

const MOST: usize = 400;

/// The sources of the packages that are published.
const SOURCES: [&str; 4] = ["runtime/src", "macros/src", "macros/core/src", "cli/src"];

/// Longer files, with the most lines that each may have. Numbers only get smaller, and rows only fewer.
const LONGER: &[(&str, usize)] = &[];

#[test]
fn files_have_400_lines_at_most() {
    let mut all = BTreeMap::new();
    for src in SOURCES {
        let lengths = lengths(&folder(src));
        assert!(!lengths.is_empty(), "the files of {src} are found");
        all.extend(
            lengths
                .into_iter()
                .map(|(file, lines)| (format!("{src}/{file}"), lines)),
        );
    }
    for (file, lines) in &all {
        let longer = LONGER.iter().find(|(longer, _)| longer == file);
        let most = longer.map_or(MOST, |(_, most)| *most);
        assert!(
            *lines <= most,
            "{file} has {lines} lines, of {most} at most: part it by what it does"
        );
    }
    for (file, most) in LONGER {
        let lines = all.get(*file).copied().unwrap_or_default();
        assert!(
            lines > MOST,
            "{file} has {lines} lines: delete its row of LONGER, which allows {most}"
        );
    }
}
