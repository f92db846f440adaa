//! The evaluator: runs the nodes of [`crate::ir`].
//!
//! Slots of all functions that are under way lie on one stack in [`EvalCx`]; each function knows
//! its base. Loops, calls and lambdas count steps; straight-line code is bounded by its source.

pub(crate) mod access;
pub(crate) mod call;
pub(crate) mod closure;
pub(crate) mod condition;
pub(crate) mod convert;
pub(crate) mod iterator;
pub(crate) mod late;
pub(crate) mod operand;
pub(crate) mod operators;
pub(crate) mod statements;
pub(crate) mod text;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::types::Type;
use clr::value::{Anonymous, Value};
use csharp::ast::Span;

use self::condition::truth;
use self::operand::operand;
use crate::ir::{Node, Op, Operation};

/// What evaluating gives.
pub(crate) type Outcome = Result<Value, Exception>;

/// Evaluates a node; `base` is the first slot of the function.
pub(crate) fn eval(node: &Node, base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    match node {
        Node::Const(value) => Ok(value.clone()),
        Node::Local(slot) => Ok(cx.load(base, *slot)),
        Node::SetLocal(slot, value) => {
            let value = eval(value, base, cx)?;
            cx.store(base, *slot, value.clone());
            Ok(value)
        }
        Node::Part(member, span) => {
            let mut result = member.read_from(cx.host());
            if let Err(exception) = &mut result {
                exception.place(span.range());
            }
            result
        }
        Node::Call(it) => call::call(it, base, cx),
        Node::Binary(operation, operands, span) => binary(*operation, operands, *span, base, cx),
        Node::Not(_) | Node::AndAlso(_) | Node::OrElse(_) | Node::StringEquals(..) => {
            truth(node, base, cx).map(Value::Bool)
        }
        Node::Conditional(it) => {
            if truth(&it.0, base, cx)? {
                eval(&it.1, base, cx)
            } else {
                eval(&it.2, base, cx)
            }
        }
        Node::Coalesce(it) => match eval(&it.0, base, cx)? {
            Value::Null => eval(&it.1, base, cx),
            value => Ok(value),
        },
        Node::NullConditional { target, slot, rest } => match eval(target, base, cx)? {
            Value::Null => Ok(Value::Null),
            value => {
                cx.store(base, *slot, value);
                eval(rest, base, cx)
            }
        },
        Node::Concat(parts) => text::concat(parts, base, cx),
        Node::Invoke(target, args, span) => invoke(target, args, *span, base, cx),
        Node::Convert(conversion, value, span) => {
            let value = eval(value, base, cx)?;
            let mut result = convert::convert(conversion, value, cx);
            if let Err(exception) = &mut result {
                exception.place(span.range());
            }
            result
        }
        Node::Sequence(all) => {
            let mut last = Value::Null;
            for it in all {
                last = eval(it, base, cx)?;
            }
            Ok(last)
        }
        other => rare(other, base, cx),
    }
}

