//! Key Vault's secrets: the challenge handshake, and every call that the SDKs make.
//!
//! Secrets are set, read, changed, listed in pages, deleted so that they can be recovered, purged,
//! backed up and restored.
//!
//! Source: <https://learn.microsoft.com/rest/api/keyvault/secrets>

mod vault;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode, header};
use percent::decode;
use serde::Deserialize;
use serde_json::{Value, json};
use transport::{Request, Response};

pub(crate) use vault::Vault;
use vault::{Change, Deleted, RECOVERABLE_DAYS, Refusal, Secret, Version};

use crate::entra::token;
use crate::reply;
use crate::world::World;

/// The resource that a token must be for.
const RESOURCE: &str = "https://vault.azure.net";

/// Longest request body, in bytes; a secret may have 25 KB, a backup many versions of it.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Most entries of a page, and what it has if nothing is said.
const MAX_PAGE: usize = 25;

/// A call, in words of the service.
struct Call<'a> {
    world: &'a World,
    /// The vault's name as the client spelt it.
    host: String,
    query: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(crate) async fn handle(world: &World, request: Request) -> Response {
    if let Err(refusal) = authorize(world, &request) {
        return refusal;
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let segments: Vec<String> = path.split('/').filter(|it| !it.is_empty()).map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let query = url::form_urlencoded::parse(query).into_owned().collect();
    let host = host(&request);
    let body = match request.into_body().collect(MAX_BODY_BYTES).await {
        Ok(body) => body.to_vec(),
        Err(problem) => {
            return error(StatusCode::BAD_REQUEST, "BadParameter", &problem.to_string());
        }
    };
    let call = Call { world, host, query, body };
    call.answer(&method, &segments)
        .unwrap_or_else(|refusal| refuse(refusal, segments.get(1).copied().unwrap_or_default()))
}

/// The vault's name as the client spelt it.
fn host(request: &Request) -> String {
    request
        .uri()
        .authority()
        .map(|it| it.as_str().to_owned())
        .or_else(|| {
            request.headers().get(header::HOST).and_then(|it| it.to_str().ok()).map(str::to_owned)
        })
        .unwrap_or_else(|| "localhost".to_owned())
}

fn authorize(world: &World, request: &Request) -> Result<(), Response> {
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.strip_prefix("Bearer "));
    let problem = match bearer {
        None => "AKV10000: Request is missing a Bearer or PoP token.",
        Some(text) => match token::check(&world.keys(), text, &[RESOURCE], world.now()) {
            Ok(_) => return Ok(()),
            Err(_) => "AKV10022: Invalid audience, signature or lifetime of the token.",
        },
    };
    let mut refusal = error(StatusCode::UNAUTHORIZED, "Unauthorized", problem);
    let challenge = format!(
        "Bearer authorization=\"https://login.microsoftonline.com/{}\", resource=\"{RESOURCE}\"",
        world.seed.tenant_id,
    );
    reply::set(&mut refusal, "www-authenticate", &challenge);
    Err(refusal)
}

