//! Secrets in URLs that stand in free text, for example in the message of an HTTP client's error.

use super::redact::{REDACTED, Redaction};

/// What stands between a URL's scheme and its host.
const MARK: &str = "://";

impl Redaction {
    /// A text whose URLs have neither user info nor secrets in their queries and fragments.
    ///
    /// A URL ends at white space, `"`, `<` or `>`, and before punctuation that stands there. Punctuation within it may belong to a
    /// secret.
    pub(crate) fn of_text(&self, text: String) -> String {
        if !text.contains(MARK) {
            return text;
        }
        let mut shown = String::with_capacity(text.len());
        let mut rest = &*text;
        while let Some((before, url, after)) = first_url(rest) {
            shown.push_str(before);
            self.push_url(&mut shown, url);
            rest = after;
        }
        shown.push_str(rest);
        shown
    }

    /// Adds a URL, which begins with its host. It may hold other URLs.
    fn push_url(&self, shown: &mut String, url: &str) {
        let (place, asked) = url.split_at(url.find(is_mark).unwrap_or(url.len()));
        push_hosts(shown, place);
        for part in asked.split_inclusive(is_mark) {
            let query = part.trim_end_matches(is_mark);
            push_nested(shown, &self.of(query));
            shown.push_str(&part[query.len()..]);
        }
    }
}

/// The text up to the first URL's host, the URL from there, and the text behind it.
fn first_url(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_at(text.find(MARK)? + MARK.len());
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"<>".contains(c);
    let all = &rest[..rest.find(ends).unwrap_or(rest.len())];
    // The sentence's, for example in "(see http://shop/)."
    let url = all.trim_end_matches(|c| ")]}',.;:!`".contains(c));
    let (url, after) = rest.split_at(url.len());
    Some((before, url, after))
}

/// What begins a query or a fragment.
fn is_mark(c: char) -> bool {
    matches!(c, '?' | '#')
}

/// Adds a query whose URLs have no user info. `&` ends a host there.
fn push_nested(shown: &mut String, query: &str) {
    for parameter in query.split_inclusive('&') {
        match parameter.find(MARK) {
            Some(at) => {
                let (before, url) = parameter.split_at(at + MARK.len());
                shown.push_str(before);
                push_hosts(shown, url);
            }
            None => shown.push_str(parameter),
        }
    }
}

