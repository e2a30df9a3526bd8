//! The address of a receiver.

use std::net::IpAddr;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;

use super::masked;
use crate::error::Error;

/// The URL of an endpoint that was `written`, checked. One without a scheme is taken where it is clear whether TLS is meant, and it
/// has a port: where the settings say whether it is `insecure`, or else on this machine. An error names the settings and shows an
/// example.
pub(crate) fn endpoint(
    url: &str,
    written: &str,
    insecure: Option<bool>,
    help: &'static EndpointHelp,
) -> Result<Uri, Error> {
    let invalid = |problem: &str| invalid(written, problem, help);
    if let Some(problem) = problem(url) {
        return Err(invalid(problem));
    }
    let url = match insecure {
        _ if url.contains("://") => url.to_owned(),
        _ if !authority(url).contains('@') && !has_port(url) => {
            return Err(invalid("it has neither a scheme nor a port"));
        }
        Some(true) => format!("http://{url}"),
        Some(false) => format!("https://{url}"),
        None if is_local(url) => format!("http://{url}"),
        None => {
            return Err(invalid(
                "it has no scheme: write http:// or https:// before it",
            ));
        }
    };
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| invalid(&error.to_string()))?;
    if uri.scheme() == Some(&Scheme::HTTPS) && !cfg!(feature = "tls") {
        return Err(invalid(
            "this build has no TLS: enable the feature `tls` of biztrace",
        ));
    }
    let Some(authority) = uri.authority().filter(|it| !it.host().is_empty()) else {
        return Err(invalid("it has no host"));
    };
    if authority.as_str().contains('@') {
        let problem = "a name and password in a URL are not sent: leave them out";
        return Err(invalid(&format!("{problem}{}", help.credentials)));
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if has_port && authority.port_u16().is_none_or(|port| port == 0) {
        // The client would send to the scheme's own port instead.
        return Err(invalid("its port is not a number from 1 to 65535"));
    }
    Ok(uri)
}

/// What to do where a handshake of TLS is not answered as such.
pub(crate) const SPEAKS_NO_TLS: &str = ": does it speak TLS? If not, write http:// before it";

/// Shorter than a request may take, so that the message says that it is the connection that fails.
pub(crate) fn connect_timeout(request: Duration) -> Duration {
    request / 2
}

/// How an endpoint is set.
#[derive(Debug)]
pub(crate) struct EndpointHelp {
    /// The methods and variables.
    pub(crate) settings: &'static str,
    /// How a name and a password are sent instead, if they can be: it follows "leave them out".
    pub(crate) credentials: &'static str,
    /// A valid endpoint.
    pub(crate) example: &'static str,
}

/// The error for an endpoint that requests cannot be sent to.
pub(crate) fn invalid(written: &str, problem: impl Into<String>, help: &EndpointHelp) -> Error {
    Error::Endpoint {
        url: masked(written),
        problem: problem.into(),
        settings: help.settings,
        example: help.example,
    }
}

/// What is wrong with a URL that the parser would misread, or whose error would not say what to do.
fn problem(url: &str) -> Option<&'static str> {
    let authority = authority(url);
    let (host, _) = split_port(authority);
    let is_bracketed = authority.starts_with('[');
    if url.starts_with(['"', '\'']) {
        Some("it contains quotation marks: leave them out")
    } else if url.contains('#') {
        Some("the part after # is never sent: leave it out")
    } else if !url.is_ascii() {
        Some(
            "it contains a non-ASCII character: write a host as xn--…, and the rest percent-encoded",
        )
    } else if has_other_scheme(url) {
        Some("its scheme is neither http nor https")
    } else if url.starts_with("//") {
        Some("it has no scheme: write http: or https: before it")
    } else if !url.contains("://") && (url.starts_with("http:") || url.starts_with("https:")) {
        Some("its scheme must be followed by ://")
    } else if authority.contains('@') {
        None
    } else if !is_bracketed && (authority.contains("::") || authority.matches(':').count() > 6) {
        Some("an IPv6 address needs brackets, for example http://[::1]:4318")
    } else if is_bracketed && host.contains('%') {
        Some("an IPv6 address with a zone is not supported")
    } else if host.is_empty() || host.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("it has no host")
    } else {
        None
    }
}

