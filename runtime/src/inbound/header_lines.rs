//! The headers of a message, in the type that the server has for them.

use opentelemetry::propagation::Extractor;

use crate::propagation::Carrier;

/// The headers of a request or a response.
pub(crate) trait HeaderLines {
    /// The name of a header, in lower case.
    type Name: AsRef<str>;

    /// The lines of the header `name`, which is in lower case, in their order.
    fn lines<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a;

    /// The lines of a header that the application names.
    fn named<'a>(&'a self, name: &'a Self::Name) -> impl Iterator<Item = &'a [u8]>;

    /// All lines, with their names in lower case.
    fn all(&self) -> impl Iterator<Item = (&str, &[u8])>;
}

/// The text of a line, if it has nothing but visible ASCII characters, spaces and tabs.
pub(super) fn text(line: &[u8]) -> Option<&str> {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    line.iter()
        .all(is_text)
        .then(|| std::str::from_utf8(line).ok())?
}

/// The headers of a request as a carrier of context.
pub(super) struct HeaderCarrier<'h, H>(pub(super) &'h H);

impl<H: HeaderLines> Carrier for HeaderCarrier<'_, H> {
    #[inline(always)]
    fn lines<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.0.lines(name)
    }
}

/// For propagators of others.
impl<H: HeaderLines> Extractor for HeaderCarrier<'_, H> {
    fn get(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.all();
        let (_, line) = lines.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        text(line)
    }

    fn keys(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.all().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        let lines = self.0.all();
        let lines = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let lines: Vec<_> = lines.filter_map(|(_, line)| text(line)).collect();
        (!lines.is_empty()).then_some(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::test_request::TestRequest;

    #[test]
    fn propagators_of_others_find_headers_by_any_case() {
        let request = TestRequest::with_headers(&[
            ("x-b", "1"),
            ("x-a", "caf\u{e9}"),
            ("x-b", "2"),
            ("x-b", "\u{e9}"),
        ]);
        let carrier = HeaderCarrier(&request);
        assert_eq!(carrier.keys(), ["x-a", "x-b"]);
        assert_eq!(carrier.get("X-B"), Some("1"));
        assert_eq!(carrier.get_all("X-B"), Some(vec!["1", "2"]));
        assert_eq!((carrier.get("x-a"), carrier.get_all("x-a")), (None, None));
        assert_eq!((carrier.get("x-c"), carrier.get_all("x-c")), (None, None));
    }
}
