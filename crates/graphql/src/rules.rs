//! Which fields of an operation may be asked for: fields are shown one by one and taken out.
//!
//! A field that is selected on an interface or a union counts as a field of every type that the
//! value may have, so that a rule for a type cannot be passed by way of its interface.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-graphql-request-policy>

use apollo_compiler::ast::{Argument, DirectiveList, Value};
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::executable::{Field, InlineFragment, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Name, Node};

use crate::error::{Error, Location, Segment};
use crate::operation::Operation;
use crate::request::Request;

/// A field that an operation selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected<'a> {
    /// The types that it may belong to: the one that it is selected on, and those that this may be.
    pub types: &'a [String],
    /// Its name in the schema.
    pub name: &'a str,
    /// Whether it stands at the root of the operation.
    pub is_root: bool,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It stays.
    Allow,
    /// It is taken out of the request.
    Remove,
    /// The whole request is refused.
    Reject,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Pruned {
    /// All of it may stay.
    Whole,
    /// Fields were taken out.
    Parted {
        /// What is left; none if nothing is. Other operations of the document are left out.
        request: Option<Request>,
        /// An error for every field that was taken out.
        errors: Vec<Error>,
    },
    /// A field refuses the request.
    Rejected(Error),
}

impl Operation {
    /// Asks for every field that the operation selects, its fragments spread, and takes out those
    /// that may not be; `decide` is asked once for each type and name.
    ///
    /// # Errors
    ///
    /// What `decide` fails with.
    pub fn prune<E>(
        &self,
        request: &Request,
        decide: &mut dyn FnMut(Selected<'_>) -> Result<Decision, E>,
    ) -> Result<Pruned, E> {
        let Some(definition) = self.definition() else { return Ok(Pruned::Whole) };
        let mut pass = Pass {
            operation: self,
            decide,
            known: HashMap::default(),
            path: Vec::new(),
            errors: Vec::new(),
        };
        let set = match pass.set(&definition.selection_set, true) {
            Ok(set) => set,
            Err(Stop::Rejected(error)) => return Ok(Pruned::Rejected(error)),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let errors = pass.errors;
        if errors.is_empty() {
            return Ok(Pruned::Whole);
        }
        if set.selections.is_empty() {
            return Ok(Pruned::Parted { request: None, errors });
        }
        let mut definition = definition.clone();
        definition.selection_set = set;
        let mut used = HashSet::default();
        used_in_directives(&definition.directives, &mut used);
        used_in_set(&definition.selection_set, &mut used);
        definition.variables.retain(|it| used.contains(&it.name));
        let mut variables = request.variables.clone();
        variables.retain(|name, _| used.iter().any(|it| it.as_str() == name));
        let mut document = ExecutableDocument::new();
        document.operations.insert(definition);
        let (query, operation_name) = (document.to_string(), request.operation_name.clone());
        let request = Some(Request { query, operation_name, variables });
        Ok(Pruned::Parted { request, errors })
    }
}

/// Why the pass ends early.
enum Stop<E> {
    Rejected(Error),
    Failed(E),
}

struct Pass<'a, E> {
    operation: &'a Operation,
    decide: &'a mut dyn FnMut(Selected<'_>) -> Result<Decision, E>,
    known: HashMap<(Name, Name, bool), Decision>,
    path: Vec<Segment>,
    errors: Vec<Error>,
}

