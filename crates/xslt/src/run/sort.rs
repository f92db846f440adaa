//! `xsl:sort` (XSLT 1.0, section 10). Texts are compared as .NET's invariant culture does it; what
//! is no number comes before all numbers.

use std::cmp::Ordering;
use std::rc::Rc;

use dotnet::Str;
use dotnet::text::compare::{Comparison, order};

use super::{Focus, Run};
use crate::document::Node;
use crate::limits::Failure;
use crate::sheet::{Avt, Sort};

/// The value of one node for one key.
enum SortKey {
    Text(Str),
    Number(f64),
}

/// How one key orders.
#[derive(Clone, Copy)]
struct Direction {
    is_descending: bool,
    is_upper_first: bool,
}

impl<'s> Run<'s> {
    /// The nodes in the order of the keys; those that are equal stay as they are.
    pub(super) fn sorted(
        &mut self,
        nodes: Rc<Vec<Node>>,
        sorts: &'s [Sort],
    ) -> Result<Rc<Vec<Node>>, Failure> {
        if sorts.is_empty() || nodes.len() < 2 {
            return Ok(nodes);
        }
        let (mut directions, mut numeric) = (Vec::new(), Vec::new());
        for sort in sorts {
            let is = |word: &str, wanted: &str| word == wanted;
            let order = self.word(sort.order.as_ref(), "order", &["ascending", "descending"])?;
            let data_type = self.word(sort.data_type.as_ref(), "data-type", &["text", "number"])?;
            let case_order =
                self.word(sort.case_order.as_ref(), "case-order", &["lower-first", "upper-first"])?;
            directions.push(Direction {
                is_descending: is(&order, "descending"),
                is_upper_first: is(&case_order, "upper-first"),
            });
            numeric.push(is(&data_type, "number"));
        }
        let size = nodes.len();
        let mut rows: Vec<(Vec<SortKey>, Node)> = Vec::with_capacity(size);
        for (at, node) in nodes.iter().enumerate() {
            let focus = Focus { node: *node, position: at + 1, size };
            let mut keys = Vec::with_capacity(sorts.len());
            // `current()` in a sort key is the node that is sorted.
            let outer = std::mem::replace(&mut self.focus, focus);
            for (sort, is_number) in sorts.iter().zip(&numeric) {
                let key = match is_number {
                    true => self.number(&sort.select, focus).map(SortKey::Number),
                    false => {
                        self.text(&sort.select, focus).map(|it| SortKey::Text(Str::from(&*it)))
                    }
                };
                match key {
                    Ok(key) => keys.push(key),
                    Err(failure) => {
                        self.focus = outer;
                        return Err(failure);
                    }
                }
            }
            self.focus = outer;
            rows.push((keys, *node));
        }
        let n_levels = usize::BITS - size.leading_zeros();
        self.budget.steps(size * n_levels as usize)?;
        rows.sort_by(|a, b| by_keys(&a.0, &b.0, &directions));
        Ok(Rc::new(rows.into_iter().map(|it| it.1).collect()))
    }

    fn word(
        &mut self,
        avt: Option<&'s Avt>,
        name: &str,
        words: &[&str; 2],
    ) -> Result<String, Failure> {
        let Some(avt) = avt else { return Ok(words.first().copied().unwrap_or("").to_owned()) };
        let word = self.avt(avt)?;
        if !words.contains(&&*word) {
            let [a, b] = words;
            let message = format!("The value of the '{name}' attribute must be '{a}' or '{b}'.");
            return Err(Failure::broken(message));
        }
        Ok(word)
    }
}

fn by_keys(a: &[SortKey], b: &[SortKey], directions: &[Direction]) -> Ordering {
    for ((a, b), direction) in a.iter().zip(b).zip(directions) {
        let found = match (a, b) {
            (SortKey::Number(a), SortKey::Number(b)) => by_number(*a, *b),
            (SortKey::Text(a), SortKey::Text(b)) => by_text(a, b, direction.is_upper_first),
            _ => Ordering::Equal,
        };
        let found = if direction.is_descending { found.reverse() } else { found };
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

fn by_number(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

fn by_text(a: &Str, b: &Str, is_upper_first: bool) -> Ordering {
    let found = order(a, b, Comparison::Culture);
    if is_upper_first && order(a, b, Comparison::CultureIgnoreCase) == Ordering::Equal {
        return found.reverse();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_comes_first() {
        let mut numbers = [2.0, f64::NAN, -1.0];
        numbers.sort_by(|a, b| by_number(*a, *b));
        assert!(numbers[0].is_nan());
        assert_eq!(numbers[1..], [-1.0, 2.0]);
    }

    #[test]
    fn case_decides_last() {
        let sorted = |is_upper_first| {
            let mut words = ["b", "A", "B", "a"].map(Str::from);
            words.sort_by(|a, b| by_text(a, b, is_upper_first));
            words.map(|it| it.to_string()).join("")
        };
        assert_eq!((sorted(false).as_str(), sorted(true).as_str()), ("aAbB", "AaBb"));
    }
}
