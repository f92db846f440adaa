//! JSON paths: finding tokens (`SelectToken`, `SelectTokens`).
//!
//! Bounded: a path visits [`MAX_VISITS`] tokens at most.

use std::cell::Cell;
use std::cmp::Ordering;

use super::compare::{compare_scalars, scalars_equal};
use super::edit::json_exception;
use super::path::{Filter, Operator, Path, Query, Side};
use super::scalar::{Kind, Scalar};
use super::{Fault, Token, date};

/// How many tokens one selection may look at.
const MAX_VISITS: usize = 5_000_000;

impl Token {
    /// `SelectToken(path, errorWhenNoMatch)`.
    ///
    /// # Errors
    ///
    /// `JsonException` if several tokens match, or none and `must_match`.
    pub fn select_token(&self, path: &Path, must_match: bool) -> Result<Option<Token>, Fault> {
        let mut found = self.select_tokens(path, must_match)?;
        if found.len() > 1 {
            return Err(json_exception("Path returned multiple tokens."));
        }
        Ok(found.pop())
    }

    /// `SelectTokens(path, errorWhenNoMatch)`.
    ///
    /// # Errors
    ///
    /// `JsonException` if a step does not fit and `must_match`; a limit.
    pub fn select_tokens(&self, path: &Path, must_match: bool) -> Result<Vec<Token>, Fault> {
        let selection = Selection { root: self.clone(), must_match, visits: Cell::new(0) };
        selection.run(&path.filters, vec![self.clone()])
    }
}

struct Selection {
    root: Token,
    must_match: bool,
    visits: Cell<usize>,
}

impl Selection {
    fn run(&self, filters: &[Filter], start: Vec<Token>) -> Result<Vec<Token>, Fault> {
        let mut current = start;
        for filter in filters {
            let mut next = Vec::new();
            for token in current {
                self.step(filter, &token, &mut next)?;
                self.visits.set(self.visits.get() + next.len() + 1);
                if self.visits.get() > MAX_VISITS {
                    return Err(Fault::limit(format!(
                        "JSON path looks at more than {MAX_VISITS} tokens"
                    )));
                }
            }
            current = next;
        }
        Ok(current)
    }

    fn miss(&self, message: impl FnOnce() -> String) -> Result<(), Fault> {
        if self.must_match { Err(json_exception(message())) } else { Ok(()) }
    }

    fn step(&self, filter: &Filter, token: &Token, next: &mut Vec<Token>) -> Result<(), Fault> {
        let kind = token.kind();
        let class = kind.class_name();
        match filter {
            Filter::Root => next.push(self.root.clone()),
            Filter::Field(None) if kind == Kind::Object => {
                next.extend(token.child_list().iter().filter_map(Token::property_value));
            }
            Filter::Field(Some(name)) if kind == Kind::Object => match token.get(name) {
                Some(value) => next.push(value),
                None => self.miss(|| format!("Property '{name}' does not exist on JObject."))?,
            },
            Filter::Field(name) => {
                let name = name.as_deref().unwrap_or("*");
                self.miss(|| format!("Property '{name}' not valid on {class}."))?;
            }
            Filter::Fields(names) if kind == Kind::Object => {
                for name in names {
                    match token.get(name) {
                        Some(value) => next.push(value),
                        None => {
                            self.miss(|| format!("Property '{name}' does not exist on JObject."))?;
                        }
                    }
                }
            }
            Filter::Fields(names) => {
                self.miss(|| format!("Properties '{}' not valid on {class}.", names.join("', '")))?;
            }
            Filter::Scan(name) => {
                let is_it = |it: &str| name.as_deref() == Some(it);
                scan(token, name.is_none(), is_it, next);
            }
            Filter::ScanFields(names) => {
                scan(token, false, |it| names.iter().any(|name| name == it), next);
            }
            Filter::Index(Some(index)) => next.extend(self.element(token, kind, *index)?),
            Filter::Index(None) if matches!(kind, Kind::Array | Kind::Constructor) => {
                next.extend(token.child_list());
            }
            Filter::Index(None) => self.miss(|| format!("Index * not valid on {class}."))?,
            Filter::Indexes(indexes) => {
                for index in indexes {
                    next.extend(self.element(token, kind, *index)?);
                }
            }
            Filter::Slice(start, end, step) => self.slice(token, (*start, *end, *step), next)?,
            Filter::Query(query, after_scan) => {
                let candidates =
                    if *after_scan { token.descendants(true) } else { token.child_list() };
                for candidate in candidates {
                    if self.is_match(query, &candidate)? {
                        next.push(candidate);
                    }
                }
            }
        }
        Ok(())
    }

    fn element(&self, token: &Token, kind: Kind, index: i32) -> Result<Option<Token>, Fault> {
        let class = kind.class_name();
        if !matches!(kind, Kind::Array | Kind::Constructor) {
            self.miss(|| format!("Index {index} not valid on {class}."))?;
            return Ok(None);
        }
        if usize::try_from(index).is_ok_and(|it| it >= token.count()) {
            self.miss(|| format!("Index {index} outside the bounds of {class}."))?;
            return Ok(None);
        }
        token.index_number(i64::from(index)).map(Some)
    }

