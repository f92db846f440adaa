//! Errors of fields that policies took out of a request: they stand in the response.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::body::Body;
use crate::context::Context;
use crate::message::Message;

/// What policies took out of the request; among the request's extensions.
#[derive(Clone, Debug, Default)]
pub struct FieldErrors(Vec<graphql::Error>);

impl FieldErrors {
    /// Notes errors for the response to a request.
    pub fn note(context: &mut Context, errors: Vec<graphql::Error>) {
        let noted = context.request.extensions.get_or_insert_default::<FieldErrors>();
        noted.0.extend(errors);
    }

    pub(super) fn of(context: &Context) -> Vec<graphql::Error> {
        context.request.extensions.get::<FieldErrors>().map(|it| it.0.clone()).unwrap_or_default()
    }

    /// Adds the errors to the response of a backend, if it is JSON within the bound.
    pub async fn add_to_response(context: &mut Context) {
        let errors = FieldErrors::of(context);
        if errors.is_empty() {
            return;
        }
        let max_bytes = context.services.max_buffered_body_bytes;
        let Some(response) = &mut context.response else { return };
        let is_json = response
            .headers
            .get(CONTENT_TYPE)
            .and_then(|it| it.to_str().ok())
            .is_some_and(|it| it.to_ascii_lowercase().contains("json"));
        if !is_json || response.body.buffer(max_bytes).await.is_err() {
            return;
        }
        let Some(bytes) = response.body.as_bytes() else { return };
        let Ok(bytes) = crate::encoding::decode(&response.headers, bytes, max_bytes) else {
            return;
        };
        let Ok(Value::Object(mut json)) = serde_json::from_slice::<Value>(&bytes) else { return };
        let slot = json.entry("errors").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(all) = slot {
            all.extend(errors.iter().map(graphql::Error::to_json));
        }
        context.set_body(Message::Response, Body::bytes(Value::Object(json).to_string()));
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};

    use super::*;
    use crate::message::Response;
    use crate::test_support::{answer, context};

    async fn added(content_type: &'static str, body: &'static str) -> String {
        let mut context = context();
        let mut response = Response::new(StatusCode::OK);
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response.body = Body::bytes(body);
        context.set_response(response);
        FieldErrors::add_to_response(&mut context).await;
        assert_eq!(answer(&context), format!("200 {body}"));
        FieldErrors::note(&mut context, vec![graphql::Error::new("no")]);
        FieldErrors::add_to_response(&mut context).await;
        answer(&context)
    }

    #[tokio::test]
    async fn errors_are_added_to_a_json_response_and_to_nothing_else() {
        for (content_type, body, expected) in [
            (
                "application/json",
                r#"{"data":{}}"#,
                r#"200 {"data":{},"errors":[{"message":"no"}]}"#,
            ),
            (
                "application/json; charset=utf-8",
                r#"{"errors":[1]}"#,
                r#"200 {"errors":[1,{"message":"no"}]}"#,
            ),
            ("text/html", "<p>", "200 <p>"),
            ("application/json", "[]", "200 []"),
        ] {
            assert_eq!(added(content_type, body).await, expected);
        }
    }
}
