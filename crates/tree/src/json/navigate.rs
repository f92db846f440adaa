//! Finding tokens from tokens: members, elements, neighbours, descendants and the path.

use std::sync::Arc;

use super::arena::{Arena, Data, NONE};
use super::scalar::Kind;
use super::{Fault, Token};

impl Token {
    /// `JObject[name]`: the value of the member, if there is one.
    pub fn get(&self, name: &str) -> Option<Token> {
        self.sibling(|arena, id| arena.property(arena.find(id, name)?).map(|(_, value)| value))
    }

    /// `JObject.Property(name)`.
    pub fn member(&self, name: &str) -> Option<Token> {
        self.sibling(|arena, id| arena.find(id, name))
    }

    /// `JObject.GetValue(name, StringComparison.OrdinalIgnoreCase)`: an exact match comes first.
    pub fn get_ignore_case(&self, name: &str) -> Option<Token> {
        self.member_ignore_case(name).and_then(|it| it.property_value())
    }

    /// The property of that name; upper and lower case are alike if no name matches exactly.
    pub fn member_ignore_case(&self, name: &str) -> Option<Token> {
        let lower = name.to_lowercase();
        self.sibling(|arena, id| {
            arena.find(id, name).or_else(|| {
                let is_it = |it: &u32| {
                    arena.property(*it).is_some_and(|(name, _)| name.to_lowercase() == lower)
                };
                arena.children(id).iter().copied().find(is_it)
            })
        })
    }

    /// `token[name]` for any token.
    ///
    /// # Errors
    ///
    /// `InvalidOperationException` of a value, `ArgumentException` of an array.
    pub fn index_name(&self, name: &str) -> Result<Option<Token>, Fault> {
        match self.kind() {
            Kind::Object => Ok(self.get(name)),
            kind => Err(self.refuse_key(kind, &format!("\"{name}\""))),
        }
    }

    /// `token[index]` for any token.
    ///
    /// # Errors
    ///
    /// `InvalidOperationException` of a value, `ArgumentException` of an object,
    /// `ArgumentOutOfRangeException` outside an array.
    pub fn index_number(&self, index: i64) -> Result<Token, Fault> {
        match self.kind() {
            Kind::Array | Kind::Constructor => self.at(index).ok_or_else(Fault::index_out_of_range),
            kind => Err(self.refuse_key(kind, &index.to_string())),
        }
    }

    pub(super) fn refuse_key(&self, kind: Kind, key: &str) -> Fault {
        let expected = match kind {
            Kind::Object => "Object property name expected.",
            Kind::Array => "Int32 array index expected.",
            Kind::Constructor => "Argument position index expected.",
            kind => {
                let class = kind.class_name();
                return Fault::invalid_operation(format!(
                    "Cannot access child value on Newtonsoft.Json.Linq.{class}."
                ));
            }
        };
        let class = kind.class_name();
        Fault::argument(format!(
            "Accessed {class} values with invalid key value: {key}. {expected}"
        ))
    }

    /// The child at `index`, if there is one.
    pub fn at(&self, index: i64) -> Option<Token> {
        let index = usize::try_from(index).ok()?;
        self.sibling(|arena, id| arena.children(id).get(index).copied())
    }

    /// How many children there are.
    pub fn count(&self) -> usize {
        self.with(|arena, id| arena.children(id).len())
    }

    /// `JProperty.Value`.
    pub fn property_value(&self) -> Option<Token> {
        self.sibling(|arena, id| arena.property(id).map(|(_, value)| value))
    }

    /// `JToken.First`; `None` if there is no child.
    pub fn first(&self) -> Option<Token> {
        self.sibling(|arena, id| arena.children(id).first().copied())
    }

    /// `JToken.Last`; `None` if there is no child.
    pub fn last(&self) -> Option<Token> {
        self.sibling(|arena, id| arena.children(id).last().copied())
    }

    /// `JToken.Next`.
    pub fn next(&self) -> Option<Token> {
        self.neighbour(|at| at.checked_add(1))
    }

    /// `JToken.Previous`.
    pub fn previous(&self) -> Option<Token> {
        self.neighbour(|at| at.checked_sub(1))
    }

    fn neighbour(&self, other: impl FnOnce(usize) -> Option<usize>) -> Option<Token> {
        self.sibling(|arena, id| {
            let parent = arena.parent(id);
            let at = other(arena.position(parent, id)?)?;
            arena.children(parent).get(at).copied()
        })
    }

    /// `JToken.Root`.
    pub fn root(&self) -> Token {
        self.sibling(|arena, id| Some(arena.root(id))).unwrap_or_else(|| self.clone())
    }

    /// `JToken.Ancestors()`: the parent, its parent, and so on.
    pub fn ancestors(&self) -> Vec<Token> {
        std::iter::successors(self.parent(), Token::parent).collect()
    }

