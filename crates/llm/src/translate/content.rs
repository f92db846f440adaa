//! Messages and their parts.

use serde_json::{Map, Value, json};

use super::request::Refused;

/// What the system says, and the turns of user and assistant. Turns of one role that follow each
/// other become one: the answers of tools must stand together.
pub(super) fn messages(messages: &[Value]) -> Result<(Option<Value>, Vec<Value>), Refused> {
    let mut system = Vec::new();
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        let content = message.get("content").filter(|it| !it.is_null());
        let param = format!("messages.[{n}].content");
        let (role, blocks) = match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => {
                system.extend(texts(content, &param)?);
                continue;
            }
            Some("user") => ("user", parts(content, &param)?),
            Some("assistant") => ("assistant", assistant(message, n)?),
            Some("tool") => ("user", vec![tool_result(message, n)?]),
            _ => {
                let message = "a message has the role system, developer, user, assistant or tool";
                return Err(Refused::new(format!("messages.[{n}].role"), message));
            }
        };
        match turns.last_mut() {
            Some((last, all)) if *last == role => all.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    let system = match system.as_slice() {
        [] => None,
        [one] => one.get("text").cloned(),
        _ => Some(system.into()),
    };
    let turns = turns.into_iter().filter(|(_, blocks)| !blocks.is_empty());
    Ok((system, turns.map(|(role, it)| json!({ "role": role, "content": it })).collect()))
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

/// Blocks of text; empty ones are no blocks for the other API.
fn texts(content: Option<&Value>, param: &str) -> Result<Vec<Value>, Refused> {
    let blocks = parts(content, param)?;
    match blocks.iter().all(|it| it.get("text").is_some()) {
        true => Ok(blocks),
        false => Err(Refused::new(param, "only text can stand here")),
    }
}

fn parts(content: Option<&Value>, param: &str) -> Result<Vec<Value>, Refused> {
    let all = match content {
        None => return Ok(Vec::new()),
        Some(Value::String(it)) if it.is_empty() => return Ok(Vec::new()),
        Some(Value::String(it)) => return Ok(vec![text(it)]),
        Some(Value::Array(all)) => all,
        Some(_) => return Err(Refused::new(param, "`content` is a text or a list of parts")),
    };
    let mut blocks = Vec::new();
    for it in all {
        let member = |name: &str| it.get(name).and_then(Value::as_str);
        match member("type") {
            Some(kind @ ("text" | "refusal")) => match member(kind).unwrap_or_default() {
                "" => {}
                it => blocks.push(text(it)),
            },
            Some("image_url") => blocks.push(image(it, param)?),
            Some("file") => blocks.push(file(it, param)?),
            other => {
                let message = format!(
                    "parts of type `{}` are not known to this model's API",
                    other.unwrap_or_default()
                );
                return Err(Refused::new(param, message));
            }
        }
    }
    Ok(blocks)
}

fn image(part: &Value, param: &str) -> Result<Value, Refused> {
    let url = part.get("image_url").and_then(|it| it.get("url")).and_then(Value::as_str);
    let url = url.ok_or_else(|| Refused::new(param, "an image has no `image_url.url`"))?;
    let source = match of_data_url(url) {
        Some((media_type, data)) => {
            json!({ "type": "base64", "media_type": media_type, "data": data })
        }
        None => json!({ "type": "url", "url": url }),
    };
    Ok(json!({ "type": "image", "source": source }))
}

fn file(part: &Value, param: &str) -> Result<Value, Refused> {
    let file = part.get("file");
    let data = file.and_then(|it| it.get("file_data")).and_then(Value::as_str);
    let Some((media_type, data)) = data.and_then(of_data_url) else {
        let message = "a file must be in the request, as a `data:` URL in `file.file_data`";
        return Err(Refused::new(param, message));
    };
    let mut document = Map::new();
    document.insert("type".to_owned(), "document".into());
    let source = json!({ "type": "base64", "media_type": media_type, "data": data });
    document.insert("source".to_owned(), source);
    if let Some(name) = file.and_then(|it| it.get("filename")).filter(|it| !it.is_null()) {
        document.insert("title".to_owned(), name.clone());
    }
    Ok(Value::Object(document))
}

/// Type and content of `data:TYPE;base64,CONTENT`.
fn of_data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?, data))
}

fn assistant(message: &Value, n: usize) -> Result<Vec<Value>, Refused> {
    let content = message.get("content").filter(|it| !it.is_null());
    let mut blocks = texts(content, &format!("messages.[{n}].content"))?;
    if let Some(refusal) = message.get("refusal").and_then(Value::as_str) {
        blocks.push(text(refusal));
    }
    let calls = message.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
    for (k, call) in calls.enumerate() {
        let param = || format!("messages.[{n}].tool_calls.[{k}]");
        let Some(function) = call.get("function") else {
            return Err(Refused::new(param(), "only calls of functions are known"));
        };
        let arguments = function.get("arguments").and_then(Value::as_str).unwrap_or_default();
        let input = match arguments.trim() {
            "" => json!({}),
            text => serde_json::from_str(text).unwrap_or_default(),
        };
        if !input.is_object() {
            return Err(Refused::new(param(), "the arguments of a call are no JSON object"));
        }
        let (id, name) = (call.get("id"), function.get("name"));
        blocks.push(json!({ "type": "tool_use", "id": id, "name": name, "input": input }));
    }
    Ok(blocks)
}

fn tool_result(message: &Value, n: usize) -> Result<Value, Refused> {
    let Some(id) = message.get("tool_call_id").filter(|it| it.is_string()) else {
        let param = format!("messages.[{n}].tool_call_id");
        return Err(Refused::new(param, "`tool_call_id` is missing"));
    };
    let param = format!("messages.[{n}].content");
    let content = texts(message.get("content").filter(|it| !it.is_null()), &param)?;
    Ok(json!({ "type": "tool_result", "tool_use_id": id, "content": content }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_cannot_be_passed_on_are_refused() {
        for (message, param) in [
            (
                json!({ "role": "user", "content": [{ "type": "input_audio" }] }),
                "messages.[0].content",
            ),
            (
                json!({ "role": "user", "content": [{ "type": "image_url" }] }),
                "messages.[0].content",
            ),
            (
                json!({ "role": "user", "content": [{ "type": "file", "file": { "file_id": "f" } }] }),
                "messages.[0].content",
            ),
            (json!({ "role": "user", "content": 1 }), "messages.[0].content"),
            (json!({ "role": "function", "content": "x" }), "messages.[0].role"),
            (json!({ "role": "tool", "content": "x" }), "messages.[0].tool_call_id"),
            (
                json!({ "role": "system", "content": [{ "type": "image_url", "image_url": { "url": "x" } }] }),
                "messages.[0].content",
            ),
            (
                json!({ "role": "assistant", "tool_calls": [{ "id": "1", "function": { "name": "f", "arguments": "[1]" } }] }),
                "messages.[0].tool_calls.[0]",
            ),
            (
                json!({ "role": "assistant", "tool_calls": [{ "id": "1" }] }),
                "messages.[0].tool_calls.[0]",
            ),
        ] {
            assert_eq!(
                messages(std::slice::from_ref(&message)).unwrap_err().param,
                param,
                "{message}"
            );
        }
    }
}
