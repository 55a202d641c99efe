use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::*;

/// An authority, and what it signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Signed {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }
}

fn server(of: &Signed, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        Some(authority) => {
            let roots = Arc::new(authority.roots());
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(of.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(of.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn exported(collector: &Collector, protocol: OtlpProtocol, tls: TlsConfig) -> SignalReport {
    exported_within(PLENTY, collector, protocol, tls)
}

fn exported_within(
    time: Duration,
    collector: &Collector,
    protocol: OtlpProtocol,
    tls: TlsConfig,
) -> SignalReport {
    let address = format!("https://localhost:{}", collector.addr().port());
    let config = OtlpConfig::new(&address, protocol).unwrap().with_tls(tls);
    let batch = quick().with_export_timeout(time);
    let telemetry = exporting(config).with_span_batch(batch).build().unwrap();
    end_spans(&telemetry, 3);
    telemetry.shutdown(PLENTY).spans
}

#[test]
fn a_collector_is_believed_by_the_certificates_that_are_given_and_no_other() {
    let (authority, other) = (Authority::new(), Authority::new());
    let signed = authority.sign("localhost");
    for protocol in BOTH {
        let collector = Collector::start_tls(server(&signed, None));
        let trusting = |authority: &Authority| {
            TlsConfig::new()
                .with_root_certificates(authority.pem().as_bytes())
                .unwrap()
        };
        let spans = exported(&collector, protocol, trusting(&authority));
        assert_eq!(spans.exported, 3, "{protocol:?}: {spans}");
        assert_eq!(collector.received().spans.len(), 3);
        for tls in [trusting(&other), TlsConfig::new()] {
            let spans = exported(&collector, protocol, tls);
            assert_eq!(spans.dropped.unreachable, 3, "{protocol:?}: {spans}");
        }
        assert_eq!(collector.received().spans.len(), 3, "{protocol:?}");
    }
}

#[test]
fn a_collector_that_asks_who_we_are_is_told() {
    let authority = Authority::new();
    let signed = authority.sign("localhost");
    let client = authority.sign("client");
    for protocol in BOTH {
        let collector = Collector::start_tls(server(&signed, Some(&authority)));
        let tls = TlsConfig::new()
            .with_root_certificates(authority.pem().as_bytes())
            .unwrap();
        let known = tls
            .clone()
            .with_identity(client.certificate.as_bytes(), client.key.as_bytes())
            .unwrap();
        assert_eq!(exported(&collector, protocol, known).exported, 3);
        let spans = exported_within(SHORT, &collector, protocol, tls);
        assert_eq!(spans.exported, 0, "{protocol:?}: {spans}");
        assert_settled(&spans);
    }
}

#[test]
fn what_is_no_certificate_or_key_is_told_and_not_repeated() {
    let signed = Authority::new().sign("localhost");
    let (certificate, key) = (signed.certificate.as_bytes(), signed.key.as_bytes());
    let tls = TlsConfig::new;
    for (error, expected) in [
        (
            tls().with_root_certificates(b"secret").err(),
            "not a list of certificates in PEM form",
        ),
        (
            tls().with_root_certificates(key).err(),
            "not a list of certificates in PEM form",
        ),
        (
            tls().with_identity(key, key).err(),
            "not a list of certificates in PEM form",
        ),
        (
            tls().with_identity(certificate, certificate).err(),
            "not a private key in PEM form",
        ),
    ] {
        assert_eq!(error.unwrap().to_string(), expected);
    }
    // Each is what it should be, but they are of two pairs.
    let other = Authority::new().sign("localhost");
    let mixed = tls()
        .with_identity(certificate, other.key.as_bytes())
        .unwrap();
    let config = OtlpConfig::new("https://localhost:1", OtlpProtocol::Grpc).unwrap();
    let error = exporting(config.with_tls(mixed))
        .build()
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("TLS: "), "{error}");
}
