//! Backends: where requests go, and what the gateway adds to them on the way.
//!
//! Client certificates, proxies and Service Fabric are refused: leaving them out would send
//! requests elsewhere or without what the backend asks for.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends>

use super::{Reading, balance, properties};
use crate::balance::{BreakerRule, Pool};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::snapshot::ManagedIdentity;
use crate::tree::{Fields, Node, Tree};

/// A backend.
#[derive(Clone, Debug)]
pub struct BackendEntity {
    /// Its name, as `set-backend-service` gives it.
    pub id: String,
    /// Its base URL; may hold named values.
    pub url: Given,
    /// Its region.
    pub azure_region: Option<String>,
    /// What is added to requests.
    pub credentials: CredentialsEntity,
    /// Whether the chain of its certificate is checked.
    pub verify_chain: bool,
    /// Whether the name in its certificate is checked.
    pub verify_name: bool,
    /// The backends that it stands for, if it is a pool.
    pub pool: Option<Pool>,
    /// When it is left alone.
    pub breaker: Option<BreakerRule>,
    /// Where it is described.
    pub place: Place,
}

/// A text with its place; named values in it are put in when the configuration is resolved.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The text as written.
    pub text: String,
    /// Where it stands.
    pub place: Option<Place>,
}

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
}

impl CredentialsEntity {
    /// Whether nothing is added.
    pub(crate) fn is_empty(&self) -> bool {
        self.headers.is_empty()
            && self.query.is_empty()
            && self.authorization.is_none()
            && self.managed_identity.is_none()
    }
}

