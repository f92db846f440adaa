//! Backends: where requests go, and what the gateway adds to them on the way.
//!
//! A property that is not known is an error: leaving it out could send requests elsewhere or
//! without what the backend asks for. Service Fabric is refused.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends>,
//! <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends>

use super::{CredentialsEntity, Reading, aws, balance, credentials, extras};
use crate::balance::{BreakerRule, Extras, Pool};
use crate::codes;
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::tree::{Fields, Keys, Node, Tree};

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
    /// What is checked of its certificate.
    pub tls: TlsEntity,
    /// The proxy that calls go through.
    pub proxy: Option<ProxyEntity>,
    /// The backends that it stands for, if it is a pool.
    pub pool: Option<Pool>,
    /// When it is left alone.
    pub breaker: Option<BreakerRule>,
    /// What it has beyond Azure.
    pub extras: Extras,
    /// Where it is described.
    pub place: Place,
}

/// What is checked of a backend's certificate.
#[derive(Clone, Debug)]
pub struct TlsEntity {
    /// Whether its chain is.
    pub verify_chain: bool,
    /// Whether the name in it is.
    pub verify_name: bool,
    /// Thumbprints of which it must have one, unless it has one of the names.
    pub thumbprints: Vec<Given>,
    /// Names of which it must have one, each with the thumbprint of its issuer.
    pub names: Vec<(Given, Option<Given>)>,
}

/// A proxy that calls to a backend go through.
#[derive(Clone, Debug)]
pub struct ProxyEntity {
    /// `http://host:port`.
    pub url: Given,
    /// The user that the proxy is told.
    pub username: Option<Given>,
    /// Its password.
    pub password: Option<Given>,
}

/// A text with its place; named values in it are put in when the configuration is resolved.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The text as written.
    pub text: String,
    /// Where it stands.
    pub place: Option<Place>,
}

impl Given {
    /// The text of a scalar.
    pub(crate) fn of(tree: &Tree) -> Option<Self> {
        Some(Self { text: tree.scalar()?.to_owned(), place: Some(tree.into()) })
    }
}

