//! Runs an effective policy: inbound, backend, outbound, and the jump to on-error.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use expr::host::LastError;
use http::StatusCode;

use crate::context::Context;
use crate::effective::Pipeline;
use crate::error::{Answer, PolicyError};
use crate::error_response::{error_response, internal_error_response};
use crate::step::Flow;

/// Runs the sections. Afterwards the context has the response to send.
///
/// Returns the failure that went through `on-error`, if there was one: for logs and metrics.
pub async fn run(pipeline: &Pipeline, context: &mut Context) -> Option<PolicyError> {
    let failure = match sections(pipeline, context).await {
        Ok(()) => None,
        Err(error) => Some(fail(pipeline, context, error).await),
    };
    context.ensure_response();
    failure
}

async fn sections(pipeline: &Pipeline, context: &mut Context) -> Result<(), PolicyError> {
    for steps in [&pipeline.inbound, &pipeline.backend, &pipeline.outbound] {
        if steps.run(context).await? == Flow::End {
            break;
        }
    }
    Ok(())
}

/// Jumps to `on-error`: of a policy, or of a built-in step before the first one
/// ([`PolicyError::source`]). Afterwards the context has the response to send.
///
/// A failure in `on-error` itself skips the rest of it, takes the place of the first in
/// `context.LastError`, and the client gets a plain 500.
///
/// Returns the first failure again.
pub async fn fail(pipeline: &Pipeline, context: &mut Context, error: PolicyError) -> PolicyError {
    context.last_error = Some(last_error(&error));
    let answer = match error.answer() {
        Answer::Internal(status) => Some(internal_error_response(*status, context.request_id)),
        Answer::Respond(status, message) => Some(error_response(*status, message)),
        Answer::Keep => None,
    };
    if let Some(mut answer) = answer {
        answer.headers.extend(error.headers().clone());
        context.set_response(answer);
    }
    context.ensure_response();
    if let Err(second) = pipeline.on_error.run(context).await {
        tracing::warn!(
            request_id = %context.request_id,
            first = %error,
            second = %second,
            "a policy failed in on-error"
        );
        context.last_error = Some(last_error(&second));
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        context.response = Some(internal_error_response(status, context.request_id));
    }
    context.ensure_response();
    error
}

fn last_error(error: &PolicyError) -> LastError {
    let place = error.place();
    LastError {
        source: place.map_or("", |it| it.source()).to_owned(),
        reason: Some(error.reason().to_owned()),
        message: error.message().to_owned(),
        scope: place.and_then(|it| it.scope()).map(|it| it.name().to_owned()),
        section: place.and_then(|it| it.section()).map(|it| it.name().to_owned()),
        path: place.and_then(|it| it.path()).map(str::to_owned),
        policy_id: place.and_then(|it| it.policy_id()).map(str::to_owned),
    }
}

impl Context {
    /// A pipeline that made no response answers 200 without a body, or with the status that
    /// `set-status` asked for.
    fn ensure_response(&mut self) {
        self.response_mut();
    }
}
