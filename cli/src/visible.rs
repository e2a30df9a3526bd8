//! Text of a project, made safe for a terminal. A tree that somebody else wrote may have escape sequences in it.
//!
//! This crate does not depend on the runtime, whose `exporter/visible.rs` has the same table of characters: change both.

use std::borrow::Cow;

/// The text on one line: characters that act on a terminal, and characters that hide or reorder others, are escaped as in Rust.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |_, _| false)
}

/// The text, with its lines.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c, next| match c {
        '\n' | '\t' => true,
        '\r' => next == Some('\n'),
        _ => false,
    })
}

/// JSON with these characters escaped. They stand only in its strings.
pub(crate) fn visible_json(json: &str) -> String {
    let mut output = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_active(c) {
            output.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                output += &format!("\\u{unit:04x}");
            }
        }
    }
    output
}

/// Escapes the active characters for which `keeps` is `false`; it gets the character and the next one.
fn escaped(text: &str, keeps: fn(char, Option<char>) -> bool) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return text.into();
    }
    let mut output = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_active(c) && !keeps(c, chars.peek().copied()) {
            output.extend(c.escape_default());
        } else {
            output.push(c);
        }
    }
    output.into()
}

/// Whether a character does more than show itself: controls (C0, DEL and C1), separators of lines, marks that turn the direction of
/// writing, and characters that are invisible.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_json, visible_lines};

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["POST /orders/{id}", "über 注文 \"é\" 🦀", ""] {
            assert_eq!(visible(text), text);
            assert_eq!(visible_json(text), text);
        }
    }

    #[test]
    fn characters_that_act_are_escaped() {
        for (text, shown) in [
            ("\x1b]0;pwned\x07\x1b[2J", "\\u{1b}]0;pwned\\u{7}\\u{1b}[2J"),
            ("a\u{9b}2Jb\u{7f}", "a\\u{9b}2Jb\\u{7f}"),
            (
                "a\u{202e}b\u{2066}c\u{200f}",
                "a\\u{202e}b\\u{2066}c\\u{200f}",
            ),
            (
                "a\u{200b}\u{2800}\u{3164}\u{e0041}",
                "a\\u{200b}\\u{2800}\\u{3164}\\u{e0041}",
            ),
            ("a\u{1bca0}\u{1d159}", "a\\u{1bca0}\\u{1d159}"),
            ("a\nb\r\tc\u{2028}", "a\\nb\\r\\tc\\u{2028}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(visible_lines("a\n\tb\r\nc\rd"), "a\n\tb\r\nc\\rd");
    }

    #[test]
    fn json_means_the_same() {
        let text = "\u{9b}\u{202e}\u{e0041}\n";
        let json = serde_json::to_string_pretty(&[text]).expect("text");
        let shown = visible_json(&json);
        assert_eq!(shown, "[\n  \"\\u009b\\u202e\\udb40\\udc41\\n\"\n]");
        let again: [String; 1] = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(again[0], text);
    }
}
