//! `Newtonsoft.Json.Linq.JObject`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JObject.htm>

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::KeyValuePair;
use clr::value::Value;
use dotnet::Str;
use tree::json::{Kind, Root, Token};

use super::jcontainer::{construct, params};
use super::jtoken::{from_object, parse};
use super::settings::LOAD_SETTINGS;
use super::{
    COMPARISON, JCONTAINER, JOBJECT, JPROPERTY, JTOKEN, children, jenumerable, token, token_of,
    value,
};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::JOBJECT, MEMBERS)
    .bases(&[JCONTAINER])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JObject.htm");

const PROPERTIES: Type = Type::enumerable(&[JPROPERTY]);
const PAIR: Type = Type::Named(names::KEYVALUEPAIR, &[Type::String, JTOKEN]);

const MEMBERS: &[Member] = &[
    Member::constructor(&[], JOBJECT, |_, cx| {
        cx.allocate(super::TOKEN_BYTES)?;
        Ok(super::object(Token::object()))
    }),
    Member::constructor(&[JOBJECT], JOBJECT, |args, cx| {
        let it = token(args, 0)?;
        cx.allocate(it.weight())?;
        Ok(super::object(it.deep_clone()))
    })
    .params(&["other"]),
    Member::constructor(&[Type::Object], JOBJECT, |args, cx| {
        let [content] = args.take()?;
        construct(Token::object(), &[content], cx)
    })
    .params(&["content"]),
    Member::constructor(&[Type::Params(&Type::Object)], JOBJECT, |args, cx| {
        let parts = params(args.value(0), cx)?;
        construct(Token::object(), &parts, cx)
    })
    .params(&["content"]),
    Member::static_method("Parse", &[Type::String], JOBJECT, |args, cx| {
        parse(args, cx, Root::Object)
    })
    .params(&["json"])
    .doc("Reads a JSON object."),
    Member::static_method("Parse", &[Type::String, LOAD_SETTINGS], JOBJECT, |args, cx| {
        parse(args, cx, Root::Object)
    })
    .params(&["json", "settings"])
    .unlisted(),
    Member::static_method("FromObject", &[Type::Object], JOBJECT, |args, cx| {
        let [value] = args.take()?;
        let made = from_object(&value, cx)?;
        if made.kind() == Kind::Object {
            return Ok(super::object(made));
        }
        Err(Exception::argument(format!(
            "Object serialized to {}. JObject instance expected.",
            made.kind().name()
        )))
    })
    .params(&["o"])
    .doc("Makes a JSON object of an object."),
    Member::indexer(&[Type::String], JTOKEN, |args, _| {
        let (it, name) = (token(args, 0)?, args.arg::<Str>(1)?);
        Ok(value(it.get(name.as_str())))
    })
    .params(&["propertyName"])
    .set(|args, cx| {
        cx.allocate(2 * super::TOKEN_BYTES)?;
        let (it, name) = (token(args, 0)?, args.arg::<Str>(1)?);
        it.set(name.as_str(), token_of(args.value(2)))?;
        Ok(Value::Null)
    }),
    Member::method("Properties", &[], PROPERTIES, |args, _| {
        let it = token(args, 0)?;
        Ok(children(&it, JPROPERTY, |it| Some(super::object(it.clone()))))
    })
    .doc("The members, in order."),
    Member::method("PropertyValues", &[], jenumerable::OF_TOKENS, |args, _| {
        let it = token(args, 0)?;
        let all = children(&it, JTOKEN, |it| it.property_value().map(super::object));
        Ok(jenumerable::wrap(JTOKEN, all))
    }),
    Member::method("Property", &[Type::String], JPROPERTY, |args, _| {
        let (it, name) = (token(args, 0)?, args.arg::<Option<Str>>(1)?);
        Ok(value(name.and_then(|name| it.member(name.as_str()))))
    })
    .params(&["name"])
    .doc("The member of that name, or null."),
    Member::method("Property", &[Type::String, COMPARISON], JPROPERTY, |args, _| {
        Ok(value(compared(args)?))
    })
    .params(&["name", "comparison"]),
    Member::method("GetValue", &[Type::String], JTOKEN, |args, _| {
        let (it, name) = (token(args, 0)?, args.arg::<Option<Str>>(1)?);
        Ok(value(name.and_then(|name| it.get(name.as_str()))))
    })
    .params(&["propertyName"])
    .doc("The value of that name, or null."),
    Member::method("GetValue", &[Type::String, COMPARISON], JTOKEN, |args, _| {
        Ok(value(compared(args)?.and_then(|it| it.property_value())))
    })
    .params(&["propertyName", "comparison"]),
    Member::method("TryGetValue", &[Type::String, Type::Out(&JTOKEN)], Type::Bool, |args, _| {
        let (it, name) = (token(args, 0)?, args.arg::<Option<Str>>(1)?);
        let found = name.and_then(|name| it.get(name.as_str()));
        let is_found = found.is_some();
        args.set_out(2, value(found));
        Ok(is_found.into())
    })
    .params(&["propertyName", "value"])
    .doc("Gets the value of that name, if there is one."),
    Member::method(
        "TryGetValue",
        &[Type::String, COMPARISON, Type::Out(&JTOKEN)],
        Type::Bool,
        |args, _| {
            let found = compared(args)?.and_then(|it| it.property_value());
            let is_found = found.is_some();
            args.set_out(3, value(found));
            Ok(is_found.into())
        },
    )
    .params(&["propertyName", "comparison", "value"]),
    Member::method("Add", &[Type::String, JTOKEN], Type::Void, |args, cx| {
        cx.allocate(2 * super::TOKEN_BYTES)?;
        let (it, name) = (token(args, 0)?, args.arg::<Str>(1)?);
        let value = match args.value(2) {
            Value::Null => Token::value(tree::json::Scalar::Null),
            other => token_of(other).cloned().ok_or_else(Exception::null_reference)?,
        };
        it.add(Token::property(name.as_str(), value)?)?;
        Ok(Value::Null)
    })
    .params(&["propertyName", "value"])
    .doc("Adds a member."),
    Member::method("ContainsKey", &[Type::String], Type::Bool, |args, _| {
        let (it, name) = (token(args, 0)?, args.arg::<Str>(1)?);
        Ok(it.member(name.as_str()).is_some().into())
    })
    .params(&["propertyName"])
    .doc("Is there a member of that name?"),
    Member::method("Remove", &[Type::String], Type::Bool, |args, _| {
        let (it, name) = (token(args, 0)?, args.arg::<Option<Str>>(1)?);
        Ok(name.is_some_and(|name| it.remove_member(name.as_str())).into())
    })
    .params(&["propertyName"])
    .doc("Removes the member of that name; was it there?"),
    Member::method("GetEnumerator", &[], Type::Named(names::IENUMERATOR, &[PAIR]), |args, cx| {
        let it = token(args, 0)?;
        let mut inner = [pairs(&it)];
        let mut inner = Args::new(args.member(), &mut inner, &[], &[], args.returns());
        corelib::collections::enumerator::start(&mut inner, cx)
    }),
];

