//! The headers of each request to a receiver.

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRANSFER_ENCODING,
    UPGRADE, USER_AGENT,
};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::endpoint::is_local;
use super::{Options, masked};
use crate::diag;
use crate::error::Error;

/// What the exporters and their clients set.
const OWN: [HeaderName; 8] = [
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    HOST,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What the names of headers contain whose values are credentials: `authorization`, `x-api-key`, `x-honeycomb-team` and others.
const CREDENTIALS: [&str; 9] = [
    "auth",
    "cookie",
    "credential",
    "dsn",
    "key",
    "password",
    "secret",
    "team",
    "token",
];

/// The headers of each request to `endpoint` that the settings name, and who sends it. Warns if they show credentials to the network.
pub(crate) fn header_map(options: &Options, endpoint: &Uri) -> Result<HeaderMap, Error> {
    let headers = checked(options)?;
    if let Some(name) = readable_credential(&headers, endpoint) {
        diag::warn(format_args!(
            "the header {name} is sent to {} without TLS: everybody on the way can read it. Write https:// before the host, or send it \
             to a Collector on this machine",
            masked(&endpoint.to_string())
        ));
    }
    Ok(headers)
}

/// The first header with credentials that leaves this machine unencrypted.
fn readable_credential<'h>(headers: &'h HeaderMap, endpoint: &Uri) -> Option<&'h HeaderName> {
    if endpoint.scheme() == Some(&Scheme::HTTPS) || is_local(&endpoint.to_string()) {
        return None;
    }
    let is_credential = |name: &&HeaderName| {
        let name = name.as_str();
        CREDENTIALS.iter().any(|part| name.contains(part))
    };
    headers.keys().find(is_credential)
}

fn checked(options: &Options) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let agent = concat!("biztrace/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    for ((name, value), _) in options.all_headers() {
        // Who writes `name: value` as the name writes a secret there.
        let end = name.find(|it: char| !it.is_ascii_alphanumeric() && it != '-' && it != '_');
        let shown = match end {
            Some(end) => format!("{}…", &name[..end]),
            None => name.clone(),
        };
        let invalid = |problem| Error::Header {
            name: shown.clone(),
            problem,
            settings: options.header_settings(),
        };
        let key = HeaderName::try_from(name)
            .map_err(|_| invalid("it is not a valid name of a header"))?;
        if OWN.contains(&key) {
            return Err(invalid("the exporter sets it itself. Leave it out"));
        }
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| invalid("its value is not valid in a header"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporter::transport::OptionsHelp;

    const HELP: OptionsHelp = OptionsHelp {
        headers: "`Exporter::header(name, value)`",
        certificates: "",
    };

    #[test]
    fn headers_of_the_clients_own_are_refused_and_secrets_are_not_shown() {
        let with = |name: &str| {
            let mut options = Options::new(&HELP);
            let header = (name.to_owned(), "s3cret".to_owned());
            options.headers.push(header);
            options
        };
        for (name, said) in [
            ("Content-Length", "invalid header \"Content-Length\""),
            ("transfer-encoding", "the exporter sets it itself"),
            (
                "Authorization: Bearer s3cret==",
                "invalid header \"Authorization…\"",
            ),
            ("", "it is not a valid name of a header"),
        ] {
            let error = checked(&with(name)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(
                error.ends_with(". Set by `Exporter::header(name, value)`"),
                "{error}"
            );
            assert!(!error.contains("s3cret"), "{error}");
        }
        let headers = checked(&with("x-api-key")).unwrap();
        assert_eq!(headers["x-api-key"], "s3cret");
    }

    #[test]
    fn credentials_without_tls_are_noticed_unless_they_stay_on_this_machine() {
        for (name, url, is_noticed) in [
            ("authorization", "http://c:4318/v1/traces", true),
            ("x-api-key", "http://192.0.2.1:4318", true),
            ("x-honeycomb-team", "http://c:4318", true),
            ("authorization", "https://c:4318", false),
            ("authorization", "http://127.0.0.1:4318", false),
            ("authorization", "http://[::1]:4318", false),
            ("authorization", "http://localhost:4318", false),
            ("x-scope-orgid", "http://c:4318", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static("s3cret"));
            let url = url.parse().unwrap();
            let noticed = readable_credential(&headers, &url);
            assert_eq!(noticed.is_some(), is_noticed, "{name} to {url}");
        }
    }
}
