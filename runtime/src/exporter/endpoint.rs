//! The address of a receiver.

use std::net::IpAddr;

use http::Uri;

use crate::config::masked;
use crate::error::Error;

/// The URL that is `written`, checked. One without a scheme is taken where it is clear whether TLS is meant: where the settings say
/// whether it is `insecure`, or else on this machine. An error names the settings and shows an example.
pub(super) fn endpoint(
    written: &str,
    insecure: Option<bool>,
    how: &'static How,
) -> Result<Uri, Error> {
    let invalid = |problem: &str| invalid(written, problem, how);
    if written.contains('#') {
        return Err(invalid("what comes behind a # is never sent: leave it out"));
    }
    let url = match insecure {
        _ if written.contains("://") => written.to_owned(),
        Some(true) => format!("http://{written}"),
        Some(false) => format!("https://{written}"),
        None if is_local(written) => format!("http://{written}"),
        None => {
            return Err(invalid(
                "it has no scheme, and TLS may be meant or not: write http:// or https:// before it",
            ));
        }
    };
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| invalid(&error.to_string()))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") if cfg!(feature = "tls") => {}
        Some("https") => {
            return Err(invalid(
                "this build has no TLS: enable the feature `tls` of biztrace",
            ));
        }
        _ => return Err(invalid("its scheme is neither http nor https")),
    }
    let Some(authority) = uri.authority().filter(|it| !it.host().is_empty()) else {
        return Err(invalid("it has no host"));
    };
    if authority.as_str().contains('@') {
        return Err(invalid(
            "a name and password in a URL are not sent: leave them out; OTLP takes them as a header, authorization=Basic …",
        ));
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if has_port && authority.port_u16().is_none_or(|port| port == 0) {
        // The client would send to the scheme's own port instead.
        return Err(invalid("its port is no number from 1 to 65535"));
    }
    Ok(uri)
}

/// How an endpoint is set.
#[derive(Debug)]
pub(super) struct How {
    /// The methods and variables.
    pub(super) settings: &'static str,
    /// One that is right.
    pub(super) example: &'static str,
}

/// The error for one that cannot be sent to.
pub(super) fn invalid(written: &str, problem: impl Into<String>, how: &How) -> Error {
    Error::Endpoint {
        url: masked(written),
        problem: problem.into(),
        settings: how.settings,
        example: how.example,
    }
}

/// Whether the host of `host[:port][/path]` is this machine.
fn is_local(address: &str) -> bool {
    let authority = address.split('/').next().unwrap_or_default();
    let host = match authority
        .strip_prefix('[')
        .and_then(|it| it.split_once(']'))
    {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: How = How {
        settings: "OTEL_ENDPOINT",
        example: "http://localhost:4318",
    };

    fn of(url: &str) -> Result<String, String> {
        let checked = endpoint(url, None, &HOW);
        checked
            .map(|uri| uri.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_that_are_clear_are_taken() {
        for (url, uri) in [
            ("http://c:4318/v1/traces", "http://c:4318/v1/traces"),
            ("localhost:4318", "http://localhost:4318/"),
            (
                "localhost:4318/v1/traces",
                "http://localhost:4318/v1/traces",
            ),
            ("127.0.0.1:4318/in", "http://127.0.0.1:4318/in"),
            ("[::1]:4318", "http://[::1]:4318/"),
        ] {
            assert_eq!(of(url).unwrap(), uri);
        }
        for (host, insecure, uri) in [
            ("collector:4317", true, "http://collector:4317/"),
            ("collector:4317", false, "https://collector:4317/"),
            ("localhost:4317", false, "https://localhost:4317/"),
            ("http://collector:4317", false, "http://collector:4317/"),
        ] {
            assert_eq!(endpoint(host, Some(insecure), &HOW).unwrap(), uri);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (url, problem) in [
            (
                "collector:4318",
                "no scheme, and TLS may be meant or not: write http:// or https://",
            ),
            ("ftp://c/in", "neither http nor https"),
            ("http://c/#traces", "behind a #"),
            ("http://", "empty string"),
            ("http://a b", "invalid uri character"),
            ("http://127.0.0.1:99999", "its port is no number"),
            ("http://localhost:", "its port is no number"),
            ("[::1]:0", "its port is no number"),
            ("https://ada:s3cret@c", "OTLP takes them as a header"),
            ("ada:s3cret@collector:4318", "no scheme"),
            (
                "localhost:s3cret@collector:4318",
                "OTLP takes them as a header",
            ),
        ] {
            let error = of(url).unwrap_err();
            assert!(error.contains(problem), "{url}: {error}");
            assert!(error.contains("OTEL_ENDPOINT"), "{url}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
