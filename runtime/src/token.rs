//! Tokens of HTTP, as methods and headers are named (RFC 9110, section 5.6.2).

/// Whether a text may be the name of a method, of a header, or of a member of `baggage`.
pub(crate) fn is_token(text: &str) -> bool {
    let is_in_tokens =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_in_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_no_spaces_and_no_separators() {
        for token in ["x-tenant-id", "GET", "a", "!#$%&'*+-.^_`|~09"] {
            assert!(is_token(token), "{token}");
        }
        for text in [
            "", "x tenant", "a:", "a,b", "a/b", "(a)", "\"a\"", "\u{e9}", "a\n",
        ] {
            assert!(!is_token(text), "{text:?}");
        }
    }
}
