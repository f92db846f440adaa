//! Concatenation and interpolation.

use std::borrow::Cow;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::value::Value;
use clr::value::composite::format_value;
use dotnet::Str;
use smallvec::SmallVec;

use super::operand::operand;
use super::{Outcome, eval};
use crate::ir::Node;

/// The texts of all parts, one after the other.
pub(crate) fn concat(parts: &[Node], base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    if let [a, b] = parts {
        let first = operand(a, base, cx)?;
        let first = text(&first, cx);
        let second = operand(b, base, cx)?;
        let second = text(&second, cx);
        cx.allocate(first.len() + second.len())?;
        return Ok(Value::String(first.concat(&second)));
    }
    let mut texts: SmallVec<[Str; 4]> = SmallVec::new();
    for it in parts {
        texts.push(part(it, base, cx)?);
    }
    cx.allocate(texts.iter().map(Str::len).sum())?;
    Ok(Value::String(Str::concat_all(&texts)))
}

/// The text of a value; that of a string is not copied.
#[inline]
fn text<'a>(of: &'a Value, cx: &EvalCx<'_>) -> Cow<'a, Str> {
    match of {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(cx.text_of(other)),
    }
}

fn part(node: &Node, base: usize, cx: &mut EvalCx<'_>) -> Result<Str, Exception> {
    Ok(match eval(node, base, cx)? {
        Value::String(it) => it,
        other => cx.text_of(&other),
    })
}

/// A hole of an interpolated string.
pub(crate) fn hole(
    value: &Value,
    alignment: i32,
    format: Option<&str>,
    cx: &mut EvalCx<'_>,
) -> Outcome {
    let text = match format {
        None => cx.text_of(value),
        Some(format) => format_value(value, format, cx.runtime())?,
    };
    let width = usize::try_from(alignment.unsigned_abs()).unwrap_or(0);
    if text.len() >= width {
        return Ok(Value::String(text));
    }
    cx.allocate(width)?;
    let padding = Str::from(" ".repeat(width - text.len()));
    Ok(Value::String(if alignment < 0 { text.concat(&padding) } else { padding.concat(&text) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn parts_are_joined_by_their_text() {
        with_cx(|cx| {
            let parts =
                [Node::Const("a".into()), Node::Const(Value::Null), Node::Const(true.into())];
            assert_eq!(concat(&parts, 0, cx).unwrap().to_text(), "aTrue");
        });
    }

    #[test]
    fn holes_are_padded_on_the_side_that_the_sign_says() {
        with_cx(|cx| {
            for (alignment, expected) in [(4, "  ab"), (-4, "ab  "), (1, "ab")] {
                assert_eq!(hole(&"ab".into(), alignment, None, cx).unwrap().to_text(), expected);
            }
        });
    }
}