impl Call<'_> {
    fn answer(&self, method: &Method, path: &[&str]) -> Result<Response, Refusal> {
        let now = self.world.now();
        let mut vault = self.world.vault();
        let shown = |(secret, version): (&Secret, &Version)| ok(&self.bundle(secret, version));
        match (method.as_str(), path) {
            ("GET", ["secrets"]) => {
                let all =
                    vault.all().map(|(secret, it)| (key(secret), self.item(secret, it, false)));
                Ok(self.page("secrets", all))
            }
            ("POST", ["secrets", "restore"]) => vault.restore(self.backup()?).map(shown),
            ("GET", ["secrets", name]) => vault.get(name, None).map(shown),
            ("GET", ["secrets", name, "versions"]) => {
                let secret = vault.whole(name)?;
                let all =
                    secret.versions.iter().map(|it| (it.id.clone(), self.item(secret, it, true)));
                let mut all: Vec<_> = all.collect();
                all.sort_by(|a, b| a.0.cmp(&b.0));
                Ok(self.page(&format!("secrets/{name}/versions"), all.into_iter()))
            }
            ("GET", ["secrets", name, version]) => vault.get(name, Some(version)).map(shown),
            ("PUT", ["secrets", name]) => vault.set(name, self.change()?, now).map(shown),
            ("PATCH", ["secrets", name, rest @ ..]) if rest.len() < 2 => {
                let changed = vault.update(name, rest.first().copied(), self.change()?, now)?;
                Ok(ok(&self.item(changed.0, changed.1, true)))
            }
            ("DELETE", ["secrets", name]) => {
                vault.delete(name, now).map(|it| ok(&self.deleted(it)))
            }
            ("POST", ["secrets", name, "backup"]) => {
                let whole = serde_json::to_vec(vault.whole(name)?).unwrap_or_default();
                Ok(ok(&json!({ "value": URL_SAFE_NO_PAD.encode(whole) })))
            }
            ("GET", ["deletedsecrets"]) => {
                let all = vault.all_deleted().map(|it| (key(&it.secret), self.deleted(it)));
                Ok(self.page("deletedsecrets", all))
            }
            ("GET", ["deletedsecrets", name]) => {
                vault.deleted(name).map(|it| ok(&self.deleted(it)))
            }
            ("DELETE", ["deletedsecrets", name]) => {
                vault.purge(name).map(|()| reply::empty(StatusCode::NO_CONTENT))
            }
            ("POST", ["deletedsecrets", name, "recover"]) => {
                let (secret, version) = vault.recover(name)?;
                Ok(ok(&self.item(secret, version, true)))
            }
            _ => {
                let told = "The stand-in does not offer this call.";
                Ok(error(StatusCode::NOT_FOUND, "NotFound", told))
            }
        }
    }

    fn change(&self) -> Result<Change, Refusal> {
        serde_json::from_slice(&self.body).map_err(|_| Refusal::BadValue)
    }

    fn backup(&self) -> Result<Secret, Refusal> {
        #[derive(Deserialize)]
        struct Backup {
            value: String,
        }
        let Backup { value } = serde_json::from_slice(&self.body).map_err(|_| Refusal::BadValue)?;
        let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| Refusal::BadValue)?;
        serde_json::from_slice(&bytes).map_err(|_| Refusal::BadValue)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.as_str())
    }

    /// A page of what follows the token, with the way to the next one. `all` is in order of keys.
    fn page(&self, path: &str, all: impl Iterator<Item = (String, Value)>) -> Response {
        let size = self.parameter("maxresults").and_then(|it| it.parse().ok());
        let size = size.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        let after = self.parameter("$skiptoken");
        let mut rest = all.filter(|(key, _)| after.is_none_or(|it| key.as_str() > it)).peekable();
        let shown: Vec<(String, Value)> = rest.by_ref().take(size).collect();
        let next = rest.peek().and(shown.last()).map(|(last, _)| {
            let version = self.parameter("api-version").unwrap_or("7.4");
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("api-version", version)
                .append_pair("$skiptoken", last)
                .append_pair("maxresults", &size.to_string())
                .finish();
            format!("https://{}/{path}?{query}", self.host)
        });
        let items: Vec<Value> = shown.into_iter().map(|it| it.1).collect();
        ok(&json!({ "value": items, "nextLink": next }))
    }

    fn bundle(&self, secret: &Secret, version: &Version) -> Value {
        let mut shown = self.item(secret, version, true);
        insert(&mut shown, "value", json!(version.value));
        shown
    }

    /// All but the value.
    fn item(&self, secret: &Secret, version: &Version, is_versioned: bool) -> Value {
        let mut id = format!("https://{}/secrets/{}", self.host, secret.name);
        if is_versioned {
            id = format!("{id}/{}", version.id);
        }
        let mut attributes = json!({
            "enabled": version.is_enabled,
            "created": version.created,
            "updated": version.updated,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": RECOVERABLE_DAYS,
        });
        for (name, seconds) in [("nbf", version.not_before), ("exp", version.expires)] {
            if let Some(seconds) = seconds {
                insert(&mut attributes, name, json!(seconds));
            }
        }
        let mut shown = json!({ "id": id, "attributes": attributes, "tags": version.tags });
        if let Some(content_type) = &version.content_type {
            insert(&mut shown, "contentType", json!(content_type));
        }
        shown
    }

    fn deleted(&self, it: &Deleted) -> Value {
        let Some(version) = it.secret.versions.last() else { return Value::Null };
        let name = &it.secret.name;
        let mut shown = self.item(&it.secret, version, true);
        let recovery = format!("https://{}/deletedsecrets/{name}", self.host);
        insert(&mut shown, "recoveryId", json!(recovery));
        insert(&mut shown, "deletedDate", json!(it.at));
        insert(&mut shown, "scheduledPurgeDate", json!(it.at + RECOVERABLE_DAYS * 24 * 3600));
        shown
    }
}

fn key(secret: &Secret) -> String {
    secret.name.to_lowercase()
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn ok(body: &Value) -> Response {
    reply::json(StatusCode::OK, body)
}

fn refuse(refusal: Refusal, name: &str) -> Response {
    let (status, code, message) = match refusal {
        Refusal::Missing => (
            StatusCode::NOT_FOUND,
            "SecretNotFound",
            format!(
                "A secret with (name/id) {name} was not found in this key vault. If you recently \
                 deleted this secret you may be able to recover it using the correct recovery command."
            ),
        ),
        Refusal::NotDeleted => {
            (StatusCode::NOT_FOUND, "SecretNotFound", format!("Deleted Secret not found: {name}"))
        }
        Refusal::IsDeleted => (
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "Secret {name} is currently in a deleted but recoverable state, and its name cannot \
                 be reused; in this state, the secret can only be recovered or purged."
            ),
        ),
        Refusal::Exists => (
            StatusCode::CONFLICT,
            "Conflict",
            "A secret with the name of the backup exists in this vault.".to_owned(),
        ),
        Refusal::Disabled => (
            StatusCode::FORBIDDEN,
            "Forbidden",
            "Operation get is not allowed on a disabled secret.".to_owned(),
        ),
        Refusal::BadValue => (
            StatusCode::BAD_REQUEST,
            "BadParameter",
            "The body is not as expected; `value` is required.".to_owned(),
        ),
        Refusal::Full => (
            StatusCode::TOO_MANY_REQUESTS,
            "Throttled",
            "The stand-in holds as many versions as it may. Purge deleted secrets.".to_owned(),
        ),
    };
    error(status, code, &message)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    reply::json(status, &json!({ "error": { "code": code, "message": message } }))
}

pub(crate) mod percent {
    //! Percent-decoding of a path segment.

    /// The segment as text; what is no UTF-8 is replaced.
    pub(crate) fn decode(segment: &str) -> String {
        let plus_kept = segment.replace('+', "%2B");
        url::form_urlencoded::parse(format!("s={plus_kept}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }
}
