//! OTLP: sends the recorded bytes as they are.

#[cfg(feature = "otlp-grpc")]
pub(crate) mod grpc;
#[cfg(feature = "otlp-http")]
pub(crate) mod http;
#[cfg(feature = "otlp-http")]
mod json_answer;

use ::http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRANSFER_ENCODING,
    UPGRADE, USER_AGENT,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::{DecodeError, Message};

use crate::config::{Otlp, Protocol, masked};
use crate::diag;
use crate::error::Error;
use crate::exporter::endpoint::{self, How};
use crate::exporter::said;
use crate::pipeline::Delivery;

const HTTP: How = How {
    settings: "`Otlp::http`, `Otlp::traces_endpoint`, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    example: "http://localhost:4318",
};

const GRPC: How = How {
    settings: "`Otlp::grpc`, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    example: "http://localhost:4317",
};

/// The URL for traces, checked.
fn endpoint(otlp: &Otlp) -> Result<Uri, Error> {
    let how = match otlp.protocol() {
        Protocol::Grpc => &GRPC,
        Protocol::HttpProtobuf | Protocol::HttpJson => &HTTP,
    };
    let (url, written) = (otlp.url(), otlp.written());
    let uri = endpoint::endpoint(&url, written, otlp.insecure, how)?;
    if otlp.doubles_path() {
        diag::warn(format_args!(
            "traces go to {}: v1/traces is appended to an endpoint; write it without that, or set \
             OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or `Otlp::traces_endpoint`, which are used as they are",
            masked(&url)
        ));
    }
    if otlp.protocol() == Protocol::Grpc && uri.path_and_query().is_some_and(|it| it != "/") {
        let problem = "requests by gRPC have a path of their own: write nothing behind the port, or choose another \
             OTEL_EXPORTER_OTLP_PROTOCOL";
        return Err(endpoint::invalid(written, problem, how));
    }
    Ok(uri)
}

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
fn header_map(otlp: &Otlp) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let agent = concat!("biztrace/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    for (name, value) in &otlp.headers {
        // Who writes `name: value` as the name writes a secret there.
        let end = name.find(|it: char| !it.is_ascii_alphanumeric() && it != '-' && it != '_');
        let shown = match end {
            Some(end) => format!("{}…", &name[..end]),
            None => name.clone(),
        };
        let invalid = |problem| Error::Header {
            name: shown.clone(),
            problem,
        };
        let key = HeaderName::try_from(name).map_err(|_| {
            invalid("has a name that no header may have: write name=value in the variable, and pass both apart in code")
        })?;
        if OWN.contains(&key) {
            return Err(invalid("is the exporter's own: leave it out"));
        }
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| invalid("has a value that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// What a receiver says that takes the request.
fn delivery(answer: Bytes) -> Result<Delivery, DecodeError> {
    let partial = ExportTraceServiceResponse::decode(answer)?
        .partial_success
        .unwrap_or_default();
    Ok(partial_success(
        partial.rejected_spans,
        partial.error_message,
    ))
}

/// What to do where nobody answers for the receiver's certificate.
#[cfg(feature = "tls")]
const UNTRUSTED: &str = ": name the certificate of the authority that signs the receiver's, not the receiver's own, by `Otlp::ca_file` \
     or OTEL_EXPORTER_OTLP_CERTIFICATE; without them it is one that this system trusts";

/// A success of which the receiver refuses that many spans all the same.
fn partial_success(rejected: i64, message: String) -> Delivery {
    let rejected = u64::try_from(rejected).unwrap_or(0);
    let message = if rejected > 0 && message.is_empty() {
        "the receiver rejected spans, and does not say why".into()
    } else {
        said(&message)
    };
    Delivery { rejected, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_shown_as_it_was_written_and_blanks_around_it_are_nothing() {
        let error = endpoint(&Otlp::http("'http://c'")).unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("\"'http://c'\" is no endpoint"),
            "{error}"
        );
        let uri = endpoint(&Otlp::http(" http://c:4318/ \n")).unwrap();
        assert_eq!(uri, "http://c:4318/v1/traces");
    }

    #[test]
    fn headers_of_the_clients_own_are_refused_and_secrets_are_not_shown() {
        for (name, said) in [
            ("Content-Length", "\"Content-Length\" for the receiver"),
            ("transfer-encoding", "is the exporter's own"),
            (
                "Authorization: Bearer s3cret==",
                "\"Authorization…\" for the receiver",
            ),
            ("", "has a name that no header may have"),
        ] {
            let otlp = Otlp::http("http://c").header(name, "s3cret");
            let error = header_map(&otlp).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let otlp = Otlp::http("http://c").header("x-api-key", "s3cret");
        assert_eq!(header_map(&otlp).unwrap()["x-api-key"], "s3cret");
    }

    #[test]
    fn the_path_is_appended_to_the_path() {
        for (base, url) in [
            ("http://c", "http://c/v1/traces"),
            ("http://c/otlp/", "http://c/otlp/v1/traces"),
            ("http://c/otlp?tenant=1", "http://c/otlp/v1/traces?tenant=1"),
        ] {
            let otlp = Otlp::http(base);
            assert_eq!(endpoint(&otlp).unwrap(), url);
            assert!(!otlp.doubles_path(), "{base}");
        }
        for twice in ["http://c/v1/traces", "http://c/v1/traces/?a=1"] {
            assert!(Otlp::http(twice).doubles_path(), "{twice}");
        }
        assert!(
            !Otlp::default()
                .traces_endpoint("http://c/v1/traces")
                .doubles_path()
        );
    }

    #[test]
    fn grpc_takes_no_path() {
        for url in ["http://c:4317/v1/traces", "http://c:4317?tenant=1"] {
            let error = endpoint(&Otlp::grpc(url)).unwrap_err().to_string();
            assert!(error.contains("write nothing behind the port"), "{error}");
        }
        assert_eq!(endpoint(&Otlp::grpc("http://c/")).unwrap(), "http://c/");
    }
}
