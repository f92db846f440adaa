//! `hosts:`: other addresses for host names, so that documents run locally unchanged.

use std::collections::HashMap;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Which host names are reached at another address. Looked at before the resolver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostMap {
    exact: HashMap<Box<str>, Arc<HostTarget>>,
    /// Suffixes with their leading dot, longest first.
    suffixes: Vec<(Box<str>, Arc<HostTarget>)>,
}

/// Where a mapped host really is. The `Host` header, the server name of TLS and the name that
/// the certificate must carry stay those of the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostTarget {
    /// `address:port` or `[address]:port`, also with a name in place of the address.
    pub address: String,
    /// `Some(false)` speaks plain HTTP even for `https` URLs; `None` follows the URL.
    pub tls: Option<bool>,
    /// If not empty, the only roots trusted for this host.
    pub ca: Vec<CertificateDer<'static>>,
}

/// Why an entry of `hosts:` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostMapError {
    /// Neither a host name nor `*.` and a domain.
    #[error("`{0}` is neither a host name nor `*.` followed by a domain")]
    Pattern(String),
    /// The address lacks its port, or the port is no number.
    #[error("`{0}` is not of the form `address:port`")]
    Address(String),
    /// The CA file holds no certificate, or a broken one.
    #[error("no PEM certificate can be read")]
    Certificate,
}

impl HostTarget {
    /// A target at `address:port` that follows the URL's scheme and trusts the usual roots.
    ///
    /// # Errors
    ///
    /// [`HostMapError::Address`].
    pub fn new(address: impl Into<String>) -> Result<Self, HostMapError> {
        let address = address.into();
        let is_valid = address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !is_valid {
            return Err(HostMapError::Address(address));
        }
        Ok(Self { address, tls: None, ca: Vec::new() })
    }

    /// Forces TLS on or off, whatever the URL says.
    #[must_use]
    pub fn with_tls(mut self, tls: bool) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Trusts only the certificates of this PEM text for the host.
    ///
    /// # Errors
    ///
    /// [`HostMapError::Certificate`].
    pub fn with_ca_pem(mut self, pem: &[u8]) -> Result<Self, HostMapError> {
        self.ca = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| HostMapError::Certificate)?;
        if self.ca.is_empty() { Err(HostMapError::Certificate) } else { Ok(self) }
    }
}

impl HostMap {
    /// A map without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `login.example.com`, `169.254.169.254` or `*.example.com` (any depth below, not the
    /// domain itself). A second entry for the same pattern replaces the first.
    ///
    /// # Errors
    ///
    /// [`HostMapError::Pattern`].
    pub fn insert(&mut self, pattern: &str, target: HostTarget) -> Result<(), HostMapError> {
        let refused = || HostMapError::Pattern(pattern.to_owned());
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._:[]".contains(&it))
        };
        let lower = pattern.to_ascii_lowercase();
        match lower.strip_prefix('*') {
            Some(suffix) => {
                let domain = suffix.strip_prefix('.').ok_or_else(refused)?;
                if !is_name(domain) {
                    return Err(refused());
                }
                self.suffixes.retain(|(known, _)| **known != *suffix);
                self.suffixes.push((suffix.into(), Arc::new(target)));
                self.suffixes.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
            }
            None if is_name(&lower) => {
                self.exact.insert(lower.into(), Arc::new(target));
            }
            None => return Err(refused()),
        }
        Ok(())
    }

    /// These entries, and those of `fallback` for patterns that have none here.
    #[must_use]
    pub fn or(mut self, fallback: HostMap) -> Self {
        for (name, target) in fallback.exact {
            self.exact.entry(name).or_insert(target);
        }
        for (suffix, target) in fallback.suffixes {
            if !self.suffixes.iter().any(|(known, _)| *known == suffix) {
                self.suffixes.push((suffix, target));
            }
        }
        self.suffixes.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        self
    }

    /// The target of a host: an exact entry wins over a wildcard, a longer wildcard over a
    /// shorter one. Letter case does not matter.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<&Arc<HostTarget>> {
        if self.is_empty() {
            return None;
        }
        let lower = host.to_ascii_lowercase();
        let suffix =
            |(suffix, _): &&(Box<str>, _)| lower.len() > suffix.len() && lower.ends_with(&**suffix);
        self.exact
            .get(&*lower)
            .or_else(|| self.suffixes.iter().find(suffix).map(|(_, target)| target))
    }

    /// Whether nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.suffixes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{HostMap, HostMapError, HostTarget};

    fn map(entries: &[(&str, &str)]) -> HostMap {
        let mut map = HostMap::new();
        for (pattern, address) in entries {
            map.insert(pattern, HostTarget::new(*address).unwrap()).unwrap();
        }
        map
    }

    #[test]
    fn a_fallback_fills_in_what_is_not_mapped() {
        let own = map(&[("a.test", "a:1"), ("*.x.test", "b:2")]);
        let map = own.or(map(&[("a.test", "c:3"), ("b.test", "d:4"), ("*.y.x.test", "e:5")]));
        for (host, expected) in
            [("a.test", "a:1"), ("b.test", "d:4"), ("1.x.test", "b:2"), ("1.y.x.test", "e:5")]
        {
            assert_eq!(map.find(host).unwrap().address, expected, "{host}");
        }
    }

    #[test]
    fn the_most_specific_pattern_wins() {
        let map = map(&[
            ("*.azure.com", "a:1"),
            ("*.openai.azure.com", "b:2"),
            ("one.openai.azure.com", "c:3"),
        ]);
        for (host, expected) in [
            ("x.azure.com", Some("a:1")),
            ("x.openai.azure.com", Some("b:2")),
            ("X.Y.OpenAI.azure.com", Some("b:2")),
            ("ONE.openai.azure.com", Some("c:3")),
            ("azure.com", None),
            ("notazure.com", None),
        ] {
            assert_eq!(map.find(host).map(|it| it.address.as_str()), expected, "{host}");
        }
    }

    #[test]
    fn patterns_and_addresses_are_checked() {
        let target = HostTarget::new("127.0.0.1:1").unwrap();
        for pattern in ["", "*", "*example.com", "*.", "a b", "http://x"] {
            let refused = HostMap::new().insert(pattern, target.clone());
            assert!(matches!(refused, Err(HostMapError::Pattern(_))), "{pattern}");
        }
        for address in ["", "localhost", "localhost:", ":80", "localhost:http"] {
            assert!(HostTarget::new(address).is_err(), "{address}");
        }
        assert_eq!(target.with_ca_pem(b"nothing"), Err(HostMapError::Certificate));
    }
}
