//! URLs as messages show them.

/// A URL without what may be secret in it: the name and password before its host, what is long in its path, and its query. Those
/// who write a password seldom encode it, so that it ends at the last `@`.
pub(crate) fn masked(url: &str) -> String {
    let (url, query) = match url.find(['?', '#', ';']) {
        Some(at) => (&url[..at], "?…"),
        None => (url, ""),
    };
    let (scheme, rest) = match url.find("://") {
        Some(at) if !url[..at].contains([':', '@', '/']) => url.split_at(at + "://".len()),
        _ => ("", url),
    };
    let at = ["@", "%40"].into_iter();
    let user = at.filter_map(|at| Some(rest.rfind(at)? + at.len())).max();
    let (user, rest) = match user {
        Some(end) => ("…@", &rest[end..]),
        None => ("", rest),
    };
    let mut segments = rest.split('/');
    let mut masked = format!("{scheme}{user}{}", segments.next().unwrap_or_default());
    for segment in segments {
        let shown = if segment.len() > LONG_SEGMENT {
            "…"
        } else {
            segment
        };
        masked = masked + "/" + shown;
    }
    masked + query
}

/// Bytes of a path's segment that is more than the name of something.
const LONG_SEGMENT: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_url_are_masked() {
        for (url, shown) in [
            (
                "http://ada:s3cret@c:4318/v1?key=s3cret@b",
                "http://…@c:4318/v1?…",
            ),
            ("https://c/v1/traces?key=s3cret", "https://c/v1/traces?…"),
            ("http://a:b@c@d", "http://…@d"),
            ("http://ada:s3/cret@c/v1", "http://…@c/v1"),
            ("ada:s3cret@c:4318/v1", "…@c:4318/v1"),
            ("ada:s3://cret@c", "…@c"),
            ("http://ada:s3cret%40c:4318/v1", "http://…@c:4318/v1"),
            (
                "https://c/s3cret0123456789/v1/traces",
                "https://c/…/v1/traces",
            ),
            ("https://c/v1/traces;key=s3cret", "https://c/v1/traces?…"),
            ("http://c:4318/v1", "http://c:4318/v1"),
            ("localhost:4317", "localhost:4317"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
