//! Chains made for the tests: a root, an authority below it, clients, revocation lists.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use transport::{Body, CallError, FakeClient, FakeClock, Response};

use super::*;

const LIST: &str = "http://crl.test/ca.crl";
/// 2026-01-01.
const NOW: u64 = 1_767_225_600;

struct Made {
    params: CertificateParams,
    key: KeyPair,
    certificate: Certificate,
}

impl Made {
    fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn params(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(vec![format!("{name}.test")]).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, "Contoso, Inc.");
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) =
        (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    params
}

fn authority(name: &str, above: Option<&Made>) -> Made {
    let mut params = params(name, (2020, 2040));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![LIST.to_owned()] }];
    make(params, above)
}

fn client(serial: u64, years: (i32, i32), list: Option<&str>, above: Option<&Made>) -> Made {
    let mut params = params("client", years);
    params.serial_number = Some(SerialNumber::from(serial));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.crl_distribution_points =
        list.map(|it| CrlDistributionPoint { uris: vec![it.to_owned()] }).into_iter().collect();
    make(params, above)
}

fn make(params: CertificateParams, above: Option<&Made>) -> Made {
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        None => params.self_signed(&key),
        Some(it) => params.signed_by(&key, &it.issuer()),
    };
    Made { certificate: certificate.unwrap(), params, key }
}

