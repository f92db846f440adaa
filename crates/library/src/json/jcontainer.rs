//! `Newtonsoft.Json.Linq.JContainer`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JContainer.htm>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use tree::json::{Content, MergeSettings, Token};

use super::settings::{MERGE_SETTINGS, merge_settings};
use super::{JTOKEN, JTOKENS, content, lazily, token, token_of};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::JCONTAINER, MEMBERS)
    .bases(&[JTOKEN])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JContainer.htm");

const MEMBERS: &[Member] = &[
    Member::property("Count", Type::Int32, |args, _| {
        Ok(i32::try_from(token(args, 0)?.count()).unwrap_or(i32::MAX).into())
    })
    .doc("How many children there are."),
    Member::method("Descendants", &[], JTOKENS, |args, _| {
        let it = token(args, 0)?;
        Ok(lazily(JTOKEN, move |_| Ok(it.descendants(false))))
    })
    .doc("All tokens below this one, in document order."),
    Member::method("DescendantsAndSelf", &[], JTOKENS, |args, _| {
        let it = token(args, 0)?;
        Ok(lazily(JTOKEN, move |_| Ok(it.descendants(true))))
    }),
    Member::method("Add", &[Type::Object], Type::Void, |args, cx| {
        change(args, cx, |it, added| it.add(added))
    })
    .params(&["content"])
    .doc("Adds content at the end."),
    Member::method("AddFirst", &[Type::Object], Type::Void, |args, cx| {
        change(args, cx, |it, added| it.add_first(added))
    })
    .params(&["content"]),
    Member::method("ReplaceAll", &[Type::Object], Type::Void, |args, cx| {
        change(args, cx, |it, added| it.replace_all(added))
    })
    .params(&["content"]),
    Member::method("RemoveAll", &[], Type::Void, |args, _| {
        token(args, 0)?.remove_all()?;
        Ok(Value::Null)
    }),
    Member::method("Merge", &[Type::Object], Type::Void, |args, cx| {
        merge(args, MergeSettings::default(), cx)
    })
    .params(&["content"])
    .doc("Merges another container into this one."),
    Member::method("Merge", &[Type::Object, MERGE_SETTINGS], Type::Void, |args, cx| {
        let settings = merge_settings(args.value(2));
        merge(args, settings, cx)
    })
    .params(&["content", "settings"])
    .unlisted(),
];

fn change(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    change: fn(&Token, Content) -> Result<(), tree::json::Fault>,
) -> Result<Value, Exception> {
    let added = content(args.value(1), cx)?;
    change(&*token(args, 0)?, added)?;
    Ok(Value::Null)
}

fn merge(
    args: &mut Args<'_>,
    settings: MergeSettings,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let it = token(args, 0)?;
    if let Some(other) = token_of(args.value(1)) {
        cx.allocate(other.weight())?;
        it.merge(other, settings)?;
    }
    Ok(Value::Null)
}

/// `new JArray(content...)` and its like: a container with this content.
pub(super) fn construct(
    container: Token,
    parts: &[Value],
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    for part in parts {
        let added = content(part, cx)?;
        container.add(added)?;
    }
    Ok(super::object(container))
}

/// The values of a `params object[]`.
pub(super) fn params(value: &Value, cx: &mut EvalCx<'_>) -> Result<Vec<Value>, Exception> {
    if value.is_null() { Ok(vec![Value::Null]) } else { value.collect(cx) }
}

#[cfg(test)]
mod tests {
    use clr::types::Type;
    use clr::value::Value;
    use tree::json::Token;

    use super::construct;
    use crate::test_support::with_cx;

    #[test]
    fn a_container_is_made_of_values_and_lists() {
        with_cx(|cx| {
            let parts = [1.into(), Value::list(Type::String, vec!["a".into(), Value::Null])];
            let array = construct(Token::array(), &parts, cx).unwrap();
            assert_eq!(array.to_text(), "[\n  1,\n  \"a\",\n  null\n]");
            assert!(construct(Token::object(), &[1.into()], cx).is_err());
        });
    }
}
