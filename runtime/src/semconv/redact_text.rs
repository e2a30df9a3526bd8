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

    /// Adds a URL, which begins behind its scheme. It may hold other URLs.
    fn push_url(&self, shown: &mut String, url: &str) {
        let url = push_user(shown, url, user_info(url).max(odd_user_info(url)));
        let (rest, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
        let (place, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        push_without_users(shown, place);
        for part in [query, fragment] {
            if part.is_empty() {
                continue;
            }
            let (mark, part) = part.split_at(1);
            shown.push_str(mark);
            self.push_parameters(shown, &self.of(part));
        }
    }

    /// Adds a query whose own secrets are redacted. A parameter may be a URL that has a query, too.
    fn push_parameters(&self, shown: &mut String, query: &str) {
        for (i, parameter) in query.split('&').enumerate() {
            if i > 0 {
                shown.push('&');
            }
            for part in parameter.split_inclusive(['?', '#']) {
                let redacted = self.of(part);
                push_without_users(shown, &redacted);
                if redacted != part {
                    // The rest of the parameter may belong to the secret.
                    break;
                }
            }
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

/// Adds a text whose URLs have no user info.
fn push_without_users(shown: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (before, url) = rest.split_at(at + MARK.len());
        shown.push_str(before);
        rest = push_user(shown, url, user_info(url));
    }
    shown.push_str(rest);
}

/// Adds what is shown for a user info of that length, and returns the URL behind it.
fn push_user<'u>(shown: &mut String, url: &'u str, len: usize) -> &'u str {
    if len > 0 {
        shown.extend([REDACTED, ":", REDACTED, "@"]);
    }
    &url[len..]
}

/// The length of the user info that a URL begins with, and of its `@`.
fn user_info(url: &str) -> usize {
    end_of_user(host(url))
}

/// The same of a password with `/`, `?` or `#`, which should be percent-encoded: what stands in the port's place is not a number.
fn odd_user_info(url: &str) -> usize {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match host(url).rsplit_once(':') {
        Some((_, port)) if !is_port(port) && !port.contains(['@', ']']) => end_of_user(url),
        _ => 0,
    }
}

fn end_of_user(text: &str) -> usize {
    text.rfind('@').map_or(0, |at| at + 1)
}

/// What stands before the path, the query and the fragment.
fn host(url: &str) -> &str {
    &url[..url.find(['/', '?', '#']).unwrap_or(url.len())]
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
            (
                "postgres://me:s3/cr3t@db/x, postgres://me:s3#cr?3t@db/x",
                "postgres://REDACTED:REDACTED@db/x, postgres://REDACTED:REDACTED@db/x",
            ),
            (
                "http://h:80/@me, http://h:/@me",
                "http://h:80/@me, http://h:/@me",
            ),
            (
                "http://[::1]/@me http://[::1]:8/@me",
                "http://[::1]/@me http://[::1]:8/@me",
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
            (
                "http://h/?token=s3?cr3t&a=b?c",
                "http://h/?token=REDACTED&a=b?c",
            ),
            (
                "http://h/?to=http://h/?token=s3?cr3t&a=1#token=s3?cr3t",
                "http://h/?to=http://h/?token=REDACTED&a=1#token=REDACTED",
            ),
            (
                "http://h/#/page?token=s3cr3t&a=1",
                "http://h/#/page?token=REDACTED&a=1",
            ),
            (
                "http://h/x://u:s3cr3t@h/y",
                "http://h/x://REDACTED:REDACTED@h/y",
            ),
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
