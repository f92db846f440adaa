//! `Newtonsoft.Json.Linq.JProperty`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JProperty.htm>

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;
use tree::json::{Content, Scalar, Token};

use super::jcontainer::params;
use super::{JCONTAINER, JPROPERTY, JTOKEN, content, token, token_of, value};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::JPROPERTY, MEMBERS)
    .bases(&[JCONTAINER])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JProperty.htm");

const MEMBERS: &[Member] = &[
    Member::constructor(&[JPROPERTY], JPROPERTY, |args, cx| {
        let it = token(args, 0)?;
        cx.allocate(it.weight())?;
        Ok(super::object(it.deep_clone()))
    })
    .params(&["other"]),
    Member::constructor(&[Type::String, Type::Object], JPROPERTY, |args, cx| {
        let inner = content(args.value(1), cx)?;
        let name: Str = args.arg(0)?;
        Ok(super::object(Token::property(name.as_str(), inner)?))
    })
    .params(&["name", "content"]),
    Member::constructor(&[Type::String, Type::Params(&Type::Object)], JPROPERTY, |args, cx| {
        let name: Str = args.arg(0)?;
        if args.value(1).is_null() {
            return Ok(super::object(Token::property(name.as_str(), Scalar::Null)?));
        }
        let parts = params(args.value(1), cx)?;
        let parts = parts.iter().map(|it| content(it, cx)).collect::<Result<_, _>>()?;
        Ok(super::object(Token::property(name.as_str(), Content::Many(parts))?))
    })
    .params(&["name", "content"]),
    Member::property("Name", Type::String, |args, _| {
        Ok(token(args, 0)?.name().map_or(Value::Null, |it| Value::String(it.into())))
    })
    .doc("The member's name."),
    Member::property("Value", JTOKEN, |args, _| Ok(value(token(args, 0)?.property_value())))
        .set(|args, _| {
            token(args, 0)?.set_property_value(token_of(args.value(1)))?;
            Ok(Value::Null)
        })
        .doc("The member's value."),
];

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;

    use super::MEMBERS;
    use crate::test_support::with_cx;

    #[test]
    fn several_contents_become_an_array() {
        with_cx(|cx| {
            let parts = Value::array(Type::Object, vec![1.into(), "x".into()]);
            let mut values = [Value::from("a"), parts];
            let row = &MEMBERS[2];
            let mut args = Args::new(row, &mut values, &[], &[], row.returns);
            let made = (row.call)(&mut args, cx).unwrap();
            assert_eq!(made.to_text(), "\"a\": [\n  1,\n  \"x\"\n]");
        });
    }
}