impl Default for TlsEntity {
    fn default() -> TlsEntity {
        TlsEntity { verify_chain: true, verify_name: true, thumbprints: vec![], names: vec![] }
    }
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<BackendEntity> {
    let info = cx.info("backends", files)?;
    let fields = Fields::new(info.get("properties").unwrap_or(&info), Keys::Known, cx.problems);
    let place = files.place();
    let id = files.name.clone();
    let is_pool = is_pool(&id, &fields);
    describe(&fields);
    refuse_service_fabric(&id, &fields);
    let url = fields.get("url").and_then(Given::of).unwrap_or_default();
    if url.text.trim().is_empty() && !is_pool {
        cx.report(place.error(codes::MISSING, format!("backend `{id}` has no `url`")));
    }
    let own = fields.map("portcullis");
    let pool_extras = own.as_ref().filter(|_| is_pool).map(extras::of_pool).unwrap_or_default();
    let extras = own.as_ref().filter(|_| !is_pool).map(extras::of_single).unwrap_or_default();
    let aws = own.as_ref().and_then(aws::read);
    own.into_iter().for_each(Fields::finish);
    let pool = match fields.map("pool") {
        Some(it) => {
            let found = is_pool.then(|| balance::pool(&id, &it, pool_extras)).flatten();
            if is_pool {
                it.finish();
            }
            found
        }
        None if is_pool => {
            cx.report(place.error(codes::MISSING, format!("pool `{id}` has no `pool`")));
            None
        }
        None => None,
    };
    let breaker = fields.map("circuitBreaker").and_then(|it| {
        let found = balance::breaker(&id, &it);
        it.finish();
        found
    });
    let found = BackendEntity {
        url,
        azure_region: fields.filled("azureRegion"),
        credentials: CredentialsEntity {
            aws,
            ..fields.map("credentials").map(|it| credentials::read(&id, it)).unwrap_or_default()
        },
        tls: fields.map("tls").map(tls).unwrap_or_default(),
        proxy: fields.map("proxy").and_then(|it| proxy(&id, it)),
        pool,
        breaker,
        extras,
        id,
        place,
    };
    fields.finish();
    Some(found)
}

/// Whether it is a pool.
fn is_pool(id: &str, fields: &Fields<'_, '_>) -> bool {
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
    is("pool")
}

/// What describes a backend and changes no request.
fn describe(fields: &Fields<'_, '_>) {
    for key in ["title", "description", "resourceId"] {
        fields.text(key);
    }
    // SOAP calls are HTTP calls; what makes them SOAP stands in the API.
    if let Some(tree) = fields.get("protocol")
        && !tree.scalar().is_some_and(|it| matches!(&*it.to_ascii_lowercase(), "http" | "soap"))
    {
        fields.report(tree.error(codes::BAD_VALUE, "`protocol` must be `http` or `soap`"));
    }
}

fn refuse_service_fabric(id: &str, fields: &Fields<'_, '_>) {
    let Some(nested) = fields.map("properties") else { return };
    if let Some(tree) = nested.get("serviceFabricCluster").filter(|it| has_content(it)) {
        let message = format!("backend `{id}`: Service Fabric clusters are not in this version");
        fields.report(tree.error(codes::NOT_SUPPORTED, message));
    }
    nested.finish();
}

fn tls(fields: Fields<'_, '_>) -> TlsEntity {
    let name = |tree: &Tree| {
        let it = Fields::new(tree, Keys::Known, fields.problems());
        let name = it.get("name").and_then(Given::of);
        if name.is_none() {
            it.missing("name");
        }
        let issuer = it.get("issuerCertificateThumbprint").and_then(Given::of);
        it.finish();
        Some((name?, issuer.filter(|it| !it.text.trim().is_empty())))
    };
    let names = fields.list("serverX509Names").into_iter().filter_map(name).collect();
    let thumbprints = fields.list("serverCertificateThumbprints").into_iter();
    let found = TlsEntity {
        verify_chain: fields.bool("validateCertificateChain").unwrap_or(true),
        verify_name: fields.bool("validateCertificateName").unwrap_or(true),
        thumbprints: thumbprints.filter_map(Given::of).collect(),
        names,
    };
    fields.finish();
    found
}

/// A proxy; templates write an empty one for none.
pub(crate) fn proxy(id: &str, fields: Fields<'_, '_>) -> Option<ProxyEntity> {
    let is_given = has_content(fields.tree());
    let filled = |key| {
        let given = fields.get(key).and_then(Given::of);
        given.filter(|it| !it.text.trim().is_empty())
    };
    let (url, username, password) = (filled("url"), filled("username"), filled("password"));
    if url.is_none() && is_given {
        let message = format!("backend `{id}`: `proxy` has no `url`");
        fields.report(fields.tree().error(codes::MISSING, message));
    }
    fields.finish();
    Some(ProxyEntity { url: url?, username, password })
}

fn has_content(tree: &Tree) -> bool {
    match &tree.node {
        Node::Null => false,
        Node::List(items) => !items.is_empty(),
        Node::Map(entries) => entries.iter().any(|it| has_content(&it.value)),
        _ => tree.scalar().is_none_or(|it| !it.is_empty()),
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
        assert_eq!((it.tls.verify_chain, it.tls.verify_name), (false, true));
        let names: Vec<&str> = it.credentials.headers.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(names, ["api-key", "x"]);
        assert_eq!(it.credentials.query[0].1.len(), 2);
        assert_eq!(it.credentials.authorization.unwrap().0, "Basic");
        assert_eq!(it.credentials.managed_identity.unwrap().resource, "https://r");
    }

    #[test]
    fn every_property_of_azure_is_known() {
        let (it, problems) =
            one(r#"{"title":"t","description":"d","resourceId":"https://management/x",
            "type":"Single","url":"https://h.test","protocol":"soap","azureRegion":"eastus",
            "credentials":{"header":{},"query":{},"certificateIds":["/certificates/a"],
                "certificate":["AB CD","EF"],"authorization":{"scheme":"Basic","parameter":"x"}},
            "tls":{"validateCertificateChain":true,"validateCertificateName":false,
                "serverCertificateThumbprints":["AB"],
                "serverX509Names":[{"name":"n","issuerCertificateThumbprint":"CD"},{"name":"m"}]},
            "proxy":{"url":"http://p:1","username":"u","password":"{{p}}"},
            "properties":{"serviceFabricCluster":{"managementEndpoints":[]}},
            "portcullis":{"health-check":{"path":"/status"},"first-byte-timeout":"1s"},
            "circuitBreaker":{"rules":[]}}"#);
        assert_eq!(problems, [""; 0]);
        let texts =
            |all: &[Given]| -> Vec<String> { all.iter().map(|it| it.text.clone()).collect() };
        assert_eq!(texts(&it.tls.thumbprints), ["AB"]);
        assert_eq!(it.tls.names.len(), 2);
        assert_eq!(it.tls.names[0].1.as_ref().unwrap().text, "CD");
        assert_eq!(it.credentials.certificates.len(), 3);
        let proxy = it.proxy.unwrap();
        assert_eq!(
            (proxy.url.text.as_str(), proxy.password.unwrap().text.as_str()),
            ("http://p:1", "{{p}}")
        );
        assert!(it.extras.health_check.is_some() && it.extras.first_byte_timeout.is_some());
        let (it, problems) = one(r#"{"url":"https://h","proxy":{"url":"","username":""}}"#);
        assert!(problems.is_empty() && it.proxy.is_none(), "{problems:?}");
        let (it, problems) = one(r#"{"type":"Pool","pool":{"services":[{"id":"a"}],
            "failureResponse":{"statusCode":429}},"portcullis":{"balance":"latency","fail-over":true}}"#);
        assert_eq!(problems, [""; 0]);
        assert!(it.pool.unwrap().fails_over);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (properties, problem) in [
            ("{}", "PC0505 backend `b` has no `url`"),
            (r#"{"type":"Pool"}"#, "PC0505 pool `b` has no `pool`"),
            (r#"{"type":"Swarm","url":"https://h"}"#, "PC0506 backend `b`: `type` must be"),
            (
                r#"{"url":"https://h","pool":{"services":[{"id":"/backends/a"}]}}"#,
                "PC0506 backend `b`: `pool` needs `type: Pool`",
            ),
            (
                r#"{"url":"https://h","properties":{"serviceFabricCluster":{"a":1}}}"#,
                "PC0507 backend `b`: Service Fabric clusters are not in this version",
            ),
            (r#"{"url":"https://h","protocol":"ftp"}"#, "PC0506 `protocol` must be"),
            (r#"{"url":"https://h","circuitbreaker":{}}"#, "PC0503 unknown key `circuitbreaker`"),
            (r#"{"url":"https://h","circuitBreaker":{"rule":[]}}"#, "PC0503 unknown key `rule`"),
            (r#"{"url":"https://h","credentials":{"headers":{}}}"#, "PC0503 unknown key `headers`"),
            (
                r#"{"url":"https://h","credentials":{"managedIdentity":{"resource":"r","client":"c"}}}"#,
                "PC0503 unknown key `client`",
            ),
            (
                r#"{"url":"https://h","credentials":{"authorization":{"parameter":"c"}}}"#,
                "PC0505 `scheme` is missing",
            ),
            (r#"{"url":"https://h","tls":{"validateCertificate":true}}"#, "PC0503 unknown key"),
            (r#"{"url":"https://h","tls":{"serverX509Names":[{}]}}"#, "PC0505 `name` is missing"),
            (
                r#"{"url":"https://h","proxy":{"username":"u"}}"#,
                "PC0505 backend `b`: `proxy` has no `url`",
            ),
            (
                r#"{"url":"https://h","proxy":{"url":"http://p","user":"u"}}"#,
                "PC0503 unknown key `user`",
            ),
            (
                r#"{"url":"https://h","portcullis":{"balance":"latency"}}"#,
                "PC0503 unknown key `balance`",
            ),
        ] {
            let problems = one(properties).1;
            assert!(
                problems.iter().any(|it| it.starts_with(problem)),
                "{properties}: {problems:?}"
            );
        }
    }
}
