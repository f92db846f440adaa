//! X.509 certificates: the fields that .NET shows.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.x509certificate2>

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pfx::der::{CONTEXT_0, Reader};
use pfx::{Pfx, PfxError};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use super::{Fault, Hash, RsaKey, RsaNumbers, cryptographic, distinguished_name, hex};

const UTF8: u8 = 0x0C;

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
    /// The parameters of the key's algorithm in DER; empty if there are none.
    pub key_parameters: Vec<u8>,
    /// The key's bits as they stand in the certificate.
    pub public_key: Vec<u8>,
    /// `HasPrivateKey`: it came with its key, in a PFX file.
    pub has_private_key: bool,
    /// May the private key be given out? That of a configured certificate may not.
    pub is_exportable: bool,
    /// `GetName()`: the subject, the least specific part first.
    pub name: String,
    /// `GetIssuerName()`: the issuer, the least specific part first.
    pub issuer_name: String,
    /// `Extensions`, in their order.
    pub extensions: Vec<Extension>,
    names: Vec<(Name, bool, String)>,
    rsa: Option<RsaKey>,
    private: Option<Private>,
}

/// An extension of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its object identifier.
    pub oid: String,
    /// Must it be understood?
    pub critical: bool,
    /// Its value in DER.
    pub raw: Vec<u8>,
}

/// The private key of a certificate: in PKCS #8, and as an RSA key if it is one.
#[derive(Clone, PartialEq, Eq)]
struct Private {
    pkcs8: Zeroizing<Vec<u8>>,
    rsa: Option<RsaKey>,
}

impl Private {
    fn new(pkcs8: &[u8]) -> Self {
        let rsa = RsaNumbers::read_pkcs8(pkcs8).and_then(|it| RsaKey::new(it.0)).ok();
        Self { pkcs8: Zeroizing::new(pkcs8.to_vec()), rsa }
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(..)")
    }
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
        it.private = opened.private_key().map(Private::new);
        it.is_exportable = true;
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
            Some(pkcs8) => Some(Private::new(&Zeroizing::new(pkcs8))),
            None => pem_body(key_pem, "RSA PRIVATE KEY").map(Zeroizing::new).and_then(|it| {
                let pkcs8 = RsaNumbers::read_pkcs1_private(&it).ok()?.0.pkcs8().ok()?;
                Some(Private::new(&pkcs8))
            }),
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
        let rsa = RsaNumbers::read_public_info(key.raw).and_then(|it| RsaKey::new(it.0)).ok();
        let extensions = parsed.extensions().iter().map(|it| Extension {
            oid: it.oid.to_id_string(),
            critical: it.critical,
            raw: it.value.to_vec(),
        });
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
            key_parameters: parameters(key.raw),
            public_key: key_bits,
            has_private_key: false,
            is_exportable: false,
            name: distinguished_name::forward(parsed.subject()),
            issuer_name: distinguished_name::forward(parsed.issuer()),
            extensions: extensions.collect(),
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
    pub const fn rsa(&self) -> Option<&RsaKey> {
        self.rsa.as_ref()
    }

    /// The private RSA key, if it came with one.
    #[must_use]
    pub fn private_rsa(&self) -> Option<&RsaKey> {
        self.private.as_ref().and_then(|it| it.rsa.as_ref())
    }

    /// `GetSerialNumber()`: the last byte first.
    #[must_use]
    pub fn serial_bytes(&self) -> Vec<u8> {
        let digit = |at| self.serial_number.get(at..at + 2);
        let bytes = (0..self.serial_number.len()).step_by(2);
        let bytes = bytes.filter_map(|at| u8::from_str_radix(digit(at)?, 16).ok());
        let mut bytes: Vec<u8> = bytes.collect();
        bytes.reverse();
        bytes
    }

    /// `X509ContentType`, by its number: a certificate or a PFX file. `None` if it is neither.
    #[must_use]
    pub fn content_type(bytes: &[u8]) -> Option<i64> {
        if Pfx::is_likely(bytes) {
            return Some(3);
        }
        Self::parse(bytes).is_ok().then_some(1)
    }

    /// `CopyWithPrivateKey`.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if the key is that of another certificate.
    pub fn copy_with(&self, key: &RsaKey, is_exportable: bool) -> Result<Self, Fault> {
        if self.has_private_key {
            return Err(Fault::invalid_operation(
                "The certificate already has an associated private key.",
            ));
        }
        let Some(own) = &self.rsa else {
            return Err(Fault::argument(
                "The provided key does not match the public key algorithm for this certificate.",
            ));
        };
        if !own.is_pair_of(key) {
            return Err(Fault::argument(
                "The provided key does not match the public key for this certificate. (Parameter \
                 'privateKey')",
            ));
        }
        let pkcs8 = key.numbers().pkcs8()?;
        let private = Some(Private { pkcs8, rsa: Some(key.clone()) });
        Ok(Self { has_private_key: true, is_exportable, private, ..self.clone() })
    }

