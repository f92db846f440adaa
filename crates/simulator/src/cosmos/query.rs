//! A part of the SQL dialect: `SELECT * FROM c WHERE c.a = @b AND ... ORDER BY c.d DESC`.
//!
//! Conditions are comparisons joined by `AND`; what else there is, is refused.
//!
//! Source: <https://learn.microsoft.com/azure/cosmos-db/nosql/query/>

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// A query that was read.
#[derive(Debug)]
pub(super) struct Query {
    conditions: Vec<(Operand, String, Operand)>,
    order: Option<(Vec<String>, bool)>,
}

/// One side of a comparison.
#[derive(Debug)]
enum Operand {
    /// A place in the document.
    Path(Vec<String>),
    Value(Option<Value>),
}

impl Query {
    /// Reads the body of a query.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Query, String> {
        let text = body.get("query").and_then(Value::as_str).ok_or("There is no `query`.")?;
        let parameters = body.get("parameters").and_then(Value::as_array);
        let parameters = parameters.map(Vec::as_slice).unwrap_or_default();
        let words = words(text)?;
        let mut rest = Words { words: &words, parameters, alias: "" };
        rest.word("SELECT")?;
        rest.word("*")?;
        rest.word("FROM")?;
        rest.alias = rest.next()?;
        let (mut conditions, mut order) = (Vec::new(), None);
        if rest.has("WHERE") {
            loop {
                let left = rest.operand()?;
                let sign = rest.next()?.to_owned();
                if !["=", "!=", "<>", "<", "<=", ">", ">="].contains(&&*sign) {
                    return Err(format!("Syntax error near `{sign}`."));
                }
                conditions.push((left, sign, rest.operand()?));
                if !rest.has("AND") {
                    break;
                }
            }
        }
        if rest.has("ORDER") {
            rest.word("BY")?;
            let Operand::Path(path) = rest.operand()? else {
                return Err("An order is by a place in the document.".to_owned());
            };
            let is_down = rest.has("DESC");
            let _ = is_down || rest.has("ASC");
            order = Some((path, is_down));
        }
        match rest.words {
            [] => Ok(Query { conditions, order }),
            [word, ..] => Err(format!("Syntax error near `{word}`.")),
        }
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.order.is_some()
    }

    /// Those documents that fit, in order.
    pub(super) fn run<'a>(
        &self,
        mut documents: Vec<&'a Map<String, Value>>,
    ) -> Vec<&'a Map<String, Value>> {
        documents.retain(|document| {
            self.conditions.iter().all(|(left, sign, right)| {
                let pair = left.value(document).zip(right.value(document));
                let order = pair.and_then(|(left, right)| compare(left, right));
                match (&**sign, order) {
                    (_, None) => false,
                    ("=", Some(it)) => it.is_eq(),
                    ("!=" | "<>", Some(it)) => it.is_ne(),
                    ("<", Some(it)) => it.is_lt(),
                    ("<=", Some(it)) => it.is_le(),
                    (">", Some(it)) => it.is_gt(),
                    (_, Some(it)) => it.is_ge(),
                }
            })
        });
        if let Some((path, is_down)) = &self.order {
            documents.sort_by(|a, b| {
                let pair = at(path, a).zip(at(path, b));
                let order = pair.and_then(|(a, b)| compare(a, b)).unwrap_or(Ordering::Equal);
                if *is_down { order.reverse() } else { order }
            });
        }
        documents
    }
}

impl Operand {
    fn value<'a>(&'a self, document: &'a Map<String, Value>) -> Option<&'a Value> {
        match self {
            Operand::Path(path) => at(path, document),
            Operand::Value(value) => value.as_ref(),
        }
    }
}

fn at<'a>(path: &[String], document: &'a Map<String, Value>) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(document.get(first)?, |it, name| it.get(name))
}

/// The order of two values of the same type; none of others.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => None,
    }
}

