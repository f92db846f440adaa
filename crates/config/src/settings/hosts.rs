//! `hosts:`: host names that are reached at another address, so that documents run elsewhere
//! without a character changed.
//!
//! ```yaml
//! hosts:
//!   login.microsoftonline.com: { address: "127.0.0.1:8445", ca: dev-ca.pem }
//!   "*.openai.azure.com": { address: "127.0.0.1:8090", tls: false }
//!   169.254.169.254: 127.0.0.1:8091
//! ```

use std::path::{Path, PathBuf};

use document::Diagnostic;
use transport::{HostMap, HostMapError, HostTarget};

use crate::codes;
use crate::place::Place;
use crate::tree::{Fields, Keys};

/// An entry of `hosts:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSetting {
    /// A host name, an address, or `*.` and a domain.
    pub pattern: String,
    /// Where it really is: `address:port`.
    pub address: String,
    /// Whether it speaks TLS; none: as the URL says.
    pub tls: Option<bool>,
    /// PEM file with the only roots that are trusted for it.
    pub ca: Option<PathBuf>,
    /// Where it stands.
    pub place: Place,
}

pub(super) fn read(fields: &Fields<'_, '_>) -> Vec<HostSetting> {
    let Some(hosts) = fields.map("hosts") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in hosts.tree().entries() {
        let (pattern, tree) = (entry.key.clone(), &entry.value);
        let place = Place::from(tree);
        if let Some(address) = tree.scalar() {
            let address = address.to_owned();
            found.push(HostSetting { pattern, address, tls: None, ca: None, place });
            continue;
        }
        let host = Fields::new(tree, Keys::Known, fields.problems());
        let (address, tls, ca) = (host.filled("address"), host.bool("tls"), host.filled("ca"));
        if address.is_none() {
            host.missing("address");
        }
        host.finish();
        if let Some(address) = address {
            found.push(HostSetting { pattern, address, tls, ca: ca.map(PathBuf::from), place });
        }
    }
    for problem in check(&found) {
        fields.report(problem);
    }
    found
}

pub(super) fn map(hosts: &[HostSetting], folder: Option<&Path>) -> (HostMap, Vec<Diagnostic>) {
    let mut map = HostMap::new();
    let mut problems = Vec::new();
    for host in hosts {
        let target = target(host, folder);
        if let Err(message) =
            target.and_then(|it| map.insert(&host.pattern, it).map_err(|it| it.to_string()))
        {
            let message = format!("host `{}`: {message}", host.pattern);
            problems.push(host.place.error(codes::BAD_VALUE, message));
        }
    }
    (map, problems)
}

/// What is wrong with the entries, whatever machine they are on: files are not looked at.
fn check(hosts: &[HostSetting]) -> Vec<Diagnostic> {
    let without_files: Vec<HostSetting> =
        hosts.iter().map(|it| HostSetting { ca: None, ..it.clone() }).collect();
    map(&without_files, None).1
}

fn target(host: &HostSetting, folder: Option<&Path>) -> Result<HostTarget, String> {
    let told = |error: HostMapError| error.to_string();
    let mut target = HostTarget::new(host.address.clone()).map_err(told)?;
    if let Some(tls) = host.tls {
        target = target.with_tls(tls);
    }
    if let Some(ca) = &host.ca {
        let path = folder.map_or_else(|| ca.clone(), |it| it.join(ca));
        let pem = std::fs::read(&path).map_err(|it| format!("`{}`: {it}", path.display()))?;
        target = target.with_ca_pem(&pem).map_err(told)?;
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn hosts_are_read_in_both_forms() {
        let (settings, problems) = read(
            "hosts:\n  login.test: { address: '127.0.0.1:1', tls: false }\n  '*.x.test': '127.0.0.1:2'\n",
        );
        assert_eq!(problems, [""; 0]);
        let (map, problems) = settings.host_map(None);
        assert!(problems.is_empty());
        assert_eq!(map.find("a.x.test").unwrap().address, "127.0.0.1:2");
        assert_eq!(map.find("login.test").unwrap().tls, Some(false));
    }

    #[test]
    fn wrong_hosts_are_told() {
        assert_eq!(read("hosts: { a: { tls: true } }").1, ["PC0505 `address` is missing"]);
        assert_eq!(read("hosts: { a: { adress: x } }").1.len(), 2);
        let (settings, problems) =
            read("hosts: { a.test: { address: 'x:1', ca: no/such.pem }, 'b c': 'x:1', d: x }");
        // Files may be on another machine: only the process that needs them reads them.
        assert_eq!(problems.len(), 2);
        assert_eq!(settings.host_map(None).1.len(), 3);
    }
}
