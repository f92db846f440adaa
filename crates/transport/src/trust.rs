//! Who may name clients: what judges a certificate, apart from what asks for the judgement.

use std::fmt;

use crate::BoxFuture;

/// Judges the certificates of clients. Chains begin with the client's own certificate, in DER; what
/// else it sent follows.
pub trait CertificateTrust: fmt::Debug + Send + Sync {
    /// Whether a path leads to a trusted root now, revocation aside.
    fn is_trusted(&self, chain: &[Vec<u8>]) -> bool;

    /// Whether a path leads to a trusted root now and nothing on it has been revoked. What cannot
    /// be found out counts as revoked.
    fn is_unrevoked<'a>(&'a self, chain: &'a [Vec<u8>]) -> BoxFuture<'a, bool>;
}
