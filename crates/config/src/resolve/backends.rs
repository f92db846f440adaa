//! Backends: base URL, credentials and proxy with named values put in, certificates found.

use std::collections::HashMap;
use std::sync::Arc;

use document::{Diagnostic, NamedValues};
use expr::host::BackendInfo;
use http::{HeaderName, HeaderValue};
use pipeline::{BackendEntry, BaseUrl, Certificates};
use transport::{ClientIdentity, ClientTls, PinnedName, Pins, Proxy, Secret, Thumbprint};

use super::backend_tls::{Identities, Wanted, unknown};
use super::put_in;
use crate::balance::Pool;
use crate::codes;
use crate::entity::{AwsEntity, BackendEntity, CertificateRef, Given};
use crate::place::Place;
use crate::snapshot::{AwsCredentials, Backend, Credentials};

/// Longest name, in characters, as Azure has it.
const MAX_NAME: usize = 80;

pub(super) fn resolve(
    entities: &[BackendEntity],
    values: &NamedValues,
    certificates: &Certificates,
    problems: &mut Vec<Diagnostic>,
) -> HashMap<String, Arc<Backend>> {
    let mut backends = HashMap::new();
    let asks = entities.iter().any(|it| !it.credentials.certificates.is_empty());
    let identities = if asks { Identities::open(certificates) } else { Identities::default() };
    for entity in entities {
        if entity.id.is_empty() || entity.id.chars().count() > MAX_NAME {
            let message = format!("a backend's name has 1 to {MAX_NAME} characters");
            problems.push(entity.place.error(codes::BAD_VALUE, message));
        }
        let mut backend = Reader { entity, values, identities: &identities, problems }.backend();
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
    identities: &'a Identities,
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
        let credentials = self.credentials();
        let has_authorization = credentials.has_authorization();
        let entry = BackendEntry { info: Arc::new(info), url: self.url(), has_authorization };
        let tls = ClientTls {
            verify_chain: entity.tls.verify_chain,
            verify_name: entity.tls.verify_name,
        };
        Backend {
            entry: Arc::new(entry),
            credentials,
            tls,
            pins: self.pins(),
            identity: self.identity(),
            proxy: self.proxy(),
            pool: entity.pool.clone(),
            breaker: entity.breaker.clone(),
            extras: entity.extras.clone(),
        }
    }

    /// The certificate that is presented: the first one, of those that are named.
    fn identity(&mut self) -> Option<ClientIdentity> {
        let entity = self.entity;
        let mut all = Vec::new();
        for reference in &entity.credentials.certificates {
            let (CertificateRef::Id(given) | CertificateRef::Thumbprint(given)) = reference;
            let Some(text) = self.text(given) else { continue };
            let Some(wanted) = Wanted::of(reference, &text) else {
                self.wrong(given, &format!("`{text}` is no thumbprint (40 hexadecimal digits)"));
                continue;
            };
            match self.identities.find(&wanted) {
                Ok(it) => all.extend(it),
                Err(why) => {
                    let place = given.place.as_ref().unwrap_or(&entity.place);
                    let problem = unknown(place, &entity.id, &why, &wanted, self.identities);
                    self.problems.push(problem);
                }
            }
        }
        let mut all = all.into_iter();
        let first = all.next();
        if all.any(|it| Some(&it) != first.as_ref()) {
            let message = format!(
                "backend `{}`: of its client certificates only the first is presented",
                entity.id
            );
            self.problems.push(entity.place.warning(codes::LEFT_OUT, message));
        }
        first
    }

    fn thumbprint(&mut self, given: &Given) -> Option<Thumbprint> {
        let text = self.text(given)?;
        let found = Thumbprint::parse(&text);
        if found.is_none() {
            self.wrong(given, &format!("`{text}` is no thumbprint (40 hexadecimal digits)"));
        }
        found
    }

    /// What is pinned. What cannot be read is an error, so that nothing loads that pins too
    /// little.
    fn pins(&mut self) -> Option<Pins> {
        let tls = &self.entity.tls;
        let thumbprints = tls.thumbprints.iter().filter_map(|it| self.thumbprint(it)).collect();
        let mut names = Vec::new();
        for (name, issuer) in &tls.names {
            let Some(name) = self.text(name) else { continue };
            let issuer = match issuer {
                None => None,
                Some(it) => match self.thumbprint(it) {
                    None => continue,
                    found => found,
                },
            };
            names.push(PinnedName { name: name.trim().to_owned(), issuer });
        }
        Pins::new(thumbprints, names)
    }

    fn proxy(&mut self) -> Option<Proxy> {
        let given = self.entity.proxy.as_ref()?;
        let url = self.text(&given.url)?;
        let mut get = |it: &Option<Given>| match it {
            Some(it) => self.text(it).map(Some),
            None => Some(None),
        };
        let (name, password) = (get(&given.username)?, get(&given.password)?);
        let password = password.map(Secret::new).unwrap_or_default();
        let credentials = name.as_deref().map(|it| (it, &password));
        match Proxy::new(&url, credentials) {
            Ok(it) => Some(it),
            Err(error) => {
                self.wrong(&given.url, &format!("`proxy` cannot be used: {error}"));
                None
            }
        }
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
        credentials.aws = given.aws.as_ref().and_then(|it| self.aws(it));
        credentials
    }

    fn aws(&mut self, given: &AwsEntity) -> Option<AwsCredentials> {
        let session_token = match &given.session_token {
            Some(it) => Some(Secret::new(self.text(it)?)),
            None => None,
        };
        Some(AwsCredentials {
            region: given.region.clone(),
            service: given.service.clone(),
            access_key_id: Secret::new(self.text(&given.access_key_id)?),
            secret_access_key: Secret::new(self.text(&given.secret_access_key)?),
            session_token,
        })
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
    use pipeline::{Certificate, CertificateEntry};

    use super::*;
    use crate::load::{Options, parse};
    use crate::source::Source;

    /// A certificate and its key, made for tests.
    const CLIENT: &str = include_str!("../../../policies/tests/certificate.pem");

    fn read(properties: &str) -> (Arc<Backend>, Vec<String>) {
        let text = format!(r#"{{"properties":{properties}}}"#);
        let source = Source::from_files([("backends/b/backendInformation.json", text)]);
        let (parsed, problems) = parse(&source, &Options::default());
        assert!(problems.is_empty(), "{problems:?}");
        let mut values = NamedValues::new();
        values.insert("host", NamedValue::plain("h.test"));
        values.insert("key", NamedValue::secret("s3cret"));
        values.insert("bad", NamedValue::secret("s3\ncret"));
        values.insert("client", NamedValue::plain("client"));
        let mut certificates = Certificates::default();
        let made = |key: &str| {
            Certificate::Usable(CertificateEntry {
                chain_pem: CLIENT.to_owned(),
                private_key_pem: (!key.is_empty()).then(|| key.into()),
            })
        };
        certificates.insert("client", made(CLIENT));
        certificates.insert("bare", made(""));
        let mut problems = Vec::new();
        let backends = resolve(&parsed.entities.backends, &values, &certificates, &mut problems);
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
    fn a_client_certificate_is_found_by_name_or_thumbprint() {
        let own = ClientIdentity::from_pem(CLIENT, &CLIENT.into()).unwrap();
        let thumbprint = own.thumbprint().unwrap().to_string().to_lowercase();
        for credentials in [
            r#""certificateIds":["/subscriptions/s/certificates/Client"]"#.to_owned(),
            r#""certificateIds":["{{client}}"]"#.to_owned(),
            format!(r#""certificate":["{thumbprint}"]"#),
            format!(r#""certificate":["{thumbprint}"],"certificateIds":["client"]"#),
        ] {
            let (backend, problems) =
                read(&format!(r#"{{"url":"https://h","credentials":{{{credentials}}}}}"#));
            assert_eq!(problems, [""; 0], "{credentials}");
            assert_eq!(backend.identity.as_ref(), Some(&own), "{credentials}");
        }
        for (credentials, problem) in [
            (
                r#""certificateIds":["clint"]"#,
                "PC0510 backend `b`: there is no certificate `clint`",
            ),
            (
                r#""certificateIds":["bare"]"#,
                "PC0510 backend `b`: certificate `bare` cannot be presented: it has no private key",
            ),
            (r#""certificate":["abc"]"#, "PC0506 backend `b`: `abc` is no thumbprint"),
            (
                r#""certificate":["0102030405060708090a0b0c0d0e0f1011121314"]"#,
                "PC0510 backend `b`: no certificate with a private key has the thumbprint 0102",
            ),
        ] {
            let problems =
                read(&format!(r#"{{"url":"https://h","credentials":{{{credentials}}}}}"#)).1;
            assert!(problems[0].starts_with(problem), "{problems:?}");
        }
    }

    #[test]
    fn pins_and_proxies_are_resolved_or_refused() {
        let print = "0102030405060708090a0b0c0d0e0f1011121314";
        let (backend, problems) = read(&format!(
            r#"{{"url":"https://h","proxy":{{"url":"http://p:3128","username":"me","password":"{{{{key}}}}"}},
                "tls":{{"serverCertificateThumbprints":["{print}"],
                    "serverX509Names":[{{"name":"{{{{host}}}}","issuerCertificateThumbprint":"{print}"}}]}}}}"#
        ));
        assert_eq!(problems, [""; 0]);
        let issuer = Thumbprint::parse(print);
        let name = PinnedName { name: "h.test".to_owned(), issuer };
        assert_eq!(backend.pins, Pins::new(issuer.into_iter().collect(), vec![name]));
        let secret = "s3cret".into();
        assert_eq!(backend.proxy, Proxy::new("http://p:3128", Some(("me", &secret))).ok());
        assert!(!format!("{backend:?}").contains("s3cret"));
        for (properties, problem) in [
            (
                r#""proxy":{"url":"https://p"}"#,
                "PC0506 backend `b`: `proxy` cannot be used: a proxy is",
            ),
            (
                r#""proxy":{"url":"http://p","username":"a:b"}"#,
                "PC0506 backend `b`: `proxy` cannot",
            ),
            (r#""tls":{"serverCertificateThumbprints":["x"]}"#, "PC0506 backend `b`: `x` is no"),
            (
                r#""tls":{"serverX509Names":[{"name":"n","issuerCertificateThumbprint":"x"}]}"#,
                "PC0506 backend `b`: `x` is no thumbprint",
            ),
        ] {
            let problems = read(&format!(r#"{{"url":"https://h",{properties}}}"#)).1;
            assert!(problems[0].starts_with(problem), "{problems:?}");
        }
    }

    #[test]
    fn a_name_is_as_long_as_in_azure() {
        for (n, n_problems) in [(0, 1), (1, 0), (80, 0), (81, 1)] {
            let text = format!("backends: {{ \"{}\": {{ url: https://h }} }}", "b".repeat(n));
            let source = Source::from_files([("portcullis.yaml", text)]);
            let (parsed, _) = parse(&source, &Options::default());
            let (values, certificates) = (NamedValues::new(), Certificates::default());
            let mut problems = Vec::new();
            resolve(&parsed.entities.backends, &values, &certificates, &mut problems);
            assert_eq!(problems.len(), n_problems, "{n}");
        }
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
