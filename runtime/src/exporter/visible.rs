//! Text from elsewhere, as it may be shown on a terminal or in a log.

/// At most `limit` characters of `text`, controls escaped as in Rust.
pub(super) fn visible(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for c in clipped(text, limit).chars() {
        if is_active(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
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

/// Would a terminal do more than print this character? Besides the controls, these are the format characters
/// that are invisible or turn the direction of writing.
pub(super) fn is_active(c: char) -> bool {
    let format = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || format
}

pub(super) fn clipped(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    text.chars()
        .take(limit.saturating_sub(1))
        .chain(['…'])
        .collect()
}
