//! Control calls: what a test says to a stand-in to break or change it.
//!
//! | call | does |
//! |---|---|
//! | `PUT /.simulator/fault` `{"status":503,"times":2}` | sets this stand-in's [`Fault`](crate::fault::Fault) |
//! | `DELETE /.simulator/fault` | clears it |
//! | `POST /.simulator/rotate-keys` | Entra ID: a new key signs, the old one stays published |
//! | `POST /.simulator/retire-keys` | Entra ID: only the signing key stays published |
//!
//! They are answered even while the stand-in is faulted.

use http::{Method, StatusCode};
use serde_json::json;
use transport::{Request, Response};

use crate::fault::Fault;
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
        (Method::PUT, "fault") => set_fault(world, service, request).await,
        (Method::DELETE, "fault") => {
            world.faults.set(service, Fault::default());
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

async fn set_fault(world: &World, service: StandIn, request: Request) -> Response {
    let body = match request.into_body().collect(MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => return refuse(&error.to_string()),
    };
    match serde_json::from_slice::<Fault>(&body) {
        Ok(fault) if fault.status.is_some_and(|status| !(400..600).contains(&status)) => {
            refuse("`status` must be 400 to 599")
        }
        Ok(fault) => {
            world.faults.set(service, fault);
            reply::empty(StatusCode::NO_CONTENT)
        }
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(message: &str) -> Response {
    reply::json(StatusCode::BAD_REQUEST, &json!({ "error": message }))
}
