//! How deep and how large an operation is, its fragments spread.
//!
//! Fragments that spread others several times make large operations of short documents, so each
//! is measured once and what it adds is computed.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Name;
use apollo_compiler::collections::HashMap;
use apollo_compiler::executable::{Selection, SelectionSet};

/// Depth and number of fields and fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    /// The most fields inside of each other.
    pub(crate) depth: usize,
    /// All fields.
    pub(crate) n_fields: usize,
    /// All fields and fragments: what is walked through.
    pub(crate) n_selections: usize,
}

impl Measure {
    fn beside(self, other: Measure) -> Measure {
        Measure {
            depth: self.depth.max(other.depth),
            n_fields: self.n_fields.saturating_add(other.n_fields),
            n_selections: self.n_selections.saturating_add(other.n_selections),
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
                Measure {
                    depth: below.depth + 1,
                    n_fields: below.n_fields.saturating_add(1),
                    ..below
                }
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
        let one_more = it.n_selections.saturating_add(1);
        whole = whole.beside(Measure { n_selections: one_more, ..it });
    }
    whole
}

#[cfg(test)]
mod tests {
    use crate::{Limits, Request, Schema};

    fn measured(query: &str) -> (usize, usize) {
        let schema = Schema::parse("type Query { a: Int q: Query }").unwrap();
        let request = Request { query: query.to_owned(), ..Request::default() };
        let (max_depth, max_fields, max_selections) = (usize::MAX, usize::MAX, usize::MAX);
        let limits = Limits { max_depth, max_fields, max_selections, ..Limits::default() };
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
    fn fragments_in_fragments_are_bounded_though_they_hold_few_fields() {
        let schema = Schema::parse("type Query { a: Int q: Query }").unwrap();
        let told = |query: String| {
            let request = Request { query, ..Request::default() };
            match schema.check(&request, &Limits::default()) {
                Ok(it) => it.n_fields().to_string(),
                Err(errors) => errors[0].message.clone(),
            }
        };
        let chain = |n_spreads: usize, n_fragments: usize| {
            let mut query = format!("{{ {} }}", "...f0 ".repeat(n_spreads));
            for at in 0..n_fragments {
                query += &format!(" fragment f{at} on Query {{ ...f{} }}", at + 1);
            }
            query + &format!(" fragment f{n_fragments} on Query {{ a }}")
        };
        assert_eq!(told(chain(1, 50)), "1");
        assert_eq!(told(chain(300, 50)), "300");
        let most = "The operation selects more than 20000 fields and fragments.";
        assert_eq!(told(chain(500, 50)), most);
        // A long chain is refused before anything walks along it.
        for n_fragments in [150, 1000, 2500] {
            assert_ne!(told(chain(1, n_fragments)), "1", "{n_fragments}");
        }
        let inline = |n: usize| format!("{{ {}a {}}}", "... { ".repeat(n), "} ".repeat(n));
        assert_eq!(told(inline(90)), "1");
        assert_ne!(told(inline(5000)), "1");
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
