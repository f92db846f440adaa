//! The arguments of a field as a resolver gets them.
//!
//! The document is valid and variables have their types, so what is left is to put in variables
//! and defaults, and to make lists of what stands alone.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Coercing-Field-Arguments>

use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::executable::Field;
use apollo_compiler::schema::{ExtendedType, FieldDefinition, InputValueDefinition};
use serde_json::{Map, Number, Value};

use super::Run;
use crate::error::Error;
use crate::json;

impl Run<'_> {
    /// The arguments of a field, defaults put in; one that is not given and has no default is absent.
    pub(super) fn arguments(
        &self,
        definition: &FieldDefinition,
        field: &Field,
    ) -> Result<Map<String, Value>, Error> {
        let mut arguments = Map::new();
        for wanted in &definition.arguments {
            let given = field.specified_argument_by_name(&wanted.name);
            if let Some(value) = self.input(wanted, given.map(|it| &**it))? {
                arguments.insert(wanted.name.to_string(), value);
            }
        }
        Ok(arguments)
    }

    fn input(
        &self,
        wanted: &InputValueDefinition,
        given: Option<&Literal>,
    ) -> Result<Option<Value>, Error> {
        let given = match given {
            Some(literal) => self.value(&wanted.ty, literal)?,
            None => None,
        };
        let value = match (given, &wanted.default_value) {
            (Some(value), _) => Some(value),
            (None, Some(default)) => self.value(&wanted.ty, default)?,
            (None, None) => None,
        };
        if wanted.ty.is_non_null() && value.as_ref().is_none_or(Value::is_null) {
            let message = format!("`{}` must not be null.", wanted.name);
            return Err(Error::new(message).code("BAD_USER_INPUT"));
        }
        Ok(value)
    }

    /// A literal of a type; none for a variable without a value.
    fn value(&self, ty: &Type, literal: &Literal) -> Result<Option<Value>, Error> {
        if let Literal::Variable(name) = literal {
            let value = self.operation.variables.get(name.as_str()).map(json::ours);
            return Ok(value.map(|it| self.with_ids(ty, it)));
        }
        if matches!(literal, Literal::Null) {
            return Ok(Some(Value::Null));
        }
        let name = match ty {
            Type::List(inner) | Type::NonNullList(inner) => {
                let Literal::List(items) = literal else {
                    // One item may stand for a list of it.
                    return Ok(self.value(inner, literal)?.map(|it| Value::Array(vec![it])));
                };
                let items = items
                    .iter()
                    .map(|it| self.value(inner, it).map(|it| it.unwrap_or(Value::Null)));
                return items.collect::<Result<_, _>>().map(Some);
            }
            Type::Named(name) | Type::NonNullNamed(name) => name,
        };
        match (self.operation.schema.definitions().types.get(name), literal) {
            (Some(ExtendedType::InputObject(object)), Literal::Object(fields)) => {
                let mut map = Map::new();
                for (key, wanted) in &object.fields {
                    let given = fields.iter().find(|(name, _)| name == key);
                    if let Some(value) = self.input(wanted, given.map(|(_, it)| &**it))? {
                        map.insert(key.to_string(), value);
                    }
                }
                Ok(Some(Value::Object(map)))
            }
            _ => Ok(Some(self.with_ids(ty, self.plain(literal)?))),
        }
    }

    /// A value with its identifiers as texts: a client may write them as integers.
    ///
    /// Source: <https://spec.graphql.org/October2021/#sec-ID.Input-Coercion>
    fn with_ids(&self, ty: &Type, value: Value) -> Value {
        let name = ty.inner_named_type();
        match value {
            Value::Array(items) => {
                items.into_iter().map(|it| self.with_ids(ty.item_type(), it)).collect()
            }
            Value::Number(number) if name == "ID" => Value::String(number.to_string()),
            Value::Object(mut fields) => {
                let types = &self.operation.schema.definitions().types;
                if let Some(ExtendedType::InputObject(object)) = types.get(name) {
                    for (key, field) in &mut fields {
                        if let Some(wanted) = object.fields.get(key.as_str()) {
                            *field = self.with_ids(&wanted.ty, field.take());
                        }
                    }
                }
                Value::Object(fields)
            }
            other => other,
        }
    }

    /// A literal of a scalar or an enum.
    fn plain(&self, literal: &Literal) -> Result<Value, Error> {
        let number = |text: &str| match text.parse::<Number>() {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Err(Error::new(format!("`{text}` is no number.")).code("BAD_USER_INPUT")),
        };
        match literal {
            Literal::Null => Ok(Value::Null),
            Literal::Boolean(it) => Ok(Value::Bool(*it)),
            Literal::String(it) => Ok(Value::String(it.clone())),
            Literal::Enum(it) => Ok(Value::String(it.to_string())),
            Literal::Int(it) => number(it.as_str()),
            Literal::Float(it) => number(it.as_str()),
            // Custom scalars may be anything, variables inside of them included.
            Literal::Variable(name) => {
                let value = self.operation.variables.get(name.as_str());
                Ok(value.map_or(Value::Null, json::ours))
            }
            Literal::List(items) => items.iter().map(|it| self.plain(it)).collect(),
            Literal::Object(fields) => {
                let fields = fields.iter();
                fields.map(|(name, it)| Ok((name.to_string(), self.plain(it)?))).collect()
            }
        }
    }
}
