//! From a resolver's JSON to what the type of the field says.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Value-Completion>

use apollo_compiler::ast::Type;
use apollo_compiler::executable::SelectionSet;
use apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value};

use super::{BoxFuture, Group, Missing, Parent, Path, Run, Step, join, remote};
use crate::error::Error;

impl<'a> Run<'a> {
    /// The object of a type that selection sets ask for.
    pub(super) fn object<'s>(
        &'s self,
        type_name: &'s str,
        sets: &'s [&'a SelectionSet],
        parent: Parent<'s>,
        path: Option<&'s Path<'s>>,
        is_serial: bool,
    ) -> BoxFuture<'s, Result<Value, Missing>> {
        Box::pin(async move {
            let grouped = self.collect(type_name, sets);
            let mut futures: Vec<BoxFuture<'_, Result<Option<Value>, Missing>>> = Vec::new();
            let mut values = Vec::new();
            for (key, fields) in &grouped {
                let field = self.field(type_name, key, fields, parent, path);
                if is_serial { values.push(field.await) } else { futures.push(field) }
            }
            if !is_serial {
                values = join::join_all(futures).await;
            }
            let mut object = Map::new();
            for (key, value) in grouped.keys().zip(values) {
                if let Some(value) = value? {
                    object.insert(key.to_string(), value);
                }
            }
            Ok(Value::Object(object))
        })
    }

    /// The value of one field; `Ok(None)` if the type has no such field, which validation excludes.
    fn field<'s>(
        &'s self,
        type_name: &'s str,
        key: &'s str,
        fields: &'s [&'a apollo_compiler::executable::Field],
        parent: Parent<'s>,
        above: Option<&'s Path<'s>>,
    ) -> BoxFuture<'s, Result<Option<Value>, Missing>> {
        Box::pin(async move {
            let Some(first) = fields.first() else { return Ok(None) };
            let definitions = self.operation.schema.definitions();
            let Ok(definition) = definitions.type_field(type_name, &first.name) else {
                return Ok(None);
            };
            match first.name.as_str() {
                "__typename" => return Ok(Some(Value::from(type_name))),
                "__schema" | "__type" => {
                    return Ok(Some(self.meta.get(key).cloned().unwrap_or(Value::Null)));
                }
                _ => {}
            }
            let path = Path { segment: Step::Field(key), above };
            let group = Group { type_name, first, fields, definition };
            let value = self.field_value(group, parent, &path).await;
            nullable(&definition.ty, value).map(Some)
        })
    }

    async fn field_value(
        &self,
        group: Group<'a>,
        parent: Parent<'_>,
        path: &Path<'_>,
    ) -> Result<Value, Missing> {
        self.count(group.first, Some(path))?;
        let name = group.first.name.as_str();
        let (value, is_remote) = if self.resolver.has(group.type_name, name) {
            let arguments = self
                .arguments(group.definition, group.first)
                .map_err(|it| self.fail(it, group.first, Some(path)))?;
            let plain = parent.is_remote.then(|| remote::plain_fields(parent.value));
            let parent = plain.as_ref().unwrap_or(parent.value);
            (self.resolved(group, &arguments, parent, path).await?, false)
        } else if path.above.is_none() && self.resolver.has_service() {
            (self.remote(group, path).await?, true)
        } else {
            let name =
                if parent.is_remote { group.first.response_key() } else { &group.first.name };
            let value = parent.value.get(name.as_str()).cloned().unwrap_or(Value::Null);
            (value, parent.is_remote)
        };
        self.complete(&group.definition.ty, group, (value, is_remote), path).await
    }

    /// A value as a type has it.
    fn complete<'s>(
        &'s self,
        ty: &'s Type,
        group: Group<'s>,
        (value, is_remote): (Value, bool),
        path: &'s Path<'s>,
    ) -> BoxFuture<'s, Result<Value, Missing>> {
        Box::pin(async move {
            if value.is_null() {
                if !ty.is_non_null() {
                    return Ok(Value::Null);
                }
                let (type_name, field) = (group.type_name, &group.first.name);
                let message = format!("`{type_name}.{field}` must not be null and has no value.");
                return Err(self.fail(
                    Error::new(message).code("NULL_VALUE"),
                    group.first,
                    Some(path),
                ));
            }
            let name = match ty {
                Type::List(inner) | Type::NonNullList(inner) => {
                    return self.list(inner, group, (value, is_remote), path).await;
                }
                Type::Named(name) | Type::NonNullNamed(name) => name,
            };
            match self.operation.schema.definitions().types.get(name) {
                Some(ty @ (ExtendedType::Scalar(_) | ExtendedType::Enum(_))) => {
                    super::leaf::leaf(ty, value).map_err(|it| self.unfit(&it, group, path))
                }
                Some(ty) if value.is_object() => {
                    let type_name = self.type_of(ty, &value, is_remote);
                    let Some(type_name) = type_name else {
                        let wanted =
                            format!("an object of `{name}` that names its type in `__typename`");
                        return Err(self.unfit(&wanted, group, path));
                    };
                    let sets: Vec<&SelectionSet> =
                        group.fields.iter().map(|it| &it.selection_set).collect();
                    let parent = Parent { value: &value, is_remote };
                    self.object(&type_name, &sets, parent, Some(path), false).await
                }
                _ => Err(self.unfit(&format!("an object of the type `{name}`"), group, path)),
            }
        })
    }

    async fn list(
        &self,
        inner: &Type,
        group: Group<'_>,
        (value, is_remote): (Value, bool),
        path: &Path<'_>,
    ) -> Result<Value, Missing> {
        let Value::Array(items) = value else {
            return Err(self.unfit("a list", group, path));
        };
        if items.len() > self.limits.max_list_items {
            let most = self.limits.max_list_items;
            let error = Error::new(format!("The list has more than {most} items."));
            return Err(self.fail(error.code("RESPONSE_TOO_LARGE"), group.first, Some(path)));
        }
        let item = |(at, item): (usize, Value)| -> BoxFuture<'_, Result<Value, Missing>> {
            Box::pin(async move {
                let path = Path { segment: Step::Item(at), above: Some(path) };
                self.count(group.first, Some(&path))?;
                nullable(inner, self.complete(inner, group, (item, is_remote), &path).await)
            })
        };
        let futures = items.into_iter().enumerate().map(item).collect();
        let items: Result<Vec<Value>, Missing> =
            join::join_all(futures).await.into_iter().collect();
        items.map(Value::Array)
    }

    /// The object type of a value: for interfaces and unions the one that it names itself, or the
    /// only one that there is.
    fn type_of(&self, ty: &ExtendedType, value: &Value, is_remote: bool) -> Option<String> {
        let possible = self.operation.schema.possible_types(ty.name());
        if let ExtendedType::Object(it) = ty {
            return Some(it.name.to_string());
        }
        match value.get(if is_remote { remote::TYPE_NAME } else { "__typename" }) {
            Some(Value::String(name)) => {
                possible.iter().find(|it| *it == name).map(|it| (*it).to_owned())
            }
            Some(_) => None,
            None => match possible.as_slice() {
                [only] => Some((*only).to_owned()),
                _ => None,
            },
        }
    }

    fn unfit(&self, wanted: &str, group: Group<'_>, path: &Path<'_>) -> Missing {
        let (type_name, field) = (group.type_name, &group.first.name);
        let message = format!("The value of `{type_name}.{field}` is not {wanted}.");
        self.fail(Error::new(message).code("UNEXPECTED_VALUE"), group.first, Some(path))
    }
}

/// A value that is missing becomes null where its type lets it.
fn nullable(ty: &Type, value: Result<Value, Missing>) -> Result<Value, Missing> {
    match value {
        Err(Missing) if !ty.is_non_null() => Ok(Value::Null),
        value => value,
    }
}
