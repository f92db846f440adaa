//! The values of parameters: files of them, and what a template demands of them.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/parameter-files>

use serde_json::{Map, Value};

use crate::fault::{Fault, Missing, Problem};
use crate::functions::{display, kind, member};

/// Reads a parameter file: `{"parameters": {"name": {"value": …}}}`. A parameter that a Key Vault
/// holds is a problem: nothing is fetched.
pub fn read_parameters(file: &Value) -> (Map<String, Value>, Vec<Problem>) {
    let mut values = Map::new();
    let mut problems = Vec::new();
    let Some(all) = file.get("parameters").and_then(Value::as_object) else {
        let message = "no parameter file: it has no object `parameters`".to_owned();
        problems.push(Problem { at: "parameters".to_owned(), message, missing: None });
        return (values, problems);
    };
    for (name, parameter) in all {
        match parameter.get("value") {
            Some(value) => {
                values.insert(name.clone(), value.clone());
            }
            None => problems.push(Problem {
                at: format!("parameters.{name}"),
                message: format!(
                    "parameter `{name}` is no value: a secret of Key Vault is not fetched"
                ),
                missing: Some(Missing::Parameter(name.clone())),
            }),
        }
    }
    (values, problems)
}

/// The value of a parameter that was given as text: the text itself for a string, else JSON.
///
/// # Errors
///
/// A message, if the text is no JSON of the kind that the template wants.
pub fn parameter_of_text(template: &Value, name: &str, text: &str) -> Result<Value, String> {
    let declared = template.get("parameters").and_then(Value::as_object);
    let declared = declared.and_then(|it| member(it, name));
    let kind = declared.and_then(|it| it.get("type")).and_then(Value::as_str).unwrap_or_default();
    match kind.to_lowercase().as_str() {
        "int" | "bool" | "object" | "secureobject" | "array" => {
            serde_json::from_str(text).map_err(|problem| {
                format!("parameter `{name}` of type `{kind}`: not valid JSON: {problem}")
            })
        }
        _ => Ok(text.into()),
    }
}

/// Checks a value against the declaration of its parameter.
pub(crate) fn check(name: &str, declared: &Value, value: &Value) -> Result<(), Fault> {
    let kinds = declared.get("type").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let fits = match kinds.as_str() {
        "string" | "securestring" => value.is_string(),
        "int" => value.is_i64(),
        "bool" => value.is_boolean(),
        "object" | "secureobject" => value.is_object(),
        "array" => value.is_array(),
        // A type of the template's own.
        _ => true,
    };
    let is_null = value.is_null() && declared.get("nullable") == Some(&Value::Bool(true));
    if !fits && !is_null {
        let is = kind(value);
        return Err(Fault::wrong(format!("parameter `{name}` is {is}, its type is `{kinds}`")));
    }
    if let Some(allowed) = declared.get("allowedValues").and_then(Value::as_array) {
        let is_list = value.as_array().is_some_and(|it| it.iter().all(|it| allowed.contains(it)));
        if !allowed.contains(value) && !is_list {
            let texts: Vec<String> =
                allowed.iter().map(|it| format!("`{}`", display(it))).collect();
            return Err(Fault::wrong(format!(
                "parameter `{name}` has none of the values that are allowed: {}",
                texts.join(", ")
            )));
        }
    }
    bounds(name, declared, value)
}

fn bounds(name: &str, declared: &Value, value: &Value) -> Result<(), Fault> {
    let bound = |key: &str| declared.get(key).and_then(Value::as_i64);
    let length = match value {
        Value::String(text) => Some(text.encode_utf16().count()),
        Value::Array(array) => Some(array.len()),
        _ => None,
    };
    let length = length.and_then(|it| i64::try_from(it).ok());
    for (amount, what, least, most) in [
        (length, "length", bound("minLength"), bound("maxLength")),
        (value.as_i64(), "value", bound("minValue"), bound("maxValue")),
    ] {
        let Some(amount) = amount else { continue };
        if least.is_some_and(|it| amount < it) {
            return Err(Fault::wrong(format!(
                "parameter `{name}`: its {what} {amount} is too small"
            )));
        }
        if most.is_some_and(|it| amount > it) {
            return Err(Fault::wrong(format!(
                "parameter `{name}`: its {what} {amount} is too large"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_held_against_their_declaration() {
        for (declared, value, message) in [
            (json!({"type":"string"}), json!("a"), ""),
            (
                json!({"type":"String","maxLength":2}),
                json!("abc"),
                "parameter `p`: its length 3 is too large",
            ),
            (
                json!({"type":"array","minLength":1}),
                json!([]),
                "parameter `p`: its length 0 is too small",
            ),
            (
                json!({"type":"int","minValue":2,"maxValue":3}),
                json!(4),
                "parameter `p`: its value 4 is too large",
            ),
            (json!({"type":"int"}), json!("4"), "parameter `p` is a string, its type is `int`"),
            (json!({"type":"bool","nullable":true}), json!(null), ""),
            (json!({"type":"bool"}), json!(null), "parameter `p` is null, its type is `bool`"),
            (
                json!({"type":"string","allowedValues":["a","b"]}),
                json!("c"),
                "parameter `p` has none of the values that are allowed: `a`, `b`",
            ),
            (json!({"type":"array","allowedValues":["a","b"]}), json!(["b"]), ""),
            (json!({"$ref":"#/definitions/x"}), json!(1), ""),
        ] {
            let told = match check("p", &declared, &value) {
                Ok(()) => String::new(),
                Err(Fault::Wrong(message)) => message,
                Err(Fault::Missing(it)) => it.to_string(),
            };
            assert_eq!(told, message, "{declared} {value}");
        }
    }

    #[test]
    fn texts_are_read_by_the_type_of_their_parameter() {
        let template = json!({"parameters": {"n": {"type": "int"}, "s": {"type": "string"}}});
        assert_eq!(parameter_of_text(&template, "N", "1"), Ok(json!(1)));
        assert_eq!(parameter_of_text(&template, "s", "1"), Ok(json!("1")));
        assert!(parameter_of_text(&template, "n", "one").is_err());
    }

    #[test]
    fn files_give_values_and_tell_of_secrets() {
        let (values, problems) = read_parameters(&json!({"parameters": {
            "a": {"value": 1},
            "b": {"reference": {"keyVault": {"id": "x"}, "secretName": "s"}},
        }}));
        assert_eq!(values, *json!({"a": 1}).as_object().unwrap());
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].missing, Some(Missing::Parameter("b".to_owned())));
        assert_eq!(read_parameters(&json!({})).1.len(), 1);
    }
}
