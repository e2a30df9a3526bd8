//! What a receiver of OTLP is sent, and where: checked settings.

use http::Uri;

use super::settings::{Otlp, Protocol};
use crate::diag;
use crate::error::Error;
use crate::exporter::transport::endpoint::{self, EndpointHelp};
use crate::exporter::transport::masked;

const CREDENTIALS: &str = ", or send them in a header: authorization=Basic … by `Otlp::header` or OTEL_EXPORTER_OTLP_HEADERS";

const HTTP: EndpointHelp = EndpointHelp {
    settings: "`Otlp::http`, `Otlp::traces_endpoint`, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    credentials: CREDENTIALS,
    example: "http://localhost:4318",
};

const GRPC: EndpointHelp = EndpointHelp {
    settings: "`Otlp::grpc`, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    credentials: CREDENTIALS,
    example: "http://localhost:4317",
};

/// The URL for traces, checked.
pub(super) fn endpoint(otlp: &Otlp) -> Result<Uri, Error> {
    let help = match otlp.protocol.value {
        Protocol::Grpc => &GRPC,
        Protocol::HttpProtobuf | Protocol::HttpJson => &HTTP,
    };
    let (url, written) = (otlp.url(), otlp.written());
    let uri = endpoint::endpoint(&url, written, otlp.insecure.value, help)?;
    if otlp.doubles_path() {
        diag::warn(format_args!(
            "traces go to {}: v1/traces is appended to an endpoint; write it without that, or set \
             OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or `Otlp::traces_endpoint`, which are used as they are",
            masked(&url)
        ));
    }
    if otlp.protocol.value == Protocol::Grpc && uri.path_and_query().is_some_and(|it| it != "/") {
        let problem = "gRPC takes no path: write nothing after the port, or choose another OTEL_EXPORTER_OTLP_PROTOCOL";
        return Err(endpoint::invalid(written, problem, help));
    }
    Ok(uri)
}

/// What to do where nobody answers for the receiver's certificate.
pub(super) const UNTRUSTED: &str = ": name the certificate of the authority that signs the receiver's, not the receiver's own, by `Otlp::ca_file` \
     or OTEL_EXPORTER_OTLP_CERTIFICATE; without them it is one that this system trusts";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_shown_as_it_was_written_and_blanks_around_it_are_nothing() {
        let error = endpoint(&Otlp::http("'http://c'")).unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("invalid endpoint \"'http://c'\""),
            "{error}"
        );
        let uri = endpoint(&Otlp::http(" http://c:4318/ \n")).unwrap();
        assert_eq!(uri, "http://c:4318/v1/traces");
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

    #[cfg(feature = "otlp-grpc")]
    #[test]
    fn grpc_takes_no_path() {
        for url in ["http://c:4317/v1/traces", "http://c:4317?tenant=1"] {
            let error = endpoint(&Otlp::grpc(url)).unwrap_err().to_string();
            assert!(error.contains("write nothing after the port"), "{error}");
        }
        assert_eq!(endpoint(&Otlp::grpc("http://c/")).unwrap(), "http://c/");
    }
}
