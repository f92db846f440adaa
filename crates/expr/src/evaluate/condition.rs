//! Conditions: evaluated to a `bool`, without a value in between.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Member, Read};
use clr::value::Value;
use csharp::ast::Span;

use super::operand::operand;
use super::operators;
use crate::ir::{Node, Operation};

/// Evaluates a condition.
///
/// # Errors
///
/// What evaluating it throws.
pub(crate) fn truth(mut node: &Node, base: usize, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    loop {
        match node {
            Node::OrElse(it) => {
                if part(&it.0, base, cx)? {
                    return Ok(true);
                }
                node = &it.1;
            }
            Node::AndAlso(it) => {
                if !part(&it.0, base, cx)? {
                    return Ok(false);
                }
                node = &it.1;
            }
            Node::Not(value) => return Ok(!part(value, base, cx)?),
            _ => break,
        }
    }
    match at_hand(node, cx) {
        Some(result) => Ok(result),
        None => plain(node, base, cx),
    }
}

#[inline]
fn part(node: &Node, base: usize, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    match at_hand(node, cx) {
        Some(result) => Ok(result),
        None => truth(node, base, cx),
    }
}

/// The comparison of a number of `context` with a constant (`context.Response.StatusCode >= 500`),
/// if it is one and the number is there.
#[inline]
fn at_hand(node: &Node, cx: &EvalCx<'_>) -> Option<bool> {
    match node {
        Node::Binary(operation, operands, _) => match &**operands {
            (
                Node::Part(Member { read: Some(Read::Int(read)), .. }, _),
                Node::Const(Value::Int(b)),
            ) => operators::compare_int(operation.op, read(cx.host())?, *b),
            _ => None,
        },
        _ => None,
    }
}

#[inline(never)]
fn plain(node: &Node, base: usize, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    match node {
        Node::StringEquals(equal, it) => Ok(same_text(it, base, cx)? == *equal),
        Node::Binary(operation, it, span) => comparison(*operation, it, *span, base, cx),
        _ => Ok(matches!(*operand(node, base, cx)?, Value::Bool(true))),
    }
}

/// Equality of two strings.
fn same_text(it: &(Node, Node), base: usize, cx: &mut EvalCx<'_>) -> Result<bool, Exception> {
    let a = operand(&it.0, base, cx)?;
    let b = operand(&it.1, base, cx)?;
    Ok(match (&*a, &*b) {
        (Value::String(a), Value::String(b)) => a == b,
        (a, b) => a.is_null() && b.is_null(),
    })
}

/// A comparison, or another operation whose result is a `bool`.
fn comparison(
    operation: Operation,
    operands: &(Node, Node),
    span: Span,
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Result<bool, Exception> {
    let a = operand(&operands.0, base, cx)?;
    let b = operand(&operands.1, base, cx)?;
    if let (Value::Int(a), Value::Int(b)) = (&*a, &*b)
        && let Some(result) = operators::compare_int(operation.op, *a, *b)
    {
        return Ok(result);
    }
    let result = operators::apply(operation, &a, &b).map_err(|it| it.at(span.range()))?;
    Ok(matches!(result, Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use clr::host::{EmptyHost, ResponseValue};

    use crate::{Form, Options, compile};

    #[test]
    fn conditions_stop_at_the_first_part_that_decides() {
        let cases = [
            ("true || (1 / (int)context.Variables[\"none\"] > 0)", "True"),
            ("false && (1 / (int)context.Variables[\"none\"] > 0)", "False"),
            ("false || !(false || true) || \"a\" == \"a\"", "True"),
            ("context.Response.StatusCode == 429 || context.Response.StatusCode >= 500", "True"),
            ("context.Response.StatusCode < 503 && context.Response.StatusCode != 1", "False"),
            ("1.5 > 1 && 'a' < 'b' && 5L == 5", "True"),
        ];
        let host = EmptyHost {
            response: Some(ResponseValue {
                status_code: 503,
                status_reason: String::new(),
                headers: Vec::new(),
                body: None,
            }),
            ..EmptyHost::default()
        };
        for (source, expected) in cases {
            let program = compile(source, Form::Expression, &Options::default()).unwrap();
            assert_eq!(program.evaluate(&host).unwrap().to_text(), expected, "{source}");
        }
    }
}
