//! The page's section on instructions: another command counts them, so each of the two keeps the other's part.

use std::path::Path;

use anyhow::Result;

use super::{PAGE, read_page, write_file};

const START: &str = "<!-- instructions: start -->";
const END: &str = "<!-- instructions: end -->";
/// The section is first on the page, before this one.
const NEXT: &str = "## Bars\n";

/// Writes the section into the directory's page, in place of an earlier one.
pub(crate) fn write_instructions(directory: &Path, content: &str) -> Result<()> {
    let page = put(
        &read_page(directory)?,
        &format!("{START}\n{content}\n{END}"),
    );
    write_file(directory, PAGE, &page)
}

/// The new page, with the section of the old one if that has it.
pub(super) fn keep_instructions(old: &str, new: &str) -> String {
    match find(old) {
        Some((_, section, _)) => put(new, section),
        None => new.into(),
    }
}

fn put(page: &str, section: &str) -> String {
    if let Some((before, _, after)) = find(page) {
        return format!("{before}{section}{after}");
    }
    let at = page.find(NEXT).unwrap_or(page.len());
    let (before, after) = page.split_at(at);
    format!("{before}{section}\n\n{after}")
}

/// The section with its markers, and the text around it.
fn find(page: &str) -> Option<(&str, &str, &str)> {
    let start = page.find(START)?;
    let end = start + page[start..].find(END)? + END.len();
    Some((&page[..start], &page[start..end], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title\n\n## Bars\n\nbars\n";

    fn section(content: &str) -> String {
        format!("{START}\n{content}\n{END}")
    }

    #[test]
    fn the_section_comes_first_and_is_replaced_in_place() {
        let first = put(PAGE, &section("one"));
        let one = section("one");
        assert_eq!(first, format!("# Title\n\n{one}\n\n## Bars\n\nbars\n"));
        assert_eq!(put(&first, &section("two")), first.replace("one", "two"));
    }

    #[test]
    fn a_new_page_keeps_the_section() {
        let old = put(PAGE, &section("one"));
        let new = PAGE.replace("bars\n", "other bars\n");
        let kept = keep_instructions(&old, &new);
        assert_eq!(kept, old.replace("bars\n", "other bars\n"));
        assert_eq!(keep_instructions("", &new), new);
    }

    #[test]
    fn a_page_without_bars_has_the_section_at_its_end() {
        assert_eq!(put("", &section("one")), section("one") + "\n\n");
    }

    #[test]
    fn the_section_is_written_where_no_page_is() {
        let directory = tempfile::tempdir().unwrap();
        write_instructions(directory.path(), "one").unwrap();
        write_instructions(directory.path(), "two").unwrap();
        let page = read_page(directory.path()).unwrap();
        assert_eq!(page, section("two") + "\n\n");
    }
}
