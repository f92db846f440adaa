//! What a value of an expression is in JSON, for parameters of queries.

use expr::{EvalCx, Runtime, Value};
use pipeline::{Context, PolicyError};
use serde_json::Value as Json;
use tree::json::Formatting;

/// A value as JSON: objects and lists as they are, a literal as a text without white space around it.
pub(crate) fn json_value(value: &Value, context: &Context) -> Result<Json, PolicyError> {
    if let Value::String(text) = value {
        return Ok(Json::from(text.to_string().trim()));
    }
    let mut cx = EvalCx::new(context, Runtime::default(), expr::Limits::default());
    let tree = expr::json_tree(value, &mut cx)
        .map_err(|_| PolicyError::evaluation("A parameter of the query makes no JSON."))?;
    let text = tree.to_json(Formatting::None);
    serde_json::from_str(&text)
        .map_err(|_| PolicyError::evaluation("A parameter of the query makes no JSON."))
}
