//! Changing a tree: adding, replacing and removing tokens, with Newtonsoft's rules.
//!
//! A token that has a parent already, or that would contain itself, is copied when it is added.

use std::sync::Arc;

use super::arena::{Arena, Data, NONE, unite};
use super::scalar::{Kind, Scalar};
use super::token::Content;
use super::{Fault, Token};

impl Token {
    /// `JContainer.Add(content)`: at the end; the items of several contents one by one.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if the content cannot stand here or its name is taken.
    pub fn add(&self, content: impl Into<Content>) -> Result<(), Fault> {
        self.insert_content(self.count(), content.into()).map(drop)
    }

    /// `JContainer.AddFirst(content)`.
    ///
    /// # Errors
    ///
    /// As [`Token::add`].
    pub fn add_first(&self, content: impl Into<Content>) -> Result<(), Fault> {
        self.insert_content(0, content.into()).map(drop)
    }

    /// `JArray.Insert(index, item)`.
    ///
    /// # Errors
    ///
    /// As [`Token::add`]; `ArgumentOutOfRangeException` beyond the end.
    pub fn insert(&self, index: i64, content: impl Into<Content>) -> Result<(), Fault> {
        match usize::try_from(index) {
            Ok(at) if at <= self.count() => self.insert_content(at, content.into()).map(drop),
            _ => Err(Fault::new(
                "System.ArgumentOutOfRangeException",
                "Index must be within the bounds of the List. (Parameter 'index')",
            )),
        }
    }

    /// `JToken.AddAfterSelf(content)`.
    ///
    /// # Errors
    ///
    /// As [`Token::add`]; `InvalidOperationException` without a parent.
    pub fn add_after_self(&self, content: impl Into<Content>) -> Result<(), Fault> {
        let (parent, at) = self.place()?;
        parent.insert_content(at + 1, content.into()).map(drop)
    }

    /// `JToken.AddBeforeSelf(content)`.
    ///
    /// # Errors
    ///
    /// As [`Token::add`]; `InvalidOperationException` without a parent.
    pub fn add_before_self(&self, content: impl Into<Content>) -> Result<(), Fault> {
        let (parent, at) = self.place()?;
        parent.insert_content(at, content.into()).map(drop)
    }

    fn place(&self) -> Result<(Token, usize), Fault> {
        let place = self.parent().and_then(|parent| Some((parent, self.position()?)));
        place.ok_or_else(|| Fault::invalid_operation("The parent is missing."))
    }

    fn position(&self) -> Option<usize> {
        self.with(|arena, id| arena.position(arena.parent(id), id))
    }

    /// Where `item` stands among the children; identity counts (`JArray.IndexOf`).
    pub fn index_of(&self, item: &Token) -> Option<usize> {
        if item.parent().is_some_and(|parent| parent.is_same(self)) {
            item.position()
        } else {
            None
        }
    }

    fn insert_content(&self, at: usize, content: Content) -> Result<usize, Fault> {
        let token = match content {
            Content::Token(token) => token,
            Content::Value(value) => Token::value(value),
            Content::Many(many) => {
                let mut next = at;
                for content in many {
                    next = self.insert_content(next, content)?;
                }
                return Ok(next);
            }
        };
        self.validate(&token, None)?;
        self.attach(&token, |arena, parent, child| arena.hang(parent, at, child))?;
        Ok(at + 1)
    }

