//! TLS to a receiver, by rustls.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, crypto};

use super::Certificates;
use super::endpoint::SPEAKS_NO_TLS;
use super::options::not_a_path;
use crate::error::{Error, sources};

#[cfg(feature = "_http")]
pub(super) type Connector =
    hyper_rustls::HttpsConnector<hyper_util::client::legacy::connect::HttpConnector>;

/// Where TLS is not asked for, no certificates are looked for.
#[cfg(feature = "_http")]
pub(super) fn connector(
    connector: hyper_util::client::legacy::connect::HttpConnector,
    endpoint: &http::Uri,
    certificates: &Certificates,
) -> Result<Connector, Error> {
    let config = if endpoint.scheme() == Some(&http::uri::Scheme::HTTPS) {
        config(certificates)?
    } else {
        unused()?
    };
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
    Ok(builder
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector))
}

/// What `settings` says, else those that the system trusts.
fn config(settings: &Certificates) -> Result<ClientConfig, Error> {
    let builder = builder()?.with_root_certificates(roots(settings)?);
    let set = |problem: &str, cause: &dyn Display| settings.error(problem, cause);
    match (&settings.cert_file, &settings.key_file) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => {
            let chain = settings.read_certificates("cert_file", cert)?;
            let key_bytes = settings.read("key_file", key)?;
            let key = PrivateKeyDer::from_pem_slice(&key_bytes).map_err(|error| {
                settings.file("key_file", key, "not a private key in PEM", error)
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| set("`cert_file` and `key_file` do not belong together", &error))
        }
        (Some(_), None) => Err(set("`cert_file` is set", &"it also needs `key_file`")),
        (None, Some(_)) => Err(set("`key_file` is set", &"it also needs `cert_file`")),
    }
}

/// The same for gRPC, where the endpoint asks for it.
#[cfg(feature = "otlp-grpc")]
pub(super) fn endpoint(
    endpoint: tonic::transport::Endpoint,
    settings: &Certificates,
) -> Result<tonic::transport::Endpoint, Error> {
    use tonic::transport::{Certificate, ClientTlsConfig, Identity};

    if endpoint.uri().scheme() != Some(&http::uri::Scheme::HTTPS) {
        return Ok(endpoint);
    }
    // It is here that the files are judged, with messages that name them.
    config(settings)?;
    let mut tls = match &settings.ca_file {
        Some(path) => {
            let authority = Certificate::from_pem(settings.read("ca_file", path)?);
            ClientTlsConfig::new().ca_certificate(authority)
        }
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let (Some(cert), Some(key)) = (&settings.cert_file, &settings.key_file) {
        let cert = settings.read("cert_file", cert)?;
        let key = settings.read("key_file", key)?;
        tls = tls.identity(Identity::from_pem(cert, key));
    }
    endpoint
        .tls_config(tls)
        .map_err(|error| self::tls("cannot be set up", error))
}

/// For a receiver without TLS.
#[cfg(feature = "_http")]
fn unused() -> Result<ClientConfig, Error> {
    Ok(builder()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

/// What to do about a connection that fails, as far as its error tells: nothing, in most cases. Where nobody whom we trust
/// answers for the receiver's certificate, that is `untrusted`.
pub(super) fn hint(
    error: &(dyn std::error::Error + 'static),
    untrusted: &'static str,
) -> &'static str {
    match sources(error).find_map(trouble) {
        Some(Trouble::NoTls) => SPEAKS_NO_TLS,
        Some(Trouble::Untrusted) => untrusted,
        None => "",
    }
}

enum Trouble {
    /// The other side does not answer a TLS handshake with TLS, or hangs up.
    NoTls,
    Untrusted,
}

/// Clients pass rustls's errors on within I/O errors, whose source is not what they hold.
fn trouble(error: &(dyn std::error::Error + 'static)) -> Option<Trouble> {
    use rustls::CertificateError::{BadSignature, Other, UnknownIssuer};
    use rustls::Error::{InvalidCertificate, InvalidMessage};

    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Some(Trouble::NoTls),
            _ => error.get_ref().and_then(|cause| trouble(cause)),
        };
    }
    match error.downcast_ref()? {
        InvalidMessage(_) => Some(Trouble::NoTls),
        InvalidCertificate(BadSignature | Other(_) | UnknownIssuer) => Some(Trouble::Untrusted),
        _ => None,
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    let provider = Arc::new(crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| tls("cannot be set up", error))
}

fn roots(settings: &Certificates) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &settings.ca_file {
        for certificate in settings.read_certificates("ca_file", path)? {
            roots.add(certificate).map_err(|error| {
                settings.file(
                    "ca_file",
                    path,
                    "not the certificate of an authority",
                    error,
                )
            })?;
        }
        return Ok(roots);
    }
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(tls(
            "this system trusts no certificates",
            "install its package of CA certificates, or name a file of them by SSL_CERT_FILE",
        ));
    }
    Ok(roots)
}

impl Certificates {
    fn read_certificates(
        &self,
        setting: &'static str,
        path: &Path,
    ) -> Result<Vec<CertificateDer<'static>>, Error> {
        let bytes = self.read(setting, path)?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| self.file(setting, path, "not in PEM", error))?;
        if certificates.is_empty() {
            let cause = "it contains no certificate in PEM";
            return Err(self.file(setting, path, "unusable", cause));
        }
        Ok(certificates)
    }

    fn read(&self, setting: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
        if let Some(problem) = not_a_path(path) {
            return Err(self.error(format!("`{setting}` is not a path"), problem));
        }
        fs::read(path).map_err(|error| self.file(setting, path, "unreadable", error))
    }

    fn file(&self, setting: &str, path: &Path, problem: &str, cause: impl Display) -> Error {
        let problem = format!("`{setting}`, {}, is {problem}", path.display());
        self.error(problem, cause)
    }

    /// An error of a setting, with what sets it.
    fn error(&self, problem: impl Into<String>, cause: impl Display) -> Error {
        tls(problem, format!("{cause}. Set by {}", self.settings))
    }
}

fn tls(problem: impl Into<String>, cause: impl ToString) -> Error {
    Error::Tls {
        problem: problem.into(),
        cause: cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which the environment alone can say: `Otlp::identity_files` takes both.
    #[test]
    fn a_certificate_needs_its_key_and_a_key_its_certificate() {
        let none = Certificates {
            settings: "`Exporter::identity_files`, EXPORTER_CLIENT_KEY",
            ..Certificates::default()
        };
        let cert = Certificates {
            cert_file: Some("/cert.pem".into()),
            ..none.clone()
        };
        let key = Certificates {
            key_file: Some("/key.pem".into()),
            ..none
        };
        for (settings, problem) in [
            (cert, "`cert_file` is set: it also needs `key_file`"),
            (key, "`key_file` is set: it also needs `cert_file`"),
        ] {
            let error = config(&settings).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            assert!(error.ends_with(". Set by `Exporter::identity_files`, EXPORTER_CLIENT_KEY"));
        }
    }

    #[test]
    fn text_in_the_place_of_a_path_is_not_shown() {
        for key in ["-----BEGIN PRIVATE KEY-----s3cret", "s3cret\n/key.pem"] {
            let settings = Certificates {
                ca_file: Some(key.into()),
                ..Certificates::default()
            };
            let error = config(&settings).unwrap_err().to_string();
            assert!(
                error.contains("`ca_file` is not a path: it takes the path of a file"),
                "{error}"
            );
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
