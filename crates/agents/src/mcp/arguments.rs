//! The arguments of a call, as the request that they make.

use http::{HeaderName, HeaderValue, Method};
use pipeline::{Location, Parameter, placeholders};
use serde_json::{Map, Value};

use super::tool::Tool;
use super::written::{self, encode};

/// An argument that is a parameter.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name in the tool's schema.
    pub property: String,
    /// The parameter.
    pub parameter: Parameter,
    /// What is sent if the argument is not given.
    pub default: Option<String>,
}

/// The argument that is the body.
#[derive(Clone, Debug)]
pub(super) struct BodyArgument {
    pub(super) property: String,
    pub(super) content_type: String,
    pub(super) form: BodyForm,
    pub(super) is_required: bool,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyForm {
    Json,
    /// `a=b&c=d`.
    Fields,
    Text,
}

impl BodyForm {
    /// The form of a media type; none for those that arguments cannot make.
    pub(super) fn of(content_type: &str) -> Option<BodyForm> {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "application/json" | "*/*" => Some(BodyForm::Json),
            "application/x-www-form-urlencoded" => Some(BodyForm::Fields),
            "application/xml" => Some(BodyForm::Text),
            it if it.ends_with("+json") => Some(BodyForm::Json),
            it if it.ends_with("+xml") || it.starts_with("text/") => Some(BodyForm::Text),
            _ => None,
        }
    }
}

/// The request that a call makes.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// Its method.
    pub method: Method,
    /// The path below the API, percent-encoded.
    pub path: String,
    /// The query without `?`, percent-encoded.
    pub query: String,
    /// Headers that are arguments.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body with its media type.
    pub body: Option<(String, Vec<u8>)>,
}

impl Tool {
    /// The request that these arguments make.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in words for a model.
    pub fn http_call(&self, given: &Map<String, Value>) -> Result<HttpCall, String> {
        let is_body = |name: &String| self.body.as_ref().is_some_and(|it| it.property == **name);
        let is_known = |name: &String| self.arguments.iter().any(|it| it.property == **name);
        if let Some(name) = given.keys().find(|it| !is_known(it) && !is_body(it)) {
            let shown: String = name.chars().take(100).collect();
            return Err(format!("there is no argument `{shown}`"));
        }
        let (template_path, template_query) =
            self.template.split_once('?').unwrap_or((&self.template, ""));
        let path = self.filled(template_path, Location::Path, given)?;
        let mut query = self.filled(template_query, Location::Query, given)?;
        let in_template = |it: &Argument| {
            placeholders(template_query).any(|placeholder| placeholder.name == it.parameter.name)
        };
        let mut headers = Vec::new();
        for it in &self.arguments {
            match it.parameter.location {
                Location::Path => {}
                Location::Query if in_template(it) => {}
                Location::Query => {
                    let Some(value) = it.value(given)? else { continue };
                    for pair in written::query(&it.parameter, &value) {
                        query.push_str(if query.is_empty() { "" } else { "&" });
                        query.push_str(&pair);
                    }
                }
                Location::Header => {
                    let Some(value) = it.value(given)? else { continue };
                    headers.push(header(it, &value)?);
                }
            }
        }
        let body = self.body_of(given)?;
        Ok(HttpCall { method: self.method.clone(), path, query, headers, body })
    }

    /// A template with the values of its parameters.
    fn filled(
        &self,
        template: &str,
        location: Location,
        given: &Map<String, Value>,
    ) -> Result<String, String> {
        let (mut filled, mut end) = (String::new(), 0);
        for it in placeholders(template) {
            filled.push_str(template.get(end..it.start).unwrap_or_default());
            end = it.end;
            let is_it = |own: &&Argument| {
                own.parameter.location == location && own.parameter.name == it.name
            };
            let Some(argument) = self.arguments.iter().find(is_it) else { continue };
            let Some(value) = argument.value(given)? else {
                return Err(format!("the argument `{}` is missing", argument.property));
            };
            let is_catch_all = template.get(it.start..).is_some_and(|it| it.starts_with("{*"));
            let text = match location {
                Location::Path => written::path(&argument.parameter, &value, is_catch_all)
                    .map_err(|why| format!("the argument `{}` {why}", argument.property))?,
                _ => encode(&written::plain(&value)),
            };
            filled.push_str(&text);
        }
        filled.push_str(template.get(end..).unwrap_or_default());
        Ok(filled)
    }

    fn body_of(&self, given: &Map<String, Value>) -> Result<Option<(String, Vec<u8>)>, String> {
        let Some(body) = &self.body else { return Ok(None) };
        let value = match given.get(&body.property) {
            Some(value) => value,
            None if body.is_required => {
                return Err(format!("the argument `{}` is missing", body.property));
            }
            None => return Ok(None),
        };
        let text = match (body.form, value) {
            (BodyForm::Json, value) => value.to_string(),
            (BodyForm::Text, Value::String(text)) => text.clone(),
            (BodyForm::Text, _) => {
                return Err(format!("the argument `{}` must be a string", body.property));
            }
            (BodyForm::Fields, Value::Object(fields)) => written::fields(fields),
            (BodyForm::Fields, _) => {
                return Err(format!("the argument `{}` must be an object", body.property));
            }
        };
        Ok(Some((body.content_type.clone(), text.into_bytes())))
    }
}