/// The words that are left.
struct Words<'a> {
    words: &'a [String],
    parameters: &'a [Value],
    alias: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<&'a str, String> {
        let (first, rest) = self.words.split_first().ok_or("The query ends too early.")?;
        self.words = rest;
        Ok(first)
    }

    fn word(&mut self, wanted: &str) -> Result<(), String> {
        match self.has(wanted) {
            true => Ok(()),
            false => Err(format!("The stand-in reads `{wanted}` here and nothing else.")),
        }
    }

    fn has(&mut self, wanted: &str) -> bool {
        let is_there = self.words.first().is_some_and(|it| it.eq_ignore_ascii_case(wanted));
        if is_there {
            self.words = self.words.get(1..).unwrap_or_default();
        }
        is_there
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let word = self.next()?;
        let mut parts = word.split('.').map(str::to_owned);
        let first = parts.next().unwrap_or_default();
        if first.starts_with('@') {
            let named = |it: &&Value| it.get("name").and_then(Value::as_str) == Some(&first);
            let found = self.parameters.iter().find(named).and_then(|it| it.get("value"));
            let found = found.ok_or_else(|| format!("The parameter `{first}` has no value."))?;
            let value = parts.try_fold(found, |it, name| it.get(name));
            return Ok(Operand::Value(value.cloned()));
        }
        if first == self.alias {
            return Ok(Operand::Path(parts.collect()));
        }
        if let Some(text) = word.strip_prefix('\'') {
            return Ok(Operand::Value(Some(Value::from(text))));
        }
        let literal = serde_json::from_str(&word.to_ascii_lowercase());
        literal
            .map(|it| Operand::Value(Some(it)))
            .map_err(|_| format!("Syntax error near `{word}`."))
    }
}

/// The words of a query; a text keeps its first quote.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => {
                let body = rest.get(1..).unwrap_or_default();
                let end = body.find(first).ok_or("A text does not end.")?;
                words.push(format!("'{}", body.get(..end).unwrap_or_default()));
                rest = body.get(end + 1..).unwrap_or_default().trim_start();
                continue;
            }
            '=' | '<' | '>' | '!' => rest.find(|it| !"=<>!".contains(it)),
            _ => rest.find(|it: char| it.is_whitespace() || "=<>!'\"".contains(it)),
        };
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(query: &str) -> String {
        let documents = [
            json!({ "id": "1", "age": 4, "city": "Bern", "a": { "b": true } }),
            json!({ "id": "2", "age": 5, "city": "O'Fallon" }),
            json!({ "id": "3", "age": 6.5, "city": null }),
        ];
        let parameters =
            json!([{ "name": "@p", "value": { "id": "2" } }, { "name": "@n", "value": 5 }]);
        let body = json!({ "query": query, "parameters": parameters });
        match Query::read(body.as_object().unwrap()) {
            Ok(query) => {
                let found = query.run(documents.iter().filter_map(Value::as_object).collect());
                found.iter().filter_map(|it| it["id"].as_str()).collect::<Vec<_>>().join(" ")
            }
            Err(problem) => problem,
        }
    }

    #[test]
    fn queries_filter_and_sort() {
        for (query, expected) in [
            ("SELECT * FROM c", "1 2 3"),
            ("select * from c where c.age >= @n", "2 3"),
            ("SELECT * FROM c WHERE c.id=@p.id", "2"),
            ("SELECT * FROM c WHERE c.id = @p.no", ""),
            ("SELECT * FROM x WHERE x.city = 'Bern' AND x.a.b = true", "1"),
            ("SELECT * FROM c WHERE c.city = \"O'Fallon\"", "2"),
            ("SELECT * FROM c WHERE c.city = null", "3"),
            ("SELECT * FROM c WHERE c.age != 5 ORDER BY c.age DESC", "3 1"),
            ("SELECT * FROM c ORDER BY c.age ASC", "1 2 3"),
            ("SELECT c.id FROM c", "The stand-in reads `*` here and nothing else."),
            ("SELECT * FROM c WHERE c.a LIKE 'x'", "Syntax error near `LIKE`."),
            ("SELECT * FROM c WHERE c.a = @q", "The parameter `@q` has no value."),
            ("SELECT * FROM c WHERE c.a = 'x", "A text does not end."),
            ("SELECT * FROM c OFFSET 1", "Syntax error near `OFFSET`."),
            ("SELECT * FROM", "The query ends too early."),
        ] {
            assert_eq!(ids(query), expected, "{query}");
        }
    }
}
