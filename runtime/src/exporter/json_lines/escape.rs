//! Characters that JSON need not escape, but that readers of a line would not see as they are.

use std::fmt::Write;

use crate::exporter::visible::is_active;

/// JSON on one line, for terminals too and for readers that end a line at U+2028: what a reader would not see is escaped. Such
/// characters stand in strings only.
pub(super) fn escape(json: Vec<u8>) -> Vec<u8> {
    let json = match String::from_utf8(json) {
        Ok(json) if json.contains(is_active) => json,
        Ok(json) => return json.into_bytes(),
        Err(error) => return error.into_bytes(),
    };
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_active(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // A string takes all that is written.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped.into_bytes()
}
