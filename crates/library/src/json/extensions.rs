//! `Newtonsoft.Json.Linq.Extensions`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_Extensions.htm>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use clr::value::sequence::Items;
use tree::json::Token;

use super::conversions::value_as;
use super::jtoken::item;
use super::{JOBJECT, JPROPERTY, JTOKEN, JTOKENS, jenumerable, token_of};

pub(crate) static TYPE: TypeDef = TypeDef::static_class("Newtonsoft.Json.Linq.Extensions", MEMBERS)
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_Extensions.htm");

const JOBJECTS: Type = Type::enumerable(&[JOBJECT]);
const JPROPERTIES: Type = Type::enumerable(&[JPROPERTY]);
const SOURCE: &[&str] = &["source"];

const MEMBERS: &[Member] = &[
    Member::extension("Ancestors", &[JTOKENS], JTOKENS, |args, _| flat(args, Token::ancestors))
        .params(SOURCE),
    Member::extension("AncestorsAndSelf", &[JTOKENS], JTOKENS, |args, _| {
        flat(args, |it| std::iter::once(it.clone()).chain(it.ancestors()).collect())
    })
    .params(SOURCE),
    Member::extension("Descendants", &[JTOKENS], JTOKENS, |args, _| {
        flat(args, |it| it.descendants(false))
    })
    .params(SOURCE),
    Member::extension("DescendantsAndSelf", &[JTOKENS], JTOKENS, |args, _| {
        flat(args, |it| it.descendants(true))
    })
    .params(SOURCE),
    Member::extension("Properties", &[JOBJECTS], JPROPERTIES, |args, _| {
        flat(args, Token::child_list)
    })
    .params(SOURCE),
    Member::extension("Values", &[JTOKENS, Type::Object], JTOKENS, |args, cx| {
        let [source, key] = args.take()?;
        values_at(&source, &key, cx)
    })
    .params(&["source", "key"]),
    Member::extension("Values", &[JTOKENS], JTOKENS, |args, cx| {
        let [source] = args.take()?;
        converted(&source, JTOKEN, cx)
    })
    .params(SOURCE),
    Member::extension(
        "Values",
        &[JTOKENS, Type::Object],
        Type::enumerable(&[Type::M]),
        |args, cx| {
            let to = args.method_arg(0);
            let [source, key] = args.take()?;
            let values = values_at(&source, &key, cx)?;
            map(&values, to, cx)
        },
    )
    .params(&["source", "key"]),
    Member::extension("Values", &[JTOKENS], Type::enumerable(&[Type::M]), |args, cx| {
        let to = args.method_arg(0);
        let [source] = args.take()?;
        converted(&source, to, cx)
    })
    .params(SOURCE)
    .doc("The values, converted."),
    Member::extension("Value", &[JTOKENS], Type::M, |args, _| {
        let to = args.method_arg(0);
        match args.value(0) {
            Value::Null => Err(Exception::argument_null("value")),
            other => match token_of(other) {
                Some(token) => value_as(Some(token), to),
                None => Err(Exception::argument("Source value must be a JToken.")),
            },
        }
    })
    .params(&["value"])
    .doc("The value of a token, converted."),
    Member::extension("Children", &[JTOKENS], jenumerable::OF_TOKENS, |args, _| {
        let all = flat(args, Token::child_list)?;
        Ok(jenumerable::wrap(JTOKEN, all))
    })
    .params(SOURCE),
    Member::extension("AsJEnumerable", &[JTOKENS], jenumerable::OF_TOKENS, |args, _| {
        let [source] = args.take()?;
        Ok(jenumerable::wrap(JTOKEN, source))
    })
    .params(SOURCE),
];

/// For each token of a sequence several others, lazily.
fn flat(args: &mut Args<'_>, find: fn(&Token) -> Vec<Token>) -> Result<Value, Exception> {
    let element = args.member().returns.argument(0).unwrap_or(JTOKEN);
    let [source] = args.take()?;
    if source.is_null() {
        return Err(Exception::argument_null("source"));
    }
    Ok(Value::sequence(element, move |cx| {
        let mut found = Vec::new();
        for value in source.collect(cx)? {
            if let Some(token) = token_of(&value) {
                found.extend(find(token).into_iter().map(super::object));
                cx.steps(1 + found.len() as u64)?;
            }
        }
        Ok(Box::new(Items::new(found)))
    }))
}

/// The member or element `key` of each token of a sequence, those that have none left out.
pub(super) fn values_at(
    source: &Value,
    key: &Value,
    _: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let (source, key) = (source.clone(), key.clone());
    Ok(Value::sequence(JTOKEN, move |cx| {
        let mut found = Vec::new();
        for value in source.collect(cx)? {
            let inner = item(token_of(&value), &key)?;
            if !inner.is_null() {
                found.push(inner);
            }
        }
        Ok(Box::new(Items::new(found)))
    }))
}

/// `Values<T>()`: the values of a token's or a sequence's members and elements, converted.
pub(super) fn converted(source: &Value, to: Type, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    // The members of an object count with their values.
    map(source, to, cx)
}

fn map(source: &Value, to: Type, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    if source.is_null() {
        return Err(Exception::argument_null("source"));
    }
    let source = source.clone();
    Ok(Value::sequence(to, move |cx| {
        let items = source.collect(cx)?;
        let convert = |it: &Value| {
            let token = token_of(it);
            let inner = token.and_then(Token::property_value);
            value_as(inner.as_ref().or(token), to)
        };
        let items = items.iter().map(convert).collect::<Result<_, _>>()?;
        Ok(Box::new(Items::new(items)))
    }))
}

#[cfg(test)]
mod tests {
    use clr::types::Type;
    use tree::json::{ParseOptions, Root, parse};

    use super::{converted, values_at};
    use crate::test_support::with_cx;

    #[test]
    fn values_of_objects_and_arrays_are_converted() {
        let json = |text: &str| {
            crate::json::object(parse(text, Root::Any, &ParseOptions::default()).unwrap())
        };
        with_cx(|cx| {
            let mut texts = |source: &str, to| {
                let all = converted(&json(source), to, cx).unwrap().collect(cx).unwrap();
                all.iter().map(|it| it.to_text().into_owned()).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(texts(r#"["a","b"]"#, Type::String), "a b");
            assert_eq!(texts(r#"{"a":1,"b":2}"#, Type::Int32), "1 2");
            let objects = json(r#"[{"n":1},{},{"n":2}]"#);
            let found = values_at(&objects, &"n".into(), cx).unwrap().collect(cx).unwrap();
            assert_eq!(found.len(), 2);
        });
    }
}