    fn slice(
        &self,
        token: &Token,
        (start, end, step): (Option<i32>, Option<i32>, Option<i32>),
        next: &mut Vec<Token>,
    ) -> Result<(), Fault> {
        let class = token.kind().class_name();
        if step == Some(0) {
            return Err(json_exception("Step cannot be zero."));
        }
        if token.kind() != Kind::Array {
            return self.miss(|| format!("Array slice is not valid on {class}."));
        }
        let items = token.child_list();
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let step = i64::from(step.unwrap_or(1));
        let (first, last) = if step > 0 { (0, count) } else { (count - 1, -1) };
        let from_end = |it: i32| if it < 0 { count + i64::from(it) } else { i64::from(it) };
        let mut at = start.map_or(first, from_end);
        let stop = end.map_or(last, from_end).clamp(-1, count);
        if step > 0 {
            at = at.max(0);
        }
        at = at.min(if step > 0 { count } else { count - 1 });
        let before = next.len();
        while if step > 0 { at < stop } else { at > stop } {
            let item = usize::try_from(at).ok().and_then(|it| items.get(it));
            next.push(item.cloned().ok_or_else(Fault::index_out_of_range)?);
            at += step;
        }
        if next.len() == before {
            let show = |it: Option<i32>| it.map_or("*".to_owned(), |it| it.to_string());
            self.miss(|| {
                format!("Array slice of {} to {} returned no results.", show(start), show(end))
            })?;
        }
        Ok(())
    }

    fn is_match(&self, query: &Query, token: &Token) -> Result<bool, Fault> {
        match query {
            Query::All(queries) => {
                for query in queries {
                    if !self.is_match(query, token)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Query::Any(queries) => {
                for query in queries {
                    if self.is_match(query, token)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Query::Test { operator, left, right } => {
                let left = self.side(left, token)?;
                let Some(right) = right else { return Ok(!left.is_empty()) };
                if left.is_empty() {
                    return Ok(false);
                }
                let right = self.side(right, token)?;
                for left in &left {
                    for right in &right {
                        if tokens_match(*operator, left, right)? {
                            return Ok(true);
                        }
                    }
                }
                Ok(false)
            }
        }
    }

    fn side(&self, side: &Side, token: &Token) -> Result<Vec<Option<Scalar>>, Fault> {
        match side {
            Side::Value(value) => Ok(vec![Some(value.clone())]),
            Side::Path(filters) => {
                // A step inside of a query that does not fit is no error, only no match.
                let inner = Selection {
                    root: self.root.clone(),
                    must_match: false,
                    visits: Cell::new(self.visits.get()),
                };
                let found = inner.run(filters, vec![token.clone()])?;
                self.visits.set(inner.visits.get());
                Ok(found.iter().map(Token::scalar).collect())
            }
        }
    }
}

fn scan(token: &Token, all: bool, is_it: impl Fn(&str) -> bool, next: &mut Vec<Token>) {
    if all {
        next.push(token.clone());
    }
    for inner in token.descendants(false) {
        let is_property = inner.kind() == Kind::Property;
        if all && !is_property {
            next.push(inner);
        } else if !all && is_property && inner.name().is_some_and(|it| is_it(&it)) {
            next.extend(inner.property_value());
        }
    }
}

/// Compares two results; `None` is a container.
fn tokens_match(
    operator: Operator,
    left: &Option<Scalar>,
    right: &Option<Scalar>,
) -> Result<bool, Fault> {
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(matches!(operator, Operator::Exists | Operator::NotEquals));
    };
    let compare = || {
        let is_mixed = left.kind() == Kind::String && right.kind() != Kind::String;
        compare_scalars(if is_mixed { right.kind() } else { left.kind() }, left, right)
    };
    Ok(match operator {
        Operator::Exists => true,
        Operator::Equals => equal_with_coercion(left, right)?,
        Operator::NotEquals => !equal_with_coercion(left, right)?,
        Operator::StrictEquals => scalars_equal(left, right),
        Operator::StrictNotEquals => !scalars_equal(left, right),
        Operator::Less => compare()? == Ordering::Less,
        Operator::LessOrEqual => compare()? != Ordering::Greater,
        Operator::Greater => compare()? == Ordering::Greater,
        Operator::GreaterOrEqual => compare()? != Ordering::Less,
        Operator::Matches => matches_regex(left, right)?,
    })
}

fn equal_with_coercion(left: &Scalar, right: &Scalar) -> Result<bool, Fault> {
    if scalars_equal(left, right) {
        return Ok(true);
    }
    let numbers = (left.kind(), right.kind());
    if matches!(numbers, (Kind::Integer, Kind::Float) | (Kind::Float, Kind::Integer)) {
        return Ok(compare_scalars(left.kind(), left, right)? == Ordering::Equal);
    }
    let Scalar::String(right) = right else { return Ok(false) };
    let left = match left {
        Scalar::Date(value) => date::json(*value),
        Scalar::DateOffset(value, minutes) => date::json_offset(*value, *minutes),
        Scalar::Guid(_) | Scalar::TimeSpan(_) | Scalar::Uri(_) => left.to_text().to_string(),
        Scalar::Bytes(bytes) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bytes)
        }
        _ => return Ok(false),
    };
    Ok(left == **right)
}

fn matches_regex(left: &Scalar, right: &Scalar) -> Result<bool, Fault> {
    let (Scalar::String(text), Scalar::String(pattern)) = (left, right) else {
        return Ok(false);
    };
    let end = pattern.rfind('/').filter(|it| *it > 0);
    let Some(end) = end else { return Ok(false) };
    let (pattern, flags) = (pattern.get(1..end), pattern.get(end + 1..).unwrap_or(""));
    let options = flags.chars().fold(dotnet::regex::Options::NONE, |options, flag| {
        options
            | match flag {
                'i' => dotnet::regex::Options::IGNORE_CASE,
                'm' => dotnet::regex::Options::MULTILINE,
                's' => dotnet::regex::Options::SINGLELINE,
                'x' => dotnet::regex::Options::EXPLICIT_CAPTURE,
                _ => dotnet::regex::Options::NONE,
            }
    });
    dotnet::regex::Regex::new(&pattern.unwrap_or("").into(), options)?
        .is_match(&text.clone().into(), None)
}

#[cfg(test)]
mod tests {
    use crate::json::{Formatting, ParseOptions, Path, Root, parse};

