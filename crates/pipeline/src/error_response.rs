//! The default error response, in the exact spacing that Azure sends.
//!
//! Source: error reference, section 1.

use http::StatusCode;

use crate::message::Response;

/// `{ "statusCode": 401, "message": "text" }`, the message escaped.
#[must_use]
pub fn error_response(status: StatusCode, message: &str) -> Response {
    let message = json_text(message);
    let body = format!("{{ \"statusCode\": {}, \"message\": {message} }}", status.as_u16());
    Response::json(status, body)
}

/// The body for failures that show nothing of themselves; `activity_id` is the request's id.
#[must_use]
pub fn internal_error_response(status: StatusCode, activity_id: uuid::Uuid) -> Response {
    let message = if status == StatusCode::INTERNAL_SERVER_ERROR {
        "Internal server error"
    } else {
        status.canonical_reason().unwrap_or("Error")
    };
    let body = format!(
        "{{ \"statusCode\": {}, \"message\": {}, \"activityId\": \"{activity_id}\" }}",
        status.as_u16(),
        json_text(message),
    );
    Response::json(status, body)
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(response: &Response) -> String {
        String::from_utf8(response.body.read(true).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_spacing_is_that_of_azure() {
        let response = error_response(StatusCode::UNAUTHORIZED, "text");

        assert_eq!(body(&response), r#"{ "statusCode": 401, "message": "text" }"#);
        assert_eq!(response.headers["content-type"], "application/json");
    }

    #[test]
    fn the_message_is_escaped() {
        let response = error_response(StatusCode::FORBIDDEN, "say \"no\"\n");

        assert_eq!(body(&response), r#"{ "statusCode": 403, "message": "say \"no\"\n" }"#);
    }

    #[test]
    fn an_internal_failure_shows_the_request_id_only() {
        let id = uuid::Uuid::from_u128(7);
        let response = internal_error_response(StatusCode::INTERNAL_SERVER_ERROR, id);

        assert_eq!(
            body(&response),
            r#"{ "statusCode": 500, "message": "Internal server error", "activityId": "00000000-0000-0000-0000-000000000007" }"#
        );
        let response = internal_error_response(StatusCode::SERVICE_UNAVAILABLE, id);
        assert!(body(&response).contains(r#""message": "Service Unavailable""#));
    }
}