    /// Refuses what cannot stand in this container; `replaced` is what it takes the place of.
    fn validate(&self, new: &Token, replaced: Option<&Token>) -> Result<(), Fault> {
        let cannot = |what: &str| {
            let class = self.kind().class_name();
            Err(Fault::argument(format!("Can not add {what} to Newtonsoft.Json.Linq.{class}.")))
        };
        let new_class = format!("Newtonsoft.Json.Linq.{}", new.kind().class_name());
        match self.kind() {
            Kind::Object => {
                let Some(name) = new.name().filter(|_| new.kind() == Kind::Property) else {
                    return cannot(&new_class);
                };
                let is_taken = self
                    .member(&name)
                    .is_some_and(|taken| !replaced.is_some_and(|it| it.is_same(&taken)));
                if is_taken {
                    return Err(Fault::argument(format!(
                        "Can not add property {name} to Newtonsoft.Json.Linq.JObject. Property with the same name already exists on object."
                    )));
                }
                Ok(())
            }
            Kind::Array | Kind::Constructor if new.kind() == Kind::Property => cannot(&new_class),
            Kind::Array | Kind::Constructor => Ok(()),
            Kind::Property => {
                Err(json_exception("Newtonsoft.Json.Linq.JProperty cannot have multiple values."))
            }
            _ => cannot(&new_class),
        }
    }

    /// Puts `child` under this token by `link`, in the same tree, copied if need be.
    fn attach(
        &self,
        child: &Token,
        link: impl FnOnce(&mut Arena, u32, u32) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let (mine, my_id) = self.tree.resolve(self.id);
        let (theirs, their_id) = child.tree.resolve(child.id);
        if Arc::ptr_eq(&mine, &theirs) {
            return mine.with(my_id, |arena, id| {
                let child = their_id.wrapping_sub(my_id).wrapping_add(id);
                let must_copy = arena.parent(child) != NONE
                    || child == id
                    || (!arena.children(child).is_empty() && arena.root(id) == child);
                let child = if must_copy {
                    let mut copy = Arena::default();
                    let root = copy.copy_from(arena, child);
                    arena.copy_from(&copy, root)
                } else {
                    child
                };
                link(arena, id, child)
            });
        }
        let has_parent = theirs.with(their_id, |arena, id| arena.parent(id) != NONE);
        if has_parent {
            let mut copy = Arena::default();
            let root = theirs.with(their_id, |arena, id| copy.copy_from(arena, id));
            return mine.with(my_id, |arena, id| {
                let child = arena.copy_from(&copy, root);
                link(arena, id, child)
            });
        }
        unite(&mine, &theirs);
        let (_, child_id) = theirs.resolve(their_id);
        mine.with(my_id, |arena, id| link(arena, id, child_id))
    }

    /// `JObject[name] = value`: replaces the value or adds a member; null is a JSON null.
    ///
    /// # Errors
    ///
    /// As [`Token::add`]; `ArgumentException` if this is no object.
    pub fn set(&self, name: &str, value: Option<&Token>) -> Result<(), Fault> {
        match self.kind() {
            Kind::Object => {}
            Kind::Array | Kind::Constructor => {
                let class = self.kind().class_name();
                return Err(Fault::argument(format!(
                    "Set {class} values with invalid key value: \"{name}\". Int32 array index expected."
                )));
            }
            kind => {
                let class = kind.class_name();
                return Err(Fault::invalid_operation(format!(
                    "Cannot set child value on Newtonsoft.Json.Linq.{class}."
                )));
            }
        }
        match self.member(name) {
            Some(property) => property.set_property_value(value),
            None => {
                let null = || Token::value(Scalar::Null);
                let value = value.cloned().unwrap_or_else(null);
                self.add(Token::property(name, value)?)
            }
        }
    }

    /// `token[index] = value` of an array.
    ///
    /// # Errors
    ///
    /// As [`Token::add`]; `ArgumentOutOfRangeException` outside the array.
    pub fn set_at(&self, index: i64, value: Option<&Token>) -> Result<(), Fault> {
        match self.kind() {
            Kind::Array | Kind::Constructor => {}
            Kind::Object => {
                return Err(Fault::argument(format!(
                    "Set JObject values with invalid key value: {index}. Object property name expected."
                )));
            }
            kind => {
                let class = kind.class_name();
                return Err(Fault::invalid_operation(format!(
                    "Cannot set child value on Newtonsoft.Json.Linq.{class}."
                )));
            }
        }
        let old = self.at(index).ok_or_else(Fault::index_out_of_range)?;
        old.replace(value)
    }

