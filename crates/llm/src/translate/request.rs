//! A request of Chat Completions as one of the Messages API.

use serde_json::{Map, Value, json};

use super::content;

/// Why a request cannot be made for the other API. The text is for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What is wrong.
    pub message: String,
    /// The member of the request that it is about.
    pub param: String,
}

impl Refused {
    pub(super) fn new(param: impl Into<String>, message: impl Into<String>) -> Refused {
        Refused { message: message.into(), param: param.into() }
    }

    fn unknown(param: &str) -> Refused {
        Refused::new(param, format!("`{param}` is not known to this model's API"))
    }
}

/// The request for the model of this name. `max_tokens` is used where the request gives no bound.
///
/// # Errors
///
/// It is no request of Chat Completions, or asks for what the Messages API does not have.
pub fn to_messages(body: &[u8], model: &str, max_tokens: u64) -> Result<Value, Refused> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| Refused::new("", "the body of the request is no JSON"))?;
    let Value::Object(body) = body else {
        return Err(Refused::new("", "the body of the request is no JSON object"));
    };
    let body: Map<String, Value> = body.into_iter().filter(|(_, it)| !it.is_null()).collect();
    refuse(&body)?;
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages.ok_or_else(|| Refused::new("messages", "`messages` is missing"))?;
    let (system, messages) = content::messages(messages)?;

    let mut made = Map::new();
    made.insert("model".to_owned(), model.into());
    let bound = body.get("max_completion_tokens").or_else(|| body.get("max_tokens"));
    made.insert("max_tokens".to_owned(), bound.cloned().unwrap_or_else(|| max_tokens.into()));
    if let Some(system) = system {
        made.insert("system".to_owned(), system);
    }
    made.insert("messages".to_owned(), messages.into());
    for key in ["top_p", "stream"] {
        if let Some(value) = body.get(key) {
            made.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(temperature) = body.get("temperature").and_then(Value::as_f64) {
        // 0 to 2 in the one, 0 to 1 in the other.
        made.insert("temperature".to_owned(), json!(temperature.min(1.0)));
    }
    match body.get("stop") {
        Some(Value::String(one)) => drop(made.insert("stop_sequences".to_owned(), json!([one]))),
        Some(several) => drop(made.insert("stop_sequences".to_owned(), several.clone())),
        None => {}
    }
    if let Some(user) = body.get("user") {
        made.insert("metadata".to_owned(), json!({ "user_id": user }));
    }
    tools(&body, &mut made)?;
    if let Some(format) = body.get("response_format") {
        response_format(format, &mut made)?;
    }
    Ok(Value::Object(made))
}

/// Refuses what would change the answer if it were left out.
fn refuse(body: &Map<String, Value>) -> Result<(), Refused> {
    if body.get("n").is_some_and(|it| it.as_u64() != Some(1)) {
        return Err(Refused::new("n", "this model gives one answer: `n` can only be 1"));
    }
    if body.get("logprobs").is_some_and(|it| it.as_bool() != Some(false)) {
        return Err(Refused::unknown("logprobs"));
    }
    for key in ["audio", "functions", "function_call", "web_search_options", "top_logprobs"] {
        if body.contains_key(key) {
            return Err(Refused::unknown(key));
        }
    }
    let modalities = body.get("modalities").and_then(Value::as_array).into_iter().flatten();
    match modalities.into_iter().any(|it| it != "text") {
        true => Err(Refused::new("modalities", "this model answers in text alone")),
        false => Ok(()),
    }
}

fn tools(body: &Map<String, Value>, made: &mut Map<String, Value>) -> Result<(), Refused> {
    let mut tools = Vec::new();
    for (n, tool) in body.get("tools").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let function =
            tool.get("function").filter(|_| tool.get("type").is_none_or(|it| it == "function"));
        let Some(name) = function.and_then(|it| it.get("name")) else {
            let message = format!("tool {n} is no function: this model knows no other tools");
            return Err(Refused::new("tools", message));
        };
        let function = function.unwrap_or(tool);
        let mut it = Map::new();
        it.insert("name".to_owned(), name.clone());
        if let Some(description) = function.get("description").filter(|it| !it.is_null()) {
            it.insert("description".to_owned(), description.clone());
        }
        let schema = function.get("parameters").filter(|it| !it.is_null()).cloned();
        let schema = schema.unwrap_or_else(|| json!({ "type": "object", "properties": {} }));
        it.insert("input_schema".to_owned(), schema);
        if function.get("strict").and_then(Value::as_bool) == Some(true) {
            it.insert("strict".to_owned(), true.into());
        }
        tools.push(Value::Object(it));
    }
    if tools.is_empty() {
        return Ok(());
    }
    made.insert("tools".to_owned(), tools.into());
    let mut choice = match body.get("tool_choice") {
        None => None,
        Some(choice) => Some(tool_choice(choice)?),
    };
    if body.get("parallel_tool_calls").and_then(Value::as_bool) == Some(false) {
        let choice = choice.get_or_insert_with(|| json!({ "type": "auto" }));
        if let Some(it) =
            choice.as_object_mut().filter(|it| it.get("type").is_some_and(|it| it != "none"))
        {
            it.insert("disable_parallel_tool_use".to_owned(), true.into());
        }
    }
    if let Some(choice) = choice {
        made.insert("tool_choice".to_owned(), choice);
    }
    Ok(())
}

