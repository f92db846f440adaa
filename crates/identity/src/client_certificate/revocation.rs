//! Revocation lists: fetched from where certificates say, kept until they have to be renewed.
//!
//! One fetch at a time per address. A list is asked for again after four hours, or when it says
//! that its successor is out; until then an older one serves if the new one is not to be had. A
//! list that has run out serves nobody.
//!
//! Source: RFC 5280, sections 4.2.1.13 and 5.1.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::Method;
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject as _;
use transport::{Body, Clock, HttpClient};
use webpki::{CertRevocationList, OwnedCertRevocationList};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::fetch::{FETCH_TIMEOUT, call_up_to};

/// The largest list that is read.
const MAX_LIST_BYTES: usize = 8 * 1024 * 1024;
/// Lists that are kept.
const MAX_LISTS: usize = 64;
/// Addresses of one certificate that are tried.
const MAX_ADDRESSES: usize = 4;
/// Age at which a list is asked for again.
const MAX_AGE: Duration = Duration::from_hours(4);
/// Rest after a fetch that failed.
const REST: Duration = Duration::from_mins(1);

type List = CertRevocationList<'static>;

/// The lists that are kept.
pub(super) struct RevocationLists {
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot(tokio::sync::Mutex<State>);

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// When the last fetch failed, and why.
    failed: Option<(SystemTime, String)>,
}

struct Kept {
    list: Arc<List>,
    /// When it has to be asked for again.
    renew: SystemTime,
    /// From when on it says nothing any more.
    ends: SystemTime,
}

impl RevocationLists {
    pub(super) fn new(client: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock, slots: Mutex::default() }
    }

    /// The list that covers a certificate. The error says why there is none.
    pub(super) async fn of(&self, certificate: &[u8]) -> Result<Arc<List>, String> {
        let addresses = addresses(certificate);
        let mut why = "a certificate names no revocation list".to_owned();
        for address in addresses {
            match self.at(&address).await {
                Ok(list) => return Ok(list),
                Err(problem) => why = format!("`{address}`: {problem}"),
            }
        }
        Err(why)
    }

    async fn at(&self, address: &str) -> Result<Arc<List>, String> {
        let slot = self.slot(address);
        let mut state = slot.0.lock().await;
        let now = self.clock.now();
        let usable = state.kept.as_ref().filter(|it| now < it.ends).map(|it| it.list.clone());
        if let Some(list) = &usable
            && state.kept.as_ref().is_some_and(|it| now < it.renew)
        {
            return Ok(list.clone());
        }
        if let Some((at, why)) = &state.failed
            && now.duration_since(*at).is_ok_and(|it| it < REST)
        {
            return usable.ok_or_else(|| why.clone());
        }
        match self.fetch(address).await {
            Ok(kept) => {
                let list = kept.list.clone();
                *state = State { kept: Some(kept), failed: None };
                Ok(list)
            }
            Err(why) => {
                tracing::warn!(address, why, "a revocation list cannot be fetched");
                state.failed = Some((now, why.clone()));
                usable.ok_or(why)
            }
        }
    }

    fn slot(&self, address: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_LISTS && !slots.contains_key(address) {
            slots.clear();
        }
        Arc::clone(slots.entry(address.to_owned()).or_default())
    }

    async fn fetch(&self, address: &str) -> Result<Kept, String> {
        let request = http::Request::builder()
            .method(Method::GET)
            .uri(address)
            .body(Body::empty())
            .map_err(|_| "it is no URL".to_owned())?;
        let answer = call_up_to(&self.client, &self.clock, request, FETCH_TIMEOUT, MAX_LIST_BYTES);
        let answer = answer.await.map_err(|it| it.to_string())?;
        if answer.status() != http::StatusCode::OK {
            return Err(format!("the answer has status {}", answer.status().as_u16()));
        }
        read(answer.body(), self.clock.now())
    }
}

/// Reads a list, in DER or PEM.
fn read(bytes: &[u8], now: SystemTime) -> Result<Kept, String> {
    let der = CertificateRevocationListDer::from_pem_slice(bytes)
        .unwrap_or_else(|_| CertificateRevocationListDer::from(bytes.to_vec()));
    let unreadable = || "it is no revocation list".to_owned();
    let (_, parsed) = CertificateRevocationList::from_der(&der).map_err(|_| unreadable())?;
    let next = parsed.next_update().and_then(|it| u64::try_from(it.timestamp()).ok());
    let ends = next.ok_or("it does not say when it runs out")?;
    let ends = SystemTime::UNIX_EPOCH + Duration::from_secs(ends);
    if ends <= now {
        return Err("it has run out".to_owned());
    }
    let list = OwnedCertRevocationList::from_der(&der).map_err(|it| it.to_string())?;
    Ok(Kept { list: Arc::new(list.into()), renew: ends.min(now + MAX_AGE), ends })
}

/// Where a certificate says its list is, over HTTP.
fn addresses(certificate: &[u8]) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let mut found = Vec::new();
    for extension in parsed.extensions() {
        let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() else {
            continue;
        };
        for point in &points.points {
            let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
                continue;
            };
            found.extend(names.iter().filter_map(|name| match name {
                GeneralName::URI(it) => Some((*it).to_owned()),
                _ => None,
            }));
        }
    }
    found.retain(|it| it.starts_with("http://") || it.starts_with("https://"));
    found.truncate(MAX_ADDRESSES);
    found
}

impl fmt::Debug for RevocationLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RevocationLists(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_refused() {
        let read = |bytes: &[u8]| read(bytes, SystemTime::UNIX_EPOCH).err();
        assert_eq!(read(b"").as_deref(), Some("it is no revocation list"));
        assert_eq!(read(b"<html>").as_deref(), Some("it is no revocation list"));
        assert!(addresses(b"no certificate").is_empty());
    }
}
