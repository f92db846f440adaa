//! Operands: values that are only looked at.

use std::borrow::Cow;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::types::Type;
use clr::value::Value;

use super::{call, convert, eval};
use crate::ir::{Call, Conversion, Node};

/// The value of a node for an operation that only looks at it: a constant, or an item that the host
/// keeps, is not copied.
///
/// # Errors
///
/// What evaluating the node throws.
#[inline]
pub(crate) fn operand<'a, 'h: 'a>(
    node: &'a Node,
    base: usize,
    cx: &mut EvalCx<'h>,
) -> Result<Cow<'a, Value>, Exception> {
    match node {
        Node::Const(value) => Ok(Cow::Borrowed(value)),
        _ => kept_or_made(node, base, cx),
    }
}

fn kept_or_made<'a, 'h: 'a>(
    node: &'a Node,
    base: usize,
    cx: &mut EvalCx<'h>,
) -> Result<Cow<'a, Value>, Exception> {
    match node {
        Node::Convert(Conversion::Cast(Type::String), inner, _) => match &**inner {
            Node::Call(it) if it.find.is_some() => text_item(node, it, cx),
            _ => Ok(Cow::Owned(eval(node, base, cx)?)),
        },
        Node::Call(it) if it.find.is_some() => call::item(it, cx).map(Cow::Borrowed),
        _ => Ok(Cow::Owned(eval(node, base, cx)?)),
    }
}

/// `(string)item`.
fn text_item<'a, 'h: 'a>(
    cast: &'a Node,
    it: &'a Call,
    cx: &mut EvalCx<'h>,
) -> Result<Cow<'a, Value>, Exception> {
    match call::item(it, cx)? {
        found @ (Value::String(_) | Value::Null) => Ok(Cow::Borrowed(found)),
        other => Err(not_a_text(cast, other, cx)),
    }
}

/// Why a value that is no string cannot be cast to one.
#[cold]
fn not_a_text(node: &Node, value: &Value, cx: &EvalCx<'_>) -> Exception {
    let refused = convert::refused_cast(value, Type::String, cx);
    match node {
        Node::Convert(_, _, span) => refused.at(span.range()),
        _ => refused,
    }
}

#[cfg(test)]
mod tests {
    use clr::host::EmptyHost;
    use clr::value::Value;

    use crate::{Form, Options, compile};

    /// The result with a text, a number and null among the variables.
    fn result(source: &str) -> String {
        let mut host = EmptyHost::default();
        host.variables.set("text", Value::from("a"));
        host.variables.set("number", Value::from(7));
        host.variables.set("nothing", Value::Null);
        let program = compile(source, Form::Expression, &Options::default()).unwrap();
        match program.evaluate(&host) {
            Ok(value) => value.to_text().into_owned(),
            Err(it) => {
                let span = it.span.clone().unwrap_or_default();
                format!("{}: {} {}", it.type_name, it.message, &source[span])
            }
        }
    }

    #[test]
    fn items_of_variables_are_looked_at_where_they_are() {
        let cases = [
            (r#""<" + (string)context.Variables["text"]"#, "<a"),
            (r#""<" + context.Variables["number"]"#, "<7"),
            (r#""<" + (string)context.Variables["nothing"]"#, "<"),
            (r#"(string)context.Variables["text"] == "a""#, "True"),
            (r#"(string)context.Variables["nothing"] == null"#, "True"),
            (r#"(int)context.Variables["number"] > 6"#, "True"),
        ];
        for (source, expected) in cases {
            assert_eq!(result(source), expected, "{source}");
        }
    }

    #[test]
    fn what_is_missing_or_of_another_type_throws_where_it_stands() {
        let cases = [
            (
                r#""<" + (string)context.Variables["none"]"#,
                r#"System.Collections.Generic.KeyNotFoundException: The given key 'none' was not present in the dictionary. context.Variables["none"]"#,
            ),
            (
                r#""<" + (string)context.Variables["number"]"#,
                r#"System.InvalidCastException: Unable to cast object of type 'System.Int32' to type 'System.String'. context.Variables["number"]"#,
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(result(source), expected, "{source}");
        }
    }
}