impl<E> Pass<'_, E> {
    /// What is left of a selection set, its fragments spread. The operation was measured, so this
    /// is no larger than what is allowed.
    fn set(&mut self, set: &SelectionSet, is_root: bool) -> Result<SelectionSet, Stop<E>> {
        let mut left = SelectionSet::new(set.ty.clone());
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if let Some(field) = self.field(&set.ty, field, is_root)? {
                        left.selections.push(Selection::Field(field));
                    }
                }
                Selection::InlineFragment(it) => {
                    let inner = self.set(&it.selection_set, is_root)?;
                    if !inner.selections.is_empty() {
                        let it = InlineFragment { selection_set: inner, ..(**it).clone() };
                        left.selections.push(Selection::InlineFragment(Node::new(it)));
                    }
                }
                Selection::FragmentSpread(it) => {
                    let operation = self.operation;
                    let Some(fragment) = operation.document.fragments.get(&it.fragment_name) else {
                        continue;
                    };
                    let inner = self.set(&fragment.selection_set, is_root)?;
                    if !inner.selections.is_empty() {
                        let it = InlineFragment {
                            type_condition: Some(fragment.selection_set.ty.clone()),
                            directives: it.directives.clone(),
                            selection_set: inner,
                        };
                        left.selections.push(Selection::InlineFragment(Node::new(it)));
                    }
                }
            }
        }
        Ok(left)
    }

    fn field(
        &mut self,
        ty: &Name,
        field: &Node<Field>,
        is_root: bool,
    ) -> Result<Option<Node<Field>>, Stop<E>> {
        let decision = self.decision(ty, field, is_root).map_err(Stop::Failed)?;
        self.path.push(Segment::Field(field.response_key().to_string()));
        let kept = match decision {
            Decision::Reject => {
                return Err(Stop::Rejected(Error { path: Vec::new(), ..self.denied(ty, field) }));
            }
            Decision::Remove => {
                let denied = self.denied(ty, field);
                self.errors.push(denied);
                None
            }
            Decision::Allow if field.selection_set.selections.is_empty() => Some(field.clone()),
            Decision::Allow => {
                let inner = self.set(&field.selection_set, false)?;
                let is_left = !inner.selections.is_empty();
                is_left.then(|| Node::new(Field { selection_set: inner, ..(**field).clone() }))
            }
        };
        self.path.pop();
        Ok(kept)
    }

    fn decision(&mut self, ty: &Name, field: &Field, is_root: bool) -> Result<Decision, E> {
        let key = (ty.clone(), field.name.clone(), is_root);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let mut types = vec![ty.to_string()];
        let possible = self.operation.schema.possible_types(ty);
        types.extend(possible.iter().filter(|it| **it != ty.as_str()).map(|it| (*it).to_owned()));
        let decision = (self.decide)(Selected { types: &types, name: &field.name, is_root })?;
        self.known.insert(key, decision);
        Ok(decision)
    }

    fn denied(&self, ty: &Name, field: &Field) -> Error {
        let message = format!("Access to the field `{ty}.{}` is denied.", field.name);
        Error {
            locations: Location::of(field.name.location(), &self.operation.document.sources),
            path: self.path.clone(),
            ..Error::new(message).code("FIELD_ACCESS_DENIED")
        }
    }
}

