//! `Newtonsoft.Json.Linq.JArray`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JArray.htm>

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Array, Value};
use tree::json::{Kind, Root, Scalar, Token};

use super::jcontainer::{construct, params};
use super::jtoken::{from_object, parse};
use super::settings::LOAD_SETTINGS;
use super::{JARRAY, JCONTAINER, JTOKEN, token, token_of, value};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::JARRAY, MEMBERS)
    .bases(&[JCONTAINER])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JArray.htm");

const MEMBERS: &[Member] = &[
    Member::constructor(&[], JARRAY, |_, cx| {
        cx.allocate(super::TOKEN_BYTES)?;
        Ok(super::object(Token::array()))
    }),
    Member::constructor(&[JARRAY], JARRAY, |args, cx| {
        let it = token(args, 0)?;
        cx.allocate(it.weight())?;
        Ok(super::object(it.deep_clone()))
    })
    .params(&["other"]),
    Member::constructor(&[Type::Object], JARRAY, |args, cx| {
        let [content] = args.take()?;
        construct(Token::array(), &[content], cx)
    })
    .params(&["content"]),
    Member::constructor(&[Type::Params(&Type::Object)], JARRAY, |args, cx| {
        let parts = params(args.value(0), cx)?;
        construct(Token::array(), &parts, cx)
    })
    .params(&["content"]),
    Member::static_method("Parse", &[Type::String], JARRAY, |args, cx| {
        parse(args, cx, Root::Array)
    })
    .params(&["json"])
    .doc("Reads a JSON array."),
    Member::static_method("Parse", &[Type::String, LOAD_SETTINGS], JARRAY, |args, cx| {
        parse(args, cx, Root::Array)
    })
    .params(&["json", "settings"])
    .unlisted(),
    Member::static_method("FromObject", &[Type::Object], JARRAY, |args, cx| {
        let [value] = args.take()?;
        let made = from_object(&value, cx)?;
        if made.kind() == Kind::Array {
            return Ok(super::object(made));
        }
        Err(Exception::argument(format!(
            "Object serialized to {}. JArray instance expected.",
            made.kind().name()
        )))
    })
    .params(&["o"])
    .doc("Makes a JSON array of an object."),
    Member::indexer(&[Type::Int32], JTOKEN, |args, _| {
        let (it, index) = (token(args, 0)?, args.arg::<i32>(1)?);
        Ok(super::object(it.index_number(i64::from(index))?))
    })
    .params(&["index"])
    .set(|args, _| {
        let (it, index) = (token(args, 0)?, args.arg::<i32>(1)?);
        it.set_at(i64::from(index), token_of(args.value(2)))?;
        Ok(Value::Null)
    }),
    Member::property("IsReadOnly", Type::Bool, |_, _| Ok(false.into())),
    Member::method("Add", &[JTOKEN], Type::Void, |args, cx| {
        cx.allocate(super::TOKEN_BYTES)?;
        let it = token(args, 0)?;
        it.add(item(args, 1))?;
        Ok(Value::Null)
    })
    .params(&["item"])
    .doc("Adds an element at the end."),
    Member::method("Insert", &[Type::Int32, JTOKEN], Type::Void, |args, cx| {
        cx.allocate(super::TOKEN_BYTES)?;
        let (it, index) = (token(args, 0)?, args.arg::<i32>(1)?);
        it.insert(i64::from(index), item(args, 2))?;
        Ok(Value::Null)
    })
    .params(&["index", "item"]),
    Member::method("IndexOf", &[JTOKEN], Type::Int32, |args, _| {
        let it = token(args, 0)?;
        let at = token_of(args.value(1)).and_then(|item| it.index_of(item));
        Ok(at.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1).into())
    })
    .params(&["item"]),
    Member::method("Contains", &[JTOKEN], Type::Bool, |args, _| {
        let it = token(args, 0)?;
        Ok(token_of(args.value(1)).and_then(|item| it.index_of(item)).is_some().into())
    })
    .params(&["item"])
    .doc("Is this very token an element?"),
    Member::method("Remove", &[JTOKEN], Type::Bool, |args, _| {
        let it = token(args, 0)?;
        let found = token_of(args.value(1)).filter(|item| it.index_of(item).is_some());
        Ok(found.is_some_and(|item| item.remove().is_ok()).into())
    })
    .params(&["item"]),
    Member::method("RemoveAt", &[Type::Int32], Type::Void, |args, _| {
        let (it, index) = (token(args, 0)?, args.arg::<i32>(1)?);
        it.remove_at(i64::from(index))?;
        Ok(Value::Null)
    })
    .params(&["index"]),
    Member::method("Clear", &[], Type::Void, |args, _| {
        token(args, 0)?.remove_all()?;
        Ok(Value::Null)
    }),
    Member::method("CopyTo", &[Type::Array(&JTOKEN), Type::Int32], Type::Void, |args, _| {
        let (it, index) = (token(args, 0)?, args.arg::<i32>(2)?);
        let target: std::sync::Arc<Array> = args.arg(1)?;
        let index = usize::try_from(index)
            .map_err(|_| Exception::argument_out_of_range("arrayIndex"))?;
        for (at, item) in it.child_list().into_iter().enumerate() {
            if !target.set(index + at, super::object(item)) {
                return Err(Exception::argument(
                    "The number of elements in the source JObject is greater than the available space from arrayIndex to the end of the destination array.",
                ));
            }
        }
        Ok(Value::Null)
    })
    .params(&["array", "arrayIndex"]),
    Member::property("First", JTOKEN, |args, _| Ok(value(token(args, 0)?.first()))),
    Member::property("Last", JTOKEN, |args, _| Ok(value(token(args, 0)?.last()))),
];

/// An element to be added; null is a JSON null.
fn item(args: &Args<'_>, at: usize) -> Token {
    token_of(args.value(at)).cloned().unwrap_or_else(|| Token::value(Scalar::Null))
}

#[cfg(test)]
mod tests {
    use super::{MEMBERS, TYPE};

    #[test]
    fn every_row_with_parameters_names_them() {
        for row in MEMBERS {
            assert_eq!(row.names.len(), row.params.len(), "{row:?}");
        }
        assert_eq!(TYPE.short_name(), "JArray");
    }
}
