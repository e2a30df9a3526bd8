//! The console exporter: prints each trace as a tree on stderr, for people at work on a service.
//! It is handed decoded batches by the export thread.
//!
//! ```text
//! shop  4bf92f3577b34da6a3ce929d0e0e4736  13:45:24.123 UTC  12.4ms  2 spans  1 error
//! server POST /orders/{id} → 402   12.4ms ████████████████  order.id=42 order.amount=99.5
//! └─ ✗ charge                      2.50ms             ███▍  PaymentDeclined: insufficient funds
//! ```
//!
//! [`tree`] joins spans into trees, [`span`] chooses what to show of each, [`text`] puts it into words, within
//! the bounds of [`style`]; this file lays out the lines.

mod span;
pub(crate) mod spec;
mod style;
mod text;
mod tree;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal, Write};

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use span::Row;
use style::{Style, WIDTH};
use text::{Ink, Text};
use tree::Trace;

use super::visible::visible;
use crate::hex;

/// A tree is drawn this deep; below, its outer levels are left out and counted.
const MAX_LEVELS: usize = 8;

/// Prints each trace of a batch as a tree.
///
/// A trace whose spans come in several batches is printed in as many parts.
#[derive(Debug)]
pub(crate) struct Console {
    style: Style,
}

impl Console {
    /// In colour if stderr is a terminal, and the user did not ask for `no_color` (<https://no-color.org>).
    pub(crate) fn stderr(no_color: bool) -> Self {
        let colour = !no_color && io::stderr().is_terminal();
        Self {
            style: if colour { Style::Colour } else { Style::Plain },
        }
    }

    /// Writes the whole batch at once, so that lines of a log do not cut a tree in two.
    ///
    /// # Errors
    /// Those of writing to stderr.
    pub(crate) fn export(&mut self, batch: &[ResourceSpans]) -> io::Result<()> {
        io::stderr()
            .lock()
            .write_all(render(batch, self.style).as_bytes())
    }
}

/// The trees of a batch, the earliest first, each followed by an empty line.
pub(crate) fn render(batch: &[ResourceSpans], style: Style) -> String {
    let mut out = String::new();
    for trace in tree::traces(batch) {
        write_line(&mut out, &header(&trace, style));
        let rows: Vec<_> = trace
            .walk(MAX_LEVELS)
            .map(|visit| Row::new(&trace, &visit, style))
            .collect();
        let label_width = rows
            .iter()
            .map(|row| row.label.width)
            .max()
            .unwrap_or_default();
        for row in rows {
            write_row(&mut out, row, label_width, style);
        }
        out.push('\n');
    }
    out
}

fn header(trace: &Trace<'_>, style: Style) -> Text {
    let mut header = Text::new(style);
    header.push(Ink::Magenta, &visible(trace.service(), WIDTH));
    header.push(Ink::Bold, &format!("  {}", hex::encode(trace.id())));
    header.push(
        Ink::Dim,
        &format!("  {} UTC", text::time_of_day(trace.start)),
    );
    header.push(Ink::Bold, &format!("  {}", text::duration(trace.duration)));
    header.push(
        Ink::Dim,
        &format!("  {}", text::counted(trace.nodes.len(), "span")),
    );
    let errors = trace.nodes.iter().filter(|node| node.is_error()).count();
    if errors > 0 {
        header.push(Ink::Red, &format!("  {}", text::counted(errors, "error")));
    }
    header
}

/// The label, duration and bar of a span, then the tags that fit beside it, the others and its events below.
fn write_row(out: &mut String, row: Row, label_width: usize, style: Style) {
    let mut line = row.label;
    line.pad_to(label_width);
    line.push(Ink::Default, &format!("  {:>7} ", row.duration));
    line.push(row.bar_ink, &row.bar);
    line.push(Ink::Default, " ");

    let mut below = Vec::new();
    for tag in row.tags {
        // In the order in which they were set: behind the first that does not fit, all go below.
        if below.is_empty() && line.width + 1 + tag.width <= WIDTH {
            line.push(Ink::Default, " ");
            line.append(&tag);
        } else {
            below.push(tag);
        }
    }
    write_line(out, &line);
    for paragraph in std::iter::once(below).chain(row.paragraphs) {
        write_paragraph(out, &row.indent, &paragraph, style);
    }
}

/// Pieces one after the other, in as many lines as they need.
fn write_paragraph(out: &mut String, indent: &str, pieces: &[Text], style: Style) {
    let mut pieces = pieces.iter().peekable();
    while let Some(first) = pieces.next() {
        let mut line = Text::new(style);
        line.push(Ink::Dim, indent);
        line.append(first);
        while let Some(piece) = pieces.next_if(|piece| line.width + 1 + piece.width <= WIDTH) {
            line.push(Ink::Default, " ");
            line.append(piece);
        }
        write_line(out, &line);
    }
}

fn write_line(out: &mut String, line: &Text) {
    out.push_str(line.written.trim_end());
    out.push('\n');
}
