//! `Newtonsoft.Json.Linq.JToken`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JToken.htm>

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef, count, integer_of, joined};
use clr::types::{Type, names};
use clr::value::Value;
use corelib::collections::{Comparer, Rules};
use dotnet::Str;
use tree::json::{self, Formatting, ParseOptions, Path, Root, Scalar, Token};

use crate::annotations;

use super::conversions::{EXPLICIT, IMPLICIT, value_as};
use super::settings::LOAD_SETTINGS;
use super::{
    FORMATTING, JCONTAINER, JTOKEN, JTOKENS, children, content, deserialize, jenumerable, lazily,
    serialize, token, token_of, value,
};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::JTOKEN, MEMBERS)
    .bases(&[JTOKENS])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JToken.htm");

const PARTS: &[&[Member]] = &[OWN, EXPLICIT, IMPLICIT, &annotations::MEMBERS];

/// Rows of this type, of annotations and the conversions, in one list.
static MEMBERS: &[Member] = &joined::<{ count(PARTS) }>(PARTS);

const EQUALITY_NAME: &str = "Newtonsoft.Json.Linq.JTokenEqualityComparer";
const EQUALITY: Type = Type::named(EQUALITY_NAME);

/// `JTokenEqualityComparer`.
pub(crate) static EQUALITY_TYPE: TypeDef =
    TypeDef::class(EQUALITY_NAME, &[]).bases(&[Type::Named(names::IEQUALITYCOMPARER, &[JTOKEN])]);

/// Tokens are equal if all that is in them is.
static DEEP: Rules = Rules {
    name: "JTokenEqualityComparer",
    equals: |a, b| match (token_of(a), token_of(b)) {
        (Some(a), Some(b)) => json::deep_equals(a, b),
        _ => a.is_null() && b.is_null(),
    },
    hash: |it| token_of(it).map_or(0, |it| shallow_hash(it, 3)),
    order: |_, _| Err(Exception::argument("At least one object must implement IComparable.")),
};

/// A hash of the upper levels of a token; the order of an object's properties does not count.
fn shallow_hash(token: &Token, depth: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.count().hash(&mut hasher);
    match token.name() {
        Some(name) => name.hash(&mut hasher),
        None if !token.is_container() => token.to_text().hash(&mut hasher),
        None => {}
    }
    let below = match depth.checked_sub(1) {
        Some(depth) if token.count() <= 64 => token
            .child_list()
            .iter()
            .fold(0, |all: u64, it| all.wrapping_add(shallow_hash(it, depth))),
        _ => 0,
    };
    hasher.finish() ^ below
}

