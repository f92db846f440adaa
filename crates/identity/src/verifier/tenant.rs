//! Tenants of Entra ID: which issuers their tokens have, and where their keys are.
//!
//! Whether a token is of version 1.0 or 2.0 is decided by the resource it is for, not by the
//! address its keys come from, so both issuers of a tenant are accepted.
//!
//! Sources: <https://learn.microsoft.com/azure/api-management/validate-azure-ad-token-policy>;
//! <https://learn.microsoft.com/entra/identity-platform/access-tokens>.

use url::Url;

use crate::claims::Claims;
use crate::error::quoted;

const PUBLIC_CLOUD: &str = "https://login.microsoftonline.com";
/// The tenant of all personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const TENANT_MARK: &str = "{tenantid}";
/// Hosts of Entra ID that a tenant may be addressed at.
const ENTRA_HOSTS: [&str; 5] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "login.windows.net",
];

/// Why a text names no tenant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantProblem {
    /// Neither an identifier, nor a domain, nor the address of one.
    #[error("`{0}` is not a tenant: an ID, a domain, `organizations` or `common` is needed")]
    Tenant(String),
    /// Not the address of a token service.
    #[error("`{0}` is not the address of an authentication endpoint")]
    Endpoint(String),
}

/// A tenant, or a group of tenants, at one token service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraTenant {
    scope: Scope,
    /// Origin and path of the token service, without a slash at the end.
    authority: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    Id(String),
    Domain(String),
    /// Every work or school tenant.
    Organizations,
    /// Those, and personal accounts.
    Common,
}

impl EntraTenant {
    /// Reads a tenant as `tenant-id` gives it, at the public cloud or another endpoint.
    ///
    /// # Errors
    ///
    /// If one of the texts is neither of the documented forms.
    pub fn parse(text: &str, endpoint: Option<&str>) -> Result<Self, TenantProblem> {
        let text = text.trim();
        let mut authority = match endpoint.map(str::trim).filter(|it| !it.is_empty()) {
            None => PUBLIC_CLOUD.to_owned(),
            Some(endpoint) => authority_of(endpoint)?,
        };
        let unknown = || TenantProblem::Tenant(quoted(text));
        let mut name = text.to_owned();
        if text.contains("://") {
            let url = Url::parse(text).map_err(|_| unknown())?;
            let host = url.host_str().filter(|_| url.scheme() == "https").ok_or_else(unknown)?;
            let path = url.path().trim_matches('/');
            let is_service = ENTRA_HOSTS.contains(&host)
                || Url::parse(&authority).is_ok_and(|it| it.origin() == url.origin());
            name = match (is_service, path) {
                (false, "") => host.to_owned(),
                (true, path) if !path.is_empty() && !path.contains('/') => {
                    authority = url.origin().ascii_serialization();
                    path.to_owned()
                }
                _ => return Err(unknown()),
            };
        }
        let name = name.to_ascii_lowercase();
        let scope = match name.as_str() {
            "organizations" => Scope::Organizations,
            "common" => Scope::Common,
            id if is_guid(id) => Scope::Id(name),
            domain if is_domain(domain) => Scope::Domain(name),
            _ => return Err(unknown()),
        };
        Ok(Self { scope, authority })
    }

    /// Where the tenant's metadata, and with it its keys, are published.
    pub fn metadata_url(&self) -> String {
        let name = match &self.scope {
            Scope::Id(name) | Scope::Domain(name) => name,
            Scope::Organizations => "organizations",
            Scope::Common => "common",
        };
        format!("{}/{name}/v2.0/.well-known/openid-configuration", self.authority)
    }

    /// True if every tenant's tokens are accepted.
    pub fn is_multi_tenant(&self) -> bool {
        matches!(self.scope, Scope::Organizations | Scope::Common)
    }

