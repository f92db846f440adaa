//! [`Token`]: a reference to a node, as a variable of the type `JToken` is.

use dotnet::Runtime;
use dotnet::text::number::{double_to_text, float_to_text};
use std::fmt;
use std::sync::Arc;

use super::arena::{Arena, Data, Members, NONE, Tree};
use super::scalar::{Kind, Scalar};
use super::writer::{self, Formatting};
use super::{Fault, convert};
use crate::note::Note;
use crate::store::Store as _;

/// A reference to a token of a tree. Clones are the same token, not copies.
#[derive(Clone)]
pub struct Token {
    pub(super) tree: Arc<Tree>,
    pub(super) id: u32,
}

/// What a container is made of: what `new JObject(...)` and its like take.
#[derive(Clone, Debug)]
pub enum Content {
    /// A token; it is copied if it has a parent already.
    Token(Token),
    /// A value that becomes a `JValue`.
    Value(Scalar),
    /// Several of them, as any enumerable is.
    Many(Vec<Content>),
}

impl From<Token> for Content {
    fn from(token: Token) -> Self {
        Content::Token(token)
    }
}

impl From<Scalar> for Content {
    fn from(value: Scalar) -> Self {
        Content::Value(value)
    }
}

impl Token {
    pub(super) fn from_arena(arena: Arena, id: u32) -> Self {
        Self { tree: Tree::new(arena), id }
    }

    fn single(data: Data) -> Self {
        let mut arena = Arena::with_capacity(1);
        let id = arena.push(data);
        Self::from_arena(arena, id)
    }

    /// `new JValue(value)`.
    pub fn value(value: impl Into<Scalar>) -> Self {
        Self::single(Data::Value(value.into()))
    }

    /// `new JObject()`.
    pub fn object() -> Self {
        Self::single(Data::Object(Members::default()))
    }

    /// `new JArray()`.
    pub fn array() -> Self {
        Self::single(Data::Array(Vec::new()))
    }

    /// `new JConstructor(name)`.
    pub fn constructor(name: &str) -> Self {
        Self::single(Data::Constructor(Box::new((Arc::from(name), Vec::new()))))
    }

    /// `new JProperty(name, content)`: several contents become an array.
    ///
    /// # Errors
    ///
    /// The tree is too deep, or `content` is a property.
    pub fn property(name: &str, content: impl Into<Content>) -> Result<Self, Fault> {
        let mut arena = Arena::with_capacity(2);
        let value = arena.push(Data::Value(Scalar::Null));
        let id = arena.push(Data::Property(Arc::from(name), value));
        arena.adopt(id, &[value]);
        let property = Self::from_arena(arena, id);
        let value = match content.into() {
            Content::Token(token) => token,
            Content::Value(value) => Self::value(value),
            many @ Content::Many(_) => {
                let array = Self::array();
                array.add(many)?;
                array
            }
        };
        property.set_property_value(Some(&value))?;
        Ok(property)
    }

    /// What a program has put at the node.
    #[must_use]
    pub fn note(&self) -> Option<Arc<dyn Note>> {
        self.with(|arena, id| arena.notes.get(id))
    }

