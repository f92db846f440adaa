//! Checking one described parameter or header against its schema.

use pipeline::{Location, Parameter, Specification, Style};
use schema::{Adjust, Schema};

use super::Action;
use super::finding::Finding;
use super::schemas;
use super::text::{self, Shape, Unread};

/// A described parameter with its schema compiled.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) parameter: Parameter,
    shape: Shape,
    schema: Option<Schema>,
}

/// What is wrong with a text, before it is told to anybody.
enum Wrong {
    Several,
    Violates(String),
    Unread(String),
}

/// How a parameter is spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// Azure's word for the kind.
    pub(crate) kind: &'static str,
    noun: &'static str,
    is_response: bool,
}

impl Words {
    pub(crate) fn request(location: Location) -> Words {
        let (kind, noun) = match location {
            Location::Path => ("PathParameter", "path parameter"),
            Location::Query => ("QueryParameter", "query parameter"),
            Location::Header => ("RequestHeader", "header"),
        };
        Words { kind, noun, is_response: false }
    }

    pub(crate) const RESPONSE: Words =
        Words { kind: "ResponseHeader", noun: "header", is_response: true };

    /// A parameter that is not described.
    pub(crate) fn unspecified(self, name: &str, action: Action) -> Finding {
        let details = format!("Unspecified {} {name} is not allowed.", self.noun);
        self.finding(name, "Unspecified", details.clone(), details, action)
    }

    /// A described parameter that must be there and is not.
    pub(crate) fn missing(self, name: &str, action: Action) -> Finding {
        self.wrong(name, Wrong::Violates("It is required and missing.".to_owned()), action)
    }

    fn wrong(self, name: &str, wrong: Wrong, action: Action) -> Finding {
        let noun = self.noun;
        let (details, public) = match wrong {
            Wrong::Several => {
                let who = if self.is_response { "Response" } else { "Request" };
                let text = format!("{who} cannot contain multiple values for the {noun} {name}.");
                (text.clone(), text)
            }
            Wrong::Violates(why) => {
                let text =
                    format!("alue of the {noun} {name} does not conform to the definition. {why}");
                (format!("V{text}"), format!("The v{text}"))
            }
            Wrong::Unread(why) => (
                format!(
                    "Value of the {noun} {name} cannot be parsed according to the definition. {why}"
                ),
                format!(
                    "The value of the {noun} {name} couldn't be parsed according to the definition. {why}"
                ),
            ),
        };
        self.finding(name, "IncorrectMessage", details, public, action)
    }

    fn finding(
        self,
        name: &str,
        rule: &'static str,
        details: String,
        public: String,
        action: Action,
    ) -> Finding {
        let public = (!self.is_response).then_some(public);
        Finding { name: name.to_owned(), kind: self.kind, rule, details, public, action }
    }
}

impl Checked {
    /// Compiles the schema of a parameter.
    ///
    /// # Errors
    ///
    /// Why it cannot be enforced.
    pub(crate) fn compile(
        parameter: &Parameter,
        specification: Option<&Specification>,
        adjust: Adjust,
    ) -> Result<Checked, String> {
        let name = &parameter.name;
        let is_marked = matches!(parameter.style, Style::Label | Style::Matrix);
        if is_marked && parameter.location != Location::Path {
            return Err(format!("parameter `{name}` has a style of path parameters"));
        }
        let (Some(pointer), Some(specification)) = (&parameter.definition, specification) else {
            return Ok(Checked { parameter: parameter.clone(), shape: Shape::Any, schema: None });
        };
        let schema = schemas::compile(specification, pointer, adjust)
            .map_err(|error| format!("the schema of `{name}` cannot be used: {error}"))?;
        let shape = Shape::of(specification, pointer);
        Ok(Checked { parameter: parameter.clone(), shape, schema: Some(schema) })
    }

    /// Whether it is made of members that are parameters of their own: `x[name]`, or all names
    /// that the schema has.
    pub(crate) fn owns(&self, query_name: &str) -> bool {
        self.member(query_name).is_some()
    }