fn tool_choice(choice: &Value) -> Result<Value, Refused> {
    let name = choice.get("function").and_then(|it| it.get("name"));
    match (choice.as_str(), name) {
        (Some("auto"), _) => Ok(json!({ "type": "auto" })),
        (Some("none"), _) => Ok(json!({ "type": "none" })),
        (Some("required"), _) => Ok(json!({ "type": "any" })),
        (None, Some(name)) => Ok(json!({ "type": "tool", "name": name })),
        _ => {
            Err(Refused::new("tool_choice", "this `tool_choice` is not known to this model's API"))
        }
    }
}

fn response_format(format: &Value, made: &mut Map<String, Value>) -> Result<(), Refused> {
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(()),
        Some("json_schema") => {
            let schema = format.get("json_schema").and_then(|it| it.get("schema"));
            let schema = schema.ok_or_else(|| {
                Refused::new("response_format", "`response_format` has no `json_schema.schema`")
            })?;
            let format = json!({ "format": { "type": "json_schema", "schema": schema } });
            made.insert("output_config".to_owned(), format);
            Ok(())
        }
        _ => Err(Refused::new(
            "response_format",
            "this model's API knows `response_format` of `text` and `json_schema` alone",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> (String, String) {
        let Refused { message, param } = to_messages(body.as_bytes(), "m", 9).unwrap_err();
        (param, message)
    }

    #[test]
    fn what_the_other_api_cannot_do_is_refused() {
        for (more, param) in [
            (r#""n":2"#, "n"),
            (r#""logprobs":true"#, "logprobs"),
            (r#""modalities":["text","audio"]"#, "modalities"),
            (r#""functions":[]"#, "functions"),
            (r#""response_format":{"type":"json_object"}"#, "response_format"),
            (r#""response_format":{"type":"json_schema"}"#, "response_format"),
            (r#""tools":[{"type":"custom","custom":{"name":"x"}}]"#, "tools"),
            (
                r#""tools":[{"type":"function","function":{"name":"x"}}],"tool_choice":"maybe""#,
                "tool_choice",
            ),
        ] {
            let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{more}}}"#);
            assert_eq!(refused(&body).0, param, "{more}");
        }
        assert_eq!(refused("{}").1, "`messages` is missing");
        assert_eq!(refused("[]").1, "the body of the request is no JSON object");
        assert_eq!(refused("{").1, "the body of the request is no JSON");
    }

    #[test]
    fn hints_are_left_out_and_nulls_are_absent() {
        let body = br#"{"model":"a","messages":[{"role":"user","content":"x"}],"seed":1,"n":1,
            "frequency_penalty":0.5,"stop":null,"logprobs":false,"store":true}"#;
        let made = to_messages(body, "m", 9).unwrap();
        let expected = json!({ "model": "m", "max_tokens": 9,
            "messages": [{ "role": "user", "content": [{ "type": "text", "text": "x" }] }] });
        assert_eq!(made, expected);
    }
}
