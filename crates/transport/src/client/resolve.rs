//! Addresses of host names: the system's resolver on the blocking pool, cached for a while.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::CallError;

/// Names kept; beyond, the oldest go.
const MAX_NAMES: usize = 1024;

/// A cache in front of the system's resolver.
#[derive(Debug)]
pub(super) struct Resolver {
    time_to_live: Duration,
    known: Mutex<HashMap<Box<str>, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    addresses: Arc<[IpAddr]>,
    at: Instant,
}

impl Resolver {
    pub(super) fn new(time_to_live: Duration) -> Self {
        Self { time_to_live, known: Mutex::default() }
    }

    /// All addresses of a host, in the resolver's order. An outdated answer is better than none.
    pub(super) async fn resolve(&self, host: &str) -> Result<Arc<[IpAddr]>, CallError> {
        let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = literal.parse::<IpAddr>() {
            return Ok(Arc::new([address]));
        }
        let known = self.known().get(host).cloned();
        match &known {
            Some(it) if it.at.elapsed() < self.time_to_live => return Ok(it.addresses.clone()),
            _ => {}
        }
        let reason = match tokio::net::lookup_host((host, 0)).await {
            Ok(found) => {
                let addresses: Arc<[IpAddr]> = found.map(|it| it.ip()).collect();
                if !addresses.is_empty() {
                    self.keep(host, addresses.clone());
                    return Ok(addresses);
                }
                "no address".to_owned()
            }
            Err(error) => error.to_string(),
        };
        match known {
            Some(outdated) => Ok(outdated.addresses),
            None => Err(CallError::Resolve { host: host.to_owned(), reason }),
        }
    }

    fn keep(&self, host: &str, addresses: Arc<[IpAddr]>) {
        let mut known = self.known();
        if known.len() >= MAX_NAMES {
            let oldest = known.iter().min_by_key(|(_, it)| it.at).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                known.remove(&oldest);
            }
        }
        known.insert(host.into(), Known { addresses, at: Instant::now() });
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Box<str>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::time::Duration;

    use super::{MAX_NAMES, Resolver};

    #[tokio::test]
    async fn addresses_need_no_resolver() {
        let resolver = Resolver::new(Duration::ZERO);
        for host in ["127.0.0.1", "::1", "[::1]"] {
            assert_eq!(resolver.resolve(host).await.unwrap().len(), 1, "{host}");
        }
        assert!(resolver.known().is_empty());
    }

    #[tokio::test]
    async fn a_known_name_is_not_asked_for_again() {
        let resolver = Resolver::new(Duration::from_secs(60));
        let address: Arc<[IpAddr]> = Arc::new([Ipv4Addr::LOCALHOST.into()]);
        resolver.keep("nowhere.invalid", address.clone());
        assert_eq!(resolver.resolve("nowhere.invalid").await.unwrap(), address);
    }

    #[test]
    fn the_cache_is_bounded() {
        let resolver = Resolver::new(Duration::from_secs(60));
        for number in 0..MAX_NAMES + 10 {
            resolver.keep(&number.to_string(), Arc::new([]));
        }
        assert_eq!(resolver.known().len(), MAX_NAMES);
    }
}
