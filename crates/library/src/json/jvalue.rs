//! `Newtonsoft.Json.Linq.JValue`:
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JValue.htm>

use std::cmp::Ordering;
use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::composite::format_value;
use clr::value::{Object, Value};
use dotnet::{Runtime, Str};
use tree::json::{Kind, Scalar, Token, compare_scalars};

use super::{JTOKEN, JVALUE, scalar_in, scalar_of, token, token_of, value_of};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::JVALUE, MEMBERS)
    .bases(&[JTOKEN, Type::named(names::ICOMPARABLE)])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JValue.htm");

/// `System.Numerics.BigInteger`, as a value of a token only: not on the allow-list.
#[derive(Debug)]
pub(crate) struct BigInteger(pub(crate) Arc<str>);

impl Object for BigInteger {
    fn net_type(&self) -> Type {
        Type::named("System.Numerics.BigInteger")
    }

    fn to_text(&self, _: Runtime) -> Str {
        Arc::clone(&self.0).into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(&*self.0).hash_code())
    }
}

const fn constructor(params: &'static [Type]) -> Member {
    Member::constructor(params, JVALUE, construct).params(&["value"])
}

const MEMBERS: &[Member] = &[
    constructor(&[Type::Int64]),
    constructor(&[Type::Decimal]),
    constructor(&[Type::Char]),
    constructor(&[Type::UInt64]),
    constructor(&[Type::Double]),
    constructor(&[Type::Single]),
    constructor(&[Type::DateTime]),
    constructor(&[Type::DateTimeOffset]),
    constructor(&[Type::Bool]),
    constructor(&[Type::String]),
    constructor(&[Type::Guid]),
    constructor(&[Type::TimeSpan]),
    constructor(&[Type::Object]),
    constructor(&[JVALUE]),
    Member::static_method("CreateNull", &[], JVALUE, |_, cx| made(Scalar::Null, cx)),
    Member::static_method("CreateUndefined", &[], JVALUE, |_, cx| made(Scalar::Undefined, cx)),
    Member::static_method("CreateString", &[Type::String], JVALUE, |args, cx| {
        let text: Option<Str> = args.arg(0)?;
        made(text.map_or(Scalar::NullString, |it| it.as_str().into()), cx)
    })
    .params(&["value"]),
    Member::static_method("CreateComment", &[Type::String], JVALUE, |args, cx| {
        let text: Option<Str> = args.arg(0)?;
        made(Scalar::Comment(text.unwrap_or(Str::EMPTY).as_str().into()), cx)
    })
    .params(&["value"]),
    Member::property("Value", Type::Object, |args, _| {
        Ok(token(args, 0)?.scalar().map_or(Value::Null, |it| value_of(&it)))
    })
    .set(|args, _| {
        let scalar = scalar_of(args.value(1)).ok_or_else(|| undetermined(args.value(1)))?;
        token(args, 0)?.set_scalar(scalar);
        Ok(Value::Null)
    })
    .doc("What the token holds: integers are `long`."),
    Member::method("ToString", &[], Type::String, |args, _| {
        Ok(Value::String(Token::to_text(&*token(args, 0)?).into()))
    }),
    Member::method("ToString", &[Type::String], Type::String, |args, cx| {
        let value = token(args, 0)?.scalar().map_or(Value::Null, |it| value_of(&it));
        let format = args.value(1).to_text();
        format_value(&value, &format, cx.runtime()).map(Value::String).map_err(Exception::from)
    })
    .params(&["format"]),
    Member::method("Equals", &[JVALUE], Type::Bool, |args, _| {
        let [a, b] = args.take()?;
        Ok((!b.is_null() && a.equals(&b)).into())
    })
    .params(&["other"]),
    Member::method("Equals", &[Type::Object], Type::Bool, |args, _| {
        let [a, b] = args.take()?;
        Ok((!b.is_null() && a.equals(&b)).into())
    })
    .params(&["obj"]),
    Member::method("CompareTo", &[JVALUE], Type::Int32, compare).params(&["obj"]),
    Member::method("CompareTo", &[Type::Object], Type::Int32, compare).params(&["obj"]).unlisted(),
];

fn made(scalar: Scalar, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    cx.allocate(super::TOKEN_BYTES)?;
    Ok(super::object(Token::value(scalar)))
}

fn undetermined(value: &Value) -> Exception {
    Exception::argument(format!(
        "Could not determine JSON object type for type {}.",
        value.type_name()
    ))
}

fn construct(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let declared = args.member().params.first().copied();
    let value = args.value(0);
    if let Some(other) = token_of(value) {
        let scalar = other.scalar().filter(|it| it.kind() != Kind::Raw);
        return made(scalar.ok_or_else(|| undetermined(value))?, cx);
    }
    let scalar = match value {
        Value::Null if declared == Some(Type::String) => Scalar::NullString,
        other => scalar_in(other, cx.runtime()).ok_or_else(|| undetermined(other))?,
    };
    made(scalar, cx)
}

fn compare(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let a = token(args, 0)?.scalar().unwrap_or(Scalar::Null);
    let b = match args.value(1) {
        Value::Null => return Ok(1.into()),
        other => match token_of(other) {
            Some(token) => token.scalar().ok_or_else(|| undetermined(other))?,
            None => scalar_of(other).ok_or_else(|| undetermined(other))?,
        },
    };
    let is_mixed = a.kind() == Kind::String && b.kind() != Kind::String;
    let order = compare_scalars(if is_mixed { b.kind() } else { a.kind() }, &a, &b)?;
    Ok(match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
    .into())
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;

    use super::{compare, construct};
    use crate::test_support::with_cx;

    #[test]
    fn values_are_made_and_compared() {
        with_cx(|cx| {
            let mut made = |value: Value| {
                let row = &super::MEMBERS[12];
                let mut values = [value];
                construct(&mut Args::new(row, &mut values, &[], &[], row.returns), cx)
            };
            let (one, two) = (made(1.into()).unwrap(), made(2.into()).unwrap());
            assert!(made(Value::list(Type::Int32, vec![])).is_err());

            let row = super::MEMBERS.iter().find(|it| it.name == "CompareTo").unwrap();
            let mut values = [one, two];
            let mut args = Args::new(row, &mut values, &[], &[], row.returns);
            assert_eq!(compare(&mut args, cx).unwrap().to_text(), "-1");
        });
    }
}