    /// Compact JSON of what the path finds, separated by blanks, or the exception's message.
    fn select(json: &str, path: &str) -> String {
        let token = parse(json, Root::Any, &ParseOptions::default()).unwrap();
        let found = Path::parse(path).and_then(|path| token.select_tokens(&path, false));
        match found {
            Ok(found) => {
                let texts: Vec<String> =
                    found.iter().map(|it| it.to_json(Formatting::None)).collect();
                texts.join(" ")
            }
            Err(fault) => fault.message,
        }
    }

    #[test]
    fn paths_find_what_newtonsofts_find() {
        let list = r#"{"a":[{"n":1,"v":"x"},{"n":2,"v":"y"},{"n":3}],"c d":{"n":4}}"#;
        let numbers = r#"{"a":[1,2,3,4]}"#;
        let cases = [
            (list, "$.a[1].v", r#""y""#),
            (list, "a[0].n", "1"),
            (list, "['c d'].n", "4"),
            (list, "$..n", "1 2 3 4"),
            (list, "a[?(@.n == 2)].v", r#""y""#),
            (list, "a[?(@.n >= 2 && @.n < 3)].n", "2"),
            (list, "a[?(@.n == 1 || @.n == 3)].n", "1 3"),
            (list, "a[?(@.v == 'x')].n", "1"),
            (list, "a[?(@.v)].n", "1 2"),
            (list, "a[?(@.n != 1)].n", "2 3"),
            (list, "a[?(@.n <> 1)].n", "2 3"),
            (list, "a[?(@.n === 1)].n", "1"),
            (list, "a[?(@.v =~ /^X$/i)].n", "1"),
            (list, "a[?(@.n == $.a[0].n)].n", "1"),
            (list, "a.length", ""),
            (list, "missing.x", ""),
            (list, "a[7]", ""),
            (list, "..['n','v']", r#"1 "x" 2 "y" 3 4"#),
            (numbers, "a[*]", "1 2 3 4"),
            (numbers, "a[1:3]", "2 3"),
            (numbers, "a[::2]", "1 3"),
            (numbers, "a[-1:]", "4"),
            (numbers, "a[::-1]", "4 3 2 1"),
            (numbers, "a[0,2]", "1 3"),
            (numbers, "$.*", "[1,2,3,4]"),
            (numbers, "$", r#"{"a":[1,2,3,4]}"#),
            (numbers, "a[?(@ > 2)]", "3 4"),
            (numbers, "a[::0]", "Step cannot be zero."),
            (r#"{"a":{"x":1,"y":2}}"#, "a['x','y']", "1 2"),
            (r#"{"a":{"x":1,"y":2}}"#, "$.a.*", "1 2"),
        ];
        for (json, path, expected) in cases {
            assert_eq!(select(json, path), expected, "{path}");
        }
        assert!(select(numbers, "a[-1]").starts_with("Index was out of range."));
    }

    #[test]
    fn a_single_token_must_be_single_and_may_have_to_be_there() {
        let token = parse(r#"{"a":{"b":[1,2]}}"#, Root::Any, &ParseOptions::default()).unwrap();
        let select = |path: &str, must| token.select_token(&Path::parse(path).unwrap(), must);

        assert_eq!(select("a.b[*]", false).unwrap_err().message, "Path returned multiple tokens.");
        assert_eq!(
            select("a.x.c", true).unwrap_err().message,
            "Property 'x' does not exist on JObject."
        );
        assert!(select("a.x.c", false).unwrap().is_none());
        assert_eq!(select("a.b[5]", true).unwrap_err().type_name, "Newtonsoft.Json.JsonException");
    }
}
