//! Entra ID: discovery, key sets, instance discovery and the token endpoints of one tenant.
//!
//! Discovery documents name the host that the client called, as Entra's own do for each cloud.
//! Tokens always carry the issuers of the public cloud, because documents name those.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc>

pub mod forge;
pub mod keys;
pub mod token;
mod token_endpoint;

use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use transport::{Request, Response};

use crate::reply;
use crate::world::World;

pub(crate) async fn handle(world: &World, request: Request) -> Response {
    let host = host(&request);
    let path = request.uri().path().trim_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    if let (&Method::GET, ["common", "discovery", "instance"]) =
        (request.method(), segments.as_slice())
    {
        return instance_discovery(world, &host);
    }
    let Some((tenant, rest)) = segments.split_first() else {
        return token_endpoint::refuse(
            world,
            token_endpoint::Refusal::UnknownTenant(String::new()),
        );
    };
    if !world.seed.is_tenant(tenant) {
        let refusal = token_endpoint::Refusal::UnknownTenant((*tenant).to_owned());
        return token_endpoint::refuse(world, refusal);
    }
    match (request.method().clone(), rest) {
        (Method::GET, ["v2.0", ".well-known", "openid-configuration"]) => {
            reply::json(StatusCode::OK, &discovery(world, &host, tenant, true))
        }
        (Method::GET, [".well-known", "openid-configuration"]) => {
            reply::json(StatusCode::OK, &discovery(world, &host, tenant, false))
        }
        (Method::GET, ["discovery", "v2.0", "keys"] | ["discovery", "keys"]) => {
            reply::json(StatusCode::OK, &world.keys().jwks())
        }
        (Method::POST, ["oauth2", "v2.0", "token"]) => token_endpoint::v2(world, request).await,
        (Method::POST, ["oauth2", "token"]) => token_endpoint::v1(world, request).await,
        _ => reply::json(
            StatusCode::NOT_FOUND,
            &json!({ "error": "not_found", "error_description": "The stand-in has no such endpoint." }),
        ),
    }
}

fn host(request: &Request) -> String {
    request
        .headers()
        .get(header::HOST)
        .and_then(|it| it.to_str().ok())
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str))
        .unwrap_or("login.microsoftonline.com")
        .to_owned()
}

/// The OpenID metadata of the tenant, for v1.0 or v2.0 endpoints.
fn discovery(world: &World, host: &str, tenant: &str, v2: bool) -> Value {
    let is_template =
        tenant.eq_ignore_ascii_case("common") || tenant.eq_ignore_ascii_case("organizations");
    let issuer_tenant = if is_template { "{tenantid}" } else { world.seed.tenant_id.as_str() };
    let (issuer, version) = if v2 {
        (format!("https://{host}/{issuer_tenant}/v2.0"), "v2.0/")
    } else {
        (format!("https://sts.windows.net/{issuer_tenant}/"), "")
    };
    json!({
        "token_endpoint": format!("https://{host}/{tenant}/oauth2/{version}token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("https://{host}/{tenant}/discovery/{version}keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "authorization_endpoint": format!("https://{host}/{tenant}/oauth2/{version}authorize"),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver", "oid", "roles"],
        "tenant_region_scope": "WW",
        "cloud_instance_name": "microsoftonline.com",
    })
}

fn instance_discovery(world: &World, host: &str) -> Response {
    let tenant = &world.seed.tenant_id;
    let endpoint = format!("https://{host}/{tenant}/v2.0/.well-known/openid-configuration");
    let name = host.split(':').next().unwrap_or(host);
    let cloud = |preferred: &str, aliases: &[&str]| json!({ "preferred_network": preferred, "preferred_cache": preferred, "aliases": aliases });
    reply::json(
        StatusCode::OK,
        &json!({
            "tenant_discovery_endpoint": endpoint,
            "api-version": "1.1",
            "metadata": [cloud(host, &[host, name]), cloud(
                "login.microsoftonline.com",
                &["login.microsoftonline.com", "login.windows.net", "sts.windows.net"],
            )],
        }),
    )
}
