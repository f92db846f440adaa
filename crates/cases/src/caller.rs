//! Who asks in a case: an address, a TLS session, perhaps a client certificate.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use identity::ClientTrust;
use transport::{FakeClock, HttpClient, Peer, Roots, TlsInfo};

use crate::case::Case;

/// An address of the documentation's, over TLS, with the certificates of the case.
pub(crate) fn peer(case: &Case) -> Result<Arc<Peer>, String> {
    let chain = case.client_certificates.as_deref().map(roots).transpose()?;
    let certificates = chain.map(|it| it.certificates().iter().map(|it| it.to_vec()).collect());
    let tls = TlsInfo { protocol: "TLSv1.3", certificates, ..TlsInfo::default() };
    let client = Peer::plain(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    Ok(Arc::new(Peer { tls: Some(tls), ..client }))
}

/// Whom the gateway of the case trusts to name clients.
pub(crate) fn trust(
    case: &Case,
    client: Arc<dyn HttpClient>,
    clock: FakeClock,
) -> Result<ClientTrust, String> {
    let roots = case.client_authorities.as_deref().map_or_else(|| Ok(Roots::none()), roots)?;
    Ok(ClientTrust::new(&roots, client, Arc::new(clock)))
}

fn roots(pem: &str) -> Result<Roots, String> {
    Roots::none().with_pem(pem.as_bytes()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_certificate_if_the_case_says_so() {
        let certificates = |case: &Case| peer(case).unwrap().tls.clone().unwrap().certificates;
        assert!(certificates(&Case::default()).is_none());
        let broken = Case { client_certificates: Some("x".to_owned()), ..Case::default() };
        assert!(peer(&broken).is_err());
    }
}
