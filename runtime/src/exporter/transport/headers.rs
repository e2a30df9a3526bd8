//! The headers of each request to a receiver.

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRANSFER_ENCODING,
    UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Options;
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

/// The headers of each request that the settings name, and who sends it.
pub(crate) fn header_map(options: &Options) -> Result<HeaderMap, Error> {
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
            let error = header_map(&with(name)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(
                error.ends_with(". Set by `Exporter::header(name, value)`"),
                "{error}"
            );
            assert!(!error.contains("s3cret"), "{error}");
        }
        let headers = header_map(&with("x-api-key")).unwrap();
        assert_eq!(headers["x-api-key"], "s3cret");
    }
}
