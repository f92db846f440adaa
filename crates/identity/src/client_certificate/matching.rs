//! Whether a client certificate is a wanted identity.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::{ClientTrust, DistinguishedName, has_issued};
use crate::x509::thumbprint;

/// One thing that a certificate has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityPart {
    /// Its SHA-1 in hexadecimal; case, spaces and colons do not count.
    Thumbprint(String),
    /// Its serial number in hexadecimal; case, spaces, colons and zeros in front do not count.
    SerialNumber(String),
    /// Its common name; case does not count.
    CommonName(String),
    /// Its subject.
    Subject(DistinguishedName),
    /// One of its alternative DNS names; case does not count.
    DnsName(String),
    /// The name of its issuer.
    IssuerSubject(DistinguishedName),
    /// The SHA-1 of the certificate that issued it, by signature.
    IssuerThumbprint(String),
    /// The certificate, in DER, that issued it, by signature.
    Issuer(Vec<u8>),
}

/// What a certificate has to be: all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateIdentity(pub Vec<IdentityPart>);

impl CertificateIdentity {
    /// Whether the chain, the client's own certificate first, is that identity.
    #[must_use]
    pub fn is(&self, chain: &[Vec<u8>], trust: &ClientTrust) -> bool {
        let Some(own) = chain.first() else { return false };
        let Ok((_, parsed)) = X509Certificate::from_der(own) else { return false };
        self.0.iter().all(|it| it.is(own, &parsed, || trust.issuer(chain)))
    }
}

impl IdentityPart {
    fn is(
        &self,
        own: &[u8],
        parsed: &X509Certificate<'_>,
        issuer: impl Fn() -> Option<Vec<u8>>,
    ) -> bool {
        match self {
            Self::Thumbprint(it) => is_hex(it, thumbprint(own)),
            Self::SerialNumber(it) => {
                let serial: String =
                    parsed.raw_serial().iter().map(|it| format!("{it:02X}")).collect();
                let bare = |it: &str| hex(it).trim_start_matches('0').to_owned();
                bare(it) == bare(&serial) && !it.is_empty()
            }
            Self::CommonName(it) => {
                let mut names = parsed.subject().iter_common_name();
                names.any(|name| name.as_str().is_ok_and(|name| same(name, it)))
            }
            Self::Subject(it) => it.is(&DistinguishedName::of(parsed.subject())),
            Self::DnsName(it) => {
                let found = parsed.subject_alternative_name().ok().flatten();
                let names = found.iter().flat_map(|it| it.value.general_names.iter());
                names.filter_map(dns_name).any(|name| same(name, it))
            }
            Self::IssuerSubject(it) => it.is(&DistinguishedName::of(parsed.issuer())),
            Self::IssuerThumbprint(it) => {
                is_hex(it, issuer().and_then(|issuer| thumbprint(&issuer)))
            }
            Self::Issuer(it) => has_issued(it, own),
        }
    }
}

fn dns_name<'a>(name: &'a GeneralName<'_>) -> Option<&'a str> {
    match name {
        GeneralName::DNSName(it) => Some(it),
        _ => None,
    }
}

fn same(found: &str, wanted: &str) -> bool {
    found.to_lowercase() == wanted.trim().to_lowercase()
}

fn is_hex(wanted: &str, found: Option<String>) -> bool {
    found.is_some_and(|it| it == hex(wanted))
}

/// In upper case, without spaces, colons and the invisible mark that Windows puts in front.
fn hex(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).map(|it| it.to_ascii_uppercase()).collect()
}
