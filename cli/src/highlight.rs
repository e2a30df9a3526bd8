//! Colours for code and for differences.

use std::fmt::Write;
use std::ops::Range;

use anstyle::{AnsiColor, Style};
use proc_macro2::{TokenStream, TokenTree};

const COMMENT: Style = AnsiColor::BrightBlack.on_default();
const KEYWORD: Style = AnsiColor::Magenta.on_default();
const LITERAL: Style = AnsiColor::Green.on_default();
const TYPE: Style = AnsiColor::Cyan.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const HUNK: Style = AnsiColor::Cyan.on_default();

pub(crate) const KEYWORDS: [&str; 38] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type",
    "unsafe", "use", "where", "yield",
];

/// Colours Rust code. Code that does not parse stays plain.
pub(crate) fn code(text: &str) -> String {
    let mut pieces = Vec::new();
    if let Ok(tokens) = text.parse() {
        collect(tokens, &mut pieces);
    }
    let mut output = String::new();
    let mut end = 0;
    for (range, style) in pieces {
        // The tokens of a doc comment all have its place.
        let (Some(before), Some(token)) = (text.get(end..range.start), text.get(range.clone()))
        else {
            continue;
        };
        output += before;
        let style = if token.starts_with("//") || token.starts_with("/*") {
            COMMENT
        } else {
            style
        };
        // Infallible into a string.
        let _ = write!(output, "{style}{token}{style:#}");
        end = range.end;
    }
    output + &text[end..]
}

fn collect(tokens: TokenStream, pieces: &mut Vec<(Range<usize>, Style)>) {
    for token in tokens {
        let style = match &token {
            TokenTree::Group(group) => {
                collect(group.stream(), pieces);
                continue;
            }
            TokenTree::Literal(_) => LITERAL,
            TokenTree::Ident(name) if KEYWORDS.iter().any(|keyword| name == keyword) => KEYWORD,
            TokenTree::Ident(name) if name.to_string().starts_with(char::is_uppercase) => TYPE,
            TokenTree::Ident(_) => Style::new(),
            TokenTree::Punct(_) => Style::new(),
        };
        pieces.push((token.span().byte_range(), style));
    }
}

/// A line of comment.
pub(crate) fn comment(text: &str) -> String {
    format!("{COMMENT}// {text}{COMMENT:#}\n")
}

/// Colours a unified diff.
pub(crate) fn diff(text: &str) -> String {
    let mut output = String::new();
    for line in text.split_inclusive('\n') {
        let style = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => Style::new().bold(),
            [b'+', ..] => ADDED,
            [b'-', ..] => REMOVED,
            [b'@', ..] => HUNK,
            _ => Style::new(),
        };
        let end = line.trim_end_matches('\n').len();
        let (line, newline) = line.split_at(end);
        let _ = write!(output, "{style}{line}{style:#}{newline}");
    }
    output
}
