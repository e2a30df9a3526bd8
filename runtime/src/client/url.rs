//! Secrets in URLs, which no span may have.

use super::ClientTracing;
use crate::semconv::Redaction;
use crate::semconv::redact::REDACTED;

/// An absolute URL without its user info and without secrets in its query and fragment, or without the parts that `tracing` leaves out.
pub(super) fn full_url(url: &str, tracing: &ClientTracing, redaction: &Redaction) -> String {
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
    shown.push_str(match tracing.without_path && path.len() > 1 {
        true => in_place_of_path(tracing),
        false => path,
    });
    if tracing.without_query {
        return shown;
    }
    for part in [asked, fragment] {
        if !part.is_empty() {
            // The first byte is its mark.
            shown.extend([&part[..1], &*redaction.of(&part[1..])]);
        }
    }
    shown
}

/// The template, if it is that of a path.
fn in_place_of_path(tracing: &ClientTracing) -> &str {
    let template = tracing.url_template.as_deref();
    let template = template.filter(|template| template.starts_with('/'));
    template.unwrap_or("/REDACTED")
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
            (
                "http://shop/#access_token=s3cret&a=1",
                "http://shop/#access_token=REDACTED&a=1",
            ),
        ] {
            let (tracing, redaction) = (ClientTracing::default(), Redaction::default());
            assert_eq!(full_url(written, &tracing, &redaction), shown);
            let end = shown.find(['?', '#']).unwrap_or(shown.len());
            let tracing = tracing.without_query();
            assert_eq!(full_url(written, &tracing, &redaction), shown[..end]);
        }
    }

    #[test]
    fn url_may_have_its_template_in_place_of_its_path() {
        let tracing = ClientTracing::default().without_path();
        let templated = tracing.clone().url_template("/cards/{card}");
        for (written, shown, with_template) in [
            (
                "http://shop/cards/4111?a=1",
                "http://shop/REDACTED?a=1",
                "http://shop/cards/{card}?a=1",
            ),
            ("http://shop/", "http://shop/", "http://shop/"),
            ("http://shop", "http://shop", "http://shop"),
        ] {
            let redaction = Redaction::default();
            assert_eq!(full_url(written, &tracing, &redaction), shown);
            assert_eq!(full_url(written, &templated, &redaction), with_template);
        }
    }
}
