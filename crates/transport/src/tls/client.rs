//! TLS of outgoing calls: trust, relaxed checks where a backend asks for them, ALPN.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ResolvesClientCert, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{ClientIdentity, Roots, provider};
use crate::{ClientTls, HostTarget, HttpVersion};

/// Configurations by what they check, made when first needed. Only new connections ask.
#[derive(Debug)]
pub(crate) struct ClientConfigs {
    roots: Roots,
    made: Mutex<HashMap<Kind, Arc<ClientConfig>>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    tls: ClientTls,
    identity: Option<ClientIdentity>,
    version: HttpVersion,
    /// Address of the mapped host's entry, which lives as long as these.
    target: Option<usize>,
}

impl ClientConfigs {
    pub(crate) fn new(roots: Roots) -> Self {
        Self { roots, made: Mutex::default() }
    }

    /// The configuration for a call; an entry of `hosts:` may bring its own roots.
    pub(crate) fn find(
        &self,
        tls: ClientTls,
        identity: Option<&ClientIdentity>,
        version: HttpVersion,
        target: Option<&Arc<HostTarget>>,
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        let target = target.filter(|it| !it.ca.is_empty());
        let target_address = target.map(|it| Arc::as_ptr(it).addr());
        let kind = Kind { tls, identity: identity.cloned(), version, target: target_address };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(&kind) {
            return Ok(config.clone());
        }
        let roots = target.map_or_else(|| self.roots.clone(), |it| Roots::of(&it.ca));
        let config = Arc::new(client_config(roots, tls, identity, version)?);
        made.insert(kind, config.clone());
        Ok(config)
    }
}

fn client_config(
    roots: Roots,
    tls: ClientTls,
    identity: Option<&ClientIdentity>,
    version: HttpVersion,
) -> Result<ClientConfig, rustls::Error> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = if tls == ClientTls::default() {
        builder.with_root_certificates(roots.store)
    } else {
        let algorithms = provider().signature_verification_algorithms;
        let verifier = Relaxed { roots: roots.store, tls, algorithms };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(Presented(identity.clone()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = match version {
        HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
        HttpVersion::Http2OrHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        HttpVersion::Http2 => vec![b"h2".to_vec()],
    };
    Ok(config)
}

/// Presents one certificate, whatever authorities the server names: it alone can tell what it
/// takes.
#[derive(Debug)]
struct Presented(ClientIdentity);

impl ResolvesClientCert for Presented {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.key.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Checks only what a backend's `tls` settings leave on. That the other side has the key of its
/// certificate is always checked.
#[derive(Debug)]
struct Relaxed {
    roots: Arc<RootCertStore>,
    tls: ClientTls,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Relaxed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        if self.tls.verify_chain {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &self.roots,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        if self.tls.verify_name {
            verify_server_name(&parsed, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{ClientConfigs, Roots};
    use crate::{ClientTls, HttpVersion};

    #[test]
    fn a_configuration_is_made_once_per_kind() {
        let configs = ClientConfigs::new(Roots::none());
        let find = |version, verify_name| {
            let tls = ClientTls { verify_name, ..ClientTls::default() };
            configs.find(tls, None, version, None).unwrap()
        };
        let first = find(HttpVersion::Http1, true);
        assert!(Arc::ptr_eq(&first, &find(HttpVersion::Http1, true)));
        assert!(!Arc::ptr_eq(&first, &find(HttpVersion::Http1, false)));
        assert_eq!(find(HttpVersion::Http2OrHttp1, true).alpn_protocols.len(), 2);
    }
}
