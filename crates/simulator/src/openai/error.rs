//! The errors of Azure OpenAI, to the letter: clients and policies match on these texts.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use transport::Response;

use crate::deployment::{Rates, Throttled};
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

/// A deployment's limit that is used up.
pub(crate) fn throttled(operation: &str, version: &str, throttled: &Throttled) -> Response {
    let n_ms = throttled.wait.as_millis();
    let seconds = n_ms.div_ceil(1000).max(1);
    let (what, policy, reset) = match throttled.of_tokens {
        true => ("token", "DeploymentRatelimit-Token", "x-ratelimit-reset-tokens"),
        false => ("call", "DeploymentRatelimit-Call", "x-ratelimit-reset-requests"),
    };
    let message = format!(
        "Requests to the {operation} Operation under Azure OpenAI API version {version} have \
         exceeded {what} rate limit of your current OpenAI S0 pricing tier. Please retry after \
         {seconds} seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to \
         further increase the default rate limit."
    );
    let mut response = coded(StatusCode::TOO_MANY_REQUESTS, "429", &message);
    reply::set(&mut response, "retry-after", &seconds.to_string());
    reply::set(&mut response, "retry-after-ms", &n_ms.to_string());
    reply::set(&mut response, reset, &seconds.to_string());
    reply::set(&mut response, "policy-id", policy);
    response
}

/// What a stand-in that was told to fail answers. A `header` tells the seconds in place of the
/// usual ones.
pub(crate) fn injected(
    status: StatusCode,
    retry_after: Option<u64>,
    header: Option<&str>,
) -> Response {
    let seconds = retry_after.unwrap_or(1);
    let mut response = if status == StatusCode::TOO_MANY_REQUESTS {
        let wait = Duration::from_secs(seconds);
        let rates = Rates::default();
        throttled(
            "ChatCompletions_Create",
            "2024-10-21",
            &Throttled { of_tokens: true, wait, rates },
        )
    } else {
        let code = status.as_u16().to_string();
        coded(status, &code, status.canonical_reason().unwrap_or("Error"))
    };
    if let Some(header) = header {
        for usual in ["retry-after", "retry-after-ms", "x-ratelimit-reset-tokens"] {
            response.headers_mut().remove(usual);
        }
        reply::set_named(&mut response, header, &seconds.to_string());
    } else if retry_after.is_some() {
        reply::set(&mut response, "retry-after", &seconds.to_string());
    }
    response
}

fn coded(status: StatusCode, code: &str, message: &str) -> Response {
    let body: Value = json!({ "error": { "code": code, "message": message } });
    reply::json(status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_limit_says_when_to_come_again() {
        let wait = Duration::from_millis(8_100);
        let refusal = |of_tokens| {
            let rates = Rates::default();
            throttled("Embeddings_Create", "v1", &Throttled { of_tokens, wait, rates })
        };
        let of_requests = refusal(false);
        let body = String::from_utf8_lossy(of_requests.body().as_bytes().unwrap());
        assert!(body.contains("Embeddings_Create Operation under Azure OpenAI API version v1"));
        assert!(body.contains("exceeded call rate limit") && body.contains("after 9 seconds"));
        assert_eq!(of_requests.headers()["retry-after-ms"], "8100");
        assert_eq!(of_requests.headers()["x-ratelimit-reset-requests"], "9");
        assert_eq!(refusal(true).headers()["policy-id"], "DeploymentRatelimit-Token");
    }

    #[test]
    fn the_seconds_can_stand_in_an_odd_header_alone() {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let response = injected(status, Some(55), Some("x-rate-limit-reset-tokens"));
        assert_eq!(response.headers()["x-rate-limit-reset-tokens"], "55");
        assert!(!response.headers().contains_key("retry-after"));
    }
}
