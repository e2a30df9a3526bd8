//! Secrets in queries, which no span may have.

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

pub(crate) const REDACTED: &str = "REDACTED";

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
}
