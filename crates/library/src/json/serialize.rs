//! Making JSON of .NET values: `JsonConvert.SerializeObject`, `JToken.FromObject`.
//!
//! Lists become arrays, dictionaries and objects become objects: an object of the library by its
//! readable properties, in the order of its rows.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/SerializationGuide.htm>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, MemberKind, base_types, definition, is_reference_convertible};
use clr::types::{Type, names};
use clr::value::KeyValuePair;
use clr::value::{Anonymous, Value};
use tree::json::{Scalar, Token};

use super::{guid_name, scalar_in, scalar_of, token_of as as_token};

/// How values are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    /// Are members left out that are null?
    pub(super) skip_nulls: bool,
}

/// The token of a value.
///
/// # Errors
///
/// What reading a property throws; a limit.
pub(super) fn token_of(
    value: &Value,
    options: Options,
    cx: &mut EvalCx<'_>,
) -> Result<Token, Exception> {
    cx.step()?;
    cx.allocate(super::TOKEN_BYTES)?;
    if let Some(token) = as_token(value) {
        cx.allocate(token.weight())?;
        return Ok(token.deep_clone());
    }
    if let Some(scalar) = scalar_in(value, cx.runtime()) {
        return Ok(Token::value(scalar));
    }
    if let Some(node) = crate::xml::node_of(value) {
        cx.allocate(node.weight())?;
        return Ok(tree::xml::to_json(node, false)?);
    }
    if let Some(it) = value.as_object::<Anonymous>() {
        let members: Vec<(String, Value)> =
            it.members().map(|(name, value)| (name.into_owned(), value.clone())).collect();
        return object(members, options, cx);
    }
    let modern = cx.runtime() == dotnet::Runtime::Modern;
    if modern && value.runtime_type().is_named("System.Version") {
        return Ok(Token::value(Scalar::String((&*value.to_text()).into())));
    }
    cx.deeper(1, |cx| match value {
        Value::Array(_) | Value::List(_) | Value::Sequence(_) => array(value, options, cx),
        Value::Func(_) => Err(Exception::new(
            "Newtonsoft.Json.JsonSerializationException",
            "Delegates cannot be serialized.",
        )),
        _ if is(value, names::IDICTIONARY) || is(value, names::IREADONLYDICTIONARY) => {
            let pairs = value.collect(cx)?;
            let member = |it: &Value| {
                let pair = it.as_object::<KeyValuePair>()?;
                Some((key_text(&pair.key), pair.value.clone()))
            };
            let members = pairs.iter().filter_map(member).collect();
            object(members, options, cx)
        }
        _ if is(value, names::IENUMERABLE_PLAIN) => array(value, options, cx),
        _ => properties(value, options, cx),
    })
}

/// Does the type of the value have this interface, whatever its arguments?
fn is(value: &Value, interface: &'static str) -> bool {
    fn has(of: Type, interface: &str, depth: usize) -> bool {
        of.is_named(interface)
            || (depth < 8 && base_types(of).into_iter().any(|it| has(it, interface, depth + 1)))
    }
    let own = value.runtime_type();
    if interface == names::IENUMERABLE_PLAIN {
        return is_reference_convertible(own, Type::named(interface));
    }
    has(own, interface, 0)
}

fn key_text(key: &Value) -> String {
    match key {
        Value::Guid(it) => guid_name(*it),
        Value::DateTime(_) | Value::DateTimeOffset(_) => {
            let text = scalar_of(key).map(|it| tree::json::write_scalar(&it));
            text.unwrap_or_default().trim_matches('"').to_owned()
        }
        other => other.to_text().into_owned(),
    }
}

fn array(value: &Value, options: Options, cx: &mut EvalCx<'_>) -> Result<Token, Exception> {
    let array = Token::array();
    for item in value.collect(cx)? {
        array.add(token_of(&item, options, cx)?)?;
    }
    Ok(array)
}

fn object(
    members: Vec<(String, Value)>,
    options: Options,
    cx: &mut EvalCx<'_>,
) -> Result<Token, Exception> {
    let object = Token::object();
    for (name, value) in members {
        if options.skip_nulls && value.is_null() {
            continue;
        }
        let token = token_of(&value, options, cx)?;
        object.set(&name, Some(&token))?;
    }
    Ok(object)
}

/// An object of the library by its readable properties.
fn properties(value: &Value, options: Options, cx: &mut EvalCx<'_>) -> Result<Token, Exception> {
    let own = value.runtime_type();
    let Some(def) = own.definition_name().and_then(definition) else {
        return Ok(Token::value(Scalar::from(value.to_text().as_ref())));
    };
    let arguments = if let Type::Named(_, list) = own { list } else { &[] };
    let mut members = Vec::new();
    let readable =
        |it: &&Member| it.kind == MemberKind::Property && it.listed && it.is_of(arguments);
    for row in def.members.iter().filter(readable) {
        let returns = row.returns.substitute(arguments, &[]);
        let mut values = [value.clone()];
        let mut args = Args::new(row, &mut values, arguments, &[], returns);
        members.push((row.name.to_owned(), (row.call)(&mut args, cx)?));
    }
    if members.is_empty() && def.members.is_empty() {
        return Ok(Token::value(Scalar::from(value.to_text().as_ref())));
    }
    object(members, options, cx)
}

#[cfg(test)]
mod tests {
    use clr::types::{Type, anonymous};
    use clr::value::KeyValuePair;
    use clr::value::{Anonymous, Value};
    use tree::json::Formatting;

    use super::{Options, token_of};
    use crate::test_support::with_cx;

    fn written(value: &Value, skip_nulls: bool) -> String {
        with_cx(|cx| token_of(value, Options { skip_nulls }, cx).unwrap().to_json(Formatting::None))
    }

    #[test]
    fn values_of_every_kind_are_written() {
        let pair = KeyValuePair::new([Type::String, Type::Int32], "k".into(), 1.into());
        let cases = [
            (Value::from(1), "1"),
            (Value::from(1.0), "1.0"),
            (Value::from("a\"b"), r#""a\"b""#),
            (Value::Null, "null"),
            (Value::from(vec![1_u8, 2, 3]), r#""AQID""#),
            (Value::list(Type::Object, vec![1.into(), "a".into(), Value::Null]), r#"[1,"a",null]"#),
            (Value::object(pair), r#"{"Key":"k","Value":1}"#),
        ];
        for (value, text) in cases {
            assert_eq!(written(&value, false), text);
        }
    }

    #[test]
    fn anonymous_objects_are_written_by_their_members() {
        let ty = anonymous(vec![("a".to_owned(), Type::Int32), ("b".to_owned(), Type::String)]);
        let value = Value::object(Anonymous::new(ty, vec![1.into(), Value::Null]));

        assert_eq!(written(&value, false), r#"{"a":1,"b":null}"#);
        assert_eq!(written(&value, true), r#"{"a":1}"#);
    }
}
