//! The cast operators of `JToken`, and `Value<T>()`.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/M_Newtonsoft_Json_Linq_JToken_op_Explicit.htm>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, MemberKind, default_value, integer_of, is_reference_convertible};
use clr::types::{Type, names};
use clr::value::Value;
use tree::json::{Scalar, Target, Token, cast, change_type};

use super::{JTOKEN, token_of, value_of};

macro_rules! conversions {
    ($row:ident, $call:ident: $($ty:expr),* $(,)?) => {
        &[$(conversions!(@ $row, $call, $ty)),*]
    };
    (@ explicit, $call:ident, $ty:expr) => { Member::explicit(&[JTOKEN], $ty, $call) };
    (@ implicit, $call:ident, $ty:expr) => { Member::implicit(&[$ty], JTOKEN, $call) };
}

const URI: Type = Type::named(names::URI);

/// From a token.
pub(super) const EXPLICIT: &[Member] = conversions!(explicit, from_token:
    Type::String, Type::Bool, Type::Char, Type::SByte, Type::Byte, Type::Int16, Type::UInt16,
    Type::Int32, Type::UInt32, Type::Int64, Type::UInt64, Type::Single, Type::Double,
    Type::Decimal, Type::DateTime, Type::DateTimeOffset, Type::TimeSpan, Type::Guid, Type::BYTES,
    Type::Nullable(&Type::Bool), Type::Nullable(&Type::Char), Type::Nullable(&Type::SByte),
    Type::Nullable(&Type::Byte), Type::Nullable(&Type::Int16), Type::Nullable(&Type::UInt16),
    Type::Nullable(&Type::Int32), Type::Nullable(&Type::UInt32), Type::Nullable(&Type::Int64),
    Type::Nullable(&Type::UInt64), Type::Nullable(&Type::Single), Type::Nullable(&Type::Double),
    Type::Nullable(&Type::Decimal), Type::Nullable(&Type::DateTime),
    Type::Nullable(&Type::DateTimeOffset), Type::Nullable(&Type::TimeSpan),
    Type::Nullable(&Type::Guid), URI,
);

/// To a token.
pub(super) const IMPLICIT: &[Member] = conversions!(implicit, to_token:
    Type::String, Type::Bool, Type::SByte, Type::Byte, Type::Int16, Type::UInt16, Type::Int32,
    Type::UInt32, Type::Int64, Type::UInt64, Type::Single, Type::Double, Type::Decimal,
    Type::DateTime, Type::DateTimeOffset, Type::TimeSpan, Type::Guid, Type::BYTES,
    Type::Nullable(&Type::Bool), Type::Nullable(&Type::SByte), Type::Nullable(&Type::Byte),
    Type::Nullable(&Type::Int16), Type::Nullable(&Type::UInt16), Type::Nullable(&Type::Int32),
    Type::Nullable(&Type::UInt32), Type::Nullable(&Type::Int64), Type::Nullable(&Type::UInt64),
    Type::Nullable(&Type::Single), Type::Nullable(&Type::Double), Type::Nullable(&Type::Decimal),
    Type::Nullable(&Type::DateTime), Type::Nullable(&Type::DateTimeOffset),
    Type::Nullable(&Type::TimeSpan), Type::Nullable(&Type::Guid), URI,
);

fn from_token(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    operator(token_of(args.value(0)), args.member().returns, cx)
}

/// `(T)token`.
pub(super) fn operator(
    token: Option<&Token>,
    to: Type,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let value = cast_to(token, to)?;
    if to == URI && !value.is_null() { address(value, cx) } else { Ok(value) }
}

/// `new Uri(text)`.
fn address(text: Value, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let rows = clr::rows::definition(names::URI).map_or(&[][..], |it| it.members);
    let is_constructor =
        |it: &&Member| it.kind == MemberKind::Constructor && it.params == [Type::String];
    match rows.iter().find(is_constructor) {
        Some(row) => (row.call)(&mut Args::new(row, &mut [text], &[], &[], row.returns), cx),
        None => Ok(text),
    }
}

fn to_token(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    cx.allocate(super::TOKEN_BYTES)?;
    let from = args.member().params.first().copied().unwrap_or(Type::Object);
    let scalar = match args.value(0) {
        Value::Null if from == Type::String => Scalar::NullString,
        other => super::scalar_of(other).unwrap_or(Scalar::Null),
    };
    Ok(super::object(Token::value(scalar)))
}

