//! Secrets in URLs, which no span may have.

use crate::semconv::redact::{REDACTED, query};

/// An absolute URL without its user info, and with those values of its query redacted, or without its query and fragment.
pub(super) fn full_url(url: &str, has_query: bool) -> String {
    // What stands after `?` may hold a `#` that is no query's, and either may stand without a path.
    let (rest, fragment) = split(url, '#');
    let (rest, asked) = split(rest, '?');
    let start = rest.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = rest.split_at(start);
    let (authority, path) = split(rest, '/');
    let mut shown = String::with_capacity(url.len());
    shown.push_str(scheme);
    match authority.rsplit_once('@') {
        Some((_, host)) => shown.extend([REDACTED, ":", REDACTED, "@", host]),
        None => shown.push_str(authority),
    }
    shown.push_str(path);
    if !has_query {
        return shown;
    }
    if let Some(asked) = asked.strip_prefix('?') {
        shown.extend(["?", &*query(asked)]);
    }
    shown.push_str(fragment);
    shown
}

/// `text` before the first `mark`, and from it on.
fn split(text: &str, mark: char) -> (&str, &str) {
    text.split_at(text.find(mark).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_loses_its_user_info() {
        for (written, shown) in [
            ("http://shop", "http://shop"),
            ("http://[::1]:81/a?b#c", "http://[::1]:81/a?b#c"),
            (
                "https://me:s3cret@shop:81/",
                "https://REDACTED:REDACTED@shop:81/",
            ),
            ("https://s3cret@shop", "https://REDACTED:REDACTED@shop"),
            ("https://a@s3cret@shop/", "https://REDACTED:REDACTED@shop/"),
            (
                "https://s3cret@shop?sig=s3cret",
                "https://REDACTED:REDACTED@shop?sig=REDACTED",
            ),
            ("http://shop/@me", "http://shop/@me"),
            ("http://shop?to=a@b", "http://shop?to=a@b"),
            (
                "http://shop/a?sig=s3cret&b=/#?sig=1",
                "http://shop/a?sig=REDACTED&b=/#?sig=1",
            ),
            ("/relative?sig=s3cret", "/relative?sig=REDACTED"),
        ] {
            assert_eq!(full_url(written, true), shown);
            let end = shown.find(['?', '#']).unwrap_or(shown.len());
            assert_eq!(full_url(written, false), shown[..end]);
        }
    }
}
