//! X.509 certificates: the fields that .NET shows.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.x509certificate2>

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pfx::{Pfx, PfxError};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey as ParsedKey;

use super::{Fault, Hash, PrivateKey, PublicKey, cryptographic, distinguished_name};

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate in DER.
    pub raw: Arc<[u8]>,
    /// `Subject`.
    pub subject: String,
    /// `Issuer`.
    pub issuer: String,
    /// `SerialNumber`: hexadecimal, upper case.
    pub serial_number: String,
    /// `Thumbprint`: the SHA-1 digest, hexadecimal, upper case.
    pub thumbprint: String,
    /// `NotBefore` in seconds since 1970.
    pub not_before: i64,
    /// `NotAfter` in seconds since 1970.
    pub not_after: i64,
    /// `Version`.
    pub version: i32,
    /// The object identifier of the signature's algorithm.
    pub signature_algorithm: String,
    /// The object identifier of the key's algorithm.
    pub key_algorithm: String,
    /// The key's bits as they stand in the certificate.
    pub public_key: Vec<u8>,
    /// `HasPrivateKey`: it came with its key, in a PFX file.
    pub has_private_key: bool,
    names: Vec<(Name, bool, String)>,
    rsa: Option<PublicKey>,
    private: Option<PrivateKey>,
}

/// What `GetNameInfo` is asked for: `X509NameType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the .NET enumeration")]
pub enum Name {
    Simple = 0,
    Email = 1,
    Upn = 2,
    Dns = 3,
    DnsFromAlternative = 4,
    Url = 5,
}

impl Certificate {
    /// Reads a certificate in DER or PEM, or a PFX file with its password.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is none of them, or the password is wrong.
    pub fn open(bytes: &[u8], password: &str) -> Result<Self, Fault> {
        if !Pfx::is_likely(bytes) {
            return Self::parse(bytes);
        }
        let opened = Pfx::open(bytes, password).map_err(|error| match error {
            PfxError::Password => cryptographic("The specified network password is not correct."),
            other => cryptographic(format!("The certificate cannot be read: {other}.")),
        })?;
        let own = opened.certificates().first().map_or(&[][..], Vec::as_slice);
        let mut it = Self::parse(own)?;
        it.has_private_key = opened.private_key().is_some();
        it.private = opened.private_key().and_then(PrivateKey::read);
        Ok(it)
    }

    /// Reads a certificate in DER or PEM that has its private key beside it, in PEM. A key that is
    /// no RSA key is known to be there and cannot be used, as one of a PFX file.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is no certificate.
    pub fn with_key(bytes: &[u8], key_pem: &str) -> Result<Self, Fault> {
        let mut it = Self::parse(bytes)?;
        it.has_private_key = true;
        it.private = match pem_body(key_pem, "PRIVATE KEY") {
            Some(pkcs8) => PrivateKey::read(&pkcs8),
            None => pem_body(key_pem, "RSA PRIVATE KEY").and_then(|it| PrivateKey::read_pkcs1(&it)),
        };
        Ok(it)
    }

    /// Reads a certificate in DER or PEM.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let failed = || cryptographic("Cannot find the requested object.");
        let der = match std::str::from_utf8(bytes).ok().filter(|it| it.contains("-----BEGIN")) {
            Some(text) => pem_body(text, "CERTIFICATE").ok_or_else(failed)?,
            None => bytes.to_vec(),
        };
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| failed())?;
        let key = parsed.public_key();
        let key_bits = key.subject_public_key.data.to_vec();
        let rsa = match key.parsed() {
            Ok(ParsedKey::RSA(it)) => {
                let bits = i32::try_from(it.key_size()).unwrap_or(0);
                Some(PublicKey::new(key_bits.clone(), key.raw.to_vec(), bits))
            }
            _ => None,
        };
        Ok(Self {
            subject: distinguished_name::text(parsed.subject()),
            issuer: distinguished_name::text(parsed.issuer()),
            serial_number: hex(parsed.raw_serial()),
            thumbprint: hex(&Hash::Sha1.digest(&der)),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            version: i32::try_from(parsed.version().0 + 1).unwrap_or(3),
            signature_algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
            key_algorithm: key.algorithm.algorithm.to_id_string(),
            public_key: key_bits,
            has_private_key: false,
            names: names(&parsed),
            rsa,
            private: None,
            raw: Arc::from(der),
        })
    }

    /// `GetNameInfo(kind, forIssuer)`.
    #[must_use]
    pub fn name_info(&self, kind: Name, of_issuer: bool) -> &str {
        let found = self.names.iter().find(|(own, issuer, _)| *own == kind && *issuer == of_issuer);
        found.map_or("", |(_, _, text)| text)
    }

    /// The RSA key, if it has one.
    #[must_use]
    pub const fn rsa(&self) -> Option<&PublicKey> {
        self.rsa.as_ref()
    }

    /// The private RSA key, if it came with one.
    #[must_use]
    pub const fn private_rsa(&self) -> Option<&PrivateKey> {
        self.private.as_ref()
    }
}

fn pem_body(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let compact: String = body.chars().filter(|it| !it.is_whitespace()).collect();
    STANDARD.decode(compact).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02X}")).collect()
}