/// The members as pairs of name and value, as `foreach` over a `JObject` gives them.
pub(crate) fn pairs(it: &Token) -> Value {
    children(it, PAIR, |property| {
        let (name, value) = (property.name()?, property.property_value()?);
        let name = Value::String(name.into());
        Some(Value::object(KeyValuePair::of(PAIR, name, super::object(value))))
    })
}

/// The property of a name with a `StringComparison`.
fn compared(args: &mut Args<'_>) -> Result<Option<Token>, Exception> {
    let ignores_case = matches!(args.value(2), Value::Enum(_, kind) if kind % 2 == 1);
    let (it, name) = (token(args, 0)?, args.arg::<Option<Str>>(1)?);
    Ok(name.and_then(|name| {
        if ignores_case { it.member_ignore_case(name.as_str()) } else { it.member(name.as_str()) }
    }))
}

#[cfg(test)]
mod tests {
    use clr::value::Value;
    use tree::json::{ParseOptions, Root, parse};

    use super::pairs;
    use crate::test_support::with_cx;

    #[test]
    fn pairs_are_names_and_values_and_notice_changes() {
        let object = parse(r#"{"a":1,"b":2}"#, Root::Object, &ParseOptions::default()).unwrap();
        with_cx(|cx| {
            let all = pairs(&object).collect(cx).unwrap();
            let texts: Vec<_> = all.iter().map(Value::to_text).collect();
            assert_eq!(texts, ["[a, 1]", "[b, 2]"]);

            let pairs = pairs(&object);
            let mut cursor = pairs.cursor(cx).unwrap();
            cursor.next(cx).unwrap();
            object.remove_member("b");
            assert!(cursor.next(cx).is_err());
        });
    }
}
