//! TLS on both sides: rustls over aws-lc-rs, certificates as PEM.

pub(crate) mod client;
mod identity;
mod pin;
mod server;

use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

pub use identity::ClientIdentity;
pub use pin::{PinnedName, Pins, Thumbprint};
pub use server::{ClientCertificates, TlsIdentity, server_config};

/// The one cryptography library, made once.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    PROVIDER.clone()
}

/// The methods by which both verifiers check that the other side has the key of its certificate;
/// they have a field `algorithms`.
macro_rules! signature_checks {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &rustls_pki_types::CertificateDer<'_>,
            signature: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls12_signature(
                message,
                certificate,
                signature,
                &self.algorithms,
            )
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &rustls_pki_types::CertificateDer<'_>,
            signature: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls13_signature(
                message,
                certificate,
                signature,
                &self.algorithms,
            )
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.algorithms.supported_schemes()
        }
    };
}
pub(crate) use signature_checks;

/// Why certificates or keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// No certificate in the text, or a broken one.
    #[error("no PEM certificate can be read")]
    Certificate,
    /// No private key in the text, or a broken one.
    #[error("no PEM private key can be read")]
    Key,
    /// The key and the certificate do not fit, or the library does not know their kind.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(String),
    /// A listener needs at least one certificate.
    #[error("no certificate is given")]
    Empty,
}

/// Certificate authorities that are trusted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Roots {
    pub(crate) store: Arc<RootCertStore>,
    certificates: Arc<Vec<CertificateDer<'static>>>,
}

impl Roots {
    /// Nobody is trusted, except where [`HostTarget`](crate::HostTarget) brings its own.
    #[must_use]
    pub fn none() -> Self {
        Self::of(&[])
    }

    /// Those of the operating system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`. Reads files:
    /// call it once, at the start. Certificates that cannot be read are skipped.
    #[must_use]
    pub fn system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some trusted certificates cannot be read");
        }
        Self::of(&found.certs)
    }

    /// These and all of a PEM text.
    ///
    /// # Errors
    ///
    /// [`TlsError::Certificate`] if there is none or one is broken.
    pub fn with_pem(self, pem: &[u8]) -> Result<Self, TlsError> {
        let mut store = Arc::unwrap_or_clone(self.store);
        let mut certificates = Arc::unwrap_or_clone(self.certificates);
        let n_before = certificates.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| TlsError::Certificate)?;
            store.add(certificate.clone()).map_err(|_| TlsError::Certificate)?;
            certificates.push(certificate);
        }
        if certificates.len() == n_before {
            return Err(TlsError::Certificate);
        }
        Ok(Self { store: Arc::new(store), certificates: Arc::new(certificates) })
    }

    /// Rustls' settings for a client that speaks another protocol than HTTP: these are trusted,
    /// and no certificate is shown.
    ///
    /// # Errors
    ///
    /// [`TlsError::Unusable`] if there is no cryptography for TLS 1.2 and 1.3.
    pub fn client_config(&self) -> Result<rustls::ClientConfig, TlsError> {
        let builder = rustls::ClientConfig::builder_with_provider(provider());
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| TlsError::Unusable(error.to_string()))?;
        Ok(builder.with_root_certificates(self.store.clone()).with_no_client_auth())
    }

    /// The certificates themselves.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    pub(crate) fn of(certificates: &[CertificateDer<'static>]) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().cloned());
        Self { store: Arc::new(store), certificates: Arc::new(certificates.to_vec()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Roots, TlsError};

    #[test]
    fn a_text_without_certificates_is_refused() {
        assert_eq!(Roots::none().with_pem(b"x").unwrap_err(), TlsError::Certificate);
    }
}
