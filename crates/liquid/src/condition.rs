//! Conditions of `if`, `elsif` and `unless`, and the comparisons in them.
//!
//! `and` and `or` are read from the right: `a and b or c` is `a and (b or c)`. There are no
//! parentheses.

use std::cmp::Ordering;

use crate::compare::{compare, equal};
use crate::error::Stop;
use crate::expr::Expr;
use crate::lookup::member;
use crate::markup::{Commas, Markup};
use crate::parse::Parser;
use crate::render::RenderCx;
use crate::value::Value;

/// Conditions in a tag at most, as in DotLiquid.
const MAX_CONDITIONS: usize = 500;

/// One comparison, or whether a value is there; and what follows.
#[derive(Debug)]
pub(crate) struct Condition {
    first: Comparison,
    rest: Vec<(Joint, Comparison)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// Two values and how they are compared; or one value.
#[derive(Debug)]
pub(crate) struct Comparison {
    left: Expr,
    right: Option<(Operator, Expr)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Contains,
    StartsWith,
    EndsWith,
    HasKey,
    HasValue,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<>", Operator::NotEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("contains", Operator::Contains),
    ("Contains", Operator::Contains),
    ("startsWith", Operator::StartsWith),
    ("StartsWith", Operator::StartsWith),
    ("endsWith", Operator::EndsWith),
    ("EndsWith", Operator::EndsWith),
    ("hasKey", Operator::HasKey),
    ("HasKey", Operator::HasKey),
    ("hasValue", Operator::HasValue),
    ("HasValue", Operator::HasValue),
];

impl Condition {
    /// Reads what stands behind `if`.
    pub(crate) fn parse(markup: Markup<'_>, tag: Markup<'_>, parser: &mut Parser<'_>) -> Self {
        let (parts, joints) = split(markup);
        if parts.len() > MAX_CONDITIONS {
            let message = format!("a tag has {MAX_CONDITIONS} conditions at most");
            parser.flaw(tag.flaw(message));
        }
        let parts = parts.into_iter().take(MAX_CONDITIONS);
        let mut read = parts.map(|it| comparison(if it.is_empty() { tag } else { it }, it, parser));
        let first = read.next().unwrap_or(Comparison::NOTHING);
        Condition { first, rest: joints.into_iter().zip(read).collect() }
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, cx: &mut RenderCx<'_>) -> Result<bool, Stop> {
        let mut current = &self.first;
        let mut rest = self.rest.iter();
        loop {
            let holds = current.holds(cx)?;
            match rest.next() {
                Some((Joint::And, next)) if holds => current = next,
                Some((Joint::Or, next)) if !holds => current = next,
                _ => return Ok(holds),
            }
        }
    }
}

/// The parts between the words `and` and `or`.
fn split(markup: Markup<'_>) -> (Vec<Markup<'_>>, Vec<Joint>) {
    let (mut parts, mut joints) = (Vec::new(), Vec::new());
    let mut start = markup;
    let mut rest = markup;
    while let Some((fragment, behind)) = rest.fragment(Commas::End) {
        let joint = match fragment.text {
            "and" => Some(Joint::And),
            "or" => Some(Joint::Or),
            _ => None,
        };
        if let Some(joint) = joint {
            parts.push(start.slice(0..fragment.start - start.start).trim());
            joints.push(joint);
            start = behind;
        }
        rest = behind;
    }
    parts.push(start.trim());
    (parts, joints)
}

fn comparison(tag: Markup<'_>, markup: Markup<'_>, parser: &mut Parser<'_>) -> Comparison {
    let Some((left, rest)) = markup.fragment(Commas::End) else {
        parser.flaw(tag.flaw("a condition is missing"));
        return Comparison::NOTHING;
    };
    if !left.text.starts_with(['"', '\'']) && left.text.contains(['=', '<', '>']) {
        let flaw = left.flaw(format!("`{}` is read as a name", left.text));
        parser.warn(flaw.help("write spaces around the operator"));
    }
    let left = parser.value(left);
    let rest = rest.trim_start();
    let is_operator = |ch: char| ch.is_ascii_alphabetic() || "=!<>_".contains(ch);
    let length = rest.text.find(|ch| !is_operator(ch)).unwrap_or(rest.text.len());
    if length == 0 {
        return Comparison { left, right: None };
    }
    let word = rest.slice(0..length);
    let Some((_, operator)) = OPERATORS.iter().find(|it| it.0 == word.text) else {
        let flaw = word.flaw(format!("unknown operator `{}`", word.text));
        parser.flaw(flaw.help("operators are == != <> < > <= >= contains startsWith endsWith"));
        return Comparison::NOTHING;
    };
    let right = match rest.from(length).fragment(Commas::End) {
        Some((right, _)) => parser.value(right),
        None => Expr::Literal(Value::Nil),
    };
    Comparison { left, right: Some((*operator, right)) }
}

impl Comparison {
    const NOTHING: Comparison = Comparison { left: Expr::Literal(Value::Nil), right: None };