const OWN: &[Member] = &[
    Member::static_method("Parse", &[Type::String], JTOKEN, |args, cx| {
        let comment = match args.value(0) {
            Value::String(it) => leading_comment(it.as_str()),
            _ => None,
        };
        let token = parse(args, cx, Root::Any);
        // A comment before the value is what the text begins with.
        Ok(comment.map_or(token?, |it| super::object(Token::value(Scalar::Comment(it)))))
    })
    .params(&["json"])
    .doc("Reads any JSON."),
    Member::static_method("Parse", &[Type::String, LOAD_SETTINGS], JTOKEN, |args, cx| {
        parse(args, cx, Root::Any)
    })
    .params(&["json", "settings"])
    .unlisted(),
    Member::static_method("FromObject", &[Type::Object], JTOKEN, |args, cx| {
        let [value] = args.take()?;
        from_object(&value, cx).map(super::object)
    })
    .params(&["o"])
    .doc("Makes a token of an object."),
    Member::static_method("DeepEquals", &[JTOKEN, JTOKEN], Type::Bool, |args, cx| {
        let [a, b] = args.take()?;
        Ok(match (token_of(&a), token_of(&b)) {
            (Some(a), Some(b)) => {
                cx.steps(1 + (a.weight() / 64) as u64)?;
                json::deep_equals(a, b)
            }
            (None, None) => true,
            _ => false,
        }
        .into())
    })
    .params(&["t1", "t2"])
    .doc("Compares two tokens and all that is in them."),
    Member::property("Type", Type::named(names::JTOKENTYPE), |args, _| {
        let kind = token(args, 0)?.kind();
        Ok(integer_of(Type::named(names::JTOKENTYPE), kind as i64))
    })
    .doc("What kind of token it is."),
    Member::property("Parent", JCONTAINER, |args, _| Ok(value(token(args, 0)?.parent()))),
    Member::property("Root", JTOKEN, |args, _| Ok(super::object(token(args, 0)?.root()))),
    Member::static_property("EqualityComparer", EQUALITY, |_, _| {
        Ok(Comparer::Rules(&DEEP).object(EQUALITY))
    })
    .doc("Compares tokens with all that is in them."),
    Member::property("HasValues", Type::Bool, |args, _| Ok((token(args, 0)?.count() > 0).into())),
    Member::property("Next", JTOKEN, |args, _| Ok(value(token(args, 0)?.next()))),
    Member::property("Previous", JTOKEN, |args, _| Ok(value(token(args, 0)?.previous()))),
    Member::property("Path", Type::String, |args, _| Ok(token(args, 0)?.path().into())),
    Member::property("First", JTOKEN, |args, _| edge(args, Token::first)),
    Member::property("Last", JTOKEN, |args, _| edge(args, Token::last)),
    Member::indexer(&[Type::Object], JTOKEN, |args, _| {
        let [it, key] = args.take()?;
        item(token_of(&it), &key)
    })
    .params(&["key"])
    .set(|args, _| {
        let [it, key, new] = args.take()?;
        set_item(token_of(&it), &key, &new)
    }),
    Member::method("ToString", &[], Type::String, |args, cx| {
        let text = token(args, 0)?.to_text_as(cx.runtime());
        cx.allocate(text.len())?;
        Ok(Value::String(text.into()))
    })
    .doc("Indented JSON of a container, the text of a value."),
    Member::method("ToString", &[FORMATTING, Type::Params(&Type::Object)], Type::String, to_string)
        .params(&["formatting", "converters"])
        .doc("JSON text."),
    Member::method("AddAfterSelf", &[Type::Object], Type::Void, |args, cx| {
        let added = content(args.value(1), cx)?;
        token(args, 0)?.add_after_self(added)?;
        Ok(Value::Null)
    })
    .params(&["content"]),
    Member::method("AddBeforeSelf", &[Type::Object], Type::Void, |args, cx| {
        let added = content(args.value(1), cx)?;
        token(args, 0)?.add_before_self(added)?;
        Ok(Value::Null)
    })
    .params(&["content"]),
    Member::method("Ancestors", &[], JTOKENS, |args, _| related(args, Token::ancestors)),
    Member::method("AncestorsAndSelf", &[], JTOKENS, |args, _| {
        related(args, |it| std::iter::once(it.clone()).chain(it.ancestors()).collect())
    }),
    Member::method("AfterSelf", &[], JTOKENS, |args, _| {
        related(args, |it| std::iter::successors(it.next(), Token::next).collect())
    }),
    Member::method("BeforeSelf", &[], JTOKENS, |args, _| {
        related(args, |it| {
            let mut all: Vec<Token> =
                std::iter::successors(it.previous(), Token::previous).collect();
            all.reverse();
            all
        })
    }),
    Member::method("Value", &[Type::Object], Type::M, |args, _| {
        let to = args.method_arg(0);
        let [it, key] = args.take()?;
        let found = item(token_of(&it), &key)?;
        value_as(token_of(&found), to)
    })
    .params(&["key"])
    .doc("The value of a member, converted."),
    Member::method("Children", &[], jenumerable::OF_TOKENS, |args, _| {
        let it = token(args, 0)?;
        let all = children(&it, JTOKEN, |it| Some(super::object(it.clone())));
        Ok(jenumerable::wrap(JTOKEN, all))
    }),
    Member::method("Children", &[], jenumerable::OF_M, |args, _| {
        let (of, it) = (args.method_arg(0), token(args, 0)?);
        let all = lazily(of, move |_| {
            let fits = |it: &Token| super::object(it.clone()).is_instance(of);
            Ok(it.child_list().into_iter().filter(fits).collect())
        });
        Ok(jenumerable::wrap(of, all))
    }),
    Member::method("Values", &[], Type::enumerable(&[Type::M]), |args, cx| {
        let (to, it) = (args.method_arg(0), token(args, 0)?);
        if !it.is_container() {
            return Err(Exception::invalid_operation(
                "Cannot access child value on Newtonsoft.Json.Linq.JValue.",
            ));
        }
        super::extensions::converted(&super::object((*it).clone()), to, cx)
    }),
    Member::method("Remove", &[], Type::Void, |args, _| {
        token(args, 0)?.remove()?;
        Ok(Value::Null)
    })
    .doc("Takes the token out of its parent."),
    Member::method("Replace", &[JTOKEN], Type::Void, |args, _| {
        let [it, new] = args.take()?;
        if let Some(it) = token_of(&it) {
            it.replace(token_of(&new))?;
        }
        Ok(Value::Null)
    })
    .params(&["value"]),
    Member::method("ToObject", &[], Type::M, |args, cx| {
        let (to, it) = (args.method_arg(0), token(args, 0)?);
        deserialize::token_to(&it, to, cx)
    })
    .doc("Makes an object of the token."),
    Member::method("SelectToken", &[Type::String], JTOKEN, |args, cx| {
        let (it, path) = (token(args, 0)?, args.arg::<Str>(1)?);
        select(&it, &path, false, cx)
    })
    .params(&["path"])
    .doc("The token at a JSON path, or null."),
    Member::method("SelectToken", &[Type::String, Type::Bool], JTOKEN, |args, cx| {
        let (it, path, must) = (token(args, 0)?, args.arg::<Str>(1)?, args.arg(2)?);
        select(&it, &path, must, cx)
    })
    .params(&["path", "errorWhenNoMatch"]),
    Member::method("SelectTokens", &[Type::String], JTOKENS, |args, _| {
        let (it, path) = (token(args, 0)?, args.arg::<Str>(1)?);
        select_all((*it).clone(), &path, false)
    })
    .params(&["path"])
    .doc("All tokens at a JSON path."),
    Member::method("SelectTokens", &[Type::String, Type::Bool], JTOKENS, |args, _| {
        let (it, path, must) = (token(args, 0)?, args.arg::<Str>(1)?, args.arg(2)?);
        select_all((*it).clone(), &path, must)
    })
    .params(&["path", "errorWhenNoMatch"]),
    Member::method("DeepClone", &[], JTOKEN, |args, cx| {
        let it = token(args, 0)?;
        cx.allocate(it.weight())?;
        Ok(super::object(it.deep_clone()))
    })
    .doc("A copy of the token and all that is in it."),
];

