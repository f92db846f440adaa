//! `JContainer.Merge`.
//!
//! Source: <https://www.newtonsoft.com/json/help/html/MergeJson.htm>

use super::compare::deep_equals;
use super::edit::json_exception;
use super::scalar::Kind;
use super::{Fault, Token};

/// `MergeArrayHandling`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrayMerge {
    /// All elements of both.
    #[default]
    Concat,
    /// Elements that are not there yet.
    Union,
    /// The new elements only.
    Replace,
    /// Element by element.
    Merge,
}

/// `JsonMergeSettings`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeSettings {
    /// What becomes of arrays.
    pub arrays: ArrayMerge,
    /// Does a null replace a value?
    pub nulls: bool,
    /// Are names compared without case?
    pub ignore_case: bool,
}

impl Token {
    /// `JContainer.Merge(content, settings)`.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if the content cannot be merged into this container.
    pub fn merge(&self, content: &Token, settings: MergeSettings) -> Result<(), Fault> {
        match (self.kind(), content.kind()) {
            (Kind::Object, Kind::Object) => self.merge_object(content, settings),
            (Kind::Array, Kind::Array) => self.merge_array(content, settings),
            (Kind::Property, Kind::Property) => match content.property_value() {
                Some(value) if value.kind() != Kind::Null => self.set_property_value(Some(&value)),
                _ => Ok(()),
            },
            (Kind::Object | Kind::Property, _) => Ok(()),
            (Kind::Array, other) => Err(Fault::argument(format!(
                "Could not determine JSON object type for type Newtonsoft.Json.Linq.{}.",
                other.class_name()
            ))),
            (kind, _) => Err(json_exception(format!("Cannot merge into {}.", kind.class_name()))),
        }
    }

    fn merge_object(&self, content: &Token, settings: MergeSettings) -> Result<(), Fault> {
        for property in content.child_list() {
            let (Some(name), Some(value)) = (property.name(), property.property_value()) else {
                continue;
            };
            let existing = if settings.ignore_case {
                self.member_ignore_case(&name)
            } else {
                self.member(&name)
            };
            let Some(existing) = existing else {
                self.set(&name, Some(&value))?;
                continue;
            };
            let Some(old) = existing.property_value() else { continue };
            if old.is_container() && old.kind() == value.kind() {
                old.merge(&value, settings)?;
            } else if value.kind() != Kind::Null || settings.nulls {
                existing.set_property_value(Some(&value))?;
            }
        }
        Ok(())
    }

    fn merge_array(&self, content: &Token, settings: MergeSettings) -> Result<(), Fault> {
        let items = content.child_list();
        match settings.arrays {
            ArrayMerge::Concat => items.into_iter().try_for_each(|it| self.add(it)),
            ArrayMerge::Union => {
                let mut present = self.child_list();
                for item in items {
                    if !present.iter().any(|it| deep_equals(it, &item)) {
                        self.add(item.clone())?;
                        present.push(item);
                    }
                }
                Ok(())
            }
            ArrayMerge::Replace if self.is_same(content) => Ok(()),
            ArrayMerge::Replace => {
                self.remove_all()?;
                items.into_iter().try_for_each(|it| self.add(it))
            }
            ArrayMerge::Merge => {
                let old = self.child_list();
                for (at, item) in items.into_iter().enumerate() {
                    match old.get(at) {
                        None => self.add(item)?,
                        Some(old) if old.is_container() && old.kind() == item.kind() => {
                            old.merge(&item, settings)?;
                        }
                        Some(old) if item.kind() != Kind::Null || settings.nulls => {
                            old.replace(Some(&item))?;
                        }
                        Some(_) => {}
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ArrayMerge, MergeSettings};
    use crate::json::{Formatting, ParseOptions, Root, Token, parse};

    fn json(text: &str) -> Token {
        parse(text, Root::Any, &ParseOptions::default()).unwrap()
    }

    fn merged(a: &str, b: &str, arrays: ArrayMerge) -> String {
        let token = json(a);
        let settings = MergeSettings { arrays, ..MergeSettings::default() };
        token.merge(&json(b), settings).unwrap();
        token.to_json(Formatting::None)
    }

    #[test]
    fn objects_merge_member_by_member() {
        let (a, b) =
            (r#"{"a":1,"l":[1],"o":{"x":1}}"#, r#"{"a":null,"l":[1,2],"o":{"y":2},"n":0}"#);
        let with = |list: &str| format!(r#"{{"a":1,"l":{list},"o":{{"x":1,"y":2}},"n":0}}"#);

        assert_eq!(merged(a, b, ArrayMerge::Concat), with("[1,1,2]"));
        assert_eq!(merged(a, b, ArrayMerge::Union), with("[1,2]"));
        assert_eq!(merged(a, b, ArrayMerge::Replace), with("[1,2]"));
        assert_eq!(merged(a, b, ArrayMerge::Merge), with("[1,2]"));
    }

    #[test]
    fn a_null_replaces_a_value_only_if_asked_to() {
        let settings = MergeSettings { nulls: true, ignore_case: true, ..MergeSettings::default() };
        let token = json(r#"{"a":1}"#);
        token.merge(&json(r#"{"A":null}"#), settings).unwrap();

        assert_eq!(token.to_json(Formatting::None), r#"{"a":null}"#);
    }
}