/// Adds a URL, which begins with its host, without the user info of this host and of others in it.
fn push_hosts(shown: &mut String, url: &str) {
    let mut rest = url;
    loop {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match host.rsplit_once('@') {
            Some((_, host)) => shown.extend([REDACTED, ":", REDACTED, "@", host]),
            None => shown.push_str(host),
        }
        let Some(at) = path.find(MARK) else {
            return shown.push_str(path);
        };
        let (before, url) = path.split_at(at + MARK.len());
        shown.push_str(before);
        rest = url;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_urls_of_a_text_are_redacted_and_all_else_stays() {
        for (written, shown) in [
            ("", ""),
            ("token=1 stays without a URL", "token=1 stays without a URL"),
            ("://", "://"),
            ("a:// b://", "a:// b://"),
            ("see http://shop.", "see http://shop."),
            ("http://[::1]:81/a?b=1#c", "http://[::1]:81/a?b=1#c"),
            ("(http://[::1])", "(http://[::1])"),
            (
                "409 for url (http://127.0.0.1:18081/none?quantity=2&token=s3cr3t)",
                "409 for url (http://127.0.0.1:18081/none?quantity=2&token=REDACTED)",
            ),
            (
                "error for url (http://h/?token=s3cr3t): connect: refused",
                "error for url (http://h/?token=REDACTED): connect: refused",
            ),
            (
                "Error { url: \"http://h/?token=s3cr3t\", kind: Status }",
                "Error { url: \"http://h/?token=REDACTED\", kind: Status }",
            ),
            ("<http://h/?token=s3cr3t>x", "<http://h/?token=REDACTED>x"),
            (
                "'http://h/?token=s3cr3t', x",
                "'http://h/?token=REDACTED', x",
            ),
            ("`http://h/?token=s3cr3t`", "`http://h/?token=REDACTED`"),
            (
                "http://h/?token=s3cr3t\nnext",
                "http://h/?token=REDACTED\nnext",
            ),
            (
                "http://h/?token=s3cr3t\u{a0}x",
                "http://h/?token=REDACTED\u{a0}x",
            ),
            ("http://h/ü?token=s3cr3t ü", "http://h/ü?token=REDACTED ü"),
            // What ends sentences may stand in a query.
            (
                "http://h/?a=f(x)&token=s3cr3t",
                "http://h/?a=f(x)&token=REDACTED",
            ),
            (
                "http://h/?a=b)c'd&token=s3)cr3t",
                "http://h/?a=b)c'd&token=REDACTED",
            ),
            (
                "http://h/#access_token=s3cr3t&a=1",
                "http://h/#access_token=REDACTED&a=1",
            ),
            ("http://h/?a=1#token=s3cr3t", "http://h/?a=1#token=REDACTED"),
            (
                "http://h?code=s3cr3t&state=1",
                "http://h?code=REDACTED&state=1",
            ),
            ("http://h?code=1", "http://h?code=1"),
            // User info.
            (
                "postgres://me:s3cr3t@db/x",
                "postgres://REDACTED:REDACTED@db/x",
            ),
            ("redis://:s3cr3t@r:6379", "redis://REDACTED:REDACTED@r:6379"),
            ("https://s3cr3t@h.", "https://REDACTED:REDACTED@h."),
            ("https://a@s3cr3t@h/", "https://REDACTED:REDACTED@h/"),
            ("http://h/@me?to=a@b", "http://h/@me?to=a@b"),
            (
                "https://s3cr3t@h?sig=s3cr3t",
                "https://REDACTED:REDACTED@h?sig=REDACTED",
            ),
            // Several, and one in another.
            (
                "http://h/?token=s3cr3t or http://u:s3cr3t@h/",
                "http://h/?token=REDACTED or http://REDACTED:REDACTED@h/",
            ),
            (
                "http://h/a,http://u:s3cr3t@h/?token=s3cr3t",
                "http://h/a,http://REDACTED:REDACTED@h/?token=REDACTED",
            ),
            (
                "http://h/?to=http://u:s3cr3t@h/?token=s3cr3t&mail=a@b",
                "http://h/?to=http://REDACTED:REDACTED@h/?token=REDACTED&mail=a@b",
            ),
            (
                "http://h/?to=http://h&to=http://u:s3cr3t@h",
                "http://h/?to=http://h&to=http://REDACTED:REDACTED@h",
            ),
            ("http://h/?token=a://s3cr3t", "http://h/?token=REDACTED"),
        ] {
            let redaction = Redaction::default();
            assert_eq!(redaction.of_text(written.to_owned()), shown);
        }
    }

    #[test]
    fn text_is_redacted_by_the_names_of_the_settings() {
        let redaction = Redaction::listed("pin,!token").unwrap();
        let text = redaction.of_text("http://h/?pin=1&token=2".to_owned());
        assert_eq!(text, "http://h/?pin=REDACTED&token=2");
    }

    #[test]
    fn text_without_a_url_is_not_copied() {
        let text = "out of stock".to_owned();
        let place = text.as_ptr();
        let text = Redaction::default().of_text(text);
        assert_eq!(text.as_ptr(), place);
    }

    /// If each part were compared with each, this would take minutes.
    #[test]
    fn long_query_is_redacted_in_time() {
        let url = |value| {
            format!(
                "http://h/?{}state=1",
                format!("code={value}&").repeat(100_000)
            )
        };
        let text = Redaction::default().of_text(url("1") + " x");
        assert_eq!(text, url("REDACTED") + " x");
    }
}
