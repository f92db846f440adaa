//! TLS settings of listeners, from PEM.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate and its key make no listener.
#[derive(Debug, thiserror::Error)]
pub enum ServerTlsError {
    /// The chain holds no certificate, or none that can be read.
    #[error("no certificate can be read: {0}")]
    Certificate(String),
    /// The key cannot be read. What it says is never shown.
    #[error("no private key can be read")]
    Key,
    /// Certificate and key do not fit, or are of a kind that is not supported.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(rustls::Error),
}

/// A listener's TLS: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, no client certificates.
///
/// `chain` starts with the server's own certificate.
///
/// # Errors
///
/// What cannot be read or used.
pub fn server_config(chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, ServerTlsError> {
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| ServerTlsError::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(ServerTlsError::Certificate("the file holds none".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ServerTlsError::Key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ServerTlsError::Unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(ServerTlsError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::{ServerTlsError, server_config};

    #[test]
    fn a_certificate_and_its_key_make_a_listener_and_anything_else_is_refused() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let other = other.signing_key.serialize_pem();
        let refused = |chain: &str, key: &str| server_config(chain.as_bytes(), key.as_bytes());
        assert!(refused(&chain, &key).is_ok());
        assert!(matches!(refused("", &key), Err(ServerTlsError::Certificate(_))));
        assert!(matches!(refused(&chain, "nonsense"), Err(ServerTlsError::Key)));
        assert!(matches!(refused(&chain, &other), Err(ServerTlsError::Unusable(_))));
    }
}
