//! `Sum` and `Average`, one row per number type as in .NET.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::text::number::arithmetic;
use rust_decimal::Decimal;

use super::{SOURCE, argument, no_elements};

macro_rules! rows {
    ($($number:ident average $average:ident;)*) => {
        pub(super) const ROWS: &[Member] = &[$(
            Member::extension(
                "Sum", &[Type::Named(names::IENUMERABLE, &[Type::$number])], Type::$number, sum,
            ).params(&["source"]),
            Member::extension(
                "Sum",
                &[Type::Named(names::IENUMERABLE, &[Type::Nullable(&Type::$number)])],
                Type::Nullable(&Type::$number),
                sum,
            ).params(&["source"]),
            Member::extension(
                "Sum", &[SOURCE, Type::Func(&[Type::M, Type::$number])], Type::$number, sum,
            ).params(&["source", "selector"]),
            Member::extension(
                "Sum",
                &[SOURCE, Type::Func(&[Type::M, Type::Nullable(&Type::$number)])],
                Type::Nullable(&Type::$number),
                sum,
            ).params(&["source", "selector"]),
            Member::extension(
                "Average", &[Type::Named(names::IENUMERABLE, &[Type::$number])], Type::$average, average,
            ).params(&["source"]),
            Member::extension(
                "Average",
                &[Type::Named(names::IENUMERABLE, &[Type::Nullable(&Type::$number)])],
                Type::Nullable(&Type::$average),
                average,
            ).params(&["source"]),
            Member::extension(
                "Average", &[SOURCE, Type::Func(&[Type::M, Type::$number])], Type::$average, average,
            ).params(&["source", "selector"]),
            Member::extension(
                "Average",
                &[SOURCE, Type::Func(&[Type::M, Type::Nullable(&Type::$number)])],
                Type::Nullable(&Type::$average),
                average,
            ).params(&["source", "selector"]),
        )*];
    };
}

rows! {
    Int32 average Double;
    Int64 average Double;
    Single average Single;
    Double average Double;
    Decimal average Decimal;
}

/// A sum that is growing. Integers are summed in 64 bits, `float` in `double`, as .NET does.
enum Total {
    Integer(i64),
    Float(f64),
    Decimal(Decimal),
}

fn overflow() -> Exception {
    Exception::overflow("Arithmetic operation resulted in an overflow.")
}

fn decimal_overflow() -> Exception {
    Exception::overflow("Value was either too large or too small for a Decimal.")
}

impl Total {
    fn zero(of: Type) -> Self {
        match of.without_null() {
            Type::Single | Type::Double => Self::Float(0.0),
            Type::Decimal => Self::Decimal(Decimal::ZERO),
            _ => Self::Integer(0),
        }
    }

    fn add(&mut self, item: &Value) -> Result<(), Exception> {
        match (self, item) {
            (Self::Integer(total), _) => {
                let item = item.as_i64().unwrap_or(0);
                *total = total.checked_add(item).ok_or_else(overflow)?;
            }
            (Self::Float(total), _) => *total += item.as_f64().unwrap_or(0.0),
            (Self::Decimal(total), Value::Decimal(item)) => {
                *total = arithmetic::add(*total, *item).ok_or_else(decimal_overflow)?;
            }
            (Self::Decimal(_), _) => {}
        }
        Ok(())
    }

    fn value(&self, of: Type) -> Result<Value, Exception> {
        Ok(match (self, of.without_null()) {
            (Self::Integer(it), Type::Int32) => i32::try_from(*it).map_err(|_| overflow())?.into(),
            (Self::Integer(it), _) => (*it).into(),
            #[expect(clippy::cast_possible_truncation, reason = "as C# converts")]
            (Self::Float(it), Type::Single) => (*it as f32).into(),
            (Self::Float(it), _) => (*it).into(),
            (Self::Decimal(it), _) => (*it).into(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "as C# converts")]
    fn divided(&self, count: i64, of: Type) -> Result<Value, Exception> {
        Ok(match (self, of.without_null()) {
            (Self::Integer(it), _) => (*it as f64 / count as f64).into(),
            #[expect(clippy::cast_possible_truncation, reason = "as C# converts")]
            (Self::Float(it), Type::Single) => ((*it / count as f64) as f32).into(),
            (Self::Float(it), _) => (*it / count as f64).into(),
            (Self::Decimal(it), _) => {
                arithmetic::divide(*it, Decimal::from(count)).ok_or_else(decimal_overflow)?.into()
            }
        })
    }
}

/// The number type that the row adds up: that of its items, or of its selector's result.
fn number_of(args: &Args<'_>) -> Type {
    match args.member().params {
        [_, Type::Func([.., result])] => *result,
        [Type::Named(_, [item]), ..] => *item,
        _ => Type::Int32,
    }
}

/// The sum of all that is not null, and how many there were.
///
/// # Errors
///
/// What the source and the selector throw, and `check` of each sum on the way.
fn total(
    args: &Args<'_>,
    cx: &mut EvalCx<'_>,
    check: impl Fn(&Total) -> Result<(), Exception>,
) -> Result<(Total, i64), Exception> {
    let source = argument(args, 0)?;
    let selector = if args.len() > 1 { Some(argument(args, 1)?) } else { None };
    let mut items = source.cursor(cx)?;
    let (mut total, mut count) = (Total::zero(number_of(args)), 0);
    while let Some(item) = items.next(cx)? {
        cx.step()?;
        let item = match &selector {
            Some(it) => cx.invoke(it, &[item])?,
            None => item,
        };
        if !item.is_null() {
            count += 1;
            total.add(&item)?;
            check(&total)?;
        }
    }
    Ok((total, count))
}

fn sum(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let returns = args.member().returns;
    total(args, cx, |it| it.value(returns).map(drop))?.0.value(returns)
}

fn average(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (total, count) = total(args, cx, |_| Ok(()))?;
    let result = args.member().returns;
    match (count, result) {
        (0, Type::Nullable(_)) => Ok(Value::Null),
        (0, _) => Err(no_elements()),
        _ => total.divided(count, result),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{ints, run};
    use super::*;

    #[test]
    fn integers_are_summed_and_checked() {
        assert_eq!(run("Sum", &[ints(&[1, 2, 3])]).unwrap().as_i64(), Some(6));
        assert_eq!(run("Sum", &[ints(&[])]).unwrap().as_i64(), Some(0));
        let error = run("Sum", &[ints(&[i32::MAX, 1])]).unwrap_err();
        assert_eq!(error.type_name, "System.OverflowException");
        // It is the sum on the way that must fit.
        assert!(run("Sum", &[ints(&[2, i32::MAX, -13])]).is_err());
        assert_eq!(run("Average", &[ints(&[1, 2])]).unwrap().as_f64(), Some(1.5));
        assert!(run("Average", &[ints(&[])]).is_err());
    }

    #[test]
    fn decimals_keep_their_scale() {
        let mut total = Total::zero(Type::Decimal);
        for text in ["1.5", "2.50"] {
            total.add(&Value::Decimal(text.parse().unwrap())).unwrap();
        }
        assert_eq!(total.value(Type::Decimal).unwrap().to_text(), "4.00");
    }
}