impl Argument {
    /// The value that is sent: the one given, or the default.
    fn value(&self, given: &Map<String, Value>) -> Result<Option<Value>, String> {
        match (given.get(&self.property), &self.default) {
            (Some(Value::Null) | None, Some(default)) => Ok(Some(Value::String(default.clone()))),
            (Some(Value::Null) | None, None) if self.parameter.is_required => {
                Err(format!("the argument `{}` is missing", self.property))
            }
            (Some(Value::Null) | None, None) => Ok(None),
            (Some(value), _) => Ok(Some(value.clone())),
        }
    }
}

fn header(argument: &Argument, value: &Value) -> Result<(HeaderName, HeaderValue), String> {
    let parameter = &argument.parameter;
    let name = HeaderName::from_bytes(parameter.name.as_bytes());
    let value = HeaderValue::from_str(&written::simple(parameter, value));
    match (name, value) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(format!("the argument `{}` cannot be sent as a header", argument.property)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::{Operation, OperationRequest, Representation, Style};
    use serde_json::json;

    use super::super::tool::{Target, ToolText};
    use super::*;

    fn tool(method: &str, template: &str, content_type: &str) -> Tool {
        let mut info = (*Operation::default().info).clone();
        info.method = method.to_owned();
        info.url_template = template.to_owned();
        let parameter = |name: &str, location, style, is_exploded| Parameter {
            name: name.to_owned(),
            location,
            style,
            is_exploded,
            ..Parameter::default()
        };
        let request = OperationRequest {
            parameters: vec![
                parameter("tag", Location::Query, Style::Form, true),
                parameter("$top", Location::Query, Style::Form, true),
                parameter("x-trace", Location::Header, Style::Simple, false),
            ],
            representations: vec![Representation {
                content_type: content_type.to_owned(),
                ..Representation::default()
            }],
            is_body_required: false,
        };
        let operation = Operation { info: Arc::new(info), request, ..Operation::default() };
        let text = ToolText {
            name: "t".to_owned(),
            defaults: vec![("v".to_owned(), "2 3".to_owned())],
            ..ToolText::default()
        };
        Tool::new(text, Target::default(), &operation).unwrap()
    }

    fn call(tool: &Tool, arguments: Value) -> String {
        match tool.http_call(arguments.as_object().unwrap()) {
            Err(why) => why,
            Ok(it) => {
                let headers: Vec<String> = it
                    .headers
                    .iter()
                    .map(|(name, value)| format!(" {name}={}", value.to_str().unwrap()))
                    .collect();
                let body = it
                    .body
                    .map(|(kind, bytes)| format!(" {kind}: {}", String::from_utf8(bytes).unwrap()));
                let body = body.unwrap_or_default();
                format!("{} {}?{}{}{body}", it.method, it.path, it.query, headers.concat())
            }
        }
    }

    #[test]
    fn arguments_go_where_their_parameters_stand() {
        let it = tool("PUT", "/a/{id}/b?v={v}&fixed=1", "application/json");
        assert_eq!(
            call(
                &it,
                json!({ "id": "a/b c", "tag": ["x&y", 2], "_top": 5, "x-trace": true,
                "body": { "n": null } })
            ),
            "PUT /a/a%2Fb%20c/b?v=2%203&fixed=1&tag=x%26y&tag=2&%24top=5 x-trace=true \
             application/json: {\"n\":null}"
        );
        assert_eq!(call(&it, json!({ "id": 7, "v": "9" })), "PUT /a/7/b?v=9&fixed=1");
    }

    #[test]
    fn arguments_that_do_not_fit_are_told() {
        let it = tool("PUT", "/a/{id}", "text/plain");
        for (arguments, why) in [
            (json!({}), "the argument `id` is missing"),
            (json!({ "id": null }), "the argument `id` is missing"),
            (json!({ "id": "a", "more": 1 }), "there is no argument `more`"),
            (json!({ "id": ".." }), "the argument `id` cannot be `..`"),
            (json!({ "id": "" }), "the argument `id` cannot be empty"),
            (json!({ "id": "a", "body": {} }), "the argument `body` must be a string"),
            (
                json!({ "id": "a", "x-trace": "a\r\nb: c" }),
                "the argument `x-trace` cannot be sent as a header",
            ),
        ] {
            assert_eq!(call(&it, arguments), why);
        }
        let it = tool("POST", "/a", "application/x-www-form-urlencoded");
        assert_eq!(call(&it, json!({ "body": 1 })), "the argument `body` must be an object");
        assert_eq!(
            call(&it, json!({ "body": { "a b": ["1", 2], "c": "&" } })),
            "POST /a? application/x-www-form-urlencoded: a%20b=1&a%20b=2&c=%26"
        );
    }

    #[test]
    fn a_catch_all_keeps_its_slashes_and_never_climbs() {
        let it = tool("GET", "/f/{*rest}", "application/json");
        assert_eq!(call(&it, json!({ "rest": "a/b c" })), "GET /f/a/b%20c?");
        assert_eq!(call(&it, json!({ "rest": "a/../b" })), "the argument `rest` cannot be `..`");
    }

    proptest::proptest! {
        #[test]
        fn no_argument_leaves_its_segment(text in ".{1,24}") {
            let it = tool("GET", "/a/{id}/b", "application/json");
            if let Ok(call) = it.http_call(json!({ "id": text }).as_object().unwrap()) {
                let segments: Vec<&str> = call.path.split('/').collect();
                proptest::prop_assert_eq!(segments.len(), 4);
                proptest::prop_assert!(!segments.contains(&"..") && !segments.contains(&"."));
                proptest::prop_assert!(!call.path.contains(['?', '#', ' ']));
            }
        }
    }
}