    /// True if a token with this issuer belongs to the tenant. `published` is the issuer that
    /// the tenant's metadata names.
    pub(crate) fn accepts(
        &self,
        issuer: &str,
        token_tenant: Option<&str>,
        published: Option<&str>,
    ) -> bool {
        let tenant = match &self.scope {
            Scope::Id(id) => Some(id.as_str()),
            // The metadata of a domain name the tenant's identifier in their issuer.
            Scope::Domain(_) => published.and_then(|it| it.split('/').find(|it| is_guid(it))),
            Scope::Organizations => token_tenant.filter(|it| !it.eq_ignore_ascii_case(PERSONAL)),
            Scope::Common => token_tenant,
        };
        let Some(tenant) = tenant else { return false };
        if token_tenant.is_some_and(|it| it != tenant) {
            return false;
        }
        let v1_host = match self.authority.ends_with(".cn") {
            true => "sts.chinacloudapi.cn",
            false => "sts.windows.net",
        };
        issuer == format!("https://{v1_host}/{tenant}/")
            || issuer == format!("{}/{tenant}/v2.0", self.authority)
            || published.is_some_and(|it| fill(it, tenant) == issuer)
    }
}

/// The tenant a token says it is from, if that is an identifier.
pub(crate) fn tenant_id(claims: &Claims) -> Option<&str> {
    claims.text("tid").filter(|it| is_guid(it))
}

pub(crate) fn is_template(issuer: &str) -> bool {
    issuer.contains(TENANT_MARK)
}

pub(crate) fn fill(issuer: &str, tenant_id: &str) -> String {
    issuer.replace(TENANT_MARK, tenant_id)
}

/// True if a key that belongs to `key_issuer` may sign for `issuer`: they are the same, or the
/// two forms of the same tenant.
pub(crate) fn key_agrees(key_issuer: &str, issuer: &str, tenant_id: Option<&str>) -> bool {
    let Some(tenant_id) = tenant_id else { return key_issuer == issuer };
    let filled = fill(key_issuer, tenant_id);
    let names_tenant = |it: &str| it.split('/').any(|part| part == tenant_id);
    filled == issuer || (names_tenant(&filled) && names_tenant(issuer))
}

