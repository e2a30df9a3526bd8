//! No two files import each other, directly or by way of others.

use std::collections::BTreeSet;

use structure::{CrateSources, Import, circles, folder, imports};

/// Imports of the runtime that close a circle today: the importing file, and the imported one. Without them there is none. This list only
/// gets shorter.
const CLOSING: &[(&str, &str)] = &[];

fn imports_of(src: &str) -> BTreeSet<Import> {
    imports(&CrateSources::read(&folder(src)))
}

/// The circles that are left without some imports, as text.
fn circles_without(left_out: &[(&str, &str)], imports: &BTreeSet<Import>) -> String {
    let kept = imports
        .iter()
        .filter(|import| !left_out.contains(&(&*import.by, &*import.of)))
        .cloned();
    let kept: BTreeSet<_> = kept.collect();
    let mut text = String::new();
    for circle in circles(&kept) {
        text += &format!("a circle of {} files:\n", circle.len());
        for Import { by, of, path } in &kept {
            if circle.contains(by) && circle.contains(of) {
                text += &format!("  {by} imports {path} of {of}\n");
            }
        }
    }
    text
}

#[test]
fn no_files_import_each_other() {
    for (src, closing) in [
        ("runtime/src", CLOSING),
        ("macros/core/src", &[]),
        ("cli/src", &[]),
    ] {
        let imports = imports_of(src);
        assert!(imports.len() > 50, "the imports of {src} are found");
        let circles = circles_without(closing, &imports);
        assert!(circles.is_empty(), "{src} has\n{circles}");
    }
}

#[test]
fn each_listed_import_still_closes_a_circle() {
    let imports = imports_of("runtime/src");
    for listed in CLOSING {
        let others: Vec<_> = CLOSING.iter().copied().filter(|it| it != listed).collect();
        assert!(
            !circles_without(&others, &imports).is_empty(),
            "{listed:?} closes no circle any more: delete its row of CLOSING"
        );
    }
}
