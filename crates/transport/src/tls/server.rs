//! TLS of listeners: which certificate for which name, and what is asked of clients.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DistinguishedName, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};

use super::{TlsError, provider, signature_checks};
use crate::Secret;

/// A certificate chain with its key, and the names it answers to.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    /// Host names (`api.example.com`, `*.example.com`: one label). May be empty for the first.
    pub host_names: Vec<String>,
    /// The chain in PEM, the server's own certificate first.
    pub chain_pem: String,
    /// The private key in PEM: PKCS#8, PKCS#1 or SEC1.
    pub key_pem: Secret,
}

impl TlsIdentity {
    /// The only certificate of a listener, whatever name is asked for.
    #[must_use]
    pub fn new(chain_pem: impl Into<String>, key_pem: impl Into<Secret>) -> Self {
        Self { host_names: Vec::new(), chain_pem: chain_pem.into(), key_pem: key_pem.into() }
    }
}

/// What a listener does with client certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// None is asked for.
    #[default]
    Ignored,
    /// One is asked for. It is proven that the client has its key; whether it is trusted is for
    /// policies to say.
    Accepted,
    /// As `Accepted`, and a client that sends none gets no connection.
    Required,
}

/// The configuration of a listener: HTTP/2 and HTTP/1.1 by ALPN, TLS 1.2 and 1.3, sessions
/// resumed by ticket. The first identity answers where no name fits.
///
/// # Errors
///
/// What cannot be read or does not fit together.
pub fn server_config(
    identities: &[TlsIdentity],
    clients: ClientCertificates,
) -> Result<Arc<ServerConfig>, TlsError> {
    let names = Names::new(identities)?;
    let unusable = |error: rustls::Error| TlsError::Unusable(error.to_string());
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let builder = match clients {
        ClientCertificates::Ignored => builder.with_no_client_auth(),
        ClientCertificates::Accepted | ClientCertificates::Required => builder
            .with_client_cert_verifier(Arc::new(AnyClient {
                algorithms: provider().signature_verification_algorithms,
                is_required: clients == ClientCertificates::Required,
            })),
    };
    let mut config = builder.with_cert_resolver(Arc::new(names));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(unusable)?;
    Ok(Arc::new(config))
}

/// Certificates by server name.
#[derive(Debug)]
struct Names {
    exact: HashMap<String, Arc<CertifiedKey>>,
    /// By the part after `*`, with its dot.
    wildcards: HashMap<String, Arc<CertifiedKey>>,
    fallback: Arc<CertifiedKey>,
}

impl Names {
    fn new(identities: &[TlsIdentity]) -> Result<Self, TlsError> {
        let (mut exact, mut wildcards) = (HashMap::new(), HashMap::new());
        let mut fallback = None;
        for identity in identities {
            let key = Arc::new(certified_key(identity)?);
            for name in &identity.host_names {
                let name = name.to_ascii_lowercase();
                match name.strip_prefix('*') {
                    Some(suffix) => wildcards.insert(suffix.to_owned(), key.clone()),
                    None => exact.insert(name, key.clone()),
                };
            }
            fallback.get_or_insert(key);
        }
        Ok(Self { exact, wildcards, fallback: fallback.ok_or(TlsError::Empty)? })
    }

    fn find(&self, name: Option<&str>) -> &Arc<CertifiedKey> {
        let find = |name: &str| {
            let name = name.to_ascii_lowercase();
            let parent = name.find('.').and_then(|dot| name.get(dot..));
            self.exact.get(&name).or_else(|| self.wildcards.get(parent?))
        };
        name.and_then(find).unwrap_or(&self.fallback)
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.find(hello.server_name()).clone())
    }
}

fn certified_key(identity: &TlsIdentity) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::Certificate)?;
    if chain.is_empty() {
        return Err(TlsError::Certificate);
    }
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.expose().as_bytes())
        .map_err(|_| TlsError::Key)?;
    CertifiedKey::from_der(chain, key, &provider())
        .map_err(|error| TlsError::Unusable(error.to_string()))
}

/// Takes any certificate whose key the client has.
#[derive(Debug)]
struct AnyClient {
    algorithms: WebPkiSupportedAlgorithms,
    is_required: bool,
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    signature_checks!();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{ClientCertificates, Names, TlsError, TlsIdentity, server_config};

    fn identity(names: &[&str]) -> TlsIdentity {
        let host_names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(host_names.clone()).unwrap();
        TlsIdentity {
            host_names,
            chain_pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem().into(),
        }
    }

    #[test]
    fn the_name_chooses_the_certificate() {
        let names = Names::new(&[
            identity(&["localhost"]),
            identity(&["*.example.com"]),
            identity(&["a.example.com"]),
        ])
        .unwrap();
        let wildcard = names.find(Some("x.example.com")).clone();
        for (name, expected) in [
            (None, &names.fallback),
            (Some("unknown"), &names.fallback),
            (Some("x.y.example.com"), &names.fallback),
            (Some("Y.example.com"), &wildcard),
            (Some("A.Example.com"), names.exact.get("a.example.com").unwrap()),
        ] {
            assert!(Arc::ptr_eq(names.find(name), expected), "{name:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let refused = |identities: &[TlsIdentity]| {
            server_config(identities, ClientCertificates::Accepted).unwrap_err()
        };
        let (one, other) = (identity(&["a"]), identity(&["b"]));
        assert_eq!(refused(&[]), TlsError::Empty);
        assert_eq!(
            refused(&[TlsIdentity { chain_pem: String::new(), ..one.clone() }]),
            TlsError::Certificate
        );
        assert_eq!(refused(&[TlsIdentity { key_pem: "x".into(), ..one.clone() }]), TlsError::Key);
        let mixed = TlsIdentity { key_pem: other.key_pem, ..one };
        assert!(matches!(refused(&[mixed]), TlsError::Unusable(_)));
    }
}
