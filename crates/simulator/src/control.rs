//! Control calls: what a test says to a stand-in to break or change it.
//!
//! | call | does |
//! |---|---|
//! | `PUT /.simulator/fault` `{"status":503,"times":2}` | sets this stand-in's [`Fault`](crate::fault::Fault) |
//! | `PUT /.simulator/fault` `[{"status":429},{"status":500},{}]` | a script: a step for each request |
//! | `DELETE /.simulator/fault` | clears it |
//! | `PUT /.simulator/deployments` `{"gpt-4o":{"model":"gpt-4o","tokens-per-minute":1000}}` | Azure OpenAI: adds or replaces [`Deployment`](crate::deployment::Deployment)s |
//! | `DELETE /.simulator/deployments` | Azure OpenAI: those of the beginning |
//! | `POST /.simulator/rotate-keys` | Entra ID: a new key signs, the old one stays published |
//! | `POST /.simulator/retire-keys` | Entra ID: only the signing key stays published |
//!
//! They are answered even while the stand-in is faulted.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::json;
use transport::{Request, Response};

use crate::deployment::Deployment;
use crate::fault::{Fault, MAX_STEPS};
use crate::reply;
use crate::server::StandIn;
use crate::world::World;

/// Paths below this one are control calls.
pub const PREFIX: &str = "/.simulator/";

/// Longest control call, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(crate) async fn handle(world: &World, service: StandIn, request: Request) -> Response {
    let action = request.uri().path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
    match (request.method().clone(), action.as_str()) {
        (Method::PUT, "fault") => match collect(request).await {
            Ok(body) => set_fault(world, service, &body),
            Err(refusal) => refusal,
        },
        (Method::DELETE, "fault") => {
            world.faults.set(service, Fault::default());
            reply::empty(StatusCode::NO_CONTENT)
        }
        (Method::PUT, "deployments") => match collect(request).await {
            Ok(body) => put_deployments(world, &body),
            Err(refusal) => refusal,
        },
        (Method::DELETE, "deployments") => {
            world.deployments.reset(&world.seed.deployments);
            reply::empty(StatusCode::NO_CONTENT)
        }
        (Method::POST, "rotate-keys") => match world.keys().rotate() {
            Ok(key_id) => reply::json(StatusCode::OK, &json!({ "kid": key_id })),
            Err(error) => refuse(&error.to_string()),
        },
        (Method::POST, "retire-keys") => {
            world.keys().retire();
            reply::empty(StatusCode::NO_CONTENT)
        }
        _ => reply::json(StatusCode::NOT_FOUND, &json!({ "error": "no such control call" })),
    }
}

async fn collect(request: Request) -> Result<bytes::Bytes, Response> {
    let body = request.into_body().collect(MAX_BODY_BYTES).await;
    body.map_err(|error| refuse(&error.to_string()))
}

fn set_fault(world: &World, service: StandIn, body: &[u8]) -> Response {
    let is_script = body.trim_ascii_start().starts_with(b"[");
    let steps = if is_script {
        serde_json::from_slice::<Vec<Fault>>(body)
    } else {
        serde_json::from_slice::<Fault>(body).map(|it| vec![it])
    };
    let mut steps = match steps {
        Ok(steps) if steps.len() > MAX_STEPS => {
            return refuse(&format!("a script has at most {MAX_STEPS} steps"));
        }
        Ok(steps) => steps,
        Err(error) => return refuse(&error.to_string()),
    };
    let is_status = |it: &Fault| it.status.is_none_or(|status| (400..600).contains(&status));
    if !steps.iter().all(is_status) {
        return refuse("`status` must be 400 to 599");
    }
    match (is_script, steps.pop()) {
        (false, Some(fault)) => world.faults.set(service, fault),
        (_, last) => {
            steps.extend(last);
            world.faults.script(service, steps);
        }
    }
    reply::empty(StatusCode::NO_CONTENT)
}

fn put_deployments(world: &World, body: &[u8]) -> Response {
    match serde_json::from_slice::<BTreeMap<String, Deployment>>(body) {
        Ok(deployments) => {
            world.deployments.put(deployments);
            reply::empty(StatusCode::NO_CONTENT)
        }
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(message: &str) -> Response {
    reply::json(StatusCode::BAD_REQUEST, &json!({ "error": message }))
}
