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

use std::io::{self, Write};

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use span::Row;
use style::Style;
use text::{Ink, Text};
use tree::Trace;

use super::visible::visible;
use crate::hex;

/// Prints each trace of a batch as a tree.
///
/// A trace whose spans come in several batches is printed in as many parts.
#[derive(Debug)]
pub(crate) struct Console {
    no_color: bool,
}

impl Console {
    /// On stderr, in colours if it is a terminal, and the user did not ask for `no_color`.
    pub(crate) fn stderr(no_color: bool) -> Self {
        Self { no_color }
    }

    /// Writes the whole batch at once, so that lines of a log do not cut a tree in two. A terminal may have another width each time.
    ///
    /// # Errors
    /// Those of writing to stderr.
    pub(crate) fn export(&mut self, batch: &[ResourceSpans]) -> io::Result<()> {
        io::stderr()
            .lock()
            .write_all(render(batch, Style::of_stderr(self.no_color)).as_bytes())
    }
}

/// The trees of a batch, the earliest first, each followed by an empty line.
pub(crate) fn render(batch: &[ResourceSpans], style: Style) -> String {
    let mut out = String::new();
    for trace in tree::traces(batch) {
        write_header(&mut out, &trace, style);
        let rows: Vec<_> = trace
            .walk(style.levels())
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

/// What a trace is as a whole, and below it what does not fit.
fn write_header(out: &mut String, trace: &Trace<'_>, style: Style) {
    let mut header = vec![
        (Ink::Magenta, visible(trace.service(), style.width)),
        (Ink::Bold, hex::encode(trace.id())),
        (Ink::Dim, format!("{} UTC", text::time_of_day(trace.start))),
        (Ink::Bold, text::duration(trace.duration)),
        (Ink::Dim, text::counted(trace.nodes.len(), "span")),
    ];
    let errors = trace.nodes.iter().filter(|node| node.is_error()).count();
    if errors > 0 {
        header.push((Ink::Red, text::counted(errors, "error")));
    }
    let pieces: Vec<_> = header
        .into_iter()
        .map(|(ink, text)| Text::of(ink, &text, style))
        .collect();
    write_pieces(out, ["", "   "], "  ", &pieces, style);
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
        if below.is_empty() && line.width + 1 + tag.width <= style.width {
            line.push(Ink::Default, " ");
            line.append(&tag);
        } else {
            below.push(tag);
        }
    }
    write_line(out, &line);
    for paragraph in std::iter::once(below).chain(row.paragraphs) {
        write_pieces(out, [&row.indent; 2], " ", &paragraph, style);
    }
}

/// Pieces one after the other, in as many lines as they need. The first line has an indent of its own.
fn write_pieces(
    out: &mut String,
    [mut indent, below]: [&str; 2],
    space: &str,
    pieces: &[Text],
    style: Style,
) {
    let mut pieces = pieces.iter().peekable();
    while let Some(first) = pieces.next() {
        let mut line = Text::of(Ink::Dim, indent, style);
        line.append(first);
        let fits =
            |line: &Text, piece: &Text| line.width + space.len() + piece.width <= style.width;
        while let Some(piece) = pieces.next_if(|piece| fits(&line, piece)) {
            line.push(Ink::Default, space);
            line.append(piece);
        }
        write_line(out, &line);
        indent = below;
    }
}

fn write_line(out: &mut String, line: &Text) {
    out.push_str(line.written.trim_end());
    out.push('\n');
}