    /// The member that a query parameter is.
    pub(crate) fn member<'a>(&self, query_name: &'a str) -> Option<&'a str> {
        let Shape::Object(members) = &self.shape else { return None };
        match self.parameter.style {
            Style::DeepObject => {
                let rest = query_name.strip_prefix(self.parameter.name.as_str())?;
                rest.strip_prefix('[')?.strip_suffix(']')
            }
            Style::Form if self.parameter.is_exploded => {
                members.iter().any(|(it, _)| it == query_name).then_some(query_name)
            }
            _ => None,
        }
    }

    /// What is wrong with the values of the parameter, of which there is at least one.
    pub(crate) fn check(
        &self,
        texts: &[&str],
        members: &[(String, String)],
        words: Words,
        action: Action,
    ) -> Vec<Finding> {
        let name = &self.parameter.name;
        let Some(schema) = &self.schema else {
            let is_several = texts.len() > 1 && self.parameter.definition.is_some();
            return if is_several {
                vec![words.wrong(name, Wrong::Several, action)]
            } else {
                vec![]
            };
        };
        let values = match text::read(&self.parameter, &self.shape, texts, members) {
            Ok(values) => values,
            Err(Unread::Several) => return vec![words.wrong(name, Wrong::Several, action)],
            Err(Unread::Bad(why)) => {
                return vec![words.wrong(name, Wrong::Unread(sentence(&why)), action)];
            }
        };
        let mut first = None;
        for value in &values {
            let violations = schema.check(value);
            if violations.is_empty() {
                return Vec::new();
            }
            first.get_or_insert(violations);
        }
        first
            .into_iter()
            .flatten()
            .map(|it| words.wrong(name, Wrong::Violates(sentence(&it.message)), action))
            .collect()
    }
}

/// The text as a sentence of its own.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use pipeline::OpenApi;
    use serde_json::json;

    use super::*;

    fn checked(location: Location, style: Style, schema: serde_json::Value) -> Checked {
        let parameter = Parameter {
            name: "n".to_owned(),
            location,
            style,
            is_exploded: location == Location::Query,
            definition: Some("/s".to_owned()),
            ..Parameter::default()
        };
        let specification = Specification::new(OpenApi::V30, json!({ "s": schema }));
        Checked::compile(&parameter, Some(&specification), Adjust::default()).unwrap()
    }

    fn details(checked: &Checked, texts: &[&str], words: Words) -> Vec<String> {
        let found = checked.check(texts, &[], words, Action::Prevent);
        found.into_iter().map(|it| it.details).collect()
    }

    #[test]
    fn texts_are_those_of_azure() {
        let it = checked(Location::Query, Style::Form, json!({"type": "integer", "maximum": 9}));
        let query = Words::request(Location::Query);
        assert_eq!(details(&it, &["5"], query), [""; 0]);
        assert_eq!(
            details(&it, &["10"], query),
            ["Value of the query parameter n does not conform to the definition. \
              The value is greater than the maximum of 9."]
        );
        assert_eq!(
            details(&it, &["x"], query),
            ["Value of the query parameter n cannot be parsed according to the definition. \
              The value is not an integer."]
        );
        assert_eq!(
            details(&it, &["1", "2"], query),
            ["Request cannot contain multiple values for the query parameter n."]
        );
        assert_eq!(
            details(&it, &["1", "2"], Words::RESPONSE),
            ["Response cannot contain multiple values for the header n."]
        );
        let public = it.check(&["10"], &[], query, Action::Prevent).remove(0).public.unwrap();
        assert!(public.starts_with("The value of the query parameter n does not conform"));
        let unspecified = Words::request(Location::Path).unspecified("x", Action::Detect);
        assert_eq!(unspecified.details, "Unspecified path parameter x is not allowed.");
        assert_eq!(unspecified.kind, "PathParameter");
    }

    #[test]
    fn a_value_of_several_types_has_to_conform_to_one() {
        let it = checked(
            Location::Header,
            Style::Simple,
            json!({"anyOf": [{"type": "integer", "minimum": 5}, {"enum": ["low"]}]}),
        );
        let words = Words::request(Location::Header);
        assert_eq!(details(&it, &["low"], words), [""; 0]);
        assert_eq!(details(&it, &["7"], words), [""; 0]);
        assert_eq!(details(&it, &["4"], words).len(), 1);
    }

    #[test]
    fn members_of_objects_are_known_by_their_names() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
        let deep = checked(Location::Query, Style::DeepObject, schema.clone());
        assert_eq!(deep.member("n[a]"), Some("a"));
        assert!(!deep.owns("n") && !deep.owns("a"));
        let form = checked(Location::Query, Style::Form, schema);
        assert!(form.owns("a") && !form.owns("b"));
    }

    #[test]
    fn what_cannot_be_enforced_is_told() {
        let compile = |style, definition: &str| {
            let (definition, location) = (Some(definition.to_owned()), Location::Query);
            let parameter = Parameter { style, definition, location, ..Parameter::default() };
            let specification = Specification::new(OpenApi::V30, json!({"s": {"type": 1}}));
            Checked::compile(&parameter, Some(&specification), Adjust::default()).is_err()
        };
        assert!(compile(Style::Matrix, "/s"));
        assert!(compile(Style::Simple, "/s"));
        assert!(compile(Style::Simple, "/nothing"));
    }
}