impl Given {
    /// The text of a scalar.
    pub(crate) fn of(tree: &Tree) -> Option<Self> {
        Some(Self { text: tree.scalar()?.to_owned(), place: Some(tree.into()) })
    }
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<BackendEntity> {
    let info = cx.info("backends", files)?;
    let fields = properties(&info, cx.problems);
    let place = files.place();
    let id = files.name.clone();
    refuse_unsupported(&id, &fields);
    let url = fields.get("url").and_then(Given::of).unwrap_or_default();
    let is_pool = fields.text("type").is_some_and(|it| it.eq_ignore_ascii_case("pool"));
    if url.text.trim().is_empty() && !is_pool {
        cx.report(place.error(codes::MISSING, format!("backend `{id}` has no `url`")));
    }
    let tls = fields.map("tls");
    let verify = |key| tls.as_ref().and_then(|it| it.bool(key)).unwrap_or(true);
    let (verify_chain, verify_name) =
        (verify("validateCertificateChain"), verify("validateCertificateName"));
    let credentials = match fields.map("credentials") {
        Some(it) => credentials(&id, &it),
        None => CredentialsEntity::default(),
    };
    let azure_region = fields.filled("azureRegion");
    let pool = match fields.map("pool") {
        _ if !is_pool => None,
        Some(it) => balance::pool(&id, &it),
        None => {
            cx.report(place.error(codes::MISSING, format!("pool `{id}` has no `pool`")));
            None
        }
    };
    let breaker = fields.map("circuitBreaker").and_then(|it| balance::breaker(&id, &it));
    Some(BackendEntity {
        id,
        url,
        azure_region,
        credentials,
        verify_chain,
        verify_name,
        pool,
        breaker,
        place,
    })
}

/// Refuses what would send requests elsewhere or without what the backend asks for.
fn refuse_unsupported(id: &str, fields: &Fields<'_, '_>) {
    let refuse = |what: &str, tree: &Tree| {
        let message = format!("backend `{id}`: {what} are not in this version");
        fields.report(tree.error(codes::NOT_SUPPORTED, message));
    };
    let kind = fields.get("type").and_then(Tree::scalar).unwrap_or("single");
    let is = |it: &str| kind.eq_ignore_ascii_case(it);
    if let Some(tree) = fields.get("type").filter(|_| !is("single") && !is("pool")) {
        let message = format!("backend `{id}`: `type` must be `Single` or `Pool`, not `{kind}`");
        fields.report(tree.error(codes::BAD_VALUE, message));
    }
    if let Some(tree) = fields.get("pool").filter(|it| has_content(it) && !is("pool")) {
        let message = format!("backend `{id}`: `pool` needs `type: Pool`");
        fields.report(tree.error(codes::BAD_VALUE, message));
    }
    if let Some(tree) = fields.get("proxy").filter(|it| has_content(it)) {
        refuse("proxies", tree);
    }
    let nested = fields.tree().at(&["properties", "serviceFabricCluster"]);
    if let Some(tree) = nested.filter(|it| has_content(it)) {
        refuse("Service Fabric clusters", tree);
    }
    for key in ["serverCertificateThumbprints", "serverX509Names"] {
        if let Some(tree) = fields.tree().at(&["tls", key]).filter(|it| has_content(it)) {
            refuse("pinned server certificates", tree);
        }
    }
    for key in ["certificate", "certificateIds"] {
        if let Some(tree) = fields.tree().at(&["credentials", key]).filter(|it| has_content(it)) {
            refuse("client certificates", tree);
        }
    }
}

fn has_content(tree: &Tree) -> bool {
    match &tree.node {
        Node::Null => false,
        Node::List(items) => !items.is_empty(),
        Node::Map(entries) => entries.iter().any(|it| has_content(&it.value)),
        _ => true,
    }
}

fn credentials(id: &str, fields: &Fields<'_, '_>) -> CredentialsEntity {
    let pairs = |key| -> Vec<(String, Vec<Given>)> {
        let entries = fields.map(key).map(|it| it.tree().entries()).unwrap_or_default();
        entries.iter().map(|it| (it.key.clone(), values(&it.value))).collect()
    };
    let authorization = fields.map("authorization").and_then(|it| {
        let scheme = it.filled("scheme")?;
        Some((scheme, it.get("parameter").and_then(Given::of).unwrap_or_default()))
    });
    let managed_identity = fields.map("managedIdentity").and_then(|it| {
        let Some(resource) = it.filled("resource") else {
            let message = format!("backend `{id}`: `managedIdentity` has no `resource`");
            it.report(it.tree().error(codes::MISSING, message));
            return None;
        };
        Some(ManagedIdentity { resource, client_id: it.filled("clientId") })
    });
    CredentialsEntity {
        headers: pairs("header"),
        query: pairs("query"),
        authorization,
        managed_identity,
    }
}

/// The values of one name: a list, or a single one.
fn values(tree: &Tree) -> Vec<Given> {
    match &tree.node {
        Node::List(items) => items.iter().filter_map(Given::of).collect(),
        _ => Given::of(tree).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn one(properties: &str) -> (BackendEntity, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let (mut entities, problems) = read(&[("backends/b/backendInformation.json", &text)]);
        (entities.backends.pop().unwrap(), problems)
    }

    #[test]
    fn url_credentials_and_tls_are_read() {
        let (it, problems) =
            one(r#"{"url":"https://h.test/x","protocol":"http","azureRegion":"eastus",
                "circuitBreaker":{"rules":[]},
                "tls":{"validateCertificateChain":false},
                "credentials":{"header":{"api-key":["{{key}}"],"x":"y"},"query":{"q":["1","2"]},
                    "authorization":{"scheme":"Basic","parameter":"abc"},
                    "managedIdentity":{"resource":"https://r"}}}"#);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(
            (it.url.text.as_str(), it.azure_region.as_deref()),
            ("https://h.test/x", Some("eastus"))
        );
        assert_eq!((it.verify_chain, it.verify_name), (false, true));
        let names: Vec<&str> = it.credentials.headers.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(names, ["api-key", "x"]);
        assert_eq!(it.credentials.query[0].1.len(), 2);
        assert_eq!(it.credentials.authorization.unwrap().0, "Basic");
        assert_eq!(it.credentials.managed_identity.unwrap().resource, "https://r");
    }

    #[test]
    fn what_would_change_where_requests_go_is_refused() {
        for (properties, what) in [
            (r#"{"url":"https://h","proxy":{"url":"http://p"}}"#, "proxies"),
            (
                r#"{"url":"https://h","credentials":{"certificateIds":["x"]}}"#,
                "client certificates",
            ),
            (r#"{"url":"https://h","credentials":{"certificate":["x"]}}"#, "client certificates"),
            (
                r#"{"url":"https://h","tls":{"serverX509Names":[{"name":"n"}]}}"#,
                "pinned server certificates",
            ),
            (
                r#"{"url":"https://h","properties":{"serviceFabricCluster":{"a":1}}}"#,
                "Service Fabric clusters",
            ),
        ] {
            assert_eq!(
                one(properties).1,
                [format!("PC0507 backend `b`: {what} are not in this version")]
            );
        }
        for (properties, problem) in [
            ("{}", "PC0505 backend `b` has no `url`"),
            (r#"{"type":"Pool"}"#, "PC0505 pool `b` has no `pool`"),
            (r#"{"type":"Swarm","url":"https://h"}"#, "PC0506 backend `b`: `type` must be"),
            (
                r#"{"url":"https://h","pool":{"services":[{"id":"/backends/a"}]}}"#,
                "PC0506 backend `b`: `pool` needs `type: Pool`",
            ),
        ] {
            let problems = one(properties).1;
            assert!(problems[0].starts_with(problem), "{problems:?}");
        }
    }
}
