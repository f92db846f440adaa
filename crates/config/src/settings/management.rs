//! `management:`: the listener for Azure's tools, and who may call it.
//!
//! ```yaml
//! management:
//!   listen: 127.0.0.1:8444
//!   tls: { cert: management.pem, key: management-key.pem }   # default: those of `tls:`
//!   tokens: { file: secrets/management-tokens }              # lines of `NAME TOKEN`
//!   issuer:
//!     metadata: https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration
//!     audiences: [https://management.azure.com]
//!     role: Portcullis.Manage
//!   read-only: false
//!   subscription-id: 00000000-0000-0000-0000-000000000000
//!   resource-group: portcullis
//!   service: my-apim
//! ```

use std::path::PathBuf;

use super::quantity;
use crate::codes;
use crate::secret_source::SecretSource;
use crate::tree::Fields;

/// Longest body of a request unless the settings say otherwise.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Open connections unless the settings say otherwise.
const MAX_CONNECTIONS: usize = 64;

/// The management API.
#[derive(Clone, Debug)]
pub struct ManagementSetting {
    /// Address of its listener; none: it does not listen.
    pub listen: Option<String>,
    /// The certificate chain, as PEM, relative to the settings file; none: the gateway's.
    pub cert: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// Static tokens: lines of `NAME TOKEN`.
    pub tokens: Option<SecretSource>,
    /// Who issues tokens.
    pub issuer: Option<IssuerSetting>,
    /// Whether changes are refused.
    pub is_read_only: bool,
    /// The id of the Azure subscription in ids.
    pub subscription_id: Option<String>,
    /// The resource group in ids.
    pub resource_group: Option<String>,
    /// The name of the service in ids; none: `gateway.service-name`.
    pub service: Option<String>,
    /// The tenant that clients are sent to for tokens.
    pub tenant_id: Option<String>,
    /// Where clients get tokens.
    pub login_endpoint: Option<String>,
    /// Longest body of a request, in bytes. Default 8 MiB.
    pub max_body_bytes: usize,
    /// Open connections. Default 64.
    pub max_connections: usize,
}

/// Who issues tokens for the management API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSetting {
    /// The address of the OpenID metadata.
    pub metadata: String,
    /// Audiences; none: Azure Resource Manager's.
    pub audiences: Vec<String>,
    /// The application role that a token must have.
    pub role: String,
}

impl Default for ManagementSetting {
    fn default() -> Self {
        Self {
            listen: None,
            cert: None,
            key: None,
            tokens: None,
            issuer: None,
            is_read_only: false,
            subscription_id: None,
            resource_group: None,
            service: None,
            tenant_id: None,
            login_endpoint: None,
            max_body_bytes: MAX_BODY_BYTES,
            max_connections: MAX_CONNECTIONS,
        }
    }
}

pub(super) fn read(fields: &Fields<'_, '_>) -> ManagementSetting {
    let mut it = ManagementSetting::default();
    let Some(management) = fields.map("management") else { return it };
    it.listen = super::addresses(&management, "listen").pop();
    if let Some(tls) = management.map("tls") {
        it.cert = tls.filled("cert").map(PathBuf::from);
        it.key = tls.filled("key").map(PathBuf::from);
        match (&it.cert, &it.key) {
            (Some(_), None) => tls.missing("key"),
            (None, Some(_)) => tls.missing("cert"),
            _ => {}
        }
        tls.finish();
    }
    if let Some(tokens) = management.map("tokens") {
        it.tokens = SecretSource::read(&tokens);
        if it.tokens.is_none() {
            tokens.missing("file");
        }
        tokens.finish();
    }
    if let Some(issuer) = management.map("issuer") {
        it.issuer = read_issuer(&issuer);
        issuer.finish();
    }
    it.is_read_only = management.bool("read-only").unwrap_or(false);
    it.subscription_id = name(&management, "subscription-id");
    it.resource_group = name(&management, "resource-group");
    it.service = name(&management, "service");
    it.tenant_id = name(&management, "tenant-id");
    it.login_endpoint = management.filled("login-endpoint");
    if let Some(bytes) = quantity::bytes(&management, "max-body") {
        it.max_body_bytes = bytes.try_into().unwrap_or(usize::MAX);
    }
    if let Some(n) = management.number("max-connections") {
        it.max_connections = n.clamp(1, 10_000).try_into().unwrap_or(MAX_CONNECTIONS);
    }
    management.finish();
    it
}

fn read_issuer(fields: &Fields<'_, '_>) -> Option<IssuerSetting> {
    let (metadata, role) = (fields.filled("metadata"), fields.filled("role"));
    let audiences = fields.list("audiences").into_iter();
    let audiences = audiences.filter_map(|it| it.scalar().map(str::to_owned)).collect();
    // Without a role, everybody in the tenant could change the gateway.
    for (key, value) in [("metadata", &metadata), ("role", &role)] {
        if value.is_none() {
            fields.missing(key);
        }
    }
    Some(IssuerSetting { metadata: metadata?, audiences, role: role? })
}

/// A part of ids.
fn name(fields: &Fields<'_, '_>, key: &'static str) -> Option<String> {
    let text = fields.filled(key)?;
    if text.contains(['/', '?', '#', '%']) {
        let tree = fields.get(key).unwrap_or(fields.tree());
        fields.report(tree.error(codes::BAD_VALUE, format!("`{text}` is no part of an id")));
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::tree::Keys;
    use crate::tree::tests::yaml;

    fn of(text: &str) -> (ManagementSetting, Vec<String>) {
        let (tree, problems) = (yaml(text), RefCell::default());
        let it = read(&Fields::new(&tree, Keys::Known, &problems));
        (it, problems.into_inner().into_iter().map(|it| it.message).collect())
    }

    #[test]
    fn it_does_not_listen_unless_told_to() {
        let (it, problems) = of("{}");
        assert!(it.listen.is_none() && problems.is_empty());
    }

    #[test]
    fn all_of_it_is_read() {
        let (it, problems) = of("management:
  listen: ':8444'
  tls: { cert: c.pem, key: k.pem }
  tokens: { file: tokens }
  issuer: { metadata: 'https://i.test', audiences: [a], role: Manage }
  read-only: true
  subscription-id: sub
  resource-group: rg
  service: svc
  tenant-id: tid
  login-endpoint: https://login.test
  max-body: 1MiB
  max-connections: 3
");
        assert_eq!(problems, [""; 0]);
        assert_eq!((it.listen.as_deref(), it.is_read_only), (Some(":8444"), true));
        assert!(it.tokens.is_some() && it.cert.is_some() && it.key.is_some());
        assert_eq!(it.issuer.unwrap().role, "Manage");
        assert_eq!((it.max_body_bytes, it.max_connections), (1024 * 1024, 3));
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            ("management: { tls: { cert: c } }", "`key` is missing"),
            ("management: { tokens: {} }", "`file` is missing"),
            ("management: { issuer: { metadata: 'https://i' } }", "`role` is missing"),
            ("management: { service: a/b }", "`a/b` is no part of an id"),
            ("management: { port: 1 }", "unknown key `port`"),
        ] {
            assert_eq!(of(text).1, [expected], "{text}");
        }
    }
}
