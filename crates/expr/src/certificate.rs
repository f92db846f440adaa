//! Certificates of the configuration, for `context.Deployment.Certificates`.

use clr::{Exception, Value};

/// An `X509Certificate2` of DER or PEM, with its private key in PEM if there is one. Made once, when
/// the configuration loads: to read a key costs more than to sign with it.
///
/// # Errors
///
/// `CryptographicException` if it is no certificate.
pub fn certificate(bytes: &[u8], key_pem: Option<&str>) -> Result<Value, Exception> {
    match key_pem {
        Some(key) => library::crypto::certificate_with_key(bytes, key),
        None => library::crypto::certificate(bytes),
    }
}