/// The nodes that do not need to be fast: they keep the frame of [`eval`] small.
#[inline(never)]
fn rare(node: &Node, base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    match node {
        Node::Lifted(operation, operands, span) => lifted(*operation, operands, *span, base, cx),
        Node::ThreeValued { or, operands } => three_valued(*or, operands, base, cx),
        Node::Negate(number, checked, value, span) => {
            let value = eval(value, base, cx)?;
            operators::negate(*number, *checked, value).map_err(|it| it.at(span.range()))
        }
        Node::Complement(value) => Ok(operators::complement(eval(value, base, cx)?)),
        Node::Same(equal, it) => {
            let (a, b) = (eval(&it.0, base, cx)?, eval(&it.1, base, cx)?);
            Ok(Value::Bool(is_same_reference(&a, &b) == *equal))
        }
        Node::Equals(equal, it) => {
            let (a, b) = (eval(&it.0, base, cx)?, eval(&it.1, base, cx)?);
            Ok(Value::Bool(a.equals(&b) == *equal))
        }
        Node::Finally(first, all) => {
            let done = eval(first, base, cx);
            if done.as_ref().err().is_none_or(Exception::is_catchable) {
                for it in all {
                    eval(it, base, cx)?;
                }
            }
            done
        }
        Node::Format { value, alignment, format } => {
            let value = eval(value, base, cx)?;
            text::hole(&value, *alignment, format.as_deref(), cx)
        }
        Node::Is(ty, value) => Ok(Value::Bool(eval(value, base, cx)?.is_instance(*ty))),
        Node::As(ty, value) => {
            let value = eval(value, base, cx)?;
            Ok(if value.is_instance(*ty) { value } else { Value::Null })
        }
        Node::IsDeclaration { ty, slot, value } => {
            let value = eval(value, base, cx)?;
            let matches = ty.is_none_or(|ty| value.is_instance(ty));
            if let (true, Some(slot)) = (matches, slot) {
                cx.store(base, *slot, value);
            }
            Ok(Value::Bool(matches))
        }
        Node::IsConstant(it) => {
            let (a, b) = (eval(&it.0, base, cx)?, eval(&it.1, base, cx)?);
            Ok(Value::Bool(a.equals(&b)))
        }
        Node::Reference(slot) => Ok(Value::Object(cx.cell(base, *slot))),
        Node::Lambda(code, captures) => Ok(closure::make(code, captures, base, cx)),
        Node::NewArray(element, items) => {
            cx.allocate(items.len() * size_of::<Value>())?;
            let items = all(items, base, cx)?;
            Ok(Value::array(*element, items))
        }
        Node::NewArrayOf(element, length, span) => {
            let length = eval(length, base, cx)?;
            access::new_array(*element, &length, cx).map_err(|it| it.at(span.range()))
        }
        Node::ArrayGet(it, span) => {
            let (array, index) = (eval(&it.0, base, cx)?, eval(&it.1, base, cx)?);
            access::get(&array, &index).map_err(|it| it.at(span.range()))
        }
        Node::ArraySet(it, span) => {
            let (array, index) = (eval(&it.0, base, cx)?, eval(&it.1, base, cx)?);
            let value = eval(&it.2, base, cx)?;
            access::set(&array, &index, value).map_err(|it| it.at(span.range()))
        }
        Node::CharAt(it, span) => {
            let (text, index) = (eval(&it.0, base, cx)?, eval(&it.1, base, cx)?);
            access::char_at(&text, &index).map_err(|it| it.at(span.range()))
        }
        Node::Anonymous(ty, fields) => {
            cx.allocate(fields.len() * size_of::<Value>())?;
            let fields = all(fields, base, cx)?;
            Ok(Value::object(Anonymous::new(*ty, fields)))
        }
        Node::AnonymousGet(index, object, span) => {
            let object = eval(object, base, cx)?;
            let field = object.as_object::<Anonymous>().and_then(|it| it.fields().get(*index));
            field.cloned().ok_or_else(|| Exception::null_reference().at(span.range()))
        }
        Node::With(index, it) => {
            let (tuple, value) = (eval(&it.0, base, cx)?, eval(&it.1, base, cx)?);
            cx.step()?;
            let made = tuple.as_object::<Anonymous>().map(|it| it.with(*index, value));
            made.map(Value::object).ok_or_else(Exception::null_reference)
        }
        Node::Late(site, operands) => late::run(site, operands, base, cx),
        Node::Settle(inner) => {
            let value = eval(inner, base, cx);
            cx.settle()?;
            value
        }
        Node::Throw(value, span) => {
            let value = eval(value, base, cx)?;
            Err(statements::thrown(&value).at(span.range()))
        }
        _ => eval(node, base, cx),
    }
}

/// Evaluates several nodes in order.
pub(crate) fn all(
    nodes: &[Node],
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Result<Vec<Value>, Exception> {
    nodes.iter().map(|it| eval(it, base, cx)).collect()
}

fn binary(
    operation: Operation,
    operands: &(Node, Node),
    span: Span,
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Outcome {
    let a = operand(&operands.0, base, cx)?;
    let b = operand(&operands.1, base, cx)?;
    operators::apply(operation, &a, &b).map_err(|it| it.at(span.range()))
}

/// `==` of two objects: strings by value, as authors mean it; boxed values are never the same.
fn is_same_reference(a: &Value, b: &Value) -> bool {
    let boxed = |it: &Value| !it.is_null() && it.runtime_type().is_value_type();
    a.is_same(b) && !boxed(a)
}

fn lifted(
    operation: Operation,
    operands: &(Node, Node),
    span: Span,
    base: usize,
    cx: &mut EvalCx<'_>,
) -> Outcome {
    let a = eval(&operands.0, base, cx)?;
    let b = eval(&operands.1, base, cx)?;
    match (a.is_null(), b.is_null(), operation.op) {
        (false, false, _) => operators::apply(operation, &a, &b).map_err(|it| it.at(span.range())),
        (true, true, Op::Equal) => Ok(Value::Bool(true)),
        (x, y, Op::NotEqual) => Ok(Value::Bool(x != y)),
        (_, _, op) if op.is_comparison() => Ok(Value::Bool(false)),
        _ => Ok(Value::Null),
    }
}

fn three_valued(or: bool, operands: &(Node, Node), base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    let a = eval(&operands.0, base, cx)?.as_bool();
    let b = eval(&operands.1, base, cx)?.as_bool();
    // The value that decides alone: true for `|`, false for `&`.
    Ok(if a == Some(or) || b == Some(or) {
        Value::Bool(or)
    } else if a.is_none() || b.is_none() {
        Value::Null
    } else {
        Value::Bool(!or)
    })
}

fn invoke(target: &Node, args: &[Node], span: Span, base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    let target = eval(target, base, cx)?;
    let args = all(args, base, cx)?;
    cx.invoke(&target, &args).map_err(|it| it.at(span.range()))
}

/// The default of a type; what an uninitialised array holds.
pub(crate) fn default_of(ty: Type) -> Value {
    clr::rows::default_value(ty)
}

#[cfg(test)]
mod tests {
    use crate::{Form, Options, compile};
    use clr::host::EmptyHost;

    #[test]
    fn a_null_conditional_skips_the_rest() {
        let source = "((string)null)?.Substring(99).Length";
        let program = compile(source, Form::Expression, &Options::default()).unwrap();
        assert!(program.evaluate(&EmptyHost::default()).unwrap().is_null());
    }
}
