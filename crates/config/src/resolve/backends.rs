//! Backends: base URL and credentials with named values put in.

use std::collections::HashMap;
use std::sync::Arc;

use document::{Diagnostic, NamedValues};
use expr::host::BackendInfo;
use http::{HeaderName, HeaderValue};
use pipeline::{BackendEntry, BaseUrl};
use transport::{ClientTls, Secret};

use super::put_in;
use crate::balance::Pool;
use crate::codes;
use crate::entity::{BackendEntity, Given};
use crate::place::Place;
use crate::snapshot::{Backend, Credentials};

pub(super) fn resolve(
    entities: &[BackendEntity],
    values: &NamedValues,
    problems: &mut Vec<Diagnostic>,
) -> HashMap<String, Arc<Backend>> {
    let mut backends = HashMap::new();
    for entity in entities {
        let mut backend = Reader { entity, values, problems }.backend();
        if let Some(pool) = &mut backend.pool {
            settle(pool, entity, entities, problems);
        }
        backends.insert(entity.id.clone(), Arc::new(backend));
    }
    backends
}

/// Gives the members of a pool the names that their entities have, and reports those that cannot
/// be members.
fn settle(
    pool: &mut Pool,
    entity: &BackendEntity,
    all: &[BackendEntity],
    problems: &mut Vec<Diagnostic>,
) {
    let mut refuse = |code, message: String, label: String| {
        problems.push(entity.place.error(code, message).label(label));
    };
    for member in &mut pool.members {
        let name = &member.backend;
        let Some(found) = all.iter().find(|it| it.id.eq_ignore_ascii_case(name)) else {
            let message = format!("pool `{}`: unknown backend `{name}`", entity.id);
            let near = document::closest(name, all.iter().map(|it| it.id.as_str()));
            let label = near.map_or_else(
                || "no backend has this name".to_owned(),
                |it| format!("did you mean `{it}`?"),
            );
            refuse(codes::UNKNOWN_ENTITY, message, label);
            continue;
        };
        if found.pool.is_some() {
            let message = format!("pool `{}` contains the pool `{}`", entity.id, found.id);
            refuse(codes::BAD_VALUE, message, "members are single backends".to_owned());
        }
        member.backend.clone_from(&found.id);
    }
    if entity.breaker.is_some() || !entity.credentials.is_empty() {
        let message = format!(
            "pool `{}`: its circuit breaker and credentials have no effect; those of its members count",
            entity.id
        );
        problems.push(entity.place.warning(codes::LEFT_OUT, message));
    }
}

