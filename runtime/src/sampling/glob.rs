//! Text with stars in it, each of which stands for any characters, or none.

/// A pattern for a whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(String);

impl Glob {
    pub(super) fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has no stars.
    pub(super) fn is_literal(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether it is all of `text`. Takes at most the product of the two lengths.
    #[inline]
    pub(super) fn matches(&self, text: impl AsRef<[u8]>) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_ref());
        // Most texts differ in the first byte already.
        let first = pattern.first();
        (first == Some(&b'*') || first == text.first()) && Self::is_all(pattern, text)
    }

    fn is_all(pattern: &[u8], text: &[u8]) -> bool {
        let (mut at, mut of) = (0, 0);
        // Where the last star stands, and how far the text goes that it stands for.
        let mut star = None;
        while at < text.len() {
            match pattern.get(of) {
                Some(b'*') => {
                    star = Some((of, at));
                    of += 1;
                }
                Some(byte) if *byte == text[at] => {
                    at += 1;
                    of += 1;
                }
                _ => {
                    let Some((star_of, star_at)) = star else {
                        return false;
                    };
                    star = Some((star_of, star_at + 1));
                    (of, at) = (star_of + 1, star_at + 1);
                }
            }
        }
        pattern[of..].iter().all(|byte| *byte == b'*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_for_any_characters() {
        for (pattern, text, is_match) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("acme", "acme", true),
            ("acme", "acme2", false),
            ("globex-*", "globex-eu", true),
            ("globex-*", "globex-", true),
            ("globex-*", "globex", false),
            ("*-eu", "globex-eu-eu", true),
            ("*-eu", "globex-eu-us", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZcd", false),
            ("**", "x", true),
            ("é*", "étage", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(text),
                is_match,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn hostile_text_takes_no_longer_than_the_product() {
        let pattern = Glob::new("*a".repeat(100) + "b");
        assert!(!pattern.matches("a".repeat(20_000)));
    }
}
