//! What the gateway adds to requests to a backend, and what it shows of itself.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends>

use super::AwsEntity;
use super::backend::Given;
use crate::codes;
use crate::snapshot::ManagedIdentity;
use crate::tree::{Fields, Node, Tree};

/// What the gateway adds to requests to a backend.
#[derive(Clone, Debug, Default)]
pub struct CredentialsEntity {
    /// Headers, with their values.
    pub headers: Vec<(String, Vec<Given>)>,
    /// Query parameters, with their values.
    pub query: Vec<(String, Vec<Given>)>,
    /// Scheme and parameter of `Authorization`.
    pub authorization: Option<(String, Given)>,
    /// The managed identity whose token is sent.
    pub managed_identity: Option<ManagedIdentity>,
    /// Client certificates; the first is presented.
    pub certificates: Vec<CertificateRef>,
    /// Keys of AWS, which sign requests.
    pub aws: Option<AwsEntity>,
}

/// How a client certificate is named.
#[derive(Clone, Debug)]
pub enum CertificateRef {
    /// By the name of its entity.
    Id(Given),
    /// By its thumbprint.
    Thumbprint(Given),
}

impl CredentialsEntity {
    /// Whether nothing is added.
    pub(crate) fn is_empty(&self) -> bool {
        self.headers.is_empty()
            && self.query.is_empty()
            && self.authorization.is_none()
            && self.managed_identity.is_none()
            && self.certificates.is_empty()
            && self.aws.is_none()
    }
}

pub(super) fn read(id: &str, fields: Fields<'_, '_>) -> CredentialsEntity {
    let pairs = |key| -> Vec<(String, Vec<Given>)> {
        let entries = fields.map(key).map(|it| it.tree().entries()).unwrap_or_default();
        entries.iter().map(|it| (it.key.clone(), values(&it.value))).collect()
    };
    let authorization = fields.map("authorization").and_then(|it| {
        let scheme = it.filled("scheme");
        let parameter = it.get("parameter").and_then(Given::of).unwrap_or_default();
        if scheme.is_none() {
            it.missing("scheme");
        }
        it.finish();
        Some((scheme?, parameter))
    });
    let managed_identity = fields.map("managedIdentity").and_then(|it| {
        let (resource, client_id) = (it.filled("resource"), it.filled("clientId"));
        if resource.is_none() {
            let message = format!("backend `{id}`: `managedIdentity` has no `resource`");
            it.report(it.tree().error(codes::MISSING, message));
        }
        it.finish();
        Some(ManagedIdentity { resource: resource?, client_id })
    });
    let list = |key| fields.list(key).into_iter().filter_map(Given::of).filter(is_filled);
    let by_id = list("certificateIds").map(CertificateRef::Id);
    let by_thumbprint = list("certificate").map(CertificateRef::Thumbprint);
    let found = CredentialsEntity {
        headers: pairs("header"),
        query: pairs("query"),
        authorization,
        managed_identity,
        certificates: by_id.chain(by_thumbprint).collect(),
        aws: None,
    };
    fields.finish();
    found
}

fn is_filled(given: &Given) -> bool {
    !given.text.trim().is_empty()
}

/// The values of one name: a list, or a single one.
fn values(tree: &Tree) -> Vec<Given> {
    match &tree.node {
        Node::List(items) => items.iter().filter_map(Given::of).collect(),
        _ => Given::of(tree).into_iter().collect(),
    }
}
