//! JSON paths: reading the conditions of `[?(...)]`.

use std::sync::Arc;

use super::Fault;
use super::edit::json_exception;
use super::path::{Filter, OPEN_INDEXER, Operator, Parser, Query, Side};
use super::scalar::Scalar;

const OPEN_QUERY: &str = "Path ended with open query.";
/// Queries nest this deep at most.
const MAX_DEPTH: usize = 32;

impl Parser {
    pub(super) fn query(&mut self, close: char, scan: bool) -> Result<Filter, Fault> {
        self.at += 1;
        if self.need(OPEN_INDEXER)? != '(' {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::limit(format!(
                "JSON path has more than {MAX_DEPTH} nested queries"
            )));
        }
        let query = self.expression()?;
        self.depth -= 1;
        self.at += 1;
        self.need(OPEN_INDEXER)?;
        self.space();
        if self.need(OPEN_INDEXER)? != close {
            return Err(self.unexpected());
        }
        Ok(Filter::Query(Box::new(query), scan))
    }

    fn expression(&mut self) -> Result<Query, Fault> {
        // Newtonsoft gives `&&` and `||` the same rank: each change of operator opens a list that
        // takes all that follows.
        let mut tests: Vec<(Query, char)> = Vec::new();
        loop {
            let left = self.side()?;
            let (operator, right) = match self.need(OPEN_QUERY)? {
                ')' | '|' | '&' => (Operator::Exists, None),
                _ => (self.operator()?, Some(self.side()?)),
            };
            let test = Query::Test { operator, left, right };
            match self.need(OPEN_QUERY)? {
                ')' => return Ok(combine(tests, test)),
                it @ ('&' | '|') if self.peek(1) == Some(it) => {
                    self.at += 2;
                    tests.push((test, it));
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn side(&mut self) -> Result<Side, Fault> {
        self.space();
        let it = self.need(OPEN_QUERY)?;
        let side = match it {
            '$' | '@' => {
                let mut filters = if it == '$' { vec![Filter::Root] } else { Vec::new() };
                self.at += 1;
                if self.path(&mut filters, self.at, true)? {
                    return Err(json_exception(OPEN_QUERY));
                }
                Side::Path(filters)
            }
            _ => Side::Value(self.literal()?),
        };
        self.space();
        self.need(OPEN_QUERY)?;
        Ok(side)
    }

    fn literal(&mut self) -> Result<Scalar, Fault> {
        let words =
            [("true", Scalar::Bool(true)), ("false", Scalar::Bool(false)), ("null", Scalar::Null)];
        match self.char() {
            Some('\'') => self.quoted().map(|it| Scalar::String(Arc::from(it))),
            Some('/') => self.regex().map(|it| Scalar::String(Arc::from(it))),
            Some(it) if it.is_ascii_digit() || it == '-' => {
                let start = self.at;
                while self.char().is_some_and(|it| it != ' ' && it != ')') {
                    self.at += 1;
                }
                let text = self.slice(start, self.at);
                let value = if text.contains(['.', 'E', 'e']) {
                    text.parse().ok().map(Scalar::Float)
                } else {
                    text.parse().ok().map(Scalar::Int)
                };
                value.ok_or_else(|| json_exception("Could not read query number."))
            }
            _ => {
                for (word, value) in words {
                    let end = self.at + word.len();
                    if self.slice(self.at, end) == word {
                        self.at = end;
                        return Ok(value);
                    }
                }
                Err(self.unexpected())
            }
        }
    }

    fn regex(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        while let Some(it) = self.char() {
            self.at += 1;
            match it {
                '\\' => self.at += 1,
                '/' => {
                    while self.char().is_some_and(char::is_alphabetic) {
                        self.at += 1;
                    }
                    return Ok(self.slice(start, self.at));
                }
                _ => {}
            }
        }
        Err(json_exception("Path ended with an open regex."))
    }

    fn operator(&mut self) -> Result<Operator, Fault> {
        const ALL: [(&str, Operator); 10] = [
            ("===", Operator::StrictEquals),
            ("==", Operator::Equals),
            ("=~", Operator::Matches),
            ("!==", Operator::StrictNotEquals),
            ("!=", Operator::NotEquals),
            ("<>", Operator::NotEquals),
            ("<=", Operator::LessOrEqual),
            ("<", Operator::Less),
            (">=", Operator::GreaterOrEqual),
            (">", Operator::Greater),
        ];
        for (text, operator) in ALL {
            let end = self.at + text.len();
            if self.slice(self.at, end) == text {
                self.at = end;
                return Ok(operator);
            }
        }
        Err(json_exception("Could not read query operator."))
    }
}

/// Nests the tests as Newtonsoft does: `a && b || c` is `a && (b || c)`.
fn combine(tests: Vec<(Query, char)>, last: Query) -> Query {
    let mut result: Option<(Vec<Query>, char)> = None;
    let close = |(list, operator): (Vec<Query>, char)| {
        if operator == '&' { Query::All(list) } else { Query::Any(list) }
    };
    let mut tail = Some(last);
    for (test, operator) in tests.into_iter().rev() {
        result = Some(match (result.take(), tail.take()) {
            (Some((mut list, same)), _) if same == operator => {
                list.insert(0, test);
                (list, same)
            }
            (Some(other), _) => (vec![test, close(other)], operator),
            (None, Some(last)) => (vec![test, last], operator),
            (None, None) => (vec![test], operator),
        });
    }
    match (result, tail) {
        (Some(list), _) => close(list),
        (None, Some(last)) => last,
        (None, None) => Query::All(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use crate::json::Path;

    #[test]
    fn queries_nest_so_deep_and_no_deeper() {
        let nested = |depth: usize| "a[?(@".repeat(depth) + &")]".repeat(depth);

        assert!(Path::parse(&nested(10)).is_ok());
        assert!(Path::parse(&nested(40)).unwrap_err().limit);
    }
}
