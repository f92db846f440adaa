//! Pinned certificates of servers: only these are accepted, whatever else is checked of them.
//!
//! A certificate is pinned by its thumbprint, or by its name and that of the certificate which
//! issued it. The name is the common name or a DNS name of the certificate.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends>

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

const BYTES: usize = 20;

/// The SHA-1 of a certificate in DER: the name that Azure knows certificates by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; BYTES]);

/// What is accepted of a server, at least one of which has to fit. Cloning copies a pointer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pins(Arc<Parts>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Parts {
    thumbprints: Vec<Thumbprint>,
    names: Vec<PinnedName>,
}

/// A certificate that is known by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PinnedName {
    /// Its common name, or one of its DNS names.
    pub name: String,
    /// The certificate that has signed it; none: any that the other checks accept.
    pub issuer: Option<Thumbprint>,
}

impl Thumbprint {
    /// The thumbprint of a certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Thumbprint {
        let mut bytes = [0; BYTES];
        // A name, not a proof.
        for (to, from) in bytes.iter_mut().zip(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref()) {
            *to = *from;
        }
        Thumbprint(bytes)
    }

    /// Reads 40 hexadecimal digits, in either case; blanks, colons and the invisible marks that
    /// Windows' certificate dialog copies do not matter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Thumbprint> {
        let is_part =
            |it: &char| !it.is_whitespace() && *it != ':' && !matches!(it, '\u{200e}' | '\u{200f}');
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(is_part)
            .map(|it| it.to_digit(16).and_then(|it| u8::try_from(it).ok()))
            .collect();
        let digits = digits.filter(|it| it.len() == 2 * BYTES)?;
        let mut bytes = [0; BYTES];
        for (to, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *to = pair.iter().fold(0, |all, it| all << 4 | it);
        }
        Some(Thumbprint(bytes))
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|it| write!(f, "{it:02X}"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Pins {
    /// These certificates and names; `None` if there are neither: then nothing is pinned.
    #[must_use]
    pub fn new(thumbprints: Vec<Thumbprint>, names: Vec<PinnedName>) -> Option<Pins> {
        let is_any = !thumbprints.is_empty() || !names.is_empty();
        is_any.then(|| Pins(Arc::new(Parts { thumbprints, names })))
    }

    /// Those of the trusted certificates that issue what is pinned: servers need not send them.
    pub(super) fn issuers(
        &self,
        roots: &[CertificateDer<'static>],
    ) -> Vec<CertificateDer<'static>> {
        let is_issuer = |it: &Thumbprint| self.0.names.iter().any(|own| own.issuer == Some(*it));
        if self.0.names.iter().all(|it| it.issuer.is_none()) {
            return Vec::new();
        }
        roots.iter().filter(|it| is_issuer(&Thumbprint::of(it))).cloned().collect()
    }

    /// Whether a server's certificate is pinned. `others` may have issued it: those that the
    /// server sent, and [`Pins::issuers`].
    pub(super) fn fit<'a>(
        &self,
        certificate: &CertificateDer<'_>,
        others: impl Iterator<Item = &'a CertificateDer<'a>> + Clone,
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> bool {
        if !self.0.thumbprints.is_empty()
            && self.0.thumbprints.contains(&Thumbprint::of(certificate))
        {
            return true;
        }
        let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
        self.0.names.iter().filter(|it| has_name(certificate, &parsed, &it.name)).any(|it| {
            let Some(issuer) = it.issuer else { return true };
            // What a server sends along may have nothing to do with its certificate.
            others.clone().filter(|it| Thumbprint::of(it) == issuer).any(|it| {
                let mut anchor = RootCertStore::empty();
                let is_read = anchor.add(it.clone().into_owned()).is_ok();
                let by_issuer = verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    &anchor,
                    &[],
                    now,
                    algorithms.all,
                );
                is_read && by_issuer.is_ok()
            })
        })
    }
}

