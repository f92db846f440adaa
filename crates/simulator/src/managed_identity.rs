//! The managed identity endpoints: IMDS of a virtual machine, and App Service.
//!
//! Wire shapes: `identity.md` 1.2 and 1.3 and what the SDKs were seen to send. Sources:
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity>

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use transport::{Request, Response};
use url::form_urlencoded;

use crate::entra::token::{Grant, Version};
use crate::reply;
use crate::world::World;

/// Lifetime of an identity's token, in seconds: a day, as the real endpoints grant.
const LIFETIME: i64 = 86_400;

pub(crate) fn handle(world: &World, request: &Request) -> Response {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let path = request.uri().path().trim_end_matches('/');
    match (request.method(), path) {
        (&Method::GET, "/metadata/identity/oauth2/token") => {
            imds(world, request.headers(), &Query(&query))
        }
        (&Method::GET, "/msi/token") => app_service(world, request.headers(), &Query(&query)),
        _ => bad_request(StatusCode::NOT_FOUND, "not_found", "No such endpoint"),
    }
}

struct Query<'a>(&'a [(String, String)]);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

fn imds(world: &World, headers: &HeaderMap, query: &Query<'_>) -> Response {
    if headers.get("metadata").is_none_or(|it| it != "true") {
        return invalid("Required metadata header not specified");
    }
    if headers.contains_key("x-forwarded-for") {
        return invalid("Requests that were forwarded are refused");
    }
    match query.get("api-version") {
        None => return invalid("Required query variable 'api-version' is missing"),
        Some(version) if version < "2018-02-01" => {
            return invalid("The api-version is not supported");
        }
        Some(_) => {}
    }
    let token = match token(world, query, &["client_id", "object_id", "msi_res_id", "mi_res_id"]) {
        Ok(token) => token,
        Err(refusal) => return refusal,
    };
    reply::json(
        StatusCode::OK,
        &json!({
            "access_token": token.text,
            "client_id": token.client_id,
            "expires_in": (LIFETIME - 1).to_string(),
            "expires_on": (token.issued_at + LIFETIME).to_string(),
            "ext_expires_in": (LIFETIME - 1).to_string(),
            "not_before": token.issued_at.to_string(),
            "refresh_token": "",
            "resource": token.resource,
            "token_type": "Bearer",
        }),
    )
}

fn app_service(world: &World, headers: &HeaderMap, query: &Query<'_>) -> Response {
    let expected = world.seed.identity_header.as_str();
    if headers.get("x-identity-header").is_none_or(|it| it != expected) {
        let body =
            json!({ "statusCode": 401, "message": "The identity header is missing or wrong" });
        return reply::json(StatusCode::UNAUTHORIZED, &body);
    }
    if query.get("api-version") != Some("2019-08-01") {
        return invalid("The api-version is not supported");
    }
    let names = &["client_id", "principal_id", "object_id", "mi_res_id"];
    let token = match token(world, query, names) {
        Ok(token) => token,
        Err(refusal) => return refusal,
    };
    reply::json(
        StatusCode::OK,
        &json!({
            "access_token": token.text,
            "client_id": token.client_id,
            "expires_on": (token.issued_at + LIFETIME).to_string(),
            "not_before": token.issued_at.to_string(),
            "resource": token.resource,
            "token_type": "Bearer",
        }),
    )
}

struct IdentityToken {
    text: String,
    client_id: String,
    resource: String,
    issued_at: i64,
}

fn token(world: &World, query: &Query<'_>, selectors: &[&str]) -> Result<IdentityToken, Response> {
    let Some(resource) = query.get("resource").filter(|it| !it.is_empty()) else {
        return Err(bad_request(
            StatusCode::BAD_REQUEST,
            "invalid_resource",
            "Required query variable 'resource' is missing",
        ));
    };
    let client_id =
        identity(world, query, selectors).ok_or_else(|| invalid("Identity not found"))?.to_owned();
    let issued_at = i64::try_from(world.now()).unwrap_or(i64::MAX);
    let mut grant = Grant::app(&world.seed, &client_id, resource, issued_at);
    grant.version = Version::V1;
    grant.lifetime = LIFETIME;
    grant.roles = Vec::new();
    let text = grant.sign(&world.keys());
    Ok(IdentityToken { text, client_id, resource: resource.to_owned(), issued_at })
}

/// The identity that a request selects: the system-assigned one unless it names the other.
fn identity<'a>(world: &'a World, query: &Query<'_>, selectors: &[&str]) -> Option<&'a str> {
    let selected = selectors.iter().find_map(|name| query.get(name));
    let known = [&world.seed.system_identity, &world.seed.user_identity];
    match selected {
        None => Some(&world.seed.system_identity),
        Some(selected) => known
            .into_iter()
            .find(|it| selected.eq_ignore_ascii_case(it) || selected.ends_with(it.as_str()))
            .map(String::as_str),
    }
}

fn invalid(description: &str) -> Response {
    bad_request(StatusCode::BAD_REQUEST, "invalid_request", description)
}

fn bad_request(status: StatusCode, error: &str, description: &str) -> Response {
    let body: Value = json!({ "error": error, "error_description": description });
    reply::json(status, &body)
}