/// The engine's name of a type, and whether it takes null.
pub(crate) fn target_of(ty: Type) -> Option<(Target, bool)> {
    let nullable = matches!(ty, Type::Nullable(_));
    let target = match ty.without_null() {
        Type::String => Target::String,
        Type::Bool => Target::Bool,
        Type::Char => Target::Char,
        Type::SByte => Target::SByte,
        Type::Byte => Target::Byte,
        Type::Int16 => Target::Int16,
        Type::UInt16 => Target::UInt16,
        Type::Int32 => Target::Int32,
        Type::UInt32 => Target::UInt32,
        Type::Int64 => Target::Int64,
        Type::UInt64 => Target::UInt64,
        Type::Single => Target::Single,
        Type::Double => Target::Double,
        Type::Decimal => Target::Decimal,
        Type::DateTime => Target::DateTime,
        Type::DateTimeOffset => Target::DateTimeOffset,
        Type::TimeSpan => Target::TimeSpan,
        Type::Guid => Target::Guid,
        URI => Target::Uri,
        Type::BYTES => Target::Bytes,
        _ => return None,
    };
    let takes_null = nullable || matches!(target, Target::String | Target::Uri | Target::Bytes);
    Some((target, takes_null))
}

/// `(T)token` for a type of the operators.
pub(crate) fn cast_to(token: Option<&Token>, to: Type) -> Result<Value, Exception> {
    let Some((target, nullable)) = target_of(to) else {
        return Err(Exception::invalid_cast("Specified cast is not valid."));
    };
    Ok(typed(&cast(token, target, nullable)?, to))
}

/// A converted scalar as a value of exactly that type.
pub(crate) fn typed(scalar: &Scalar, to: Type) -> Value {
    match (scalar, to.without_null()) {
        (Scalar::Null, _) => Value::Null,
        (Scalar::Int(it), ty) if ty.is_integral() => integer_of(ty, *it),
        (Scalar::Big(digits), Type::UInt64) => digits.parse().map_or(Value::Null, Value::ULong),
        (other, _) => value_of(other),
    }
}

/// `Extensions.Value<T>(token)`.
pub(super) fn value_as(token: Option<&Token>, to: Type) -> Result<Value, Exception> {
    let Some(token) = token else { return Ok(default_value(to)) };
    let own = super::class_of(token.kind());
    if to == Type::Object || (is_reference_convertible(own, to) && !is_compared(to)) {
        return Ok(super::object(token.clone()));
    }
    let Some(scalar) = token.scalar() else {
        return Err(Exception::invalid_cast(format!(
            "Cannot cast {} to {}.",
            own.full_name(),
            JTOKEN.full_name()
        )));
    };
    let value = value_of(&scalar);
    if value.is_instance(to) {
        return Ok(value);
    }
    match target_of(to) {
        Some((target, nullable)) => Ok(typed(&change_type(&scalar, target, nullable)?, to)),
        None if value.is_null() && to.accepts_null() => Ok(Value::Null),
        None => Err(Exception::invalid_cast(format!(
            "Invalid cast from '{}' to '{}'.",
            value.type_name(),
            to.full_name()
        ))),
    }
}

/// Whether `ToObject<T>()` is the operator `(T)token`: for all types of the operators but bytes.
pub(super) fn is_cast(to: Type) -> bool {
    target_of(to).is_some_and(|(target, _)| target != Target::Bytes)
}

fn is_compared(ty: Type) -> bool {
    ty == Type::named(names::ICOMPARABLE) || ty == Type::named(names::IFORMATTABLE)
}

#[cfg(test)]
mod tests {
    use clr::types::Type;
    use clr::value::Value;
    use tree::json::{ParseOptions, Root, Scalar, Token, parse};

    use super::{cast_to, value_as};

    fn show(result: Result<Value, clr::Exception>) -> String {
        match result {
            Ok(value) => format!("{} {}", value.type_name(), value.to_text()),
            Err(exception) => exception.type_name.to_owned(),
        }
    }

    #[test]
    fn casts_give_values_of_exactly_the_type() {
        let one = Token::value(1);
        let cases = [
            (Type::Int32, "System.Int32 1"),
            (Type::UInt64, "System.UInt64 1"),
            (Type::Byte, "System.Byte 1"),
            (Type::Nullable(&Type::Int64), "System.Int64 1"),
            (Type::Double, "System.Double 1"),
            (Type::String, "System.String 1"),
            (Type::Char, "System.Char \u{1}"),
            (Type::DateTime, "System.ArgumentException"),
        ];
        for (ty, expected) in cases {
            assert_eq!(show(cast_to(Some(&one), ty)), expected);
        }
        assert_eq!(show(cast_to(None, Type::Int32)), "System.ArgumentNullException");
        assert_eq!(show(cast_to(None, Type::String)), "null ");
    }

    #[test]
    fn value_of_t_keeps_tokens_and_changes_values() {
        let object = parse(r#"{"a":{},"n":1}"#, Root::Any, &ParseOptions::default()).unwrap();
        let number = object.get("n");

        assert_eq!(show(value_as(number.as_ref(), Type::Int32)), "System.Int32 1");
        assert_eq!(show(value_as(None, Type::Int32)), "System.Int32 0");
        assert_eq!(show(value_as(None, Type::String)), "null ");
        assert_eq!(
            show(value_as(object.get("a").as_ref(), Type::String)),
            "System.InvalidCastException"
        );
        assert_eq!(
            show(value_as(Some(&Token::value(Scalar::Null)), Type::Int32)),
            "System.InvalidCastException"
        );
    }
}
