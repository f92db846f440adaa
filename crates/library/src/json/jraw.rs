//! `Newtonsoft.Json.Linq.JRaw`: text that is written as it stands.
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JRaw.htm>

use clr::rows::{Member, TypeDef};
use clr::types::Type;
use tree::json::{Scalar, Token};

use super::{JVALUE, token};

const NAME: &str = "Newtonsoft.Json.Linq.JRaw";
const JRAW: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS)
    .bases(&[JVALUE])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JRaw.htm");

const MEMBERS: &[Member] = &[
    Member::constructor(&[JRAW], JRAW, |args, _| Ok(super::object(token(args, 0)?.deep_clone())))
        .params(&["other"]),
    Member::constructor(&[Type::Object], JRAW, |args, cx| {
        let text = args.value(0).to_str(cx.runtime());
        cx.allocate(text.len())?;
        Ok(super::object(Token::value(Scalar::Raw(text.as_str().into()))))
    })
    .params(&["rawJson"]),
];

#[cfg(test)]
mod tests {
    use tree::json::{Formatting, Scalar, Token};

    #[test]
    fn raw_text_is_written_as_it_stands() {
        let raw = Token::value(Scalar::Raw("{\"raw\":1}".into()));
        let array = Token::array();
        array.add(raw.clone()).unwrap();

        assert_eq!(&*raw.to_text(), "{\"raw\":1}");
        assert_eq!(array.to_json(Formatting::None), "[{\"raw\":1}]");
    }
}