    /// `left == right`.
    pub(crate) fn equality(left: Expr, right: Expr) -> Comparison {
        Comparison { left, right: Some((Operator::Equal, right)) }
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, cx: &mut RenderCx<'_>) -> Result<bool, Stop> {
        let left = cx.eval(&self.left)?;
        let Some((operator, right)) = &self.right else { return Ok(left.is_truthy()) };
        let right = cx.eval(right)?;
        cx.budget.looks_at(left.weight().saturating_add(right.weight()))?;
        operator.holds(&left, &right, cx)
    }
}

impl Operator {
    fn holds(self, left: &Value, right: &Value, cx: &mut RenderCx<'_>) -> Result<bool, Stop> {
        let ordered = |is_it: fn(Ordering) -> bool| -> Result<bool, Stop> {
            match (left, right) {
                (Value::Nil, _) | (_, Value::Nil) => Ok(false),
                _ => Ok(compare(left, right)?.is_some_and(is_it)),
            }
        };
        let text = |is_it: fn(&str, &str) -> bool| match left {
            Value::Text(it) => {
                !matches!(right, Value::Nil) && is_it(it.as_str(), right.to_text().as_str())
            }
            _ => false,
        };
        let item = |at: Option<usize>| at.and_then(|at| left.item(at)).unwrap_or_default();
        Ok(match self {
            Operator::Equal => equal(left, right),
            Operator::NotEqual => !equal(left, right),
            Operator::Less => ordered(Ordering::is_lt)?,
            Operator::Greater => ordered(Ordering::is_gt)?,
            Operator::LessOrEqual => ordered(Ordering::is_le)?,
            Operator::GreaterOrEqual => ordered(Ordering::is_ge)?,
            Operator::StartsWith => match left {
                Value::List(_) => equal(&item(Some(0)), right),
                _ => text(|it, what| it.starts_with(what)),
            },
            Operator::EndsWith => match left {
                Value::List(items) => equal(&item(items.len().checked_sub(1)), right),
                _ => text(|it, what| it.ends_with(what)),
            },
            Operator::Contains => match left {
                Value::Text(_) => text(|it, what| it.contains(what)),
                Value::List(_) | Value::Range(..) => contains(left, right, cx)?,
                _ => false,
            },
            Operator::HasKey => match right {
                Value::Text(name) => member(left, name.as_str()).is_some(),
                _ => false,
            },
            Operator::HasValue => match left {
                Value::Hash(hash) => {
                    cx.budget.steps(hash.entries().len() as u64)?;
                    hash.entries().iter().any(|it| equal(&it.1, right))
                }
                _ => false,
            },
        })
    }
}

fn contains(list: &Value, wanted: &Value, cx: &mut RenderCx<'_>) -> Result<bool, Stop> {
    let n_items = list.len().unwrap_or(0);
    for at in 0..n_items {
        cx.budget.steps(1)?;
        if list.item(at).is_some_and(|it| equal(&it, wanted)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render_with, warnings};
    use crate::value::Value;

    fn holds(condition: &str) -> bool {
        let given = [
            ("n", Value::Long(5)),
            ("t", Value::from("apple")),
            ("f", Value::Bool(false)),
            ("l", Value::list([Value::from("a"), Value::Long(2)])),
            ("h", Value::hash([("k", Value::from("v"))])),
            ("e", Value::list([])),
        ];
        render_with(&format!("{{% if {condition} %}}yes{{% endif %}}"), &given) == "yes"
    }

    #[test]
    fn a_value_is_true_unless_it_is_nothing_or_false() {
        for (condition, expected) in
            [("n", true), ("0", true), ("''", true), ("e", true), ("f", false), ("x", false)]
        {
            assert_eq!(holds(condition), expected, "{condition}");
        }
    }

    #[test]
    fn operators_compare() {
        for (condition, expected) in [
            ("n == 5", true),
            ("n == '5'", true),
            ("n != 5", false),
            ("n <> 4", true),
            ("n < 5.5", true),
            ("n >= 5", true),
            ("x < 1", false),
            ("x == nil", true),
            ("t == 'apple'", true),
            ("t contains 'ppl'", true),
            ("t Contains \"x\"", false),
            ("t startsWith 'ap'", true),
            ("t EndsWith 'le'", true),
            ("l contains 2", true),
            ("l contains 'b'", false),
            ("l startsWith 'a'", true),
            ("l endsWith 2", true),
            ("h hasKey 'k'", true),
            ("h hasValue 'v'", true),
            ("h contains 'k'", false),
            ("e == empty", true),
            ("l == blank", false),
            ("(1..3) contains 3", true),
            ("x contains 'a'", false),
        ] {
            assert_eq!(holds(condition), expected, "{condition}");
        }
    }

    #[test]
    fn and_and_or_are_read_from_the_right() {
        for (condition, expected) in [
            ("f and f or n", false),
            ("n or f and f", true),
            ("f or n and t", true),
            ("n == 5 and t == 'x and y' or x", false),
        ] {
            assert_eq!(holds(condition), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_does_not_compile() {
        assert_eq!(flaws("{% if %}{% endif %}"), ["0..8 a condition is missing"]);
        assert_eq!(flaws("{% if a =! b %}{% endif %}"), ["8..10 unknown operator `=!`"]);
        assert_eq!(flaws("{% if a b %}{% endif %}"), ["8..9 unknown operator `b`"]);
        assert_eq!(flaws("{% if a and %}{% endif %}"), ["0..14 a condition is missing"]);
        let many = format!("{{% if a{} %}}{{% endif %}}", " or a".repeat(500));
        assert_eq!(flaws(&many).len(), 1);
        assert_eq!(warnings("{% if a=='b' %}{% endif %}"), ["6..12 `a=='b'` is read as a name"]);
    }

    #[test]
    fn values_without_an_order_are_an_error() {
        let template = crate::Template::compile("a\n{% if 1 < 'x' %}{% endif %}").unwrap();
        let error = template.render(&[], &crate::Limits::default(), 0).unwrap_err();
        assert_eq!((error.line, error.column), (2, 1));
    }
}
