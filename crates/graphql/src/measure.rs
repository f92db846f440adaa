//! How deep and how large an operation is, its fragments spread.
//!
//! Fragments that spread others several times make large operations of short documents, so each
//! is measured once and what it adds is computed.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Name;
use apollo_compiler::collections::HashMap;
use apollo_compiler::executable::{Selection, SelectionSet};

/// Depth and number of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    /// The most fields inside of each other.
    pub(crate) depth: usize,
    /// All fields.
    pub(crate) n_fields: usize,
}

impl Measure {
    fn beside(self, other: Measure) -> Measure {
        Measure {
            depth: self.depth.max(other.depth),
            n_fields: self.n_fields.saturating_add(other.n_fields),
        }
    }
}

/// Measures a selection set of a valid document: its fragments spread themselves nowhere.
pub(crate) fn measure(document: &ExecutableDocument, set: &SelectionSet) -> Measure {
    of_set(document, set, &mut HashMap::default())
}

fn of_set<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    known: &mut HashMap<&'a Name, Measure>,
) -> Measure {
    let mut whole = Measure::default();
    for selection in &set.selections {
        let it = match selection {
            Selection::Field(field) => {
                let below = of_set(document, &field.selection_set, known);
                Measure { depth: below.depth + 1, n_fields: below.n_fields.saturating_add(1) }
            }
            Selection::InlineFragment(it) => of_set(document, &it.selection_set, known),
            Selection::FragmentSpread(it) => match known.get(&it.fragment_name) {
                Some(known) => *known,
                None => {
                    let fragment = document.fragments.get(&it.fragment_name);
                    let measure = fragment
                        .map(|it| of_set(document, &it.selection_set, known))
                        .unwrap_or_default();
                    known.insert(&it.fragment_name, measure);
                    measure
                }
            },
        };
        whole = whole.beside(it);
    }
    whole
}

#[cfg(test)]
mod tests {
    use crate::{Limits, Request, Schema};

    fn measured(query: &str) -> (usize, usize) {
        let schema = Schema::parse("type Query { a: Int q: Query }").unwrap();
        let request = Request { query: query.to_owned(), ..Request::default() };
        let limits = Limits { max_depth: usize::MAX, max_fields: usize::MAX, ..Limits::default() };
        let operation = schema.check(&request, &limits).unwrap();
        (operation.depth(), operation.n_fields())
    }

    #[test]
    fn depth_and_fields_are_those_of_the_spread_document() {
        assert_eq!(measured("{ a }"), (1, 1));
        assert_eq!(measured("{ a q { a q { a } } }"), (3, 5));
        assert_eq!(measured("{ q { ...f } } fragment f on Query { q { a } }"), (3, 3));
        assert_eq!(measured("{ ... { q { ... on Query { a } } } }"), (2, 2));
    }

    #[test]
    fn fragments_that_multiply_are_counted_without_spreading_them() {
        let mut query = "{ ...f0 }".to_owned();
        for at in 0..60 {
            query += &format!(
                " fragment f{at} on Query {{ x: q {{ ...f{} }} y: q {{ ...f{} }} }}",
                at + 1,
                at + 1
            );
        }
        query += " fragment f60 on Query { a }";
        let (depth, n_fields) = measured(&query);
        assert_eq!(depth, 61);
        assert!(n_fields > 1 << 60);
    }
}
