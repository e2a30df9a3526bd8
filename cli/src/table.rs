//! The catalogue for people: as tables in a terminal. [`markdown`](crate::markdown) has them for documentation.

use crate::model::Catalogue;
use crate::visible::visible;

/// Longer expressions are cut in a terminal.
const MAX_VALUE_CHARS: usize = 48;

/// A table: its title, the names of its columns, and its rows.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

pub(crate) enum Cell {
    /// A word of ours.
    Word(String),
    /// Text of the project: a name or a place.
    Text(String),
    /// An expression of the project.
    Code(String),
}

pub(crate) fn tables(catalogue: &Catalogue) -> [Table; 2] {
    let spans = catalogue.spans.iter().map(|span| {
        vec![
            Cell::Text(span.name.clone()),
            Cell::Text(span.kind.clone()),
            Cell::Text(span.function.clone()),
            Cell::Text(format!("{}:{}", span.file, span.line)),
        ]
    });
    let tags = catalogue.tags.iter().map(|tag| {
        let current = || Cell::Word("the current one".to_owned());
        vec![
            Cell::Text(tag.key.clone()),
            Cell::Word(tag.value_type.clone()),
            Cell::Code(tag.value.clone()),
            Cell::Word(tag.privacy.clone()),
            Cell::Word(tag.destinations.join(", ")),
            tag.span.clone().map_or_else(current, Cell::Text),
            Cell::Text(format!("{}:{}", tag.file, tag.line)),
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
    } in tables(catalogue)
    {
        let header: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
        let rows = rows.iter().map(|row| row.iter().map(shown).collect());
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

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Word(text) | Cell::Text(text) => visible(text).into_owned(),
        Cell::Code(value) => cut(&visible(value)),
    }
}

fn cut(value: &str) -> String {
    let shown: String = value.chars().take(MAX_VALUE_CHARS).collect();
    if shown.len() < value.len() {
        shown + "…"
    } else {
        shown
    }
}
