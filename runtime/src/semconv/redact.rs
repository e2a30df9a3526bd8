//! Secrets in URLs, which no span may have.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// Parameters whose values sign requests, as the conventions list them. Their case matters.
const SECRET: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Signature",
];

const REDACTED: &str = "REDACTED";

/// A query with those values redacted.
pub(crate) fn query(query: &str) -> Cow<'_, str> {
    // By bytes, since most queries have nothing to redact and each request with one is looked at.
    if !query.as_bytes().split(|byte| *byte == b'&').any(is_secret) {
        return Cow::Borrowed(query);
    }
    let parameters = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if is_secret(parameter.as_bytes()) => {
                format!("{name}={REDACTED}").into()
            }
            _ => Cow::Borrowed(parameter),
        });
    Cow::Owned(parameters.collect::<Vec<_>>().join("&"))
}

/// An absolute URL without its user info, and with those values of its query redacted.
pub(crate) fn url(url: &str) -> String {
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

fn is_secret(parameter: &[u8]) -> bool {
    let Some(end) = parameter.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let name = &parameter[..end];
    // A name may be hidden behind escapes.
    if name.contains(&b'%') {
        return is_listed(&percent_decode(name).collect::<Vec<_>>());
    }
    is_listed(name)
}

fn is_listed(name: &[u8]) -> bool {
    SECRET.iter().any(|secret| secret.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_sign_requests_are_redacted_and_all_else_stays() {
        for (written, shown) in [
            ("", ""),
            ("a=1&b", "a=1&b"),
            ("sig=s3cret", "sig=REDACTED"),
            ("a=1&Signature=s3cret&b=2", "a=1&Signature=REDACTED&b=2"),
            (
                "X-Amz-Signature=s3cret&X-Amz-Date=1",
                "X-Amz-Signature=REDACTED&X-Amz-Date=1",
            ),
            (
                "X-Amz-Credential=s3cret=&X-Amz-Security-Token=s3cret",
                "X-Amz-Credential=REDACTED&X-Amz-Security-Token=REDACTED",
            ),
            (
                "AWSAccessKeyId=s3cret&X-Goog-Signature=",
                "AWSAccessKeyId=REDACTED&X-Goog-Signature=REDACTED",
            ),
            ("%73ig=s3cret", "%73ig=REDACTED"),
            ("SIG=1&signature=2&sig", "SIG=1&signature=2&sig"),
            ("&&sig=s3cret&", "&&sig=REDACTED&"),
        ] {
            assert_eq!(query(written), shown);
        }
    }

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
            assert_eq!(url(written), shown);
        }
    }
}
