//! What is asked of another GraphQL service: a field of the root with all that is selected below it.
//!
//! Fragments are spread, and what has a resolver here is left out. An object below which something
//! has a resolver is asked for all its plain fields besides, because the resolver may need any of
//! them of its parent; every object is asked for its type. Those have names of our own, so that
//! no name that the client chose can stand in their place.

use apollo_compiler::ast::{OperationType, Type};
use apollo_compiler::collections::HashSet;
use apollo_compiler::executable::{
    Field, InlineFragment, Operation as Definition, Selection, SelectionSet,
};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Name, Node};
use serde_json::{Map, Value};

use super::{Group, Missing, Path, Run};
use crate::error::{Error, Segment};
use crate::request::Request;
use crate::rules;

/// What the names of our own begin with.
const PREFIX: &str = "portcullis_";

/// The name under which an object of another service tells its type.
pub(super) const TYPE_NAME: &str = "portcullis___typename";

/// The plain fields of an object of another service, as a resolver gets them of its parent.
pub(super) fn plain_fields(value: &Value) -> Value {
    let Some(fields) = value.as_object() else { return Value::Null };
    let fields = fields.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(PREFIX)?;
        Some((name.to_owned(), value.clone()))
    });
    Value::Object(fields.collect())
}

impl Run<'_> {
    /// The value of a field of the root, as the other service has it.
    pub(super) async fn remote(&self, group: Group<'_>, path: &Path<'_>) -> Result<Value, Missing> {
        let first = group.first;
        let fail = |error| self.fail(error, first, Some(path));
        self.count_call(first, path)?;
        let Some(request) = self.remote_request(group) else {
            let text = format!("Names that begin with `{PREFIX}` are reserved.");
            return Err(fail(Error::new(text).code("BAD_USER_INPUT")));
        };
        if request.query.len() > self.limits.max_document_bytes {
            let text = "What the service would be asked is too long.";
            return Err(fail(Error::new(text).code("DOCUMENT_TOO_LARGE")));
        }
        let answer = self.resolver.ask(request).await.map_err(fail)?;
        let told = answer.get("errors").and_then(Value::as_array);
        let n_told = told.map_or(0, Vec::len);
        for it in told.into_iter().flatten() {
            self.tell(error_of(it));
        }
        let value = answer.get("data").and_then(|it| it.get(first.response_key().as_str()));
        match value {
            Some(value) => Ok(value.clone()),
            None if n_told > 0 => Err(Missing),
            None => Err(fail(Error::new("The service answered without data.").code("NO_DATA"))),
        }
    }

    /// The request for a field of the root; none if the client uses names of our own.
    fn remote_request(&self, group: Group<'_>) -> Option<Request> {
        let own = self.operation.definition()?;
        let mut set = SelectionSet::new(own.selection_set.ty.clone());
        for field in group.fields {
            let below = self.remote_set(&field.selection_set)?;
            let field = Field { selection_set: below, ..(*field).clone() };
            set.selections.push(Selection::Field(Node::new(field)));
        }
        let mut used = HashSet::default();
        rules::used_in_set(&set, &mut used);
        let is_mutation = own.is_mutation();
        let operation_type =
            if is_mutation { OperationType::Mutation } else { OperationType::Query };
        let definition = Definition {
            operation_type,
            name: None,
            variables: own.variables.iter().filter(|it| used.contains(&it.name)).cloned().collect(),
            directives: Default::default(),
            selection_set: set,
        };
        let given = crate::json::our_map(&self.operation.variables);
        let is_used = |name: &str| used.iter().any(|it| it.as_str() == name);
        let variables: Map<_, _> = given.into_iter().filter(|(name, _)| is_used(name)).collect();
        let mut document = ExecutableDocument::new();
        document.operations.insert(definition);
        let query = document.serialize().no_indent().to_string();
        Some(Request { query, operation_name: None, variables })
    }

    fn remote_set(&self, set: &SelectionSet) -> Option<SelectionSet> {
        let mut left = SelectionSet::new(set.ty.clone());
        if set.selections.is_empty() {
            return Some(left);
        }
        let mut has_own = false;
        self.spread(set, &mut left, &mut has_own)?;
        self.push(&mut left, "__typename");
        if has_own {
            self.push_plain_fields(&mut left);
        }
        Some(left)
    }

    fn spread(
        &self,
        set: &SelectionSet,
        left: &mut SelectionSet,
        has_own: &mut bool,
    ) -> Option<()> {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if field.response_key().starts_with(PREFIX) {
                        return None;
                    }
                    let mut types = self.operation.schema.possible_types(&set.ty).into_iter();
                    if types.any(|it| self.resolver.has(it, &field.name)) {
                        *has_own = true;
                        continue;
                    }
                    let below = self.remote_set(&field.selection_set)?;
                    let field = Field { selection_set: below, ..(**field).clone() };
                    left.selections.push(Selection::Field(Node::new(field)));
                }
                Selection::InlineFragment(it) => {
                    let inner = self.remote_set(&it.selection_set)?;
                    let it = InlineFragment { selection_set: inner, ..(**it).clone() };
                    left.selections.push(Selection::InlineFragment(Node::new(it)));
                }
                Selection::FragmentSpread(it) => {
                    let document = &self.operation.document;
                    let Some(fragment) = document.fragments.get(&it.fragment_name) else {
                        continue;
                    };
                    let it = InlineFragment {
                        type_condition: Some(fragment.selection_set.ty.clone()),
                        directives: it.directives.clone(),
                        selection_set: self.remote_set(&fragment.selection_set)?,
                    };
                    left.selections.push(Selection::InlineFragment(Node::new(it)));
                }
            }
        }
        Some(())
    }

    /// Adds the fields of scalars and enums that need no argument.
    fn push_plain_fields(&self, set: &mut SelectionSet) {
        let definitions = self.operation.schema.definitions();
        let fields = match definitions.types.get(&set.ty) {
            Some(ExtendedType::Object(it)) => &it.fields,
            Some(ExtendedType::Interface(it)) => &it.fields,
            _ => return,
        };
        let is_leaf = |ty: &Type| {
            let named = definitions.types.get(ty.inner_named_type());
            named.is_some_and(|it| it.is_scalar() || it.is_enum())
        };
        let plain: Vec<Name> = fields
            .iter()
            .filter(|(_, it)| is_leaf(&it.ty) && !it.arguments.iter().any(|it| it.is_required()))
            .filter(|(name, _)| !self.resolver.has(&set.ty, name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in plain {
            self.push(set, name.as_str());
        }
    }

    /// Adds a field under a name of our own.
    fn push(&self, set: &mut SelectionSet, name: &str) {
        let definitions = self.operation.schema.definitions();
        let Ok(alias) = Name::new(&format!("{PREFIX}{name}")) else { return };
        let Ok(name) = Name::new(name) else { return };
        if let Ok(field) = set.new_field(definitions, name) {
            set.push(field.with_alias(alias));
        }
    }
}

/// An error of the other service; its places are those of another document.
fn error_of(json: &Value) -> Error {
    let segment = |it: &Value| match it {
        Value::String(name) => Some(Segment::Field(name.clone())),
        other => Some(Segment::Item(usize::try_from(other.as_u64()?).ok()?)),
    };
    let text = |it: Option<&Value>| it.and_then(Value::as_str).map(str::to_owned);
    let path = json.get("path").and_then(Value::as_array);
    Error {
        message: text(json.get("message")).unwrap_or_else(|| "The service failed.".to_owned()),
        locations: Vec::new(),
        path: path.into_iter().flatten().filter_map(segment).collect(),
        code: text(json.get("extensions").and_then(|it| it.get("code"))),
    }
}
