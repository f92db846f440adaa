//! `Newtonsoft.Json.JsonConvert`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_JsonConvert.htm>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::Str;
use tree::json::{Formatting, Root, write_scalar};

use super::jtoken::{formatting, read};
use super::settings::{SERIALIZER_SETTINGS, serializer_settings};
use super::{FORMATTING, deserialize, scalar_of, serialize};
use crate::xml::{XDOCUMENT, XNODE, XNode};

const XML_PARAMS: &[&str] = &["node", "formatting", "omitRootObject"];

pub(crate) static TYPE: TypeDef = TypeDef::static_class("Newtonsoft.Json.JsonConvert", MEMBERS)
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_JsonConvert.htm");

const MEMBERS: &[Member] = &[
    Member::static_method("SerializeObject", &[Type::Object], Type::String, |args, cx| {
        let [value] = args.take()?;
        write(&value, Formatting::None, false, cx)
    })
    .params(&["value"])
    .doc("JSON text of an object."),
    Member::static_method("SerializeObject", &[Type::Object, FORMATTING], Type::String, |args, cx| {
        let [value, format] = args.take()?;
        write(&value, formatting(&format), false, cx)
    })
    .params(&["value", "formatting"]),
    Member::static_method(
        "SerializeObject",
        &[Type::Object, SERIALIZER_SETTINGS],
        Type::String,
        |args, cx| {
            let [value, settings] = args.take()?;
            let (skip_nulls, _, indented) = serializer_settings(&settings);
            let format = if indented { Formatting::Indented } else { Formatting::None };
            write(&value, format, skip_nulls, cx)
        },
    )
    .params(&["value", "settings"])
    .unlisted(),
    Member::static_method(
        "SerializeObject",
        &[Type::Object, FORMATTING, SERIALIZER_SETTINGS],
        Type::String,
        |args, cx| {
            let [value, format, settings] = args.take()?;
            write(&value, formatting(&format), serializer_settings(&settings).0, cx)
        },
    )
    .params(&["value", "formatting", "settings"])
    .unlisted(),
    Member::static_method("DeserializeObject", &[Type::String], Type::Object, |args, cx| {
        deserialized(args, Type::Object, cx)
    })
    .params(&["value"])
    .doc("Reads JSON text: a token, or the value of a simple one."),
    Member::static_method("DeserializeObject", &[Type::String], Type::M, |args, cx| {
        let to = args.method_arg(0);
        deserialized(args, to, cx)
    })
    .params(&["value"])
    .doc("Reads JSON text as an object of a type."),
    Member::static_method(
        "DeserializeObject",
        &[Type::String, SERIALIZER_SETTINGS],
        Type::M,
        |args, cx| {
            let to = args.method_arg(0);
            deserialized(args, to, cx)
        },
    )
    .params(&["value", "settings"])
    .unlisted(),
    Member::static_method("SerializeXNode", &[XNODE], Type::String, xml_as_json)
        .params(XML_PARAMS)
        .unlisted(),
    Member::static_method("SerializeXNode", &[XNODE, FORMATTING], Type::String, xml_as_json)
        .params(XML_PARAMS)
        .unlisted(),
    Member::static_method(
        "SerializeXNode",
        &[XNODE, FORMATTING, Type::Bool],
        Type::String,
        xml_as_json,
    )
    .params(XML_PARAMS)
    .unlisted(),
    Member::static_method("DeserializeXNode", &[Type::String], XDOCUMENT, json_as_xml)
        .params(&["value"])
        .unlisted(),
    Member::static_method("DeserializeXNode", &[Type::String, Type::String], XDOCUMENT, json_as_xml)
        .params(&["value", "deserializeRootElementName"])
        .unlisted(),
    Member::static_method("ToString", &[Type::Object], Type::String, |args, _| {
        let scalar = scalar_of(args.value(0)).ok_or_else(|| {
            Exception::argument(format!(
                "Unsupported type: {}. Use the JsonSerializer class to get the object's JSON representation.",
                args.value(0).type_name()
            ))
        })?;
        Ok(write_scalar(&scalar).into())
    })
    .params(&["value"])
    .unlisted(),
];

fn xml_as_json(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let format = formatting(args.value(1));
    let omit_root = args.value(2).as_bool().unwrap_or(false);
    let node: Arc<XNode> = args.arg(0)?;
    cx.allocate(node.weight())?;
    let text = tree::xml::to_json(&node, omit_root)?.to_json(format);
    cx.allocate(text.len())?;
    Ok(text.into())
}

fn json_as_xml(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let root = args.value(1).as_string().cloned();
    let text: Str = args.arg(0)?;
    let token = read(&text, Root::Deserialize, true, cx)?;
    let document = tree::xml::from_json(&token, root.as_ref().map(Str::as_str))?;
    cx.allocate(document.weight())?;
    Ok(crate::xml::object(document))
}

fn write(
    value: &Value,
    formatting: Formatting,
    skip_nulls: bool,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let text = match super::token_of(value) {
        Some(token) => token.to_json_as(formatting, cx.runtime()),
        None => {
            let token = serialize::token_of(value, serialize::Options { skip_nulls }, cx)?;
            token.to_json_as(formatting, cx.runtime())
        }
    };
    cx.allocate(text.len())?;
    Ok(text.into())
}

fn deserialized(args: &mut Args<'_>, to: Type, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (_, dates, _) = serializer_settings(args.value(1));
    let text: Str = args.arg(0)?;
    if text.as_str().trim().is_empty() {
        return empty(to);
    }
    let token = read(&text, Root::Deserialize, false, cx)?;
    deserialize::text_to(&token, to, dates, cx)
}

/// No text at all is null, or an error where there is no null.
fn empty(to: Type) -> Result<Value, Exception> {
    if to.accepts_null() {
        return Ok(Value::Null);
    }
    Err(Exception::new(
        "Newtonsoft.Json.JsonSerializationException",
        format!("No JSON content found and type '{}' is not nullable.", to.full_name()),
    ))
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;
    use tree::json::Formatting;

    use super::{deserialized, write};
    use crate::test_support::with_cx;

    #[test]
    fn text_is_written_and_read() {
        with_cx(|cx| {
            let list = Value::list(Type::Int32, vec![1.into()]);
            let text = write(&list, Formatting::Indented, false, cx).unwrap();
            assert_eq!(text.to_text(), "[\n  1\n]");

            let mut read = |text: &str| {
                let row = &super::MEMBERS[4];
                let mut values = [Value::from(text)];
                deserialized(
                    &mut Args::new(row, &mut values, &[], &[], Type::Object),
                    Type::Object,
                    cx,
                )
            };
            assert_eq!(read("[1,2]").unwrap().type_name(), "Newtonsoft.Json.Linq.JArray");
            assert_eq!(read("\"x\"").unwrap().type_name(), "System.String");
            assert!(read("null").unwrap().is_null() && read("").unwrap().is_null());
            let early = "Newtonsoft.Json.JsonSerializationException";
            assert_eq!(read("{").unwrap_err().type_name, early);
        });
    }
}
