//! `<jsonp>`: wraps a JSON answer in a call of the function that the client names.
//!
//! Without the query parameter, or if the answer is not JSON, the response goes through untouched
//! and is not read.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/jsonp-policy>

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use pipeline::url::pairs;
use pipeline::{
    Attr, Body, CompileCx, Computed, Context, Diagnostic, Element, Flow, Message, PolicyError,
    PolicyKind, Scopes, Sections, Step, Waiting,
};

use crate::content;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "jsonp",
    summary: "Wraps a JSON answer in a call of the function that the client names.",
    sections: Sections::OUTBOUND.once(),
    scopes: Scopes::ALL,
    attrs: &[CALLBACK],
    children: &[],
    compile,
};

const CALLBACK: Attr = Attr::required("callback-parameter-name")
    .expressions()
    .doc("Query parameter that names the function.");

/// Longest name of a function, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Words that are no names in JavaScript.
const RESERVED: &[&str] = &[
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

#[derive(Debug)]
struct Jsonp {
    parameter: Computed<String>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    Ok(Step::waiting(Jsonp { parameter: cx.attr(element, &CALLBACK)? }))
}

impl Waiting for Jsonp {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        if context.operation.as_ref().is_some_and(|it| it.is_websocket) {
            return Ok(Flow::Next);
        }
        let parameter = self.parameter.get(context)?;
        let query = context.request.original_url.query();
        let named = pairs(query).find(|it| it.is_named(&parameter));
        let Some(callback) = named.map(|it| it.value().into_owned()) else {
            return Ok(Flow::Next);
        };
        if !is_identifier(&callback) {
            let message = format!(
                "Value of callback parameter {parameter} is not a valid JavaScript identifier."
            );
            return Err(PolicyError::new("CallbackParameterInvalid", message.clone())
                .respond(StatusCode::BAD_REQUEST, message));
        }
        if !content::content_type(context, Message::Response).is_some_and(content::is_json) {
            return Ok(Flow::Next);
        }
        let json = content::bytes(context, Message::Response).await?;
        // The new media type names no charset: the script is UTF-8, whatever the JSON was.
        let text = content::text(&json, content::content_type(context, Message::Response));
        let json = text.map_or(json, Bytes::from);
        let mut script = Vec::with_capacity(callback.len() + json.len() + 3);
        script.extend_from_slice(callback.as_bytes());
        script.push(b'(');
        script.extend_from_slice(&json);
        script.extend_from_slice(b");");
        context.set_body(Message::Response, Body::bytes(script));
        let script = HeaderValue::from_static("application/javascript");
        context.headers_mut(Message::Response).insert(CONTENT_TYPE, script);
        Ok(Flow::Next)
    }
}

/// Whether the text is one name of JavaScript: a letter, `_` or `$`, then those and digits.
fn is_identifier(text: &str) -> bool {
    let starts = |it: char| it.is_alphabetic() || it == '_' || it == '$';
    let mut chars = text.chars();
    text.len() <= MAX_NAME_BYTES
        && chars.next().is_some_and(starts)
        && chars.all(|it| starts(it) || it.is_numeric())
        && RESERVED.binary_search(&text).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Ran, Trial, text};
    use pipeline::{Response, Section};

    fn run(request: &str, content_type: &'static str) -> Ran {
        let mut trial = Trial::of(Section::Outbound, "<jsonp callback-parameter-name='cb' />");
        let mut response = Response::json(StatusCode::OK, "{\"a\": 1}".to_owned());
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        trial.response = Some(response);
        trial.run(request)
    }

    #[test]
    fn the_answer_becomes_a_call() {
        let response =
            run("GET /orders?cb=show", "application/json; charset=utf-8").context.response.unwrap();
        assert_eq!(text(&response.body), "show({\"a\": 1});");
        assert_eq!(response.headers[CONTENT_TYPE], "application/javascript");
    }

    #[test]
    fn without_the_parameter_or_json_nothing_changes() {
        for (request, content_type) in
            [("GET /orders", "application/json"), ("GET /orders?cb=show", "text/html")]
        {
            let response = run(request, content_type).context.response.unwrap();
            assert_eq!(text(&response.body), "{\"a\": 1}");
            assert_eq!(response.headers[CONTENT_TYPE], content_type);
        }
    }

    #[test]
    fn the_function_must_be_a_name_of_javascript() {
        assert!(RESERVED.is_sorted());
        for (name, is_name) in [
            ("show", true),
            ("$", true),
            ("_a1", true),
            ("été", true),
            ("1a", false),
            ("a.b", false),
            ("a-b", false),
            ("alert(1)", false),
            ("this", false),
            ("", false),
        ] {
            assert_eq!(is_identifier(name), is_name, "{name}");
        }
        assert!(!is_identifier(&"a".repeat(MAX_NAME_BYTES + 1)));
        assert_eq!(
            run("GET /orders?cb=alert(1)", "application/json").outcome,
            "400 Value of callback parameter cb is not a valid JavaScript identifier. \
             (CallbackParameterInvalid)"
        );
    }
}