fn has_other_scheme(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| {
        !["http", "https"]
            .iter()
            .any(|http| scheme.eq_ignore_ascii_case(http))
    })
}

/// `host[:port]` of a URL, with or without a scheme.
fn authority(url: &str) -> &str {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    address.split(['/', '?']).next().unwrap_or_default()
}

/// The host, without brackets, and what comes behind its colon, if it has one.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let bracketed = authority
        .strip_prefix('[')
        .and_then(|it| it.split_once(']'));
    match bracketed {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    }
}

fn has_port(url: &str) -> bool {
    split_port(authority(url)).1.is_some()
}

/// Whether two URLs have the same scheme, host and port.
#[cfg_attr(
    not(any(feature = "otlp-grpc", feature = "otlp-http")),
    allow(dead_code, reason = "no variables set credentials of Zipkin")
)]
pub(crate) fn is_same_server(a: &str, b: &str) -> bool {
    let server = |url: &str| {
        let url = url.trim().to_ascii_lowercase();
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_owned());
        (scheme, authority(&url).to_owned())
    };
    server(a) == server(b)
}

/// Whether the host of a URL is this machine.
pub(super) fn is_local(url: &str) -> bool {
    let (host, _) = split_port(authority(url));
    let loopback = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: EndpointHelp = EndpointHelp {
        settings: "OTEL_ENDPOINT",
        credentials: ", or write authorization=Basic …",
        example: "http://localhost:4318",
    };

    fn of(url: &str) -> Result<String, String> {
        let checked = endpoint(url, url, None, &HELP);
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
        let insecure = |host, is_insecure| endpoint(host, host, Some(is_insecure), &HELP);
        let plain = "http://collector:4317/";
        assert_eq!(insecure("collector:4317", true).unwrap(), plain);
        assert_eq!(insecure("http://collector:4317", false).unwrap(), plain);
        for host in ["collector:4317", "localhost:4317"] {
            match insecure(host, false) {
                Ok(uri) => assert_eq!(uri.to_string(), format!("https://{host}/")),
                Err(error) if cfg!(feature = "tls") => panic!("{error}"),
                Err(error) => assert!(error.to_string().contains("feature `tls`"), "{error}"),
            }
        }
    }

    #[test]
    fn error_says_what_is_wrong_and_what_to_write() {
        for (url, problem) in [
            (
                "collector:4318",
                "it has no scheme: write http:// or https:// before it",
            ),
            ("ftp://c/in", "neither http nor https"),
            ("unix:///tmp/otlp", "neither http nor https"),
            ("http://köln:4318", "write a host as xn--"),
            ("collector:4318:", "no scheme"),
            ("tcp:collector:4318", "no scheme"),
            ("http://fe80:1:2:3:4:5:6:7", "needs brackets"),
            ("http://c/#traces", "the part after #"),
            ("http://", "it has no host"),
            (":4318", "it has no host"),
            ("4318", "it has no host"),
            ("http://4318", "it has no host"),
            ("//collector:4318", "write http: or https: before it"),
            ("http:/collector:4318", "must be followed by ://"),
            ("https:collector", "must be followed by ://"),
            ("localhost", "neither a scheme nor a port"),
            ("collector/v1/traces", "neither a scheme nor a port"),
            ("::1:4318", "needs brackets, for example http://[::1]:4318"),
            ("http://::1:4318/in", "needs brackets"),
            ("http://[fe80::1%25eth0]:4318", "with a zone"),
            ("\"http://collector:4318\"", "leave them out"),
            ("'http://collector:4318'", "leave them out"),
            ("http://a b", "invalid uri character"),
            ("http://127.0.0.1:99999", "its port is not a number"),
            ("http://localhost:", "its port is not a number"),
            ("[::1]:0", "its port is not a number"),
            (
                "http://ada:s3cret@c",
                "leave them out, or write authorization=Basic …",
            ),
            ("ada:s3cret@collector:4318", "no scheme"),
            (
                "localhost:s3cret@collector:4318",
                "leave them out, or write authorization=Basic …",
            ),
        ] {
            let error = of(url).unwrap_err();
            assert!(error.contains(problem), "{url}: {error}");
            assert!(error.contains("OTEL_ENDPOINT"), "{url}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
