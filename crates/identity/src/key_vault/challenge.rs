//! The challenge of a vault: which resource a token is needed for.

use url::Url;

use crate::fetch::is_loopback;

/// A challenge that the vault's host has a right to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    resource: String,
}

impl Challenge {
    /// Reads `WWW-Authenticate`; `None` if it is no challenge for a bearer token, or names a
    /// resource that the vault at `target` does not belong to.
    pub(super) fn parse(header: &str, target: &Url) -> Option<Self> {
        let (scheme, parameters) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameter = |name: &str| {
            parameters.split([',', ' ']).find_map(|it| {
                let (key, value) = it.trim().split_once('=')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"').to_owned())
            })
        };
        let resource = parameter("resource")
            .or_else(|| Some(parameter("scope")?.trim_end_matches("/.default").to_owned()))?;
        let resource = resource.trim_end_matches('/').to_owned();
        let url = Url::parse(&resource).ok()?;
        (url.scheme() == "https" && belongs_to(target, &url)).then_some(Self { resource })
    }

    pub(super) fn resource(&self) -> &str {
        &self.resource
    }
}

/// True if the vault is below the resource's host, or stands on this machine for tests.
fn belongs_to(target: &Url, resource: &Url) -> bool {
    let (Some(host), Some(parent)) = (target.host_str(), resource.host_str()) else { return false };
    let is_below = host.strip_suffix(parent).is_some_and(|it| it.ends_with('.'));
    is_below || is_loopback(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(header: &str, target: &str) -> Option<String> {
        Challenge::parse(header, &Url::parse(target).unwrap()).map(|it| it.resource)
    }

    const VAULT: &str = "https://v.vault.azure.net/secrets/s";

    #[test]
    fn the_resource_is_found_in_every_spelling() {
        let expected = Some("https://vault.azure.net".to_owned());
        for header in [
            r#"Bearer authorization="https://l/t", resource="https://vault.azure.net""#,
            r#"bearer authorization="https://l/t" resource="https://vault.azure.net/""#,
            r#"Bearer resource=https://vault.azure.net,authorization=https://l/t"#,
            r#"Bearer scope="https://vault.azure.net/.default""#,
        ] {
            assert_eq!(resource(header, VAULT), expected, "{header}");
        }
    }

    #[test]
    fn a_vault_gets_tokens_for_its_own_domain_only() {
        let challenge = |it: &str| format!(r#"Bearer resource="{it}""#);
        for (name, target) in [
            ("https://management.azure.com", VAULT),
            ("https://ault.azure.net", VAULT),
            ("https://v.vault.azure.net", VAULT),
            ("http://vault.azure.net", VAULT),
            ("vault.azure.net", VAULT),
            ("https://vault.azure.net", "https://vault.azure.net.evil.test/secrets/s"),
        ] {
            assert_eq!(resource(&challenge(name), target), None, "{name} {target}");
        }
        for target in
            ["https://localhost:8446/secrets/s", "https://demo.vault.localhost:1/secrets/s"]
        {
            assert!(resource(&challenge("https://vault.azure.net"), target).is_some());
        }
        assert_eq!(resource("Basic realm=x", VAULT), None);
        assert_eq!(resource("Bearer", VAULT), None);
        assert_eq!(resource("Bearer x", VAULT), None);
    }
}
