//! Client certificates: dates, trust, revocation, and whether one is a wanted identity.
//!
//! ```text
//! chain ─▶ dates ─▶ path to a trusted root ─▶ revocation lists ─▶ Ok
//!                                                ^
//!                                   distribution points, over HTTP, kept
//! ```
//!
//! Start with [`ClientTrust::check`]. What cannot be checked fails: a list that is not to be had, a
//! certificate that names none. Lists are asked for only along a path that is trusted, so that a
//! stranger's certificate sends the gateway nowhere.
//!
//! Source: RFC 5280, section 6.

mod matching;
mod name;
mod revocation;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use transport::{BoxFuture, CertificateTrust, Clock, HttpClient, Roots};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

pub use matching::{CertificateIdentity, IdentityPart};
pub use name::DistinguishedName;
use revocation::RevocationLists;

/// Certificates of a chain that are looked at.
const MAX_CHAIN: usize = 10;

/// Which checks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateChecks {
    /// No certificate of the path, the root excepted, is on a revocation list.
    pub revocation: bool,
    /// There is a path to a trusted root.
    pub trust: bool,
    /// The certificate is valid already.
    pub not_before: bool,
    /// The certificate is still valid.
    pub not_after: bool,
}

impl CertificateChecks {
    /// Every one.
    pub const ALL: CertificateChecks =
        CertificateChecks { revocation: true, trust: true, not_before: true, not_after: true };
}

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable,
    /// Its validity begins later.
    #[error("it is not valid yet")]
    NotYetValid,
    /// Its validity has ended.
    #[error("it has expired")]
    Expired,
    /// No path leads to a trusted root.
    #[error("it is not trusted: {0}")]
    NotTrusted(String),
    /// It, or one above it, is on a revocation list.
    #[error("it has been revoked")]
    Revoked,
    /// Whether it has been revoked cannot be found out.
    #[error("whether it has been revoked cannot be found out: {0}")]
    RevocationUnknown(String),
}

/// Whom the gateway trusts to name clients. Made once; keeps revocation lists.
#[derive(Debug)]
pub struct ClientTrust {
    anchors: Vec<TrustAnchor<'static>>,
    certificates: Vec<CertificateDer<'static>>,
    lists: RevocationLists,
    clock: Arc<dyn Clock>,
}

/// The certificates of a path from the client's to the root, without the root.
type Path<'a> = Vec<CertificateDer<'a>>;

impl ClientTrust {
    /// Trusts these roots. Lists come through the client.
    #[must_use]
    pub fn new(roots: &Roots, client: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        let certificates = roots.certificates().to_vec();
        let anchor =
            |it: &CertificateDer<'static>| Some(anchor_from_trusted_cert(it).ok()?.to_owned());
        let anchors = certificates.iter().filter_map(anchor).collect();
        let lists = RevocationLists::new(client, Arc::clone(&clock));
        Self { anchors, certificates, lists, clock }
    }

    /// Checks a chain, the client's own certificate first.
    ///
    /// # Errors
    ///
    /// The first check that fails: dates, trust, revocation. An expired certificate whose end is
    /// not looked at is judged as of its last second.
    pub async fn check(
        &self,
        chain: &[Vec<u8>],
        checks: CertificateChecks,
    ) -> Result<(), CertificateProblem> {
        let own = chain.first().ok_or(CertificateProblem::Unreadable)?;
        let (_, parsed) =
            X509Certificate::from_der(own).map_err(|_| CertificateProblem::Unreadable)?;
        let validity = parsed.validity();
        let now = seconds(self.clock.now());
        if checks.not_before && now < validity.not_before.timestamp() {
            return Err(CertificateProblem::NotYetValid);
        }
        if checks.not_after && now > validity.not_after.timestamp() {
            return Err(CertificateProblem::Expired);
        }
        if !checks.trust && !checks.revocation {
            return Ok(());
        }
        let time = within(now, validity.not_before.timestamp(), validity.not_after.timestamp());
        let path = match self.path(chain, time, &[]) {
            Ok(path) => path,
            Err(error) if checks.trust => {
                return Err(CertificateProblem::NotTrusted(error.to_string()));
            }
            // Nobody but itself could revoke it.
            Err(_) if has_issued(own, own) => return Ok(()),
            Err(_) => {
                let why = "no path leads to a trusted root".to_owned();
                return Err(CertificateProblem::RevocationUnknown(why));
            }
        };
        if checks.revocation && !path.is_empty() {
            self.look_up(chain, time, &path).await?;
        }
        Ok(())
    }