/// The text of a comment that stands before everything else.
fn leading_comment(text: &str) -> Option<Arc<str>> {
    let text = text.trim_start();
    let comment = match (text.strip_prefix("/*"), text.strip_prefix("//")) {
        (Some(rest), _) => rest.split_once("*/")?.0,
        (None, Some(rest)) => rest.split(['\r', '\n']).next()?,
        (None, None) => return None,
    };
    Some(comment.into())
}

/// `Parse(text)` of `JToken`, `JObject` and `JArray`.
pub(super) fn parse(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    root: Root,
) -> Result<Value, Exception> {
    let text = args.arg::<Str>(0)?;
    read(&text, root, true, cx).map(super::object)
}

/// Reads text; counts steps and bytes.
pub(super) fn read(
    text: &Str,
    root: Root,
    dates: bool,
    cx: &mut EvalCx<'_>,
) -> Result<Token, Exception> {
    cx.steps(1 + (text.len() / 64) as u64)?;
    cx.allocate(text.len())?;
    let finite = cx.runtime() == dotnet::Runtime::Framework;
    let options = ParseOptions { dates, finite, ..Default::default() };
    let token = json::parse(text.as_str(), root, &options)?;
    cx.allocate(token.weight())?;
    Ok(token)
}

/// `FromObject(value)`.
pub(super) fn from_object(value: &Value, cx: &mut EvalCx<'_>) -> Result<Token, Exception> {
    if value.is_null() {
        return Err(Exception::argument_null("o"));
    }
    serialize::token_of(value, serialize::Options::default(), cx)
}

fn to_string(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let formatting = formatting(args.value(1));
    let it = token(args, 0)?;
    let text = it.to_json_as(formatting, cx.runtime());
    cx.allocate(text.len())?;
    Ok(text.into())
}

