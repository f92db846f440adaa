//! Comparing values (XPath 1.0, section 3.4).

use std::collections::HashSet;
use std::sync::Arc;

use super::Run;
use crate::document::Node;
use crate::limits::Failure;
use crate::xpath::{Comparison, Value, parse_number};

impl Run<'_> {
    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        a: &Value,
        b: &Value,
    ) -> Result<bool, Failure> {
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let wants_equal = comparison == Comparison::Equal;
        Ok(match (a, b) {
            (Value::Nodes(a), Value::Nodes(b)) => {
                self.budget.steps(a.len() + b.len())?;
                let a = self.strings(a)?;
                let b = self.strings(b)?;
                two_sets(comparison, &a, &b)
            }
            (Value::Boolean(it), other) | (other, Value::Boolean(it)) if is_equality => {
                (*it == other.as_boolean()) == wants_equal
            }
            (Value::Nodes(nodes), other) => {
                self.budget.steps(nodes.len())?;
                self.set_and_value(comparison, nodes, other)?
            }
            (other, Value::Nodes(nodes)) => {
                self.budget.steps(nodes.len())?;
                self.set_and_value(comparison.mirrored(), nodes, other)?
            }
            _ if is_equality => match (a, b) {
                (Value::Number(_), _) | (_, Value::Number(_)) => {
                    comparison.numbers(self.number_of(a)?, self.number_of(b)?)
                }
                _ => (self.text_of(a)? == self.text_of(b)?) == wants_equal,
            },
            _ => comparison.numbers(self.number_of(a)?, self.number_of(b)?),
        })
    }

    /// Is there a node of which it is true?
    fn set_and_value(
        &mut self,
        comparison: Comparison,
        nodes: &[Node],
        value: &Value,
    ) -> Result<bool, Failure> {
        if let Value::Boolean(it) = value {
            let (a, b) = (f64::from(u8::from(!nodes.is_empty())), f64::from(u8::from(*it)));
            return Ok(comparison.numbers(a, b));
        }
        let is_text = !matches!(value, Value::Number(_));
        if is_text && matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            let text = self.text_of(value)?;
            let wants_equal = comparison == Comparison::Equal;
            for node in nodes {
                if (*self.string(*node)? == *text) == wants_equal {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let number = self.number_of(value)?;
        for node in nodes {
            if comparison.numbers(parse_number(&self.string(*node)?), number) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn strings(&mut self, nodes: &[Node]) -> Result<Vec<Arc<str>>, Failure> {
        nodes.iter().map(|it| self.string(*it)).collect()
    }
}

/// Is there a pair of which it is true?
fn two_sets(comparison: Comparison, a: &[Arc<str>], b: &[Arc<str>]) -> bool {
    match comparison {
        Comparison::Equal => {
            let texts: HashSet<&str> = b.iter().map(|it| &**it).collect();
            a.iter().any(|it| texts.contains(&**it))
        }
        Comparison::NotEqual => {
            let Some(first) = a.first() else { return false };
            // Unless all of both are the same text, two of them differ.
            !b.is_empty() && (b.iter().any(|it| it != first) || a.iter().any(|it| it != first))
        }
        _ => {
            let numbers = |texts: &[Arc<str>]| {
                let numbers = texts.iter().map(|it| parse_number(it)).filter(|it| !it.is_nan());
                numbers.fold(None, |found: Option<(f64, f64)>, it| {
                    Some(found.map_or((it, it), |(least, most)| (least.min(it), most.max(it))))
                })
            };
            let (Some(a), Some(b)) = (numbers(a), numbers(b)) else { return false };
            let is_less = matches!(comparison, Comparison::Less | Comparison::LessOrEqual);
            let (a, b) = if is_less { (a.0, b.1) } else { (a.1, b.0) };
            comparison.numbers(a, b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sets_compare_if_any_pair_does() {
        let set =
            |text: &str| -> Vec<Arc<str>> { text.split_whitespace().map(Arc::from).collect() };
        for (a, comparison, b, expected) in [
            ("a b", Comparison::Equal, "b c", true),
            ("a", Comparison::Equal, "b", false),
            ("a", Comparison::NotEqual, "a", false),
            ("a", Comparison::NotEqual, "a b", true),
            ("a b", Comparison::NotEqual, "a b", true),
            ("", Comparison::NotEqual, "a", false),
            ("1 9", Comparison::Less, "2", true),
            ("3 9", Comparison::Less, "2", false),
            ("1 x", Comparison::Greater, "0 5", true),
            ("x", Comparison::GreaterOrEqual, "1", false),
        ] {
            assert_eq!(two_sets(comparison, &set(a), &set(b)), expected, "{a} {comparison:?} {b}");
        }
    }
}