struct Reader<'a> {
    entity: &'a BackendEntity,
    values: &'a NamedValues,
    problems: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn backend(mut self) -> Backend {
        let entity = self.entity;
        let info = BackendInfo {
            id: entity.id.clone(),
            kind: if entity.pool.is_some() { "Pool" } else { "Single" }.to_owned(),
            azure_region: entity.azure_region.clone(),
        };
        let entry = BackendEntry { info: Arc::new(info), url: self.url() };
        let tls = ClientTls { verify_chain: entity.verify_chain, verify_name: entity.verify_name };
        let (pool, breaker) = (entity.pool.clone(), entity.breaker.clone());
        Backend { entry: Arc::new(entry), credentials: self.credentials(), tls, pool, breaker }
    }

    fn text(&mut self, given: &Given) -> Option<String> {
        put_in(given, &self.entity.place, self.values, self.problems)
    }

    fn wrong(&mut self, given: &Given, what: &str) {
        let place: &Place = given.place.as_ref().unwrap_or(&self.entity.place);
        let message = format!("backend `{}`: {what}", self.entity.id);
        self.problems.push(place.error(codes::BAD_VALUE, message));
    }

    fn url(&mut self) -> Option<Arc<BaseUrl>> {
        let given = &self.entity.url;
        let text = self.text(given)?;
        if text.trim().is_empty() {
            // The entity has reported it.
            return None;
        }
        match BaseUrl::parse(text.trim()) {
            Ok(url) => Some(Arc::new(url)),
            Err(error) => {
                self.wrong(given, &format!("`url` cannot be used: {error}"));
                None
            }
        }
    }

    fn credentials(&mut self) -> Credentials {
        let given = &self.entity.credentials;
        let mut credentials = Credentials {
            managed_identity: given.managed_identity.clone(),
            ..Credentials::default()
        };
        for (name, texts) in &given.headers {
            let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
                self.wrong(&Given::default(), &format!("`{name}` is no header name"));
                continue;
            };
            let values = texts.iter().filter_map(|it| self.header(it, "", name)).collect();
            credentials.headers.push((header, values));
        }
        for (name, texts) in &given.query {
            let values = texts.iter().filter_map(|it| self.text(it).map(Secret::new)).collect();
            credentials.query.push((name.clone(), values));
        }
        if let Some((scheme, parameter)) = &given.authorization {
            let before = format!("{} ", scheme.trim());
            credentials.authorization = self.header(parameter, &before, "authorization");
        }
        credentials
    }

    /// A header value, marked so that nothing prints it.
    fn header(&mut self, given: &Given, before: &str, name: &str) -> Option<HeaderValue> {
        let text = self.text(given)?;
        match HeaderValue::from_str(format!("{before}{text}").trim()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                Some(value)
            }
            Err(_) => {
                self.wrong(
                    given,
                    &format!("the value of header `{name}` has characters that no header may have"),
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use document::NamedValue;

    use super::*;
    use crate::load::{Options, parse};
    use crate::source::Source;

    fn read(properties: &str) -> (Arc<Backend>, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let source = Source::from_files([("backends/b/backendInformation.json", text)]);
        let (parsed, problems) = parse(&source, &Options::default());
        assert!(problems.is_empty(), "{problems:?}");
        let mut values = NamedValues::new();
        values.insert("host", NamedValue::plain("h.test"));
        values.insert("key", NamedValue::secret("s3cret"));
        values.insert("bad", NamedValue::secret("s3\ncret"));
        let mut problems = Vec::new();
        let backends = resolve(&parsed.entities.backends, &values, &mut problems);
        let told = problems.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
        (backends["b"].clone(), told)
    }

    #[test]
    fn named_values_are_put_into_url_and_credentials() {
        let (backend, problems) = read(
            r#"{"url":"https://{{host}}/x","credentials":{"header":{"api-key":["{{key}}"]},
                "query":{"k":["{{key}}"]},"authorization":{"scheme":"Basic","parameter":"{{key}}"}}}"#,
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(backend.entry.url.as_ref().unwrap().host(), "h.test");
        assert_eq!(backend.credentials.headers[0].1[0], "s3cret");
        assert_eq!(backend.credentials.authorization.as_ref().unwrap(), "Basic s3cret");
        assert_eq!(backend.credentials.query[0].1[0].expose(), "s3cret");
        assert!(!format!("{backend:?}").contains("s3cret"));
    }

    #[test]
    fn problems_name_the_backend_and_no_secret() {
        for (properties, problem) in [
            (r#"{"url":"https://{{hots}}"}"#, "PC0204 Cannot find a property 'hots'"),
            (
                r#"{"url":"https://h","credentials":{"header":{"a":["{{bad}}"]}}}"#,
                "PC0506 backend `b`: the value of header `a` has characters that no header may have",
            ),
            (
                r#"{"url":"https://h","credentials":{"header":{"a b":["x"]}}}"#,
                "PC0506 backend `b`: `a b` is no header name",
            ),
        ] {
            assert_eq!(read(properties).1, [problem]);
        }
        assert!(
            read(r#"{"url":"nonsense"}"#).1[0]
                .starts_with("PC0506 backend `b`: `url` cannot be used")
        );
    }
}
