//! Concatenation and interpolation.

use smallvec::SmallVec;

use super::{Outcome, eval};
use crate::cx::EvalCx;
use crate::ir::Node;
use crate::library::Args;
use crate::library::MemberKind;
use crate::string::Str;
use crate::types::Type;
use crate::value::Value;

/// The texts of all parts, one after the other.
pub(crate) fn concat(parts: &[Node], base: usize, cx: &mut EvalCx<'_>) -> Outcome {
    let mut texts: SmallVec<[Str; 4]> = SmallVec::new();
    for part in parts {
        let text = match eval(part, base, cx)? {
            Value::String(it) => it,
            other => text(&other, cx),
        };
        texts.push(text);
    }
    cx.allocate(texts.iter().map(Str::len).sum())?;
    Ok(Value::String(match texts.as_slice() {
        [a, b] => a.concat(b),
        all => Str::concat_all(all),
    }))
}

/// The text of a value; a part of `context` may need the host for it.
fn text(value: &Value, cx: &EvalCx<'_>) -> Str {
    let of_host = match value {
        Value::Host(it) => crate::library::context::text(*it, cx),
        _ => None,
    };
    of_host.unwrap_or_else(|| value.to_str(cx.runtime()))
}

/// A hole of an interpolated string.
pub(crate) fn hole(
    value: &Value,
    alignment: i32,
    format: Option<&str>,
    cx: &mut EvalCx<'_>,
) -> Outcome {
    let text = formatted(value, format, cx)?;
    let width = usize::try_from(alignment.unsigned_abs()).unwrap_or(0);
    if text.len() >= width {
        return Ok(Value::String(text));
    }
    cx.allocate(width)?;
    let padding = Str::from(" ".repeat(width - text.len()));
    Ok(Value::String(if alignment < 0 { text.concat(&padding) } else { padding.concat(&text) }))
}

/// `ToString(format)` of a value, by its type's own row; types without one ignore the format.
///
/// # Errors
///
/// What the row throws, such as `FormatException`.
pub(crate) fn formatted(
    value: &Value,
    format: Option<&str>,
    cx: &mut EvalCx<'_>,
) -> Result<Str, crate::Exception> {
    let Some(format) = format else { return Ok(text(value, cx)) };
    let row = value.runtime_type().definition_name().and_then(crate::library::definition).and_then(
        |def| {
            let fits = |it: &&crate::library::Member| {
                it.name == "ToString"
                    && it.kind == MemberKind::Method
                    && it.params == [Type::String]
            };
            def.members.iter().find(fits)
        },
    );
    let Some(row) = row else { return Ok(value.to_str(cx.runtime())) };
    let mut values = [value.clone(), Value::from(format)];
    let mut args = Args::new(row, &mut values, &[], &[], Type::String);
    Ok((row.call)(&mut args, cx)?.to_str(cx.runtime()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cx::test_support::with_cx;

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
