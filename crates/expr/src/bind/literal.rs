//! Literals and interpolated strings.
//!
//! Source: C# specification, 6.4.5 and 12.8.3.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, IntegerSuffix, Literal, Span};
use dotnet::Str;

use super::{Binder, Expr, codes};
use crate::ir::Node;

impl Binder {
    pub(super) fn literal(&mut self, literal: &Literal, span: Span) -> Expr {
        let (value, ty) = match literal {
            Literal::Null => return Expr::new(Node::Const(Value::Null), Type::Null, span),
            Literal::Bool(it) => (Value::Bool(*it), Type::Bool),
            Literal::Integer { value, suffix } => integer(*value, *suffix),
            Literal::Double(it) => (Value::Double(*it), Type::Double),
            Literal::Float(it) => (Value::Single(*it), Type::Single),
            Literal::Decimal(text) => match super::fold::decimal(text) {
                Some(it) => (Value::Decimal(it), Type::Decimal),
                None => {
                    self.report(
                        codes::CONSTANT,
                        span,
                        "the number does not fit `decimal`",
                        "too large",
                        None,
                    );
                    return Expr::error(span);
                }
            },
            Literal::Char(it) => (Value::Char(*it), Type::Char),
            Literal::String(it) => (Value::String(Str::from(&**it)), Type::String),
            Literal::Units(it) => (Value::String(Str::from_units(it)), Type::String),
        };
        Expr::constant(value, ty, span)
    }

    pub(super) fn interpolated(&mut self, parts: &[ast::InterpolatedPart], span: Span) -> Expr {
        let mut nodes = Vec::new();
        for part in parts {
            match part {
                ast::InterpolatedPart::Text(text) => nodes.push(self.literal(text, span).node),
                ast::InterpolatedPart::Hole { value, alignment, format } => {
                    let bound = self.value(value);
                    self.require_value(&bound);
                    let alignment = alignment.as_ref().map_or(0, |it| self.alignment(it));
                    nodes.push(Node::Format {
                        value: Box::new(bound.node),
                        alignment,
                        format: format.clone(),
                    });
                }
            }
        }
        Expr::new(Node::Concat(nodes.into_boxed_slice()), Type::String, span)
    }

    pub(super) fn alignment(&mut self, expr: &ast::Expr) -> i32 {
        let bound = self.value(expr);
        let bound = self.convert(bound, Type::Int32);
        match bound.constant {
            Some(Value::Int(it)) => it,
            _ if bound.ty == Type::Error => 0,
            _ => {
                self.report(
                    codes::CONSTANT,
                    bound.span,
                    "the alignment must be a constant",
                    "not a constant",
                    None,
                );
                0
            }
        }
    }
}

/// The first of the suffix's types that holds the number.
fn integer(value: u64, suffix: IntegerSuffix) -> (Value, Type) {
    let unsigned = matches!(suffix, IntegerSuffix::U | IntegerSuffix::Ul);
    let long = matches!(suffix, IntegerSuffix::L | IntegerSuffix::Ul);
    match (i32::try_from(value), u32::try_from(value), i64::try_from(value)) {
        (Ok(it), ..) if !unsigned && !long => (Value::Int(it), Type::Int32),
        (_, Ok(it), _) if !long => (Value::UInt(it), Type::UInt32),
        (.., Ok(it)) if !unsigned => (Value::Long(it), Type::Int64),
        _ => (Value::ULong(value), Type::UInt64),
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn literals_have_the_types_of_their_suffixes() {
        check(
            Form::Expression,
            &[
                ("5", "Int32: 5"),
                ("5L", "Int64: 5"),
                ("5u", "UInt32: 5"),
                ("4294967295", "UInt32: 4294967295"),
                ("4294967296", "Int64: 4294967296"),
                ("1.50m", "Decimal: 1.50"),
                ("1f", "Single: 1"),
                ("$\"{1,3}|{\"a\",-2}|\"", "String:   1|a |"),
            ],
        );
    }
}