    /// Sets `JProperty.Value`; null is a JSON null.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if `value` is a property; a tree that is too deep.
    pub fn set_property_value(&self, value: Option<&Token>) -> Result<(), Fault> {
        let null = || Token::value(Scalar::Null);
        let value = value.cloned().unwrap_or_else(null);
        if value.kind() == Kind::Property {
            return Err(Fault::argument(
                "Can not add Newtonsoft.Json.Linq.JProperty to Newtonsoft.Json.Linq.JProperty.",
            ));
        }
        if self.property_value().is_some_and(|it| it.is_same(&value)) {
            return Ok(());
        }
        self.attach(&value, |arena, id, child| arena.exchange(id, 0, child))
    }

    /// `JToken.Replace(value)`.
    ///
    /// # Errors
    ///
    /// `InvalidOperationException` without a parent; as [`Token::add`].
    pub fn replace(&self, value: Option<&Token>) -> Result<(), Fault> {
        let (parent, at) = self.place()?;
        if parent.kind() == Kind::Property {
            return parent.set_property_value(value);
        }
        let null = || Token::value(Scalar::Null);
        let value = value.cloned().unwrap_or_else(null);
        if value.is_same(self) {
            return Ok(());
        }
        parent.validate(&value, Some(self))?;
        parent.attach(&value, |arena, id, child| arena.exchange(id, at, child))
    }

    /// `JToken.Remove()`.
    ///
    /// # Errors
    ///
    /// `InvalidOperationException` without a parent, `JsonException` of a property's value.
    pub fn remove(&self) -> Result<(), Fault> {
        let (parent, at) = self.place()?;
        if parent.kind() == Kind::Property {
            return Err(json_exception(
                "Cannot add or remove items from Newtonsoft.Json.Linq.JProperty.",
            ));
        }
        parent.with(|arena, id| arena.unhang(id, at));
        Ok(())
    }

    /// `JObject.Remove(name)`: was it there?
    pub fn remove_member(&self, name: &str) -> bool {
        self.with(|arena, id| {
            let Some(member) = arena.find(id, name) else { return false };
            let Some(at) = arena.position(id, member) else { return false };
            arena.unhang(id, at).is_some()
        })
    }

    /// `JArray.RemoveAt(index)`.
    ///
    /// # Errors
    ///
    /// `ArgumentOutOfRangeException` outside the array.
    pub fn remove_at(&self, index: i64) -> Result<(), Fault> {
        let removed =
            usize::try_from(index).ok().and_then(|at| self.with(|arena, id| arena.unhang(id, at)));
        removed.map(drop).ok_or_else(|| {
            Fault::new(
                "System.ArgumentOutOfRangeException",
                "Index is equal to or greater than Count. (Parameter 'index')",
            )
        })
    }

    /// `JContainer.RemoveAll()`.
    ///
    /// # Errors
    ///
    /// `JsonException` of a property.
    pub fn remove_all(&self) -> Result<(), Fault> {
        if self.kind() == Kind::Property {
            return Err(json_exception(
                "Cannot add or remove items from Newtonsoft.Json.Linq.JProperty.",
            ));
        }
        self.with(|arena, id| {
            let children = arena.children(id).to_vec();
            for child in children {
                arena.set_parent(child, NONE);
            }
            arena.clear(id);
        });
        Ok(())
    }

    /// `JContainer.ReplaceAll(content)`.
    ///
    /// # Errors
    ///
    /// As [`Token::add`].
    pub fn replace_all(&self, content: impl Into<Content>) -> Result<(), Fault> {
        self.remove_all()?;
        self.add(content)
    }
}

impl Arena {
    /// Forgets the children of a container.
    fn clear(&mut self, id: u32) {
        while let Some(last) = self.children(id).len().checked_sub(1) {
            if matches!(self.data(id), Data::Property(..)) || self.unhang(id, last).is_none() {
                return;
            }
        }
    }
}

/// `Newtonsoft.Json.JsonException`.
pub(super) fn json_exception(message: impl Into<String>) -> Fault {
    Fault::new("Newtonsoft.Json.JsonException", message)
}

