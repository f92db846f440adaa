//! The token endpoints, v1.0 and v2.0, for applications that sign in with a secret or a federated
//! token.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use http::StatusCode;
use serde_json::json;
use transport::{Request, Response};
use url::form_urlencoded;

use crate::entra::token::{self, Grant, Rejected, Version};
use crate::reply;
use crate::world::World;

/// Longest form, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What the assertion of a workload must be for.
const FEDERATION_AUDIENCE: &str = "api://AzureADTokenExchange";

/// Resources whose tokens are v1.0: Microsoft's own.
const V1_RESOURCES: &[&str] = &[".azure.com", ".azure.net", ".windows.net", "graph.microsoft.com"];

/// Why no token is issued.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownTenant(String),
    UnknownApplication(String),
    InvalidSecret,
    InvalidScope(String),
    MissingParameter(&'static str),
    UnsupportedGrant(String),
    ExpiredAssertion,
    UnknownAssertion,
}

impl Refusal {
    /// Status, OAuth error, AADSTS number and text.
    fn parts(&self) -> (StatusCode, &'static str, u32, String) {
        use StatusCode as S;
        match self {
            Self::UnknownTenant(tenant) => (
                S::BAD_REQUEST,
                "invalid_request",
                90_002,
                format!(
                    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID \
                 and are signing into the correct cloud."
                ),
            ),
            Self::UnknownApplication(id) => (
                S::BAD_REQUEST,
                "unauthorized_client",
                700_016,
                format!("Application with identifier '{id}' was not found in the directory."),
            ),
            Self::InvalidSecret => (
                S::UNAUTHORIZED,
                "invalid_client",
                7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID."
                    .into(),
            ),
            Self::InvalidScope(scope) => (
                S::BAD_REQUEST,
                "invalid_scope",
                1_002_012,
                format!(
                    "The provided value for scope {scope} is not valid. Client credential flows must \
                 have a scope value with /.default suffixed to the resource identifier."
                ),
            ),
            Self::MissingParameter(name) => (
                S::BAD_REQUEST,
                "invalid_request",
                900_144,
                format!("The request body must contain the following parameter: '{name}'."),
            ),
            Self::UnsupportedGrant(grant) => (
                S::BAD_REQUEST,
                "unsupported_grant_type",
                70_003,
                format!("The app requested an unsupported grant type '{grant}'."),
            ),
            Self::ExpiredAssertion => (
                S::UNAUTHORIZED,
                "invalid_client",
                700_024,
                "Client assertion is not within its valid time range.".into(),
            ),
            Self::UnknownAssertion => (
                S::UNAUTHORIZED,
                "invalid_client",
                700_213,
                "No matching federated identity record found for the presented assertion.".into(),
            ),
        }
    }
}

