//! X.509 certificates as a source of public keys, and private keys for decryption.
//!
//! Only the key is taken: a certificate that a policy names is trusted as it is, so its dates,
//! names and issuer are not looked at, as in Azure.
//!
//! Source: RFC 5280, section 4.1.2.7.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::algorithm::KeyType;
use crate::key::{Key, KeyProblem};

/// The largest certificate that is read.
const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

impl Key {
    /// The public key of a certificate, given as PEM or DER.
    ///
    /// # Errors
    ///
    /// If the certificate cannot be read, is larger than 64 KiB, or has an unsupported key.
    pub fn from_certificate(certificate: &[u8]) -> Result<Self, KeyProblem> {
        if certificate.len() > MAX_CERTIFICATE_BYTES {
            return Err(KeyProblem::Certificate);
        }
        let der = match CertificateDer::from_pem_slice(certificate) {
            Ok(der) => der,
            Err(_) => CertificateDer::from(certificate),
        };
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&der).map_err(|_| KeyProblem::Certificate)?;
        from_public_key_info(parsed.public_key())
    }

    /// A public key in the form of a certificate's key field (`SubjectPublicKeyInfo`), as DER.
    ///
    /// # Errors
    ///
    /// If it cannot be read or the key type is not supported.
    pub fn from_public_key_der(der: &[u8]) -> Result<Self, KeyProblem> {
        let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| KeyProblem::Certificate)?;
        from_public_key_info(&info)
    }
}

/// The thumbprint of a certificate (PEM or DER): SHA-1 of its DER form in upper-case hexadecimal.
#[must_use]
pub fn thumbprint(certificate: &[u8]) -> Option<String> {
    let der = match CertificateDer::from_pem_slice(certificate) {
        Ok(der) => der,
        Err(_) => CertificateDer::from(certificate),
    };
    x509_parser::parse_x509_certificate(&der).ok()?;
    // A name, not a proof: Azure names certificates so.
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
    Some(hash.as_ref().iter().map(|it| format!("{it:02X}")).collect())
}

/// The first certificate of a PEM text, or the one in DER, as DER. `None` if there is none.
#[must_use]
pub fn certificate_der(certificate: &[u8]) -> Option<Vec<u8>> {
    let der = match CertificateDer::from_pem_slice(certificate) {
        Ok(der) => der,
        Err(_) => CertificateDer::from(certificate),
    };
    x509_parser::parse_x509_certificate(&der).ok()?;
    Some(der.to_vec())
}

/// Finds the DER form of a PKCS #8 private key that is given as PEM or DER.
pub(crate) fn pkcs8_der(text: &[u8]) -> PrivatePkcs8KeyDer<'_> {
    PrivatePkcs8KeyDer::from_pem_slice(text).unwrap_or_else(|_| PrivatePkcs8KeyDer::from(text))
}

fn from_public_key_info(info: &SubjectPublicKeyInfo<'_>) -> Result<Key, KeyProblem> {
    match info.parsed().map_err(|_| KeyProblem::Certificate)? {
        PublicKey::RSA(key) => Key::from_rsa(key.modulus, key.exponent),
        PublicKey::EC(point) => {
            let curve = info
                .algorithm
                .parameters
                .as_ref()
                .and_then(|it| it.as_oid().ok())
                .map(|it| it.to_id_string())
                .unwrap_or_default();
            let curve = match curve.as_str() {
                P256 => KeyType::P256,
                P384 => KeyType::P384,
                P521 => KeyType::P521,
                _ => return Err(KeyProblem::Unsupported(format!("EC {curve}"))),
            };
            Key::from_point(curve, point.data())
        }
        _ => Err(KeyProblem::Unsupported(info.algorithm.algorithm.to_id_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    #[test]
    fn the_key_of_a_certificate_is_used() {
        for (algorithm, key_type) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, KeyType::P256),
            (&rcgen::PKCS_ECDSA_P384_SHA384, KeyType::P384),
        ] {
            let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let certificate = rcgen::CertificateParams::new(vec!["a.test".to_owned()])
                .unwrap()
                .self_signed(&pair)
                .unwrap();

            let from_der = Key::from_certificate(certificate.der()).unwrap();
            let from_pem = Key::from_certificate(certificate.pem().as_bytes()).unwrap();

            assert_eq!(from_der.key_type(), key_type);
            assert_eq!(from_pem.key_type(), key_type);
        }
    }

    #[test]
    fn an_rsa_key_field_is_read() {
        let key = Key::from_public_key_der(&crate::test_support::rsa().public_der()).unwrap();

        assert!(key.allows(Algorithm::Rs256));
    }

    #[test]
    fn garbage_is_refused() {
        for bytes in [&b""[..], b"x", &[0x30; 100], &[0; MAX_CERTIFICATE_BYTES + 1]] {
            assert_eq!(Key::from_certificate(bytes).err(), Some(KeyProblem::Certificate));
            assert_eq!(Key::from_public_key_der(bytes).err(), Some(KeyProblem::Certificate));
        }
    }

    #[test]
    fn a_key_of_another_kind_is_named() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&pair).unwrap();

        let problem = Key::from_certificate(certificate.der()).err();

        assert_eq!(problem, Some(KeyProblem::Unsupported("1.3.101.112".to_owned())));
    }
}
