//! TLS of outgoing calls: trust, relaxed checks where a backend asks for them, ALPN.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ResolvesClientCert, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{ClientIdentity, Pins, Roots, provider, signature_checks};
use crate::{ClientTls, HostTarget, HttpVersion};

/// Configurations by what they check, made when first needed. Only new connections ask.
#[derive(Debug)]
pub(crate) struct ClientConfigs {
    roots: Roots,
    made: Mutex<HashMap<Kind, Arc<ClientConfig>>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    checks: Checks,
    identity: Option<ClientIdentity>,
    version: HttpVersion,
    /// Address of the mapped host's entry, which lives as long as these.
    target: Option<usize>,
}

/// What is checked of a server's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Checks {
    pub(crate) tls: ClientTls,
    pub(crate) pins: Option<Pins>,
}

impl ClientConfigs {
    pub(crate) fn new(roots: Roots) -> Self {
        Self { roots, made: Mutex::default() }
    }

    /// The configuration for a call; an entry of `hosts:` may bring its own roots.
    pub(crate) fn find(
        &self,
        checks: &Checks,
        identity: Option<&ClientIdentity>,
        version: HttpVersion,
        target: Option<&Arc<HostTarget>>,
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        let target = target.filter(|it| !it.ca.is_empty());
        let target_address = target.map(|it| Arc::as_ptr(it).addr());
        let (checks, identity) = (checks.clone(), identity.cloned());
        let kind = Kind { checks, identity, version, target: target_address };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(&kind) {
            return Ok(config.clone());
        }
        let roots = target.map_or_else(|| self.roots.clone(), |it| Roots::of(&it.ca));
        let config = Arc::new(client_config(roots, &kind)?);
        made.insert(kind, config.clone());
        Ok(config)
    }
}

fn client_config(roots: Roots, kind: &Kind) -> Result<ClientConfig, rustls::Error> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = if kind.checks == Checks::default() {
        builder.with_root_certificates(roots.store)
    } else {
        let algorithms = provider().signature_verification_algorithms;
        let checks = kind.checks.clone();
        let issuers = checks.pins.as_ref().map(|it| it.issuers(roots.certificates()));
        let issuers = issuers.unwrap_or_default();
        let verifier = Chosen { roots, checks, issuers, algorithms };
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    let mut config = match &kind.identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(Presented(identity.clone()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = match kind.version {
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

/// Checks what a backend's `tls` settings leave on, and that the certificate is one of the pinned
/// ones, if any are. That the other side has the key of its certificate is always checked.
#[derive(Debug)]
struct Chosen {
    roots: Roots,
    checks: Checks,
    /// Trusted certificates that issue pinned ones.
    issuers: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Chosen {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        if self.checks.tls.verify_chain {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &self.roots.store,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        if self.checks.tls.verify_name {
            verify_server_name(&parsed, name)?;
        }
        let others = || intermediates.iter().chain(&self.issuers);
        match &self.checks.pins {
            Some(pins) if !pins.fit(certificate, others(), now, &self.algorithms) => {
                Err(rustls::Error::General("the certificate is none of the pinned ones".to_owned()))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    signature_checks!();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Checks, ClientConfigs, Roots};
    use crate::{ClientTls, HttpVersion, Pins, Thumbprint};

    #[test]
    fn a_configuration_is_made_once_per_kind() {
        let configs = ClientConfigs::new(Roots::none());
        let find = |version, verify_name| {
            let tls = ClientTls { verify_name, ..ClientTls::default() };
            configs.find(&Checks { tls, pins: None }, None, version, None).unwrap()
        };
        let first = find(HttpVersion::Http1, true);
        assert!(Arc::ptr_eq(&first, &find(HttpVersion::Http1, true)));
        assert!(!Arc::ptr_eq(&first, &find(HttpVersion::Http1, false)));
        assert_eq!(find(HttpVersion::Http2OrHttp1, true).alpn_protocols.len(), 2);
        let pinned = |name: &[u8]| {
            let checks = Checks {
                pins: Pins::new(vec![Thumbprint::of(name)], Vec::new()),
                ..Checks::default()
            };
            configs.find(&checks, None, HttpVersion::Http1, None).unwrap()
        };
        let one = pinned(b"one");
        assert!(Arc::ptr_eq(&one, &pinned(b"one")) && !Arc::ptr_eq(&one, &first));
        assert!(!Arc::ptr_eq(&one, &pinned(b"two")));
    }
}