pub(crate) fn refuse(world: &World, refusal: Refusal) -> Response {
    let (status, error, number, text) = refusal.parts();
    let (trace_id, correlation_id) = (reply::request_id(), reply::request_id());
    let timestamp = utc(world.now());
    let description = format!(
        "AADSTS{number}: {text} Trace ID: {trace_id} Correlation ID: {correlation_id} \
         Timestamp: {timestamp}"
    );
    let body = json!({
        "error": error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": timestamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
        "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    });
    reply::json(status, &body)
}

/// `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) async fn v2(world: &World, request: Request) -> Response {
    let form = Form::read(request).await;
    let issued = form.sign_in(world).and_then(|client_id| {
        let scope = form.get("scope").ok_or(Refusal::MissingParameter("scope"))?;
        let resource = scope
            .strip_suffix("/.default")
            .ok_or_else(|| Refusal::InvalidScope(scope.to_owned()))?;
        Ok(issue(world, &client_id, resource, None))
    });
    match issued {
        Ok(issued) => reply::json(
            StatusCode::OK,
            &json!({
                "token_type": "Bearer",
                "expires_in": issued.lifetime - 1,
                "ext_expires_in": issued.lifetime - 1,
                "access_token": issued.text,
            }),
        ),
        Err(refusal) => refuse(world, refusal),
    }
}

/// `POST /{tenant}/oauth2/token`.
pub(crate) async fn v1(world: &World, request: Request) -> Response {
    let form = Form::read(request).await;
    let issued = form.sign_in(world).and_then(|client_id| {
        let resource = form.get("resource").ok_or(Refusal::MissingParameter("resource"))?;
        Ok((resource.to_owned(), issue(world, &client_id, resource, Some(Version::V1))))
    });
    match issued {
        Ok((resource, issued)) => reply::json(
            StatusCode::OK,
            &json!({
                "token_type": "Bearer",
                "expires_in": (issued.lifetime - 1).to_string(),
                "ext_expires_in": (issued.lifetime - 1).to_string(),
                "expires_on": (issued.issued_at + issued.lifetime).to_string(),
                "not_before": issued.issued_at.to_string(),
                "resource": resource,
                "access_token": issued.text,
            }),
        ),
        Err(refusal) => refuse(world, refusal),
    }
}

struct Issued {
    text: String,
    issued_at: i64,
    lifetime: i64,
}

fn issue(world: &World, client_id: &str, resource: &str, version: Option<Version>) -> Issued {
    let issued_at = i64::try_from(world.now()).unwrap_or(i64::MAX);
    let mut grant = Grant::app(&world.seed, client_id, resource, issued_at);
    let host = resource.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let is_microsofts = V1_RESOURCES.iter().any(|suffix| host.ends_with(suffix));
    grant.version = version.unwrap_or(if is_microsofts { Version::V1 } else { Version::V2 });
    Issued { text: grant.sign(&world.keys()), issued_at, lifetime: grant.lifetime }
}

struct Form(Vec<(String, String)>);

impl Form {
    async fn read(request: Request) -> Self {
        let body = request.into_body().collect(MAX_BODY_BYTES).await.unwrap_or_default();
        Self(form_urlencoded::parse(&body).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str()).filter(|it| !it.is_empty())
    }

    /// Checks who asks; gives the client identifier.
    fn sign_in(&self, world: &World) -> Result<String, Refusal> {
        let grant = self.get("grant_type").ok_or(Refusal::MissingParameter("grant_type"))?;
        if grant != "client_credentials" {
            return Err(Refusal::UnsupportedGrant(grant.to_owned()));
        }
        let client_id = self.get("client_id").ok_or(Refusal::MissingParameter("client_id"))?;
        let known = [&world.seed.client_id, &world.seed.user_identity, &world.seed.system_identity];
        let client_id = known
            .into_iter()
            .find(|it| it.eq_ignore_ascii_case(client_id))
            .ok_or_else(|| Refusal::UnknownApplication(client_id.to_owned()))?;
        match (self.get("client_secret"), self.get("client_assertion")) {
            (Some(secret), _) if secret == world.seed.client_secret => Ok(client_id.clone()),
            (Some(_), _) => Err(Refusal::InvalidSecret),
            (None, Some(assertion)) => {
                let checked =
                    token::check(&world.keys(), assertion, &[FEDERATION_AUDIENCE], world.now());
                match checked {
                    Ok(_) => Ok(client_id.clone()),
                    Err(Rejected::Lifetime) => Err(Refusal::ExpiredAssertion),
                    Err(_) => Err(Refusal::UnknownAssertion),
                }
            }
            (None, None) => Err(Refusal::MissingParameter("client_secret")),
        }
    }
}

/// `2026-01-31 23:59:58Z`, as Entra's errors write it.
fn utc(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_as_utc() {
        assert_eq!(utc(0), "1970-01-01 00:00:00Z");
        assert_eq!(utc(951_827_696), "2000-02-29 12:34:56Z");
        assert_eq!(utc(1_767_225_599), "2025-12-31 23:59:59Z");
    }
}