    /// `Export(X509ContentType.Pfx, password)`: with the private key, if there is one.
    ///
    /// # Errors
    ///
    /// `CryptographicException` if the private key may not be given out.
    pub fn to_pfx(&self, password: &str) -> Result<Vec<u8>, Fault> {
        if self.has_private_key && !(self.is_exportable && self.private.is_some()) {
            return Err(not_exportable());
        }
        let key = self.private.as_ref().map(|it| it.pkcs8.as_slice());
        pfx::seal(&[&*self.raw], key, password).map_err(|it| cryptographic(it.to_string()))
    }
}

/// What Windows says of a key that it keeps.
pub fn not_exportable() -> Fault {
    cryptographic("Key not valid for use in specified state.")
}

/// The parameters of a key's algorithm, as they stand in `SubjectPublicKeyInfo`.
fn parameters(info: &[u8]) -> Vec<u8> {
    let mut algorithm = pfx::der::Reader::new(info)
        .within(pfx::der::SEQUENCE)
        .and_then(|mut it| it.within(pfx::der::SEQUENCE));
    let found = algorithm.as_mut().and_then(|it| it.oid().and_then(|_| it.take()));
    found.map(|it| it.whole.to_vec()).unwrap_or_default()
}

fn pem_body(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let compact: String = body.chars().filter(|it| !it.is_whitespace()).collect();
    STANDARD.decode(compact).ok()
}

/// The user principal name among the other names of a subject.
const UPN: &str = "1.3.6.1.4.1.311.20.2.3";

/// The text of an explicitly tagged `UTF8String`.
fn utf8(value: &[u8]) -> Option<String> {
    let text = Reader::new(value).within(CONTEXT_0)?.expect(UTF8)?;
    String::from_utf8(text.content.to_vec()).ok()
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
                GeneralName::OtherName(oid, value) if oid.to_id_string() == UPN => {
                    found.extend(utf8(value).map(|it| (Name::Upn, false, it)));
                }
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
    use super::{Certificate, Name, RsaKey};

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
        assert_eq!(it.rsa().map(RsaKey::bits), Some(2048));
        assert_eq!(Certificate::parse(&it.raw).unwrap(), it);
    }

    #[test]
    fn a_pfx_file_brings_the_key() {
        let file: &[u8] = include_bytes!("../../../pfx/tests/data/rsa.pfx");
        let it = Certificate::open(file, "s3cret").unwrap();
        assert!(it.has_private_key && it.subject == "CN=signer.test");
        assert!(it.rsa().unwrap().is_pair_of(it.private_rsa().unwrap()));
        let wrong = Certificate::open(file, "x").unwrap_err();
        assert_eq!(wrong.message, "The specified network password is not correct.");
        let without_rsa: &[u8] = include_bytes!("../../../pfx/tests/data/modern.pfx");
        for (file, is_rsa) in [(file, true), (without_rsa, false)] {
            let it = Certificate::open(file, "s3cret").unwrap();
            assert!(it.has_private_key && it.private_rsa().is_some() == is_rsa);
            let again = Certificate::open(&it.to_pfx("other").unwrap(), "other").unwrap();
            assert!(again == it && again.has_private_key);
        }
        assert!(!Certificate::open(PEM.as_bytes(), "").unwrap().has_private_key);
    }

    #[test]
    fn a_key_stands_beside_its_certificate_and_stays_there() {
        let pem = include_str!("../../../policies/tests/certificate.pem");
        let it = Certificate::with_key(pem.as_bytes(), pem).unwrap();
        assert!(it.rsa().unwrap().is_pair_of(it.private_rsa().unwrap()));
        assert!(it.to_pfx("x").is_err(), "a configured key is not given out");
        let other =
            Certificate::with_key(pem.as_bytes(), "-----BEGIN EC PRIVATE KEY-----").unwrap();
        assert!(other.has_private_key && other.private_rsa().is_none());
        assert!(!format!("{it:?}").contains("pkcs8"));
    }

    #[test]
    fn a_key_is_joined_with_its_own_certificate_only() {
        let pem = include_str!("../../../policies/tests/certificate.pem");
        let whole = Certificate::with_key(pem.as_bytes(), pem).unwrap();
        let key = whole.private_rsa().unwrap();
        let bare = Certificate::parse(pem.as_bytes()).unwrap();
        let made = bare.copy_with(key, true).unwrap();
        assert!(made.has_private_key && made.private_rsa() == Some(key));
        assert!(made.copy_with(key, true).is_err(), "it has one");
        assert!(bare.copy_with(&key.public(), true).is_err(), "no private part");
        let other = Certificate::parse(PEM.as_bytes()).unwrap();
        assert!(other.copy_with(key, true).is_err(), "of another certificate");
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for bytes in [&b""[..], b"x", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END"] {
            assert!(Certificate::parse(bytes).is_err());
        }
    }
}
