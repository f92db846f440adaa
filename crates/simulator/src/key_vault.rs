//! Key Vault's secrets: the challenge handshake, and get, set, list, delete.
//!
//! Deleted secrets are gone at once; recovery is not offered and its routes answer 404.
//!
//! Source: <https://learn.microsoft.com/rest/api/keyvault/secrets>

use http::{Method, StatusCode, header};
use percent::decode;
use serde_json::{Value, json};
use transport::{Request, Response};

use crate::entra::token;
use crate::reply;
use crate::world::{SecretVersion, World};

/// The resource that a token must be for.
const RESOURCE: &str = "https://vault.azure.net";

/// Longest request body, in bytes; a secret may have 25 KB.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(crate) async fn handle(world: &World, request: Request) -> Response {
    if let Err(refusal) = authorize(world, &request) {
        return refusal;
    }
    let host = host(&request);
    let path = request.uri().path().to_owned();
    let segments: Vec<String> = path.split('/').filter(|it| !it.is_empty()).map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (request.method().clone(), segments.as_slice()) {
        (Method::GET, ["secrets"]) => list(world, &host),
        (Method::GET, ["secrets", name]) => get(world, &host, name, None),
        (Method::GET, ["secrets", name, "versions"]) => versions(world, &host, name),
        (Method::GET, ["secrets", name, version]) => get(world, &host, name, Some(version)),
        (Method::PUT, ["secrets", name]) => set(world, &host, name, request).await,
        (Method::DELETE, ["secrets", name]) => delete(world, &host, name),
        _ => error(StatusCode::NOT_FOUND, "NotFound", "The stand-in does not offer this call."),
    }
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

fn get(world: &World, host: &str, name: &str, version: Option<&str>) -> Response {
    let secrets = world.secrets();
    let found = secrets.get(name).and_then(|versions| match version {
        None => versions.last(),
        Some(version) => versions.iter().find(|it| it.version == version),
    });
    match found {
        Some(secret) => reply::json(StatusCode::OK, &bundle(host, name, secret)),
        None => missing(name),
    }
}

async fn set(world: &World, host: &str, name: &str, request: Request) -> Response {
    let body = match request.into_body().collect(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(problem) => {
            return error(StatusCode::BAD_REQUEST, "BadParameter", &problem.to_string());
        }
    };
    let value = serde_json::from_slice::<Value>(&body).ok();
    let Some(value) = value.as_ref().and_then(|it| it.get("value")).and_then(Value::as_str) else {
        return error(StatusCode::BAD_REQUEST, "BadParameter", "Property value is required.");
    };
    let secret = SecretVersion::new(value, world.now());
    let answer = bundle(host, name, &secret);
    world.secrets().entry(name.to_owned()).or_default().push(secret);
    reply::json(StatusCode::OK, &answer)
}

fn delete(world: &World, host: &str, name: &str) -> Response {
    let Some(secret) = world.secrets().remove(name).and_then(|mut it| it.pop()) else {
        return missing(name);
    };
    let mut answer = bundle(host, name, &secret);
    if let Some(members) = answer.as_object_mut() {
        members.remove("value");
        members.insert("recoveryId".into(), json!(format!("https://{host}/deletedsecrets/{name}")));
        members.insert("deletedDate".into(), json!(world.now()));
        members.insert("scheduledPurgeDate".into(), json!(world.now()));
    }
    reply::json(StatusCode::OK, &answer)
}

fn list(world: &World, host: &str) -> Response {
    let items: Vec<Value> = world
        .secrets()
        .iter()
        .filter_map(|(name, versions)| Some(item(host, name, versions.last()?, false)))
        .collect();
    reply::json(StatusCode::OK, &json!({ "value": items, "nextLink": null }))
}

fn versions(world: &World, host: &str, name: &str) -> Response {
    let secrets = world.secrets();
    let Some(versions) = secrets.get(name) else { return missing(name) };
    let items: Vec<Value> = versions.iter().map(|it| item(host, name, it, true)).collect();
    reply::json(StatusCode::OK, &json!({ "value": items, "nextLink": null }))
}

fn item(host: &str, name: &str, secret: &SecretVersion, versioned: bool) -> Value {
    let mut item = bundle(host, name, secret);
    if let Some(members) = item.as_object_mut() {
        members.remove("value");
        if !versioned {
            members.insert("id".into(), json!(format!("https://{host}/secrets/{name}")));
        }
    }
    item
}

fn bundle(host: &str, name: &str, secret: &SecretVersion) -> Value {
    json!({
        "value": secret.value,
        "id": format!("https://{host}/secrets/{name}/{}", secret.version),
        "attributes": {
            "enabled": true,
            "created": secret.created,
            "updated": secret.created,
            "recoveryLevel": "Purgeable",
        },
        "tags": {},
    })
}

fn missing(name: &str) -> Response {
    let message = format!(
        "A secret with (name/id) {name} was not found in this key vault. If you recently deleted \
         this secret you may be able to recover it using the correct recovery command."
    );
    error(StatusCode::NOT_FOUND, "SecretNotFound", &message)
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
