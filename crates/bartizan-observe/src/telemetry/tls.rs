//! TLS to a collector.

use std::fmt;
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::config::{Destination, OtlpProtocol};

/// How an `https://` collector proves who it is, and we to it. Default: by the certificates that the
/// system trusts, and not at all.
#[derive(Default, Clone)]
pub struct TlsConfig {
    roots: Vec<CertificateDer<'static>>,
    identity: Option<Arc<Identity>>,
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// It holds no certificate in PEM form, or a malformed one.
    #[error("not a list of certificates in PEM form")]
    Certificates,
    /// It holds no private key in PEM form, or a malformed one.
    #[error("not a private key in PEM form")]
    Key,
    /// Certificate and key do not belong together, or the system's trust can't be read.
    #[error(transparent)]
    Unusable(#[from] rustls::Error),
}

// === impl TlsConfig ===

impl TlsConfig {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificates signed by these, in PEM form, and no others.
    ///
    /// # Errors
    ///
    /// When there is no certificate in it, or one that can't be read.
    pub fn with_root_certificates(mut self, pem: &[u8]) -> Result<Self, TlsError> {
        self.roots = certificates(pem)?;
        Ok(self)
    }

    /// Shows this certificate (with those that lead to its root) to the collector, and proves it by
    /// the private key, both in PEM form.
    ///
    /// # Errors
    ///
    /// When there is no certificate or no key, or one that can't be read.
    pub fn with_identity(
        mut self,
        certificates_pem: &[u8],
        key_pem: &[u8],
    ) -> Result<Self, TlsError> {
        self.identity = Some(Arc::new(Identity {
            chain: certificates(certificates_pem)?,
            key: PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| TlsError::Key)?,
        }));
        Ok(self)
    }

    fn client(&self) -> Result<ClientConfig, TlsError> {
        // Named, because the process may have another default, or none.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = if self.roots.is_empty() {
            builder.with_platform_verifier()?
        } else {
            let mut roots = RootCertStore::empty();
            for root in &self.roots {
                roots.add(root.clone())?;
            }
            builder.with_root_certificates(roots)
        };
        Ok(match &self.identity {
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
            }
            None => builder.with_no_client_auth(),
        })
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("roots", &self.roots.len())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let list: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    list.ok()
        .filter(|list| !list.is_empty())
        .ok_or(TlsError::Certificates)
}

/// Connects to a destination, with TLS if its address says so.
pub(super) fn connector(to: &Destination) -> Result<HttpsConnector<HttpConnector>, TlsError> {
    let config = if to.uri.scheme_str() == Some("https") {
        to.tls.client()?
    } else {
        // Not used, and made without a look at what the system trusts.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth()
    };
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http();
    Ok(match to.protocol {
        OtlpProtocol::HttpProtobuf => builder.enable_http1().wrap_connector(http),
        OtlpProtocol::Grpc => builder.enable_http2().wrap_connector(http),
    })
}
