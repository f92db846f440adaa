//! A certificate authority for one machine: it makes the certificates of the stand-ins and of the
//! gateway's development TLS listener.

use std::io;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Names that the local certificates are good for, beside those a caller adds. The public host
/// names are there so that a document that names them runs against the stand-ins unchanged.
const NAMES: &[&str] = &[
    "localhost",
    "127.0.0.1",
    "::1",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "vault.azure.net",
    "*.vault.azure.net",
    "*.openai.azure.com",
    "*.vault.localhost",
];

/// The authority's certificate and key.
pub struct LocalCa {
    certificate_pem: String,
    key_pem: String,
}

impl std::fmt::Debug for LocalCa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalCa").finish_non_exhaustive()
    }
}

impl LocalCa {
    /// Makes a new authority.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub fn generate() -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = authority()?.self_signed(&key).map_err(io::Error::other)?;
        Ok(Self { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    /// Reads the authority kept in a folder (`ca.pem`, `ca-key.pem`), or makes one and keeps it
    /// there. The key file is readable by its owner only.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read or written.
    pub fn load_or_generate(folder: &Path) -> io::Result<Self> {
        let (certificate, key) = (folder.join("ca.pem"), folder.join("ca-key.pem"));
        if certificate.exists() && key.exists() {
            let ca = Self {
                certificate_pem: std::fs::read_to_string(&certificate)?,
                key_pem: std::fs::read_to_string(&key)?,
            };
            if ca.issue(&[]).is_ok() {
                return Ok(ca);
            }
        }
        let ca = Self::generate()?;
        std::fs::create_dir_all(folder)?;
        write_private(&key, &ca.key_pem)?;
        std::fs::write(&certificate, &ca.certificate_pem)?;
        Ok(ca)
    }

    /// The authority's certificate, as clients need it to trust what it issued.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A server certificate for the local names and `more`: chain and key, both PEM.
    ///
    /// # Errors
    ///
    /// If a name is no host name or address.
    pub fn issue(&self, more: &[String]) -> io::Result<(String, String)> {
        let key = KeyPair::from_pem(&self.key_pem).map_err(io::Error::other)?;
        let issuer = Issuer::new(authority()?, key);
        let names: Vec<String> =
            NAMES.iter().map(|it| (*it).to_owned()).chain(more.iter().cloned()).collect();
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&leaf, &issuer).map_err(io::Error::other)?;
        Ok((format!("{}{}", certificate.pem(), self.certificate_pem), leaf.serialize_pem()))
    }
}

/// What the authority's certificate says, the same each time, so that what it issues names it.
fn authority() -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, "Portcullis local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_kept_and_its_key_never_shown() {
        let folder = std::env::temp_dir().join(format!("portcullis-ca-{}", uuid::Uuid::new_v4()));
        let first = LocalCa::load_or_generate(&folder).unwrap();
        let again = LocalCa::load_or_generate(&folder).unwrap();
        assert_eq!(first.certificate_pem(), again.certificate_pem());
        assert!(!format!("{first:?}").contains("PRIVATE"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_server_certificate_comes_with_its_chain() {
        let (chain, key) = LocalCa::generate().unwrap().issue(&["demo.test".into()]).unwrap();
        assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
        assert!(key.contains("PRIVATE KEY"));
    }
}