fn authority_of(endpoint: &str) -> Result<String, TenantProblem> {
    let wrong = || TenantProblem::Endpoint(quoted(endpoint));
    let with_scheme = match endpoint.contains("://") {
        true => endpoint.to_owned(),
        false => format!("https://{endpoint}"),
    };
    let url = Url::parse(&with_scheme).map_err(|_| wrong())?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() || !is_plain {
        return Err(wrong());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_guid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let all = lengths.iter().all(|n| {
        parts.next().is_some_and(|it| it.len() == *n && it.bytes().all(|it| it.is_ascii_hexdigit()))
    });
    all && parts.next().is_none()
}

fn is_domain(text: &str) -> bool {
    let is_label = |it: &str| {
        !it.is_empty()
            && it.len() <= 63
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: &str = "11111111-2222-3333-4444-555555555555";
    const OTHER: &str = "22222222-2222-3333-4444-555555555555";

    fn tenant(text: &str) -> EntraTenant {
        EntraTenant::parse(text, None).unwrap()
    }

    #[test]
    fn every_documented_form_leads_to_metadata() {
        let base = "https://login.microsoftonline.com";
        for (text, endpoint, expected) in [
            (T, None, format!("{base}/{T}")),
            (
                " 1111AAAA-2222-3333-4444-555555555555",
                None,
                format!("{base}/1111aaaa-2222-3333-4444-555555555555"),
            ),
            ("Contoso.onmicrosoft.com", None, format!("{base}/contoso.onmicrosoft.com")),
            ("https://contoso.onmicrosoft.com", None, format!("{base}/contoso.onmicrosoft.com")),
            ("https://contoso.onmicrosoft.com/", None, format!("{base}/contoso.onmicrosoft.com")),
            ("organizations", None, format!("{base}/organizations")),
            (
                "https://login.microsoftonline.com/organizations",
                None,
                format!("{base}/organizations"),
            ),
            ("https://login.microsoftonline.com/common", None, format!("{base}/common")),
            (
                T,
                Some("https://login.microsoftonline.us/"),
                format!("https://login.microsoftonline.us/{T}"),
            ),
            (T, Some("login.microsoftonline.us"), format!("https://login.microsoftonline.us/{T}")),
            (T, Some("https://localhost:8445"), format!("https://localhost:8445/{T}")),
            (T, Some(""), format!("{base}/{T}")),
        ] {
            let url = EntraTenant::parse(text, endpoint).unwrap().metadata_url();
            assert_eq!(url, format!("{expected}/v2.0/.well-known/openid-configuration"));
        }
    }

    #[test]
    fn other_texts_are_no_tenant() {
        for text in [
            "",
            "consumers",
            "a b.test",
            "https://",
            "http://contoso.onmicrosoft.com",
            "https://evil.test/common",
            "https://login.microsoftonline.com/a/b",
            "../x.y",
            "a.b/c",
            "https://login.microsoftonline.com",
            "x..y",
            "{{TENANT_ID}}",
            "a.b?x",
        ] {
            assert!(EntraTenant::parse(text, None).is_err(), "{text:?}");
        }
        for endpoint in ["ftp://a.test", "https://a.test?x", "https://", "https://u@a.test"] {
            assert!(EntraTenant::parse(T, Some(endpoint)).is_err(), "{endpoint:?}");
        }
    }

    #[test]
    fn a_tenant_has_an_issuer_of_each_version() {
        let accepts = |issuer: &str| tenant(T).accepts(issuer, Some(T), None);

        assert!(accepts(&format!("https://sts.windows.net/{T}/")));
        assert!(accepts(&format!("https://login.microsoftonline.com/{T}/v2.0")));
        for wrong in [
            format!("https://sts.windows.net/{T}"),
            format!("https://login.microsoftonline.com/{T}/v2.0/"),
            format!("https://sts.windows.net/{OTHER}/"),
            format!("https://sts.windows.net.evil.test/{T}/"),
            format!("https://sts.chinacloudapi.cn/{T}/"),
        ] {
            assert!(!accepts(&wrong), "{wrong}");
        }
        let issuer = format!("https://sts.windows.net/{T}/");
        assert!(tenant(T).accepts(&issuer, None, None));
        assert!(!tenant(T).accepts(&issuer, Some(OTHER), None));
    }

    #[test]
    fn a_domain_is_resolved_through_the_metadata() {
        let published = format!("https://login.microsoftonline.com/{T}/v2.0");
        let issuer = format!("https://sts.windows.net/{T}/");
        let domain = tenant("contoso.onmicrosoft.com");

        assert!(domain.accepts(&issuer, Some(T), Some(&published)));
        assert!(!domain.accepts(&issuer, Some(T), None));
        let other = format!("https://sts.windows.net/{OTHER}/");
        assert!(!domain.accepts(&other, Some(OTHER), Some(&published)));
    }

    #[test]
    fn any_organization_means_any_but_personal_accounts() {
        let template = Some("https://login.microsoftonline.com/{tenantid}/v2.0");
        let with = |tenant: &EntraTenant, id: &str, tid: Option<&str>| {
            tenant.accepts(&format!("https://login.microsoftonline.com/{id}/v2.0"), tid, template)
        };
        let (organizations, common) = (tenant("organizations"), tenant("common"));

        assert!(organizations.is_multi_tenant() && !tenant(T).is_multi_tenant());
        assert!(with(&organizations, T, Some(T)) && with(&common, T, Some(T)));
        assert!(!with(&organizations, PERSONAL, Some(PERSONAL)));
        assert!(with(&common, PERSONAL, Some(PERSONAL)));
        assert!(!with(&common, T, None) && !with(&common, T, Some(OTHER)));
    }

    #[test]
    fn other_clouds_have_issuers_of_their_own() {
        let china =
            EntraTenant::parse(T, Some("https://login.partner.microsoftonline.cn")).unwrap();
        assert!(china.accepts(&format!("https://sts.chinacloudapi.cn/{T}/"), Some(T), None));
        assert!(!china.accepts(&format!("https://sts.windows.net/{T}/"), Some(T), None));
    }

    #[test]
    fn a_key_signs_only_for_its_own_tenant() {
        let v2 = |it: &str| format!("https://login.microsoftonline.com/{it}/v2.0");
        let v1 = format!("https://sts.windows.net/{T}/");

        for key_issuer in [v2(T), v2("{tenantid}")] {
            assert!(key_agrees(&key_issuer, &v2(T), Some(T)));
            assert!(key_agrees(&key_issuer, &v1, Some(T)));
            assert!(!key_agrees(&key_issuer, &v2(OTHER), Some(T)));
        }
        assert!(!key_agrees(&v2(OTHER), &v1, Some(T)));
        assert!(key_agrees("https://idp.test", "https://idp.test", None));
        assert!(!key_agrees(&v2("{tenantid}"), &v2(T), None));
    }
}
