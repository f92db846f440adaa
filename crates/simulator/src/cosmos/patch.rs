//! Partial changes of a document: add, set, replace, remove and increment at a path.
//!
//! Source: <https://learn.microsoft.com/azure/cosmos-db/partial-document-update>

use serde_json::{Map, Number, Value};

/// Most operations of one request.
const MAX_OPERATIONS: usize = 10;

/// The document after the operations; conditions are not offered.
pub(super) fn apply(
    document: Map<String, Value>,
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    if body.contains_key("condition") {
        return Err("The stand-in does not offer conditions.".to_owned());
    }
    let operations = body.get("operations").and_then(Value::as_array);
    let operations = operations.ok_or("The request has no operations.")?;
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return Err("A request has 1 to 10 operations.".to_owned());
    }
    let mut document = Value::Object(document);
    for operation in operations {
        let text = |name| operation.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = text("path");
        let (above, last) = path.rsplit_once('/').ok_or("A path begins with `/`.")?;
        let place = document.pointer_mut(above).ok_or("The path does not exist.")?;
        one(place, text("op"), last, operation.get("value"))?;
    }
    match document {
        Value::Object(document) => Ok(document),
        _ => Err("The document is no object.".to_owned()),
    }
}

fn one(place: &mut Value, op: &str, last: &str, value: Option<&Value>) -> Result<(), String> {
    let missing = || format!("`{last}` does not exist.");
    if let (Value::Array(items), "add") = (&mut *place, op) {
        let value = value.cloned().ok_or("The operation has no value.")?;
        let at = if last == "-" { Some(items.len()) } else { last.parse().ok() };
        let at = at.filter(|it| *it <= items.len()).ok_or_else(missing)?;
        items.insert(at, value);
        return Ok(());
    }
    if let (Value::Array(items), "remove") = (&mut *place, op) {
        let at = last.parse().ok().filter(|it: &usize| *it < items.len()).ok_or_else(missing)?;
        items.remove(at);
        return Ok(());
    }
    let has_it = match &*place {
        Value::Object(object) => object.contains_key(last),
        Value::Array(items) => last.parse().is_ok_and(|it: usize| it < items.len()),
        _ => return Err(missing()),
    };
    if op == "remove" {
        return match place.as_object_mut().and_then(|it| it.remove(last)) {
            Some(_) => Ok(()),
            None => Err(missing()),
        };
    }
    let value = value.cloned().ok_or("The operation has no value.")?;
    let value = match op {
        "add" | "set" => value,
        "replace" if has_it => value,
        "incr" => sum(place.get(last), &value)?,
        "replace" => return Err(missing()),
        _ => return Err(format!("The operation `{op}` is unknown.")),
    };
    match place {
        Value::Object(object) => {
            object.insert(last.to_owned(), value);
        }
        Value::Array(items) => {
            let at = last.parse::<usize>().ok();
            *at.and_then(|it| items.get_mut(it)).ok_or_else(missing)? = value;
        }
        _ => return Err(missing()),
    }
    Ok(())
}

fn sum(before: Option<&Value>, by: &Value) -> Result<Value, String> {
    let zero = Value::from(0);
    let before = before.unwrap_or(&zero);
    if let (Some(before), Some(by)) = (before.as_i64(), by.as_i64())
        && let Some(sum) = before.checked_add(by)
    {
        return Ok(Value::from(sum));
    }
    let sum = before.as_f64().zip(by.as_f64()).and_then(|(a, b)| Number::from_f64(a + b));
    sum.map(Value::Number).ok_or_else(|| "What is incremented is a number.".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_changed_in_parts() {
        let document = json!({ "id": "1", "a": { "b": 1 }, "l": [1, 2] });
        for (operation, expected) in [
            (json!({ "op": "set", "path": "/a/c", "value": 2 }), "{\"b\":1,\"c\":2}[1,2]"),
            (json!({ "op": "incr", "path": "/a/b", "value": 2 }), "{\"b\":3}[1,2]"),
            (json!({ "op": "incr", "path": "/a/b", "value": 0.5 }), "{\"b\":1.5}[1,2]"),
            (json!({ "op": "add", "path": "/l/-", "value": 3 }), "{\"b\":1}[1,2,3]"),
            (json!({ "op": "replace", "path": "/l/0", "value": 3 }), "{\"b\":1}[3,2]"),
            (json!({ "op": "remove", "path": "/l/0" }), "{\"b\":1}[2]"),
            (json!({ "op": "remove", "path": "/a/b" }), "{}[1,2]"),
            (json!({ "op": "remove", "path": "/a/x" }), "`x` does not exist."),
            (json!({ "op": "replace", "path": "/a/x", "value": 1 }), "`x` does not exist."),
            (json!({ "op": "set", "path": "/z/x", "value": 1 }), "The path does not exist."),
            (json!({ "op": "turn", "path": "/a", "value": 1 }), "The operation `turn` is unknown."),
        ] {
            let body = json!({ "operations": [operation] });
            let document = document.as_object().unwrap().clone();
            let got = match apply(document, body.as_object().unwrap()) {
                Ok(it) => format!("{}{}", it["a"], it["l"]),
                Err(problem) => problem,
            };
            assert_eq!(got, expected, "{body}");
        }
    }
}