fn has_name(certificate: &CertificateDer<'_>, parsed: &ParsedCertificate<'_>, name: &str) -> bool {
    let dns = ServerName::try_from(name);
    if dns.is_ok_and(|it| verify_server_name(parsed, &it).is_ok()) {
        return true;
    }
    let Ok((_, it)) = x509_parser::parse_x509_certificate(certificate) else { return false };
    let mut names = it.subject().iter_common_name().filter_map(|it| it.as_str().ok());
    names.any(|it| it.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::super::provider;
    use super::*;

    struct Made {
        ca: CertificateDer<'static>,
        leaf: CertificateDer<'static>,
    }

    fn made(common_name: &str, dns: &[&str]) -> Made {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let names: Vec<String> = dns.iter().map(|it| (*it).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        Made { ca: ca.der().clone(), leaf: leaf.der().clone() }
    }

    fn name(name: &str, issuer: Option<Thumbprint>) -> PinnedName {
        PinnedName { name: name.to_owned(), issuer }
    }

    #[test]
    fn a_thumbprint_is_read_in_any_notation() {
        let it = Thumbprint::of(b"certificate");
        let text = it.to_string();
        assert_eq!(text.len(), 40);
        let spaced: Vec<&str> =
            text.as_bytes().chunks(2).map(|it| str::from_utf8(it).unwrap()).collect();
        for text in [
            text.clone(),
            text.to_lowercase(),
            spaced.join(":"),
            format!("\u{200e}{}", spaced.join(" ")),
        ] {
            assert_eq!(Thumbprint::parse(&text), Some(it), "{text}");
        }
        for text in [
            "",
            "AB",
            &text[1..],
            &format!("{text}0"),
            &text.replace(|it: char| it.is_ascii_digit(), "g"),
        ] {
            assert_eq!(Thumbprint::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_certificate_fits_by_thumbprint_or_by_name_and_issuer() {
        let (one, two) = (made("Backend One", &["one.test"]), made("two", &[]));
        let issuer = Some(Thumbprint::of(&one.ca));
        let algorithms = provider().signature_verification_algorithms;
        let fits = |thumbprints: &[Thumbprint],
                    names: &[PinnedName],
                    certificate,
                    others: &[CertificateDer<'static>]| {
            let pins = Pins::new(thumbprints.to_vec(), names.to_vec()).unwrap();
            pins.fit(certificate, others.iter(), UnixTime::now(), &algorithms)
        };
        let one_is = Thumbprint::of(&one.leaf);
        assert!(fits(&[one_is], &[], &one.leaf, &[]));
        assert!(!fits(&[one_is], &[], &two.leaf, &[]));
        assert!(fits(&[one_is], &[name("two", None)], &two.leaf, &[]));
        for (pinned, others, expected) in [
            (name("backend one", None), &[][..], true),
            (name("ONE.test", None), &[], true),
            (name("two.test", None), &[], false),
            (name("one.test", issuer), &[], false),
            (name("one.test", issuer), std::slice::from_ref(&one.ca), true),
            (
                name("one.test", Some(Thumbprint::of(&two.ca))),
                &[two.ca.clone(), one.ca.clone()],
                false,
            ),
            (name("two.test", issuer), std::slice::from_ref(&one.ca), false),
        ] {
            assert_eq!(
                fits(&[], std::slice::from_ref(&pinned), &one.leaf, others),
                expected,
                "{pinned:?}"
            );
        }
        // An issuer that is sent along but has signed something else.
        assert!(!fits(&[], &[name("two", issuer)], &two.leaf, &[one.ca.clone(), two.ca.clone()]));
    }

    #[test]
    fn only_issuers_are_looked_for_among_the_roots() {
        let (one, two) = (made("one", &[]), made("two", &[]));
        let roots = [one.ca.clone(), two.ca.clone()];
        let of = |issuer| Pins::new(Vec::new(), vec![name("one", issuer)]).unwrap().issuers(&roots);
        assert_eq!(of(None), []);
        assert_eq!(of(Some(Thumbprint::of(&one.ca))), std::slice::from_ref(&one.ca));
        assert!(Pins::new(Vec::new(), Vec::new()).is_none());
    }
}