    /// Puts something at the node, in place of what was there.
    pub fn set_note(&self, note: Arc<dyn Note>) {
        // What was there is let go after the lock.
        let old = self.with(|arena, id| arena.notes.set(id, note));
        drop(old);
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Arena, u32) -> R) -> R {
        self.tree.with(self.id, work)
    }

    /// A token of the same tree, found by its number.
    pub(super) fn sibling(
        &self,
        found: impl FnOnce(&mut Arena, u32) -> Option<u32>,
    ) -> Option<Self> {
        self.tree.at_home(self.id, |tree, arena, id| {
            found(arena, id).map(|id| Self { tree: Arc::clone(tree), id })
        })
    }

    /// Tokens of the same tree, found by their numbers.
    pub(super) fn siblings(&self, found: impl FnOnce(&mut Arena, u32) -> Vec<u32>) -> Vec<Self> {
        self.tree.at_home(self.id, |tree, arena, id| {
            let token = |id| Self { tree: Arc::clone(tree), id };
            found(arena, id).into_iter().map(token).collect()
        })
    }

    /// `JToken.Type`.
    pub fn kind(&self) -> Kind {
        self.with(|arena, id| arena.data(id).kind())
    }

    /// True for `JObject`, `JArray`, `JProperty` and `JConstructor`.
    pub fn is_container(&self) -> bool {
        self.with(|arena, id| !matches!(arena.data(id), Data::Value(_)))
    }

    /// What a `JValue` holds; `None` of a container.
    pub fn scalar(&self) -> Option<Scalar> {
        self.with(|arena, id| match arena.data(id) {
            Data::Value(value) => Some(value.clone()),
            _ => None,
        })
    }

    /// Sets `JValue.Value`. Does nothing to a container.
    pub fn set_scalar(&self, new: Scalar) {
        self.with(|arena, id| {
            if let Some(Data::Value(value)) = arena.data_mut(id) {
                *value = new;
            }
        });
    }

    /// `JProperty.Name` or `JConstructor.Name`.
    pub fn name(&self) -> Option<Arc<str>> {
        self.with(|arena, id| match arena.data(id) {
            Data::Property(name, _) => Some(Arc::clone(name)),
            Data::Constructor(inner) => Some(Arc::clone(&inner.0)),
            _ => None,
        })
    }

    /// Sets `JConstructor.Name`.
    pub fn set_name(&self, name: &str) {
        self.with(|arena, id| {
            if let Some(Data::Constructor(inner)) = arena.data_mut(id) {
                inner.0 = Arc::from(name);
            }
        });
    }

    /// `ReferenceEquals`: is it the very same token?
    pub fn is_same(&self, other: &Token) -> bool {
        if Arc::ptr_eq(&self.tree, &other.tree) {
            return self.id == other.id;
        }
        let ((a, a_id), (b, b_id)) = (self.tree.resolve(self.id), other.tree.resolve(other.id));
        Arc::ptr_eq(&a, &b) && a_id == b_id
    }

    /// `JToken.DeepClone()`: a copy without a parent.
    pub fn deep_clone(&self) -> Self {
        self.with(|arena, id| {
            let mut copy = Arena::default();
            let root = copy.copy_from(arena, id);
            Self::from_arena(copy, root)
        })
    }

    /// `JToken.ToString(formatting)`: JSON, also of a string.
    pub fn to_json(&self, formatting: Formatting) -> String {
        self.to_json_as(formatting, Runtime::Modern)
    }

    /// The same with the digits that a runtime gives to fractions.
    pub fn to_json_as(&self, formatting: Formatting, runtime: Runtime) -> String {
        self.with(|arena, id| writer::write(arena, id, formatting, runtime))
    }

    /// `JToken.ToString()`: indented JSON of a container, the bare text of a value.
    pub fn to_text(&self) -> Arc<str> {
        self.to_text_as(Runtime::Modern)
    }

    /// The same with the digits that a runtime gives to fractions.
    pub fn to_text_as(&self, runtime: Runtime) -> Arc<str> {
        match self.scalar() {
            Some(Scalar::Float(it)) => Arc::from(double_to_text(it, runtime)),
            Some(Scalar::Single(it)) => Arc::from(float_to_text(it, runtime)),
            Some(value) => value.to_text(),
            None => Arc::from(self.to_json_as(Formatting::Indented, runtime)),
        }
    }

    /// `(string)token`.
    ///
    /// # Errors
    ///
    /// `ArgumentException` of an object or array.
    pub fn as_string(&self) -> Result<Option<Arc<str>>, Fault> {
        match convert::cast(Some(self), convert::Target::String, true)? {
            Scalar::String(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// The number of bytes that the tree takes, roughly; for budgets.
    pub fn weight(&self) -> usize {
        self.with(|arena, _| arena.len() * 64)
    }

    /// Enumerates the children; notices changes as the enumerators of .NET do.
    pub fn children(&self) -> Children {
        let version = self.with(|arena, id| arena.version(id));
        Children { of: self.clone(), at: 0, version }
    }

    /// All children at once.
    pub fn child_list(&self) -> Vec<Token> {
        self.siblings(|arena, id| arena.children(id).to_vec())
    }

    /// `JToken.Parent`.
    pub fn parent(&self) -> Option<Self> {
        self.sibling(|arena, id| Some(arena.parent(id)).filter(|it| *it != NONE))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json(Formatting::None))
    }
}

/// The children of a token, one by one.
#[derive(Debug)]
pub struct Children {
    of: Token,
    at: usize,
    version: u16,
}

impl Iterator for Children {
    type Item = Result<Token, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let (at, version) = (self.at, self.version);
        let mut changed = false;
        let next = self.of.sibling(|arena, id| {
            changed = arena.version(id) != version;
            if changed { None } else { arena.children(id).get(at).copied() }
        });
        if changed {
            return Some(Err(Fault::invalid_operation(
                "Collection was modified; enumeration operation may not execute.",
            )));
        }
        self.at += 1;
        next.map(Ok)
    }
}

macro_rules! scalar_from {
    ($($from:ty => $make:expr),+ $(,)?) => {
        $(impl From<$from> for Scalar {
            fn from(value: $from) -> Self {
                $make(value)
            }
        })+
    };
}

scalar_from! {
    bool => Scalar::Bool,
    i64 => Scalar::Int,
    i32 => |it| Scalar::Int(i64::from(it)),
    f64 => Scalar::Float,
    &str => |it: &str| Scalar::String(Arc::from(it)),
    String => |it: String| Scalar::String(Arc::from(it)),
    Arc<str> => Scalar::String,
}

#[cfg(test)]
mod tests {
    use super::Token;
    use crate::json::{Formatting, Kind, Scalar};

    #[test]
    fn a_child_keeps_its_parents_alive() {
        let child = {
            let object = Token::object();
            object.set("a", Some(&Token::value(1))).unwrap();
            object.get("a").unwrap()
        };

        let parent = child.parent().unwrap();
        assert_eq!(parent.kind(), Kind::Property);
        assert_eq!(parent.parent().unwrap().to_json(Formatting::None), r#"{"a":1}"#);
    }

    #[test]
    fn a_token_attached_elsewhere_is_still_the_same_token() {
        let (outer, inner) = (Token::object(), Token::object());
        outer.set("x", Some(&inner)).unwrap();
        inner.set("y", Some(&Token::value(2))).unwrap();

        assert_eq!(outer.to_json(Formatting::None), r#"{"x":{"y":2}}"#);
        assert!(outer.get("x").unwrap().is_same(&inner));
    }

    #[test]
    fn changing_a_list_while_it_is_enumerated_is_an_error() {
        let array = Token::array();
        for at in 0..3 {
            array.add(Scalar::from(at)).unwrap();
        }
        let mut children = array.children();
        children.next().unwrap().unwrap().remove().unwrap();

        let error = children.next().unwrap().unwrap_err();
        assert_eq!(error.type_name, "System.InvalidOperationException");
    }
}