/// The list of an authority, good until that year.
fn list(of: &Made, revoked: &[u64], until: i32) -> Vec<u8> {
    let revoked = revoked.iter().map(|it| RevokedCertParams {
        serial_number: SerialNumber::from(*it),
        revocation_time: date_time_ymd(2025, 6, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 6, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(&of.issuer()).unwrap().der().to_vec()
}

fn trust(roots: &[&Made], answer: Option<Vec<u8>>) -> (ClientTrust, FakeClient, FakeClock) {
    let client = FakeClient::new(move |_| match &answer {
        Some(it) => Ok(Response::new(Body::full(it.clone()))),
        None => Err(refused()),
    });
    let mut trusted = Roots::none();
    for root in roots {
        trusted = trusted.with_pem(root.certificate.pem().as_bytes()).unwrap();
    }
    let clock = FakeClock::at_unix(NOW);
    let trust = ClientTrust::new(&trusted, Arc::new(client.clone()), Arc::new(clock.clone()));
    (trust, client, clock)
}

fn refused() -> CallError {
    CallError::Connect { host: "crl.test".to_owned(), reason: "refused".to_owned() }
}

const ALL: CertificateChecks =
    CertificateChecks { revocation: true, trust: true, not_before: true, not_after: true };
const TRUST: CertificateChecks = CertificateChecks { revocation: false, ..ALL };

async fn why(
    trust: &ClientTrust,
    chain: &[&Made],
    checks: CertificateChecks,
) -> Option<&'static str> {
    let chain: Vec<Vec<u8>> = chain.iter().map(|it| it.der()).collect();
    trust.check(&chain, checks).await.err().map(|it| match it {
        CertificateProblem::Unreadable => "unreadable",
        CertificateProblem::NotYetValid => "not yet valid",
        CertificateProblem::Expired => "expired",
        CertificateProblem::NotTrusted(_) => "not trusted",
        CertificateProblem::Revoked => "revoked",
        CertificateProblem::RevocationUnknown(_) => "unknown",
    })
}

#[tokio::test]
async fn a_path_leads_to_a_trusted_root() {
    let root = authority("root", None);
    let below = authority("below", Some(&root));
    let (own, stranger) =
        (client(7, (2025, 2027), None, Some(&below)), client(7, (2025, 2027), None, None));
    let (trust, ..) = trust(&[&root], None);
    for (chain, expected) in [
        (vec![&own, &below], None),
        (vec![&own, &below, &root], None),
        (vec![&own], Some("not trusted")),
        (vec![&stranger], Some("not trusted")),
        (vec![&stranger, &below], Some("not trusted")),
        (vec![], Some("unreadable")),
    ] {
        assert_eq!(why(&trust, &chain, TRUST).await, expected);
    }
    // A certificate that is trusted itself needs no path.
    let (own_trust, ..) = self::trust(&[&stranger], None);
    assert_eq!(why(&own_trust, &[&stranger], ALL).await, None);
    assert!(trust.is_trusted(&[own.der(), below.der()]) && !trust.is_trusted(&[own.der()]));
}

#[tokio::test]
async fn dates_are_checked_if_they_are_to_be() {
    let root = authority("root", None);
    let (old, new) =
        (client(1, (2020, 2025), None, Some(&root)), client(2, (2030, 2031), None, Some(&root)));
    let (trust, ..) = trust(&[&root], None);
    assert_eq!(why(&trust, &[&old], TRUST).await, Some("expired"));
    assert_eq!(why(&trust, &[&new], TRUST).await, Some("not yet valid"));
    let loose = CertificateChecks { not_before: false, not_after: false, ..TRUST };
    assert_eq!(why(&trust, &[&old], loose).await, None);
    assert_eq!(why(&trust, &[&new], loose).await, None);
    let only_dates = CertificateChecks { trust: false, ..TRUST };
    assert_eq!(why(&trust, &[&old], only_dates).await, Some("expired"));
}

#[tokio::test]
async fn a_list_revokes() {
    let root = authority("root", None);
    let (good, bad) = (
        client(1, (2025, 2027), Some(LIST), Some(&root)),
        client(2, (2025, 2027), Some(LIST), Some(&root)),
    );
    let (trust, asked, _) = trust(&[&root], Some(list(&root, &[2], 2027)));
    assert_eq!(why(&trust, &[&good], ALL).await, None);
    assert_eq!(why(&trust, &[&bad], ALL).await, Some("revoked"));
    assert_eq!(why(&trust, &[&bad], TRUST).await, None);
    assert_eq!(asked.requests().len(), 1, "the list is kept");
}

#[tokio::test]
async fn an_authority_can_be_revoked_too() {
    let root = authority("root", None);
    let mut params = params("below", (2020, 2040));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.serial_number = Some(SerialNumber::from(9_u64));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.crl_distribution_points =
        vec![CrlDistributionPoint { uris: vec!["http://crl.test/root".to_owned()] }];
    let below = make(params, Some(&root));
    let own = client(1, (2025, 2027), Some(LIST), Some(&below));
    let (of_root, of_below) = (list(&root, &[9], 2027), list(&below, &[], 2027));
    let client = FakeClient::new(move |request| {
        let list = if request.uri.path() == "/root" { &of_root } else { &of_below };
        Ok(Response::new(Body::full(list.clone())))
    });
    let roots = Roots::none().with_pem(root.certificate.pem().as_bytes()).unwrap();
    let trust = ClientTrust::new(&roots, Arc::new(client), Arc::new(FakeClock::at_unix(NOW)));
    assert_eq!(why(&trust, &[&own, &below], ALL).await, Some("revoked"));
}

#[tokio::test]
async fn what_cannot_be_found_out_fails() {
    let root = authority("root", None);
    let other = authority("root", None);
    let without = client(1, (2025, 2027), None, Some(&root));
    let with = client(1, (2025, 2027), Some(LIST), Some(&root));
    for (own, answer) in [
        (&without, None),
        (&with, None),
        (&with, Some(b"no list".to_vec())),
        (&with, Some(list(&root, &[], 2026))),
        (&with, Some(list(&other, &[], 2027))),
    ] {
        let (trust, ..) = trust(&[&root], answer);
        assert_eq!(why(&trust, &[own], ALL).await, Some("unknown"));
    }
}

#[tokio::test]
async fn a_strangers_certificate_sends_the_gateway_nowhere() {
    let stranger = authority("stranger", None);
    let own = client(1, (2025, 2027), Some(LIST), Some(&stranger));
    let (trust, asked, _) = trust(&[], Some(list(&stranger, &[], 2027)));
    let without_trust = CertificateChecks { trust: false, ..ALL };
    assert_eq!(why(&trust, &[&own, &stranger], without_trust).await, Some("unknown"));
    // Nobody but itself could revoke a certificate that signed itself.
    assert_eq!(why(&trust, &[&stranger], without_trust).await, None);
    assert!(asked.requests().is_empty());
}

#[tokio::test]
async fn a_list_serves_until_it_runs_out() {
    let root = authority("root", None);
    let own = client(1, (2025, 2035), Some(LIST), Some(&root));
    let n_asked = Arc::new(AtomicUsize::new(0));
    let (counter, first) = (n_asked.clone(), list(&root, &[], 2027));
    let client = FakeClient::new(move |_| match counter.fetch_add(1, Relaxed) {
        0 => Ok(Response::new(Body::full(first.clone()))),
        _ => Err(refused()),
    });
    let roots = Roots::none().with_pem(root.certificate.pem().as_bytes()).unwrap();
    let clock = FakeClock::at_unix(NOW);
    let trust = ClientTrust::new(&roots, Arc::new(client), Arc::new(clock.clone()));
    for (hours, expected, asked) in [
        (0, None, 1),
        (3, None, 1),
        // Asked for again, in vain; the old one still serves.
        (2, None, 2),
        (0, None, 2),
        (24 * 365, Some("unknown"), 3),
    ] {
        clock.advance(Duration::from_hours(hours));
        assert_eq!(why(&trust, &[&own], ALL).await, expected, "{hours}");
        assert_eq!(n_asked.load(Relaxed), asked, "{hours}");
    }
}

#[test]
fn an_identity_is_all_of_its_parts() {
    let root = authority("root", None);
    let own = client(0x0A_BC, (2025, 2027), None, Some(&root));
    let (trust, ..) = trust(&[&root], None);
    let chain = [own.der()];
    let is = |parts: Vec<IdentityPart>| CertificateIdentity(parts).is(&chain, &trust);
    let name = |text: &str| DistinguishedName::parse(text).unwrap();
    let of = |der: &[u8]| crate::thumbprint(der).unwrap();
    let spaced = |text: String| text.to_lowercase().replace("a", "a ").replace("b", "b:");
    let right = [
        IdentityPart::Thumbprint(spaced(of(&own.der()))),
        IdentityPart::SerialNumber("0a:bc".to_owned()),
        IdentityPart::CommonName("CLIENT".to_owned()),
        IdentityPart::Subject(name("cn=client, o=\"Contoso, Inc.\"")),
        IdentityPart::DnsName("Client.test".to_owned()),
        IdentityPart::IssuerSubject(name("CN=root, O=\"Contoso, Inc.\"")),
        IdentityPart::IssuerThumbprint(of(&root.der())),
        IdentityPart::Issuer(root.der()),
    ];
    let wrong = [
        IdentityPart::Thumbprint(of(&root.der())),
        IdentityPart::Thumbprint(String::new()),
        IdentityPart::SerialNumber("0ABD".to_owned()),
        IdentityPart::SerialNumber(String::new()),
        IdentityPart::CommonName("client.test".to_owned()),
        IdentityPart::Subject(name("CN=client")),
        IdentityPart::DnsName("test".to_owned()),
        IdentityPart::IssuerSubject(name("CN=client, O=\"Contoso, Inc.\"")),
        IdentityPart::IssuerThumbprint(of(&own.der())),
        IdentityPart::Issuer(own.der()),
    ];
    assert!(is(right.to_vec()));
    for part in &right {
        assert!(is(vec![part.clone()]), "{part:?}");
    }
    for part in wrong {
        assert!(!is(vec![part.clone()]), "{part:?}");
        assert!(!is(vec![right[2].clone(), part]));
    }
    // A certificate with the issuer's name, and another key.
    let other = authority("root", None);
    assert!(!is(vec![IdentityPart::Issuer(other.der())]));
    assert!(!CertificateIdentity(right.to_vec()).is(&[], &trust));
}