fn names(parsed: &X509Certificate<'_>) -> Vec<(Name, bool, String)> {
    let mut found = Vec::new();
    for (name, of_issuer) in [(parsed.subject(), false), (parsed.issuer(), true)] {
        // The common name, else the unit, the organization or the address.
        let order = ["2.5.4.3", "2.5.4.11", "2.5.4.10", "1.2.840.113549.1.9.1"];
        let simple = order.iter().find_map(|it| distinguished_name::attribute(name, it));
        found.extend(simple.map(|it| (Name::Simple, of_issuer, it)));
        let email = distinguished_name::attribute(name, "1.2.840.113549.1.9.1");
        found.extend(email.map(|it| (Name::Email, of_issuer, it)));
    }
    if let Ok(Some(alternative)) = parsed.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(it) => {
                    found.push((Name::Dns, false, (*it).to_owned()));
                    found.push((Name::DnsFromAlternative, false, (*it).to_owned()));
                }
                GeneralName::RFC822Name(it) => found.push((Name::Email, false, (*it).to_owned())),
                GeneralName::URI(it) => found.push((Name::Url, false, (*it).to_owned())),
                _ => {}
            }
        }
    }
    for of_issuer in [false, true] {
        let name = if of_issuer { parsed.issuer() } else { parsed.subject() };
        if let Some(it) = distinguished_name::attribute(name, "2.5.4.3") {
            found.push((Name::Dns, of_issuer, it));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Certificate, Name};
    use crate::crypto::Hash;

    /// A self-signed certificate of a test: `CN=gateway.test, O=Contoso, C=CH`.
    pub(crate) const PEM: &str = include_str!("testdata/certificate.pem");

    #[test]
    fn fields_are_shown_as_dotnet_shows_them() {
        let it = Certificate::parse(PEM.as_bytes()).unwrap();

        assert_eq!(it.subject, "CN=gateway.test, O=\"Contoso, Ltd.\", C=CH");
        assert_eq!(it.issuer, it.subject);
        assert_eq!(it.thumbprint.len(), 40);
        assert_eq!(it.version, 3);
        assert_eq!(it.name_info(Name::Simple, false), "gateway.test");
        assert_eq!(it.name_info(Name::Dns, false), "gateway.test");
        assert!(it.not_before < it.not_after);
        assert_eq!(it.rsa().map(crate::crypto::PublicKey::bits), Some(2048));
        assert_eq!(Certificate::parse(&it.raw).unwrap(), it);
    }

    #[test]
    fn a_pfx_file_brings_the_key() {
        let file: &[u8] = include_bytes!("../../../pfx/tests/data/rsa.pfx");
        let it = Certificate::open(file, "s3cret").unwrap();
        assert!(it.has_private_key && it.subject == "CN=signer.test");
        let (public, private) = (it.rsa().unwrap(), it.private_rsa().unwrap());
        let made = private.sign(b"data", Hash::Sha256, false).unwrap();
        assert!(public.verify(b"data", &made, Hash::Sha256, false).unwrap());
        assert!(private.sign(b"data", Hash::Md5, false).is_err());
        let wrong = Certificate::open(file, "x").unwrap_err();
        assert_eq!(wrong.message, "The specified network password is not correct.");
        let without_rsa: &[u8] = include_bytes!("../../../pfx/tests/data/modern.pfx");
        let it = Certificate::open(without_rsa, "s3cret").unwrap();
        assert!(it.has_private_key && it.private_rsa().is_none());
        assert!(!Certificate::open(PEM.as_bytes(), "").unwrap().has_private_key);
    }

    #[test]
    fn a_key_stands_beside_its_certificate() {
        let pem = include_str!("../../../policies/tests/certificate.pem");
        let it = Certificate::with_key(pem.as_bytes(), pem).unwrap();
        let (public, private) = (it.rsa().unwrap(), it.private_rsa().unwrap());
        let hash = Hash::Sha512.digest(b"data");
        for pss in [false, true] {
            let made = private.sign_hash(&hash, Hash::Sha512, pss).unwrap();
            assert!(public.verify(b"data", &made, Hash::Sha512, pss).unwrap());
            assert!(public.verify_hash(&hash, &made, Hash::Sha512, pss).unwrap());
            assert!(public.verify_hash(&hash[1..], &made, Hash::Sha512, pss).is_err());
        }
        for oaep in [None, Some(Hash::Sha1), Some(Hash::Sha384)] {
            let hidden = public.encrypt(b"data", oaep).unwrap();
            assert_eq!(private.decrypt(&hidden, oaep).unwrap(), b"data");
            assert!(private.decrypt(&hidden[1..], oaep).is_err());
        }
        let other =
            Certificate::with_key(pem.as_bytes(), "-----BEGIN EC PRIVATE KEY-----").unwrap();
        assert!(other.has_private_key && other.private_rsa().is_none());
        assert!(!format!("{it:?}").contains("PRIVATE"));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for bytes in [&b""[..], b"x", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END"] {
            assert!(Certificate::parse(bytes).is_err());
        }
    }
}
