//! `Newtonsoft.Json.Linq.JConstructor`: `new Date(1)` in JSON text.
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JConstructor.htm>

use clr::rows::{Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::Str;
use tree::json::Token;

use super::jcontainer::{construct, params};
use super::{JCONTAINER, token};

const NAME: &str = "Newtonsoft.Json.Linq.JConstructor";
const JCONSTRUCTOR: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS)
    .bases(&[JCONTAINER])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JConstructor.htm");

const MEMBERS: &[Member] = &[
    Member::constructor(&[], JCONSTRUCTOR, |_, _| Ok(super::object(Token::constructor("")))),
    Member::constructor(&[Type::String], JCONSTRUCTOR, |args, _| {
        let (name,): (Str,) = args.get()?;
        Ok(super::object(Token::constructor(name.as_str())))
    })
    .params(&["name"]),
    Member::constructor(&[Type::String, Type::Params(&Type::Object)], JCONSTRUCTOR, |args, cx| {
        let parts = params(args.value(1), cx)?;
        let name: Str = args.arg(0)?;
        construct(Token::constructor(name.as_str()), &parts, cx)
    })
    .params(&["name", "content"]),
    Member::property("Name", Type::String, |args, _| {
        Ok(token(args, 0)?.name().map_or(Value::Null, |it| Value::String(it.into())))
    })
    .set(|args, _| {
        let (it, name) = (token(args, 0)?, args.arg::<Str>(1)?);
        it.set_name(name.as_str());
        Ok(Value::Null)
    }),
];

#[cfg(test)]
mod tests {
    use tree::json::{Formatting, Scalar, Token};

    #[test]
    fn constructors_have_a_name_and_arguments() {
        let it = Token::constructor("Date");
        it.add(Scalar::from(1)).unwrap();
        it.set_name("Time");
        assert_eq!(it.to_json(Formatting::None), "new Time(1)");
    }
}
