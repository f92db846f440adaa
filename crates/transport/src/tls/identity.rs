//! The client certificate of outgoing calls.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{Thumbprint, TlsError, provider};
use crate::Secret;

/// A certificate with its private key, presented to servers that ask for one. Two are equal if
/// their certificates are. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ClientIdentity {
    pub(crate) key: Arc<CertifiedKey>,
}

impl ClientIdentity {
    /// Reads a certificate with those above it, its own first, and its private key, all as PEM.
    ///
    /// # Errors
    ///
    /// What cannot be read or does not fit together.
    pub fn from_pem(chain_pem: &str, key_pem: &Secret) -> Result<ClientIdentity, TlsError> {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(chain_pem.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|_| TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem.expose().as_bytes())
            .map_err(|_| TlsError::Key)?;
        let key = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|error| TlsError::Unusable(error.to_string()))?;
        Ok(ClientIdentity { key: Arc::new(key) })
    }

    /// The thumbprint of the certificate.
    #[must_use]
    pub fn thumbprint(&self) -> Option<Thumbprint> {
        self.key.cert.first().map(|it| Thumbprint::of(it))
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &ClientIdentity) -> bool {
        Arc::ptr_eq(&self.key, &other.key) || self.key.cert == other.key.cert
    }
}

impl Eq for ClientIdentity {}

impl Hash for ClientIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.cert.first().map(AsRef::<[u8]>::as_ref).hash(state);
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str) -> (String, Secret) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem().into())
    }

    #[test]
    fn certificate_and_key_have_to_fit() {
        let (one, two) = (identity("one"), identity("two"));
        let read = |chain: &str, key: &Secret| ClientIdentity::from_pem(chain, key);
        assert_eq!(read(&one.0, &one.1).unwrap(), read(&one.0, &one.1).unwrap());
        assert_ne!(read(&one.0, &one.1).unwrap(), read(&two.0, &two.1).unwrap());
        assert!(read(&one.0, &two.1).is_err());
        assert_eq!(read("x", &one.1).unwrap_err(), TlsError::Certificate);
        assert_eq!(read(&one.0, &"x".into()).unwrap_err(), TlsError::Key);
        assert_eq!(format!("{:?}", read(&one.0, &one.1).unwrap()), "ClientIdentity(..)");
        let thumbprint = |it: &(String, Secret)| read(&it.0, &it.1).unwrap().thumbprint();
        assert!(thumbprint(&one).is_some() && thumbprint(&one) != thumbprint(&two));
    }
}