    /// Whether there is a path to a trusted root now, revocation aside.
    #[must_use]
    pub fn is_trusted(&self, chain: &[Vec<u8>]) -> bool {
        let now = u64::try_from(seconds(self.clock.now())).unwrap_or(0);
        self.path(chain, UnixTime::since_unix_epoch(Duration::from_secs(now)), &[]).is_ok()
    }

    /// The issuer of the client's certificate among what it sent and what is trusted, by
    /// signature. In DER.
    pub(crate) fn issuer(&self, chain: &[Vec<u8>]) -> Option<Vec<u8>> {
        let own = chain.first()?;
        let sent = chain.iter().skip(1).take(MAX_CHAIN).map(Vec::as_slice);
        let trusted = self.certificates.iter().map(|it| it.as_ref());
        sent.chain(trusted).find(|it| has_issued(it, own)).map(<[u8]>::to_vec)
    }

    async fn look_up(
        &self,
        chain: &[Vec<u8>],
        time: UnixTime,
        path: &Path<'_>,
    ) -> Result<(), CertificateProblem> {
        let mut lists = Vec::new();
        for certificate in path {
            let list = self.lists.of(certificate).await;
            lists.push(list.map_err(CertificateProblem::RevocationUnknown)?);
        }
        let borrowed: Vec<&CertRevocationList<'static>> = lists.iter().map(|it| &**it).collect();
        match self.path(chain, time, &borrowed) {
            Ok(_) => Ok(()),
            Err(Error::CertRevoked) => Err(CertificateProblem::Revoked),
            Err(error) => Err(CertificateProblem::RevocationUnknown(error.to_string())),
        }
    }

    /// Finds a path; with lists, one on which nothing is revoked.
    fn path<'a>(
        &self,
        chain: &'a [Vec<u8>],
        time: UnixTime,
        lists: &[&CertRevocationList<'_>],
    ) -> Result<Path<'a>, Error> {
        let ders: Vec<CertificateDer<'a>> =
            chain.iter().take(MAX_CHAIN).map(|it| CertificateDer::from(it.as_slice())).collect();
        let (own, above) = ders.split_first().ok_or(Error::BadDer)?;
        if self.certificates.contains(own) {
            return Ok(Vec::new());
        }
        let options = RevocationOptionsBuilder::new(lists).ok().map(|it| {
            it.with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Deny)
                .with_expiration_policy(ExpirationPolicy::Enforce)
                .build()
        });
        let own_certificate = EndEntityCert::try_from(own)?;
        let found = own_certificate.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.anchors,
            above,
            time,
            KeyUsage::client_auth(),
            options,
            None,
        )?;
        let between = found.intermediate_certificates().map(|it| it.der());
        let path: Vec<Vec<u8>> = between.map(|it| it.to_vec()).collect();
        let same = |der: &Vec<u8>| ders.iter().find(|it| it.as_ref() == der.as_slice()).cloned();
        Ok([own.clone()].into_iter().chain(path.iter().filter_map(same)).collect())
    }
}

/// What expressions ask (`Verify`, `VerifyNoRevocation`).
impl CertificateTrust for ClientTrust {
    fn is_trusted(&self, chain: &[Vec<u8>]) -> bool {
        ClientTrust::is_trusted(self, chain)
    }

    fn is_unrevoked<'a>(&'a self, chain: &'a [Vec<u8>]) -> BoxFuture<'a, bool> {
        Box::pin(async { self.check(chain, CertificateChecks::ALL).await.is_ok() })
    }
}

/// Whether that certificate's key signed the other one, and its subject is the other's issuer.
pub(crate) fn has_issued(issuer: &[u8], issued: &[u8]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(issuer) else { return false };
    let Ok((_, issued)) = X509Certificate::from_der(issued) else { return false };
    let key = CertificateDer::from(issuer);
    let Ok(key) = EndEntityCert::try_from(&key) else { return false };
    let (text, signature) = (issued.tbs_certificate.as_ref(), &issued.signature_value.data);
    parsed.subject().as_raw() == issued.issuer().as_raw()
        && webpki::ALL_VERIFICATION_ALGS
            .iter()
            .any(|it| key.verify_signature(*it, text, signature).is_ok())
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn within(now: i64, first: i64, last: i64) -> UnixTime {
    let at = u64::try_from(now.min(last).max(first)).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(at))
}

#[cfg(test)]
mod tests;