    /// `JContainer.Descendants()`, in document order, properties included.
    pub fn descendants(&self, and_self: bool) -> Vec<Token> {
        self.siblings(|arena, id| {
            let mut found = Vec::new();
            if and_self {
                found.push(id);
            }
            descend(arena, id, &mut found);
            found
        })
    }

    /// `JToken.Path`, for example `a['b c'][0]`.
    pub fn path(&self) -> String {
        self.with(|arena, id| {
            let mut steps = Vec::new();
            let (mut id, mut below) = (id, NONE);
            if arena.parent(id) == NONE {
                return String::new();
            }
            while id != NONE {
                match arena.data(id) {
                    Data::Property(name, _) => steps.push(Step::Name(Arc::clone(name))),
                    Data::Array(_) | Data::Constructor(_) if below != NONE => {
                        steps.push(Step::Index(arena.position(id, below).unwrap_or(0)));
                    }
                    _ => {}
                }
                (below, id) = (id, arena.parent(id));
            }
            let mut path = String::new();
            for step in steps.iter().rev() {
                match step {
                    Step::Index(at) => path.push_str(&format!("[{at}]")),
                    Step::Name(name) => write_name(&mut path, name),
                }
            }
            path
        })
    }
}

enum Step {
    Name(Arc<str>),
    Index(usize),
}

/// Adds a member's name to a path, quoted if it holds a character with a meaning.
pub(super) fn write_name(path: &mut String, name: &str) {
    const SPECIAL: &[char] = &[
        '.', ' ', '\'', '/', '"', '[', ']', '(', ')', '\t', '\n', '\r', '\u{c}', '\u{8}', '\\',
        '\u{85}', '\u{2028}', '\u{2029}',
    ];
    if name.contains(SPECIAL) {
        path.push_str("['");
        for it in name.chars() {
            if matches!(it, '\'' | '\\') {
                path.push('\\');
            }
            path.push(it);
        }
        path.push_str("']");
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    }
}

fn descend(arena: &Arena, id: u32, found: &mut Vec<u32>) {
    for child in arena.children(id) {
        found.push(*child);
        descend(arena, *child, found);
    }
}

#[cfg(test)]
mod tests {
    use crate::json::{ParseOptions, Root, Token, parse};

    fn json(text: &str) -> Token {
        parse(text, Root::Any, &ParseOptions::default()).unwrap()
    }

    #[test]
    fn a_path_leads_to_the_token() {
        let root = json(r#"{"a":{"b c":[1,{"d":2}]}}"#);
        let inner = root.get("a").unwrap().get("b c").unwrap();

        assert_eq!(inner.at(0).unwrap().path(), "a['b c'][0]");
        assert_eq!(inner.at(1).unwrap().get("d").unwrap().path(), "a['b c'][1].d");
        assert_eq!(inner.parent().unwrap().path(), "a['b c']");
        assert_eq!(root.path(), "");
    }

    #[test]
    fn indexing_fails_as_newtonsofts_does() {
        let root = json(r#"{"a":[1],"b":2}"#);
        let error = |it: Result<_, crate::json::Fault>| it.map(|_: ()| ()).unwrap_err();

        let by_number = error(root.index_number(0).map(drop));
        assert_eq!(
            by_number.message,
            "Accessed JObject values with invalid key value: 0. Object property name expected."
        );
        let array = root.get("a").unwrap();
        assert_eq!(error(array.index_name("x").map(drop)).type_name, "System.ArgumentException");
        assert_eq!(
            error(array.index_number(-1).map(drop)).type_name,
            "System.ArgumentOutOfRangeException"
        );
        let value = root.get("b").unwrap();
        assert_eq!(
            error(value.index_name("x").map(drop)).message,
            "Cannot access child value on Newtonsoft.Json.Linq.JValue."
        );
    }

    #[test]
    fn neighbours_and_descendants_come_in_document_order() {
        let root = json(r#"{"a":[1,2],"b":3}"#);
        let first = root.first().unwrap();

        assert_eq!(first.next().unwrap().name().as_deref(), Some("b"));
        assert!(first.previous().is_none());
        assert!(root.last().unwrap().next().is_none());
        assert_eq!(root.descendants(false).len(), 6);
        assert!(root.get("a").unwrap().at(1).unwrap().root().is_same(&root));
        assert_eq!(root.get("a").unwrap().at(1).unwrap().ancestors().len(), 3);
    }

    #[test]
    fn a_name_in_another_case_is_found_when_asked_for() {
        let root = json(r#"{"A":1,"a":2}"#);

        assert_eq!(&*root.get_ignore_case("a").unwrap().to_text(), "2");
        assert_eq!(&*json(r#"{"A":1}"#).get_ignore_case("a").unwrap().to_text(), "1");
        assert!(json(r#"{"A":1}"#).get("a").is_none());
    }
}
