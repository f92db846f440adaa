//! Certificates of the configuration, for the policies that name them.

use std::collections::HashMap;
use std::fmt;

use transport::Secret;

/// The certificates of a configuration; names compare without case. Handed to policies as an
/// extension ([`CompileCx::extension`](crate::CompileCx::extension)).
#[derive(Clone, Debug, Default)]
pub struct Certificates(HashMap<String, Certificate>);

/// What is known of a certificate.
#[derive(Clone, Debug)]
pub enum Certificate {
    /// It is at hand.
    Usable(CertificateEntry),
    /// It cannot be read; why, in words that hold no secret.
    Unusable(String),
    /// It has not been read, as when a configuration is only checked.
    NotAtHand,
}

/// A certificate with its private key.
#[derive(Clone)]
pub struct CertificateEntry {
    /// The certificate and those above it, as PEM; its own first.
    pub chain_pem: String,
    /// Its private key, as PEM; none if only the certificate is given.
    pub private_key_pem: Option<Secret>,
}

impl Certificates {
    /// The certificate of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Certificate> {
        self.0.get(&name.to_lowercase())
    }

    /// Adds a certificate, replacing one of the same name.
    pub fn insert(&mut self, name: &str, certificate: Certificate) {
        self.0.insert(name.to_lowercase(), certificate);
    }

    /// The names in lower case, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for CertificateEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateEntry(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_nothing_is_shown() {
        let mut it = Certificates::default();
        let entry =
            CertificateEntry { chain_pem: "c".to_owned(), private_key_pem: Some("s3cret".into()) };
        it.insert("Signing", Certificate::Usable(entry));

        assert!(it.get("SIGNING").is_some() && it.get("other").is_none());
        assert_eq!(it.names().collect::<Vec<_>>(), ["signing"]);
        assert!(!format!("{it:?}").contains("s3cret"));
    }
}