pub(crate) fn used_in_set(set: &SelectionSet, used: &mut HashSet<Name>) {
    for selection in &set.selections {
        used_in_directives(selection.directives(), used);
        match selection {
            Selection::Field(it) => {
                used_in_arguments(&it.arguments, used);
                used_in_set(&it.selection_set, used);
            }
            Selection::InlineFragment(it) => used_in_set(&it.selection_set, used),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn used_in_directives(directives: &DirectiveList, used: &mut HashSet<Name>) {
    directives.iter().for_each(|it| used_in_arguments(&it.arguments, used));
}

fn used_in_arguments(arguments: &[Node<Argument>], used: &mut HashSet<Name>) {
    arguments.iter().for_each(|it| used_in_value(&it.value, used));
}

fn used_in_value(value: &Value, used: &mut HashSet<Name>) {
    match value {
        Value::Variable(name) => {
            used.insert(name.clone());
        }
        Value::List(items) => items.iter().for_each(|it| used_in_value(it, used)),
        Value::Object(fields) => fields.iter().for_each(|(_, it)| used_in_value(it, used)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Limits, Schema};

    const SDL: &str = "interface Named { name: String } \
        type User implements Named { name: String age(in: Int, on: [Int]): Int boss: User } \
        type Query { user(id: ID): User named: Named q: Query }";

    /// What is left if these fields (`Type.field`, `/field` of the root) are taken out or refused.
    fn pruned(query: &str, removed: &[&str], rejected: &[&str]) -> String {
        let variables = json!({ "a": 1, "b": true, "id": "x" }).as_object().unwrap().clone();
        let request = Request { query: query.to_owned(), variables, operation_name: None };
        let schema = Schema::parse(SDL).unwrap();
        let operation = schema.check(&request, &Limits::default()).unwrap();
        let is_in = |list: &[&str], field: &Selected<'_>| {
            let types = field.types.iter().map(|it| format!("{it}.{}", field.name));
            let root = field.is_root.then(|| format!("/{}", field.name));
            types.chain(root).any(|it| list.contains(&it.as_str()))
        };
        let mut decide = |field: Selected<'_>| -> Result<Decision, ()> {
            Ok(match () {
                () if is_in(rejected, &field) => Decision::Reject,
                () if is_in(removed, &field) => Decision::Remove,
                () => Decision::Allow,
            })
        };
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match operation.prune(&request, &mut decide).unwrap() {
            Pruned::Whole => "whole".to_owned(),
            Pruned::Rejected(error) => format!("rejected: {error}"),
            Pruned::Parted { request: None, errors } => format!("nothing, {}", errors.len()),
            Pruned::Parted { request: Some(left), errors } => {
                // What is left is a good request again.
                schema.check(&left, &Limits::default()).unwrap();
                let names: Vec<&String> = left.variables.keys().collect();
                let paths = errors.iter().map(|it| it.to_json()["path"].to_string());
                format!("{} {names:?} {}", flat(&left.query), paths.collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn fields_are_taken_out_wherever_they_stand() {
        for (query, removed, expected) in [
            ("{ user { name } }", "User.age", "whole"),
            ("{ user { name x: age } }", "User.age", r#"{ user { name } } [] ["user","x"]"#),
            ("{ user { age } }", "User.age", "nothing, 1"),
            (
                "{ user { age } q { user { name } } }",
                "User.age",
                r#"{ q { user { name } } } [] ["user","age"]"#,
            ),
            (
                "{ user { ...f name } } fragment f on User { age boss { ...g } } fragment g on User { age }",
                "User.age",
                r#"{ user { name } } [] ["user","age"] ["user","boss","age"]"#,
            ),
            (
                "{ user { ... on Named { name } boss { name } age } }",
                "User.boss",
                r#"{ user { ... on Named { name } age } } [] ["user","boss"]"#,
            ),
            (
                "{ q { user { name } } user { name } }",
                "/user",
                r#"{ q { user { name } } } [] ["user"]"#,
            ),
        ] {
            assert_eq!(pruned(query, &[removed], &[]), expected, "{query}");
        }
    }

    #[test]
    fn a_rule_for_a_type_holds_by_way_of_its_interface() {
        assert_eq!(pruned("{ named { name } }", &["User.name"], &[]), "nothing, 1");
        assert_eq!(
            pruned("{ named { name } }", &[], &["User.name"]),
            "rejected: Access to the field `Named.name` is denied."
        );
    }

    #[test]
    fn variables_that_nothing_uses_any_more_go_as_well() {
        let query = "query q($a: Int, $b: Boolean!, $id: ID) { user(id: $id) { \
            age(in: $a, on: [$a]) name @include(if: $b) } }";
        assert_eq!(
            pruned(query, &["User.age"], &[]),
            r#"query q($b: Boolean!, $id: ID) { user(id: $id) { name @include(if: $b) } } ["b", "id"] ["user","age"]"#
        );
    }

    #[test]
    fn what_the_decision_fails_with_comes_through() {
        let request = Request { query: "{ user { name } }".to_owned(), ..Request::default() };
        let schema = Schema::parse(SDL).unwrap();
        let operation = schema.check(&request, &Limits::default()).unwrap();
        assert_eq!(operation.prune(&request, &mut |_| Err("broken")), Err("broken"));
    }
}
