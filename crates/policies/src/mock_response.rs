//! `<mock-response>`: answers with an example of the operation's description.
//!
//! The example of the described response for status and type, else a sample made from its
//! schema, else nothing. The backend is not called. WebSocket handshakes are not mocked.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/mock-response-policy>

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use pipeline::{
    Attr, Body, CompileCx, Context, Diagnostic, Element, Flow, Immediate, Operation, PolicyError,
    PolicyKind, Representation, Response, Scopes, Sections, Statuses, Step, ValueType,
};

use crate::sample;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "mock-response",
    summary: "Answers with an example of the operation's description.",
    sections: Sections::INBOUND.and(Sections::OUTBOUND).and(Sections::ON_ERROR),
    scopes: Scopes::ALL,
    attrs: &[STATUS_CODE, CONTENT_TYPE_ATTR],
    children: &[],
    compile,
};

const STATUS_CODE: Attr = Attr::optional("status-code", "200")
    .doc("Status; selects the described response.")
    .of(ValueType::Status);
const CONTENT_TYPE_ATTR: Attr =
    Attr::absent_by_default("content-type").doc("Media type; the first described one if absent.");

#[derive(Debug)]
struct MockResponse {
    status: StatusCode,
    content_type: Option<String>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::immediate(MockResponse {
        status: cx.literal(element, &STATUS_CODE)?,
        content_type: cx.literal_if(element, &CONTENT_TYPE_ATTR)?,
    })
    .ending())
}

impl Immediate for MockResponse {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let operation = context.operation.as_deref();
        if operation.is_some_and(|it| it.is_websocket) {
            tracing::debug!("mock-response is skipped for a WebSocket handshake");
            return Ok(Flow::Next);
        }
        let mut response = Response::new(self.status);
        let described = operation.and_then(|it| self.representation(it));
        if let Some((found, body)) = described.and_then(|it| Some((it, body(it)?))) {
            if let Ok(value) = HeaderValue::from_str(&found.content_type) {
                response.headers.insert(CONTENT_TYPE, value);
            }
            response.body = Body::bytes(body);
        }
        context.set_response(response);
        Ok(Flow::End)
    }
}

impl MockResponse {
    fn representation<'a>(&self, operation: &'a Operation) -> Option<&'a Representation> {
        let status = self.status.as_u16();
        let wanted = Statuses::One(status);
        let response = operation.responses.iter().find(|it| it.statuses == wanted)?;
        match &self.content_type {
            None => response.representations.first(),
            Some(wanted) => response
                .representations
                .iter()
                .find(|it| essence(&it.content_type).eq_ignore_ascii_case(essence(wanted))),
        }
    }
}

/// The media type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn body(found: &Representation) -> Option<String> {
    if let Some(example) = &found.example {
        return Some(example.clone());
    }
    let essence = essence(&found.content_type).to_ascii_lowercase();
    let is_json = essence.ends_with("/json") || essence.ends_with("+json");
    let schema = found.schema.as_ref().filter(|_| is_json)?;
    Some(sample::of_schema(schema).to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::{Operation, OperationResponse, Representation, Statuses};
    use serde_json::json;

    use crate::test_support::{Ran, Trial, problems};

    fn operation() -> Operation {
        let representation =
            |content_type: &str, example: Option<&str>, schema: Option<serde_json::Value>| {
                Representation {
                    content_type: content_type.to_owned(),
                    example: example.map(str::to_owned),
                    schema: schema.map(Arc::new),
                    ..Representation::default()
                }
            };
        let ok = OperationResponse {
            statuses: Statuses::One(200),
            representations: vec![
                representation("application/json; charset=utf-8", Some(r#"{"a":1}"#), None),
                representation("text/plain", Some("one"), None),
            ],
            headers: Vec::new(),
        };
        let created = OperationResponse {
            statuses: Statuses::One(201),
            representations: vec![
                representation("application/json", None, Some(json!({"type": "boolean"}))),
                representation("text/csv", None, Some(json!({"type": "string"}))),
            ],
            headers: Vec::new(),
        };
        Operation { responses: vec![ok, created], ..Operation::default() }
    }

    fn run(attributes: &str) -> Ran {
        let mut trial = Trial::inbound(&format!("<mock-response {attributes} />"));
        trial.operation = Some(operation());
        trial.run("")
    }

    #[test]
    fn the_example_for_status_and_type_is_the_body() {
        let ran = run("");
        assert_eq!(ran.outcome, r#"end 200 {"a":1}"#);
        let response = ran.context.response.unwrap();
        assert_eq!(response.headers["content-type"], "application/json; charset=utf-8");
        assert_eq!(run(r#"content-type="TEXT/plain""#).outcome, "end 200 one");
    }

    #[test]
    fn without_an_example_a_sample_is_made_of_the_schema() {
        assert_eq!(run(r#"status-code="201""#).outcome, "end 201 true");
        assert_eq!(run(r#"status-code="201" content-type="text/csv""#).outcome, "end 201");
    }

    #[test]
    fn what_is_not_described_has_no_body() {
        assert_eq!(run(r#"status-code="404""#).outcome, "end 404");
        assert_eq!(run(r#"content-type="image/png""#).outcome, "end 200");
        assert_eq!(Trial::inbound("<mock-response />").run("").outcome, "end 200");
    }

    #[test]
    fn a_websocket_handshake_is_not_mocked() {
        let mut trial = Trial::inbound("<mock-response />");
        trial.operation = Some(Operation { is_websocket: true, ..operation() });
        assert_eq!(trial.run("").outcome, "next");
    }

    #[test]
    fn the_status_is_a_literal_one() {
        assert_eq!(problems(r#"<mock-response status-code="@(200)" />"#), "PC0411");
        assert_eq!(problems(r#"<mock-response status-code="20" />"#), "PC0409");
    }
}