#[cfg(test)]
mod tests {
    use crate::json::{Content, Fault, Formatting, ParseOptions, Root, Scalar, Token, parse};

    fn json(text: &str) -> Token {
        parse(text, Root::Any, &ParseOptions::default()).unwrap()
    }

    /// The text of `start` after `change`, or the type of the exception.
    fn after(start: &str, change: impl FnOnce(&Token) -> Result<(), Fault>) -> String {
        let token = json(start);
        match change(&token) {
            Ok(()) => token.to_json(Formatting::None),
            Err(fault) => fault.type_name.to_owned(),
        }
    }

    fn five() -> Token {
        Token::value(5)
    }

    #[test]
    fn members_are_set_added_and_removed() {
        let object = r#"{"a":1,"b":2}"#;
        assert_eq!(after(object, |it| it.set("a", Some(&five()))), r#"{"a":5,"b":2}"#);
        assert_eq!(after(object, |it| it.set("c", None)), r#"{"a":1,"b":2,"c":null}"#);
        assert_eq!(after(object, |it| it.member("a").unwrap().remove()), r#"{"b":2}"#);
        assert_eq!(
            after(object, |it| it.get("a").unwrap().replace(Some(&five()))),
            r#"{"a":5,"b":2}"#
        );
        assert_eq!(
            after(object, |it| it.get("a").unwrap().remove()),
            "Newtonsoft.Json.JsonException"
        );
        assert_eq!(after(object, Token::remove_all), "{}");
        let property = || Token::property("m", Scalar::from(5)).unwrap();
        assert_eq!(after(object, |it| it.add_first(property())), r#"{"m":5,"a":1,"b":2}"#);
        assert_eq!(
            after(object, |it| it.member("a").unwrap().add_after_self(property())),
            r#"{"a":1,"m":5,"b":2}"#
        );
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let property = Token::property("a", Scalar::from(5)).unwrap();
        assert_eq!(after(r#"{"a":1}"#, |it| it.add(property)), "System.ArgumentException");
        assert_eq!(after(r#"{"a":1}"#, |it| it.add(five())), "System.ArgumentException");
    }

    #[test]
    fn elements_are_inserted_replaced_and_removed() {
        let array = "[1,2,3]";
        assert_eq!(after(array, |it| it.insert(0, five())), "[5,1,2,3]");
        assert_eq!(after(array, |it| it.insert(3, five())), "[1,2,3,5]");
        assert_eq!(after(array, |it| it.insert(4, five())), "System.ArgumentOutOfRangeException");
        assert_eq!(after(array, |it| it.set_at(1, Some(&five()))), "[1,5,3]");
        assert_eq!(after(array, |it| it.remove_at(0)), "[2,3]");
        assert_eq!(after(array, |it| it.remove_at(3)), "System.ArgumentOutOfRangeException");
        let many = Content::Many(vec![five().into(), Scalar::from("x").into()]);
        assert_eq!(after(array, |it| it.add(many)), r#"[1,2,3,5,"x"]"#);
    }

    #[test]
    fn a_token_with_a_parent_or_one_that_holds_the_target_is_copied() {
        let root = json(r#"{"a":{"x":1}}"#);
        let inner = root.get("a").unwrap();
        root.set("b", Some(&inner)).unwrap();
        inner.set("x", Some(&five())).unwrap();
        assert_eq!(root.to_json(Formatting::None), r#"{"a":{"x":5},"b":{"x":1}}"#);

        inner.set("root", Some(&root)).unwrap();
        assert_eq!(inner.to_json(Formatting::None), r#"{"x":5,"root":{"a":{"x":5},"b":{"x":1}}}"#);
    }

    #[test]
    fn a_tree_built_without_end_meets_a_bound() {
        let mut token = Token::array();
        let failed = (0..10_000).find_map(|_| {
            let outer = Token::array();
            let result = outer.add(token.clone());
            token = outer;
            result.err()
        });
        assert!(failed.unwrap().limit);
    }
}
