//! Values of scalars and enums in a response.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Scalars>

use apollo_compiler::schema::{EnumType, ExtendedType};
use serde_json::{Number, Value};

/// The value as its type has it; an error tells what was wanted, never the value.
///
/// What loses nothing is converted: `1.0` for `Int`, numbers and booleans for `String`, whole
/// numbers for `ID`. Custom scalars may be anything.
pub(super) fn leaf(ty: &ExtendedType, value: Value) -> Result<Value, String> {
    match ty {
        ExtendedType::Enum(it) => word(it, value),
        ExtendedType::Scalar(it) => match it.name.as_str() {
            "Int" => int(value),
            "Float" => float(value),
            "String" => text(value),
            "Boolean" => boolean(value),
            "ID" => id(value),
            _ => Ok(value),
        },
        _ => Err(format!("an object of the type `{}`", ty.name())),
    }
}

fn word(wanted: &EnumType, value: Value) -> Result<Value, String> {
    match value.as_str() {
        Some(word) if wanted.values.contains_key(word) => Ok(value),
        _ => Err(format!("a value of the enum `{}`", wanted.name)),
    }
}

fn int(value: Value) -> Result<Value, String> {
    let whole = value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < 4_294_967_296.0)?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 33 bits")]
        Some(float as i64)
    });
    let int = whole.and_then(|it| i32::try_from(it).ok());
    int.map(Value::from).ok_or_else(|| "an `Int`".to_owned())
}

fn float(value: Value) -> Result<Value, String> {
    match value.as_f64() {
        Some(it) if it.is_finite() => Ok(value),
        _ => Err("a `Float`".to_owned()),
    }
}

fn text(value: Value) -> Result<Value, String> {
    match value {
        Value::String(_) => Ok(value),
        Value::Number(number) => Ok(Value::String(number.to_string())),
        Value::Bool(it) => Ok(Value::String(it.to_string())),
        _ => Err("a `String`".to_owned()),
    }
}

fn boolean(value: Value) -> Result<Value, String> {
    if value.is_boolean() { Ok(value) } else { Err("a `Boolean`".to_owned()) }
}

fn id(value: Value) -> Result<Value, String> {
    let is_whole = |it: &Number| it.is_i64() || it.is_u64();
    match value {
        Value::String(_) => Ok(value),
        Value::Number(number) if is_whole(&number) => Ok(Value::String(number.to_string())),
        _ => Err("an `ID`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Schema;

    fn of(ty: &str, value: Value) -> String {
        let sdl =
            "type Query { a: Any i: Int f: Float b: Boolean d: ID } scalar Any enum E { X Y }";
        let schema = Schema::parse(sdl).unwrap();
        match leaf(&schema.definitions().types[ty], value) {
            Ok(value) => value.to_string(),
            Err(wanted) => wanted,
        }
    }

    #[test]
    fn what_loses_nothing_is_converted_and_the_rest_is_refused() {
        for (ty, value, expected) in [
            ("Int", json!(1), "1"),
            ("Int", json!(-2.0), "-2"),
            ("Int", json!(1.5), "an `Int`"),
            ("Int", json!(2_147_483_648_i64), "an `Int`"),
            ("Int", json!(1e300), "an `Int`"),
            ("Int", json!("1"), "an `Int`"),
            ("Float", json!(1), "1"),
            ("Float", json!(1.5), "1.5"),
            ("Float", json!("x"), "a `Float`"),
            ("String", json!("x"), "\"x\""),
            ("String", json!(1.5), "\"1.5\""),
            ("String", json!(true), "\"true\""),
            ("String", json!([]), "a `String`"),
            ("Boolean", json!(true), "true"),
            ("Boolean", json!(1), "a `Boolean`"),
            ("ID", json!(7), "\"7\""),
            ("ID", json!("x"), "\"x\""),
            ("ID", json!(1.5), "an `ID`"),
            ("E", json!("X"), "\"X\""),
            ("E", json!("Z"), "a value of the enum `E`"),
            ("Any", json!({ "a": [1] }), "{\"a\":[1]}"),
            ("Query", json!(1), "an object of the type `Query`"),
        ] {
            assert_eq!(of(ty, value), expected, "{ty}");
        }
    }
}
