//! The catalogue for people: as tables in a terminal, and in Markdown.

use crate::model::Catalogue;

/// Longer expressions are cut in a terminal.
const MAX_VALUE_CHARS: usize = 48;

/// A table: its title, the names of its columns, and its rows.
struct Table {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// `value` shows an expression.
fn tables(catalogue: &Catalogue, value: fn(&str) -> String) -> [Table; 2] {
    let spans = catalogue.spans.iter().map(|span| {
        vec![
            span.name.clone(),
            span.kind.clone(),
            span.function.clone(),
            format!("{}:{}", span.file, span.line),
        ]
    });
    let tags = catalogue.tags.iter().map(|tag| {
        vec![
            tag.key.clone(),
            tag.value_type.clone(),
            value(&tag.value),
            tag.privacy.clone(),
            tag.destinations.join(", "),
            tag.span
                .clone()
                .unwrap_or_else(|| "the current one".to_owned()),
            format!("{}:{}", tag.file, tag.line),
        ]
    });
    [
        Table {
            title: "Spans",
            columns: vec!["name", "kind", "function", "place"],
            rows: spans.collect(),
        },
        Table {
            title: "Tags",
            columns: vec![
                "key",
                "type",
                "value",
                "privacy",
                "destinations",
                "span",
                "place",
            ],
            rows: tags.collect(),
        },
    ]
}

/// For a terminal.
pub(crate) fn aligned(catalogue: &Catalogue) -> String {
    let bold = anstyle::Style::new().bold();
    let mut output = String::new();
    for Table {
        title,
        columns,
        rows,
    } in tables(catalogue, cut)
    {
        let header: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
        let rows: Vec<Vec<String>> = [header].into_iter().chain(rows).collect();
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        if !output.is_empty() {
            output.push('\n');
        }
        output += &format!("{bold}{title}: {}{bold:#}\n", rows.len() - 1);
        for row in rows.iter().filter(|_| rows.len() > 1) {
            let cells = row.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            output += cells.join("  ").trim_end();
            output.push('\n');
        }
    }
    output
}

fn cut(value: &str) -> String {
    let shown: String = value.chars().take(MAX_VALUE_CHARS).collect();
    if shown.len() < value.len() {
        shown + "…"
    } else {
        shown
    }
}

/// For documentation.
pub(crate) fn markdown(catalogue: &Catalogue) -> String {
    let mut output = String::new();
    for Table {
        title,
        columns,
        rows,
    } in tables(catalogue, |value| format!("`{value}`"))
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
            // A bar would end the cell, in code too.
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            output += &format!("| {} |\n", cells.join(" | "));
        }
    }
    output
}
