//! Which fields of an object are asked for.
//!
//! Source: <https://spec.graphql.org/October2021/#CollectFields()>

use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::Run;

/// Fields by their names in the response, in order.
pub(super) type Grouped<'a> = IndexMap<&'a Name, Vec<&'a Field>>;

impl<'a> Run<'a> {
    /// The fields that several selection sets have for an object type.
    pub(super) fn collect(&self, type_name: &str, sets: &[&'a SelectionSet]) -> Grouped<'a> {
        let mut grouped = Grouped::default();
        let mut visited = HashSet::default();
        for set in sets {
            self.collect_from(type_name, set, &mut visited, &mut grouped);
        }
        grouped
    }

    fn collect_from(
        &self,
        type_name: &str,
        set: &'a SelectionSet,
        visited: &mut HashSet<&'a Name>,
        grouped: &mut Grouped<'a>,
    ) {
        for selection in &set.selections {
            let directives = selection.directives();
            if self.says(directives.get("skip")) == Some(true)
                || self.says(directives.get("include")) == Some(false)
            {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    grouped.entry(field.response_key()).or_default().push(field);
                }
                Selection::InlineFragment(it) => {
                    if it.type_condition.as_ref().is_none_or(|it| self.applies(type_name, it)) {
                        self.collect_from(type_name, &it.selection_set, visited, grouped);
                    }
                }
                Selection::FragmentSpread(it) => {
                    let fragment = self.operation.document.fragments.get(&it.fragment_name);
                    if let Some(fragment) = fragment
                        && visited.insert(&it.fragment_name)
                        && self.applies(type_name, fragment.type_condition())
                    {
                        self.collect_from(type_name, &fragment.selection_set, visited, grouped);
                    }
                }
            }
        }
    }

    /// What the condition of a directive comes to.
    fn says(&self, directive: Option<&Node<Directive>>) -> Option<bool> {
        match &**directive?.specified_argument_by_name("if")? {
            Value::Boolean(it) => Some(*it),
            Value::Variable(name) => self.operation.variables.get(name.as_str())?.as_bool(),
            _ => None,
        }
    }

    fn applies(&self, type_name: &str, condition: &Name) -> bool {
        type_name == condition.as_str()
            || match self.operation.schema.definitions().types.get(condition) {
                Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                    self.operation.schema.definitions().is_subtype(condition, type_name)
                }
                _ => false,
            }
    }
}
