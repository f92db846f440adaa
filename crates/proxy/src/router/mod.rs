//! Finding the API and the operation of a request.
//!
//! ```text
//! path ─dot segments─▶ longest URL suffix ─▶ version ─▶ revision ─▶ protocol ─▶ operation
//! ```
//!
//! Start with [`Router::find`]. The tables are made when a snapshot is put in place.

mod apis;
mod hash;
mod operations;
mod path;
pub(crate) mod segment;
mod table;
mod template;

use std::borrow::Cow;

use config::Snapshot;
use http::{HeaderMap, Method};

use apis::Apis;
use operations::Operations;

/// The routes of a snapshot.
#[derive(Debug, Default)]
pub struct Router {
    apis: Apis,
    /// By the API's place in the snapshot.
    operations: Vec<Operations>,
}

/// What is known of a request before its API is.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Method as received.
    pub method: &'a Method,
    /// Path as received.
    pub path: &'a str,
    /// Query as received, without `?`.
    pub query: &'a str,
    /// Headers as received.
    pub headers: &'a HeaderMap,
    /// Whether the client used TLS.
    pub is_tls: bool,
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// Place of the API in the snapshot.
    pub api: usize,
    /// Place of the operation in the API; `None` if none fits.
    pub operation: Option<usize>,
    /// The path below the API, as received but for dot segments.
    pub below: Cow<'a, str>,
}

impl Router {
    /// The routes of a snapshot.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        let mut router = Self::default();
        for (number, api) in snapshot.apis.iter().enumerate() {
            router.apis.add(number, api);
            let mut operations = Operations::default();
            for (number, it) in api.operations.iter().enumerate() {
                if it.operation.speaks_graphql {
                    // Handshakes come to the address of queries, where the driver tells them.
                    continue;
                }
                let info = &it.operation.info;
                operations.add(number, &info.method, &info.url_template);
            }
            router.operations.push(operations);
        }
        router
    }

    /// The route of a request; `None` if it is for no API, version or revision that answers on
    /// its protocol.
    #[must_use]
    pub fn find<'a>(&self, wanted: Wanted<'a>, snapshot: &Snapshot) -> Option<Route<'a>> {
        let (path, query) = (path::resolve(wanted.path), wanted.query);
        let found = self.apis.find(&path, query, wanted.headers)?;
        let api = snapshot.apis.get(found.number)?;
        let has_protocol = if wanted.is_tls { api.protocols.https } else { api.protocols.http };
        if !has_protocol && !snapshot.settings.any_protocol {
            return None;
        }
        let operation = self.operations.get(found.number)?.find(wanted.method, found.below, query);
        let start = path.len() - found.below.len();
        let below = match path {
            Cow::Borrowed(path) => Cow::Borrowed(path.get(start..).unwrap_or_default()),
            Cow::Owned(_) => Cow::Owned(found.below.to_owned()),
        };
        Some(Route { api: found.number, operation, below })
    }

    /// What the URL template of the operation matched that [`find`](Self::find) gives for the
    /// same API, method, path below it and query: names and values, as received.
    #[must_use]
    pub fn parameters(
        &self,
        api: usize,
        method: &Method,
        below: &str,
        query: &str,
    ) -> Vec<(String, String)> {
        let operations = self.operations.get(api);
        operations.map(|it| it.parameters(method, below, query)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use config::{Protocols, Settings, Snapshot};
    use http::{HeaderMap, Method};

    use super::{Router, Wanted};
    use crate::test_support::{ApiSpec, snapshot};

    fn find(snapshot: &Snapshot, path: &str, is_tls: bool) -> String {
        let router = Router::new(snapshot);
        let headers = HeaderMap::new();
        let wanted = Wanted { method: &Method::GET, path, query: "", headers: &headers, is_tls };
        match router.find(wanted, snapshot) {
            None => "none".to_owned(),
            Some(route) => {
                let parameters = router.parameters(route.api, &Method::GET, &route.below, "");
                let parameters: Vec<_> = parameters.iter().map(|(_, value)| value).collect();
                let (api, operation) = (route.api, route.operation);
                format!("{api} {operation:?} {} {parameters:?}", route.below)
            }
        }
    }

    fn one(protocols: Protocols) -> Snapshot {
        snapshot(&[ApiSpec {
            path: "shop",
            protocols,
            operations: &["GET /items/{id}", "POST /items"],
            ..ApiSpec::default()
        }])
    }

    #[test]
    fn a_request_finds_api_operation_and_the_path_below() {
        let snapshot = one(Protocols::default());
        for (path, expected) in [
            ("/shop/items/7", r#"0 Some(0) /items/7 ["7"]"#),
            ("/shop/items", "0 None /items []"),
            ("/other", "none"),
            ("/other/../shop/./items/7/", r#"0 Some(0) /items/7/ ["7"]"#),
            ("/shop/%2E%2e/shop/items/7", r#"0 Some(0) /items/7 ["7"]"#),
            ("/shop/items/a%2Fb", r#"0 Some(0) /items/a%2Fb ["a%2Fb"]"#),
        ] {
            assert_eq!(find(&snapshot, path, true), expected, "{path}");
        }
    }

    #[test]
    fn an_api_answers_on_its_protocols_only() {
        let mut snapshot = one(Protocols { http: false, https: true });
        assert_ne!(find(&snapshot, "/shop/items/7", true), "none");
        assert_eq!(find(&snapshot, "/shop/items/7", false), "none");
        snapshot.settings = Settings { any_protocol: true, ..Settings::default() };
        assert_ne!(find(&snapshot, "/shop/items/7", false), "none");
    }

    #[test]
    fn many_operations_are_told_apart() {
        let templates: Vec<String> =
            (0..2000).map(|it| format!("GET /group{}/item{it}/{{id}}", it % 50)).collect();
        let operations: Vec<&'static str> =
            templates.iter().map(|it| &*Box::leak(it.clone().into_boxed_str())).collect();
        let snapshot = snapshot(&[ApiSpec {
            operations: Box::leak(operations.into_boxed_slice()),
            ..ApiSpec::default()
        }]);
        assert_eq!(
            find(&snapshot, "/group3/item1203/x", true),
            r#"0 Some(1203) /group3/item1203/x ["x"]"#
        );
    }
}