/// The engine's formatting of an enum's value.
pub(super) fn formatting(value: &Value) -> Formatting {
    match value {
        Value::Enum(_, 1) => Formatting::Indented,
        _ => Formatting::None,
    }
}

fn edge(args: &mut Args<'_>, find: fn(&Token) -> Option<Token>) -> Result<Value, Exception> {
    let it = token(args, 0)?;
    if !it.is_container() {
        return Err(Exception::invalid_operation(
            "Cannot access child value on Newtonsoft.Json.Linq.JValue.",
        ));
    }
    Ok(value(find(&it)))
}

fn related(args: &mut Args<'_>, find: fn(&Token) -> Vec<Token>) -> Result<Value, Exception> {
    let it = token(args, 0)?;
    Ok(lazily(JTOKEN, move |_| Ok(find(&it))))
}

/// `token[key]`.
pub(super) fn item(it: Option<&Token>, key: &Value) -> Result<Value, Exception> {
    let it = it.ok_or_else(Exception::null_reference)?;
    match key {
        Value::String(name) => Ok(value(it.index_name(name.as_str())?)),
        Value::Int(index) => Ok(super::object(it.index_number(i64::from(*index))?)),
        Value::Null if it.is_container() => Err(Exception::argument_null("key")),
        other if it.is_container() => Err(Exception::argument(format!(
            "Accessed {} values with invalid key value: {}.",
            it.kind().class_name(),
            other.to_text()
        ))),
        _ => Ok(value(it.index_name("")?)),
    }
}

/// `token[key] = new`.
pub(super) fn set_item(it: Option<&Token>, key: &Value, new: &Value) -> Result<Value, Exception> {
    let it = it.ok_or_else(Exception::null_reference)?;
    match key {
        Value::String(name) => it.set(name.as_str(), token_of(new))?,
        Value::Int(index) => it.set_at(i64::from(*index), token_of(new))?,
        Value::Null => return Err(Exception::argument_null("key")),
        other => {
            return Err(Exception::argument(format!(
                "Set {} values with invalid key value: {}. Object property name expected.",
                it.kind().class_name(),
                other.to_text()
            )));
        }
    }
    Ok(Value::Null)
}

fn select(it: &Token, path: &Str, must: bool, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    cx.steps(1 + (path.len() / 16) as u64)?;
    Ok(value(it.select_token(&Path::parse(path.as_str())?, must)?))
}

fn select_all(it: Token, path: &Str, must: bool) -> Result<Value, Exception> {
    let path = Path::parse(path.as_str())?;
    Ok(lazily(JTOKEN, move |_| Ok(it.select_tokens(&path, must)?)))
}

#[cfg(test)]
mod tests {
    use clr::types::Type;
    use clr::value::Value;
    use tree::json::{Formatting, Root, Token};

    use super::{item, parse, set_item};
    use crate::json::token_of;

    #[test]
    fn a_row_parses_within_the_budget() {
        crate::test_support::with_cx(|cx| {
            let mut values = [Value::from(r#"{"a":[1]}"#)];
            let row = super::TYPE.members.iter().find(|it| it.name == "Parse").unwrap();
            let mut args = clr::rows::Args::new(row, &mut values, &[], &[], Type::Object);
            let found = parse(&mut args, cx, Root::Any).unwrap();
            assert_eq!(token_of(&found).unwrap().to_json(Formatting::None), r#"{"a":[1]}"#);
        });
    }

    #[test]
    fn indexers_take_names_and_numbers() {
        let token = Token::object();
        set_item(Some(&token), &"a".into(), &crate::json::object(Token::value(5))).unwrap();

        assert_eq!(item(Some(&token), &"a".into()).unwrap().to_text(), "5");
        assert!(item(Some(&token), &"b".into()).unwrap().is_null());
        let refused = |key: Value| item(Some(&token), &key).unwrap_err().type_name;
        assert_eq!(refused(0.into()), "System.ArgumentException");
        assert_eq!(refused(Value::Null), "System.ArgumentNullException");
        let missing = item(None, &"a".into()).unwrap_err().type_name;
        assert_eq!(missing, "System.NullReferenceException");
    }
}
