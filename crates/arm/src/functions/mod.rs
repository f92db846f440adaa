//! Functions whose result follows from their arguments alone: one row each.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions>

mod collection;
mod identifier;
mod logic;
mod number;
mod text;

use serde_json::{Map, Value};

use crate::fault::Fault;

/// A function by name, with the number of arguments that it takes.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    least: usize,
    most: usize,
    call: fn(&Arguments<'_>) -> Result<Value, Fault>,
}

/// How many bytes a value may have; a whole template has at most 4 MB in Azure.
pub(crate) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What a value costs, in bytes: its texts, and a little for each value.
pub(crate) fn size(value: &Value) -> usize {
    const EACH: usize = 32;
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(all) => all.iter().map(size).sum(),
        Value::Object(all) => all.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 0,
    }
}

/// Refuses a value of more than [`MAX_BYTES`].
pub(crate) fn too_large() -> Fault {
    Fault::wrong(format!("a value has more than {MAX_BYTES} bytes"))
}

/// For functions that take any number of arguments.
const MANY: usize = usize::MAX;

const fn row(
    name: &'static str,
    least: usize,
    most: usize,
    call: fn(&Arguments<'_>) -> Result<Value, Fault>,
) -> Function {
    Function { name, least, most, call }
}

/// Every function that there is, by kind.
const ALL: &[&[Function]] = &[collection::ALL, identifier::ALL, logic::ALL, number::ALL, text::ALL];

/// The function of a name; names compare without case.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|it| it.name.eq_ignore_ascii_case(name))
}

pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    ALL.iter().flat_map(|it| it.iter())
}

impl Function {
    pub(crate) fn call(&self, values: &[Value]) -> Result<Value, Fault> {
        count(self.name, values.len(), self.least, self.most)?;
        (self.call)(&Arguments { name: self.name, values })
    }
}

/// Refuses a wrong number of arguments.
pub(crate) fn count(name: &str, given: usize, least: usize, most: usize) -> Result<(), Fault> {
    if (least..=most).contains(&given) {
        return Ok(());
    }
    let takes = match (least, most) {
        (least, most) if least == most => format!("{least}"),
        (least, MANY) => format!("{least} or more"),
        (least, most) => format!("{least} to {most}"),
    };
    Err(Fault::wrong(format!("`{name}` takes {takes} arguments, not {given}")))
}

/// The arguments of a call.
pub(crate) struct Arguments<'a> {
    name: &'static str,
    values: &'a [Value],
}

impl<'a> Arguments<'a> {
    fn get(&self, at: usize) -> &'a Value {
        self.values.get(at).unwrap_or(&Value::Null)
    }

    fn has(&self, at: usize) -> bool {
        self.values.len() > at
    }

    fn text(&self, at: usize) -> Result<&'a str, Fault> {
        self.get(at).as_str().ok_or_else(|| self.expected(at, "a string"))
    }

    fn integer(&self, at: usize) -> Result<i64, Fault> {
        self.get(at).as_i64().ok_or_else(|| self.expected(at, "an integer"))
    }

    fn boolean(&self, at: usize) -> Result<bool, Fault> {
        self.get(at).as_bool().ok_or_else(|| self.expected(at, "a boolean"))
    }

    fn array(&self, at: usize) -> Result<&'a [Value], Fault> {
        let array = self.get(at).as_array().map(Vec::as_slice);
        array.ok_or_else(|| self.expected(at, "an array"))
    }

    fn object(&self, at: usize) -> Result<&'a Map<String, Value>, Fault> {
        self.get(at).as_object().ok_or_else(|| self.expected(at, "an object"))
    }

    fn expected(&self, at: usize, what: &str) -> Fault {
        let is = kind(self.get(at));
        self.wrong(&format!("argument {} is {is}, expected {what}", at + 1))
    }

    fn wrong(&self, message: &str) -> Fault {
        Fault::wrong(format!("`{}`: {message}", self.name))
    }
}

/// The kind of a value, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A property of an object; names compare without case, an exact one goes first.
pub(crate) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

/// How a value is written into text.
pub(crate) fn display(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str, values: Value) -> Result<Value, String> {
        let values = values.as_array().unwrap().clone();
        find(name).unwrap().call(&values).map_err(|fault| match fault {
            Fault::Wrong(message) => message,
            Fault::Missing(it) => it.to_string(),
        })
    }

    #[test]
    fn names_are_there_once() {
        let mut names: Vec<String> = all().map(|it| it.name.to_lowercase()).collect();
        names.sort();
        let n_names = names.len();
        names.dedup();
        assert_eq!(names.len(), n_names);
    }

    #[test]
    fn every_function_gives_what_its_page_says() {
        let rows = include_str!("../../tests/functions.jsonl");
        let mut seen = std::collections::BTreeSet::new();
        for line in rows.lines() {
            let row: Value = serde_json::from_str(line).unwrap_or_else(|it| panic!("{line}: {it}"));
            let name = row[0].as_str().unwrap();
            seen.insert(name.to_owned());
            match row[2].get("error") {
                Some(message) => {
                    assert_eq!(
                        call(name, row[1].clone()).as_ref(),
                        Err(&message.as_str().unwrap().to_owned()),
                        "{line}"
                    );
                }
                None => assert_eq!(call(name, row[1].clone()), Ok(row[2].clone()), "{line}"),
            }
        }
        let all: std::collections::BTreeSet<String> = all().map(|it| it.name.to_owned()).collect();
        assert_eq!(
            seen, all,
            "functions without a row in tests/functions.jsonl, or the other way round"
        );
    }

    #[test]
    fn members_compare_without_case() {
        let object = json!({ "Abc": 1, "abc": 2 });
        let object = object.as_object().unwrap();
        assert_eq!(member(object, "abc"), Some(&json!(2)));
        assert_eq!(member(object, "ABC"), Some(&json!(1)));
        assert_eq!(member(object, "b"), None);
    }
}
