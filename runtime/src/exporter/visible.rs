//! Text from elsewhere, as it may be shown on a terminal or in a log.

use unicode_width::UnicodeWidthChar;

/// `text` in at most that many columns. What a reader would not see as it is, is escaped as in Rust.
pub(super) fn visible(text: &str, columns: usize) -> String {
    let (mut shown, mut width, mut marks) = (String::new(), 0, 0);
    // Bytes behind which an ellipsis fits.
    let mut kept = 0;
    for c in text.chars() {
        let start = shown.len();
        let own_width = c.width().unwrap_or_default();
        marks = if own_width == 0 { marks + 1 } else { 0 };
        if is_active(c) || marks > MAX_MARKS {
            shown.extend(c.escape_default());
            width += shown.len() - start;
        } else {
            shown.push(c);
            width += own_width;
        }
        if width > columns {
            shown.truncate(kept);
            shown.push('…');
            break;
        }
        if width < columns {
            kept = shown.len();
        }
    }
    shown
}

/// Text of a receiver, made safe for the log: cut, and without control characters.
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(crate) fn remote_text(text: &str) -> String {
    const MOST: usize = 300;
    visible(text, MOST)
}

/// Marks on one character that languages need. More of them cover other lines.
const MAX_MARKS: usize = 3;

/// Would a terminal do more than print this character, or print nothing at all? Besides the controls, these are characters that turn
/// the direction of writing, separate lines, or are invisible: those with the property `Default_Ignorable_Code_Point`, and blank symbols.
pub(super) fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_would_not_see_is_escaped() {
        let active = "\0\n\x1b\x7f\u{85}\u{9b}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180e}\u{200b}\u{200d}\
                      \u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\
                      \u{fff9}\u{1d159}\u{1d173}\u{e0001}\u{e0020}\u{e0100}\u{e01ef}";
        for c in active.chars() {
            let escaped = c.escape_default().to_string();
            assert_eq!(visible(&format!("a{c}b"), 80), format!("a{escaped}b"));
        }
        for text in [
            "it's",
            "支付宝",
            "grüße",
            "e\u{302}\u{323}",
            "हिन्दी",
            "ไม่ได้",
            "שָׁלוֹם",
            "한글",
            "🦀",
        ] {
            assert_eq!(visible(text, 80), text);
        }
        let stack = format!("a{}", "\u{300}".repeat(5));
        assert_eq!(
            visible(&stack, 80),
            "a\u{300}\u{300}\u{300}\\u{300}\\u{300}"
        );
    }

    #[test]
    fn text_is_cut_at_columns() {
        for (text, columns, expected) in [
            ("abcd", 4, "abcd"),
            ("abcde", 4, "abc…"),
            ("支付宝", 6, "支付宝"),
            ("支付宝", 5, "支付…"),
            ("支付宝", 4, "支…"),
            ("a\nb", 4, "a\\nb"),
            ("ab\nc", 4, "ab…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("", 0, ""),
        ] {
            assert_eq!(visible(text, columns), expected, "{text:?} in {columns}");
        }
    }
}
