//! The catalogue as tables in Markdown, for documentation. No text of the project leaves its cell.

use crate::model::Catalogue;
use crate::table::{Cell, Table, tables};
use crate::visible::visible;

pub(crate) fn markdown(catalogue: &Catalogue) -> String {
    let mut output = String::new();
    for Table {
        title,
        columns,
        rows,
    } in tables(catalogue)
    {
        if !output.is_empty() {
            output.push('\n');
        }
        let rule = vec!["---"; columns.len()];
        output += &format!(
            "## {title}\n\n| {} |\n|{}|\n",
            columns.join(" | "),
            rule.join("|")
        );
        for row in rows {
            let cells: Vec<String> = row.iter().map(cell).collect();
            output += &format!("| {} |\n", cells.join(" | "));
        }
    }
    output
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Word(text) => text.clone(),
        Cell::Text(text) => text_cell(&visible(text)),
        Cell::Code(value) => code_cell(&visible(value)),
    }
}

/// Text in which nothing is markup. Markdown reads no markup in a character reference, and a table no end of a cell.
fn text_cell(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for c in text.chars() {
        if "|\\`*~<>[]!&#".contains(c) {
            output += &format!("&#{};", u32::from(c));
        } else {
            output.push(c);
        }
    }
    output
}

fn code_cell(value: &str) -> String {
    // A backtick would end the code. A table reads a backslash before a bar in more than one way.
    if value.contains('`') || value.contains("\\|") || value.trim().is_empty() {
        format!("<code>{}</code>", text_cell(value))
    } else {
        // A bar would end the cell, in code too.
        format!("`{}`", value.replace('|', "\\|"))
    }
}

#[cfg(test)]
mod tests {
    use super::{code_cell, text_cell};

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(text_cell("POST /orders/{id}"), "POST /orders/{id}");
        assert_eq!(text_cell("shop::find_all"), "shop::find_all");
        assert_eq!(code_cell("a[0] < \"x!\""), "`a[0] < \"x!\"`");
        assert_eq!(code_cell("|x| x || y"), "`\\|x\\| x \\|\\| y`");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            text_cell("![x](http://evil/beacon)<b>|`\\"),
            "&#33;&#91;x&#93;(http://evil/beacon)&#60;b&#62;&#124;&#96;&#92;"
        );
        assert_eq!(
            code_cell("\"`<img>|\""),
            "<code>\"&#96;&#60;img&#62;&#124;\"</code>"
        );
        assert_eq!(code_cell("r\"\\|\""), "<code>r\"&#92;&#124;\"</code>");
    }
}
