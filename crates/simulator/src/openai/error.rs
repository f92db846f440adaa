//! The errors of Azure OpenAI, to the letter: clients and policies match on these texts.

use http::StatusCode;
use serde_json::{Value, json};
use transport::Response;

use crate::reply;

/// A key that is missing or wrong.
pub(crate) fn wrong_key() -> Response {
    reply::json(
        StatusCode::UNAUTHORIZED,
        &json!({ "error": {
            "code": "401",
            "message": "Access denied due to invalid subscription key or wrong API endpoint. Make \
                        sure to provide a valid key for an active subscription and use a correct \
                        regional API endpoint for your resource.",
        } }),
    )
}

/// A token that is wrong. Flat, without `error`, unlike everything else.
pub(crate) fn wrong_token() -> Response {
    reply::json(
        StatusCode::UNAUTHORIZED,
        &json!({
            "statusCode": 401,
            "message": "Unauthorized. Access token is missing, invalid, audience is incorrect \
                        (https://cognitiveservices.azure.com), or have expired.",
        }),
    )
}

/// An unknown path, or a deployment path without `api-version`.
pub(crate) fn resource_not_found() -> Response {
    coded(StatusCode::NOT_FOUND, "404", "Resource not found")
}

/// An unknown deployment.
pub(crate) fn deployment_not_found() -> Response {
    coded(
        StatusCode::NOT_FOUND,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment \
         within the last 5 minutes, please wait a moment and try again.",
    )
}

/// A call that the deployment's model cannot do.
pub(crate) fn wrong_model(operation: &str, model: &str) -> Response {
    let message = format!(
        "The {operation} operation does not work with the specified model, {model}. Please choose \
         different model and try again. You can learn more about which models can be used with \
         each operation here: https://go.microsoft.com/fwlink/?linkid=2197993."
    );
    coded(StatusCode::BAD_REQUEST, "OperationNotSupported", &message)
}

/// A body that is not what the call needs.
pub(crate) fn invalid_request(message: &str, param: Option<&str>) -> Response {
    reply::json(
        StatusCode::BAD_REQUEST,
        &json!({ "error": {
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": null,
        } }),
    )
}

/// What a stand-in that was told to fail answers.
pub(crate) fn injected(status: StatusCode, retry_after: Option<u64>) -> Response {
    if status != StatusCode::TOO_MANY_REQUESTS {
        let code = status.as_u16().to_string();
        return coded(status, &code, status.canonical_reason().unwrap_or("Error"));
    }
    let seconds = retry_after.unwrap_or(1);
    let message = format!(
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version \
         2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please \
         retry after {seconds} seconds. Please go here: https://aka.ms/oai/quotaincrease if you \
         would like to further increase the default rate limit."
    );
    let mut response = coded(status, "429", &message);
    reply::set(&mut response, "retry-after", &seconds.to_string());
    reply::set(&mut response, "retry-after-ms", &(seconds * 1000).to_string());
    reply::set(&mut response, "x-ratelimit-reset-tokens", &seconds.to_string());
    reply::set(&mut response, "policy-id", "DeploymentRatelimit-Token");
    response
}

fn coded(status: StatusCode, code: &str, message: &str) -> Response {
    let body: Value = json!({ "error": { "code": code, "message": message } });
    reply::json(status, &body)
}
