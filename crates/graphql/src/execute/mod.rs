//! Executing an operation: selection sets become objects, field by field.
//!
//! The fields of a selection set are resolved at the same time, those at the root of a mutation one
//! after the other. A field without a resolver is read from its parent by its name.
//!
//! Source: <https://spec.graphql.org/October2021/#sec-Execution>

mod arguments;
mod collect;
mod complete;
mod join;
mod leaf;
mod remote;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use apollo_compiler::executable::Field;
use apollo_compiler::introspection;
use apollo_compiler::schema::FieldDefinition;
use serde_json::{Map, Value};

use crate::error::{Error, Location, Segment};
use crate::limits::Limits;
use crate::operation::Operation;
use crate::request::Request;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a resolver came to: the field's value, or what kept it away.
pub type Resolved = Result<Value, Error>;

/// One field to resolve.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The object type.
    pub type_name: &'a str,
    /// Its field.
    pub field: &'a str,
    /// The field's arguments: as their types have them, defaults put in.
    pub arguments: &'a Map<String, Value>,
    /// The object that the field belongs to; null at the root.
    pub parent: &'a Value,
}

/// Finds the values of fields.
pub trait Resolver: Send + Sync {
    /// Whether a field has a resolver; others are read from their parent.
    fn has(&self, type_name: &str, field: &str) -> bool;

    /// The value of a field that has one: JSON that fits the field's type. An object of an interface
    /// or a union names its type in `__typename`. Of an error, message and code count.
    fn resolve<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Resolved>;

    /// Whether fields of the root without a resolver are asked of another GraphQL service with the
    /// same schema.
    fn has_service(&self) -> bool {
        false
    }

    /// The response of that service, with `data` and `errors`.
    fn ask(&self, _: Request) -> BoxFuture<'_, Resolved> {
        Box::pin(async { Err(Error::new("There is no service to ask.").code("NO_SERVICE")) })
    }
}

/// What an operation came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The data; null if a value that must not be null is missing all the way up.
    pub data: Value,
    /// What went wrong on the way.
    pub errors: Vec<Error>,
}

impl Response {
    /// The whole response.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("data".to_owned(), self.data.clone());
        if !self.errors.is_empty() {
            json.insert("errors".to_owned(), self.errors.iter().map(Error::to_json).collect());
        }
        Value::Object(json)
    }
}

/// Executes an operation.
pub async fn execute(operation: &Operation, resolver: &dyn Resolver, limits: &Limits) -> Response {
    execute_on(&Value::Null, operation, resolver, limits).await
}

/// Executes a subscription for one event: an object that has the field of the root that the operation
/// selects.
///
/// Source: <https://spec.graphql.org/October2021/#ExecuteSubscriptionEvent()>
pub async fn execute_event(
    event: &Value,
    operation: &Operation,
    resolver: &dyn Resolver,
    limits: &Limits,
) -> Response {
    execute_on(event, operation, resolver, limits).await
}

async fn execute_on(
    root: &Value,
    operation: &Operation,
    resolver: &dyn Resolver,
    limits: &Limits,
) -> Response {
    let Some(definition) = operation.definition() else { return Response::default() };
    let run = Run {
        operation,
        resolver,
        limits,
        meta: meta(operation),
        n_values: AtomicUsize::new(0),
        n_calls: AtomicUsize::new(0),
        errors: Mutex::default(),
    };
    let parent = Parent { value: root, is_remote: false };
    let set = [&definition.selection_set];
    let is_serial = definition.is_mutation();
    let data = run.object(definition.object_type(), &set, parent, None, is_serial).await;
    let mut errors = run.errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    let n_more = errors.len().saturating_sub(limits.max_errors);
    if n_more > 0 {
        errors.truncate(limits.max_errors);
        errors.push(Error::new(format!("{n_more} more errors.")).code("MORE_ERRORS"));
    }
    Response { data: data.unwrap_or(Value::Null), errors }
}

/// The values of `__schema` and `__type`, by their names in the response; everything else that the
/// operation selects is left out.
fn meta(operation: &Operation) -> Map<String, Value> {
    let Some(definition) = operation.definition().filter(|it| it.is_query()) else {
        return Map::new();
    };
    let is_meta = |it: &str| it == "__schema" || it == "__type";
    if !definition.root_fields(&operation.document).any(|it| is_meta(it.name.as_str())) {
        return Map::new();
    }
    let schema = &operation.schema;
    let done = introspection::partial_execute(
        schema.definitions(),
        schema.implementers(),
        &operation.document,
        definition,
        &operation.variables,
    );
    let data = done.ok().and_then(|it| it.data);
    data.map(|it| crate::json::our_map(&it)).unwrap_or_default()
}

/// A value that must not be null is missing: what holds it becomes null.
#[derive(Debug)]
struct Missing;

/// The way from a value to the root, kept by those who wait.
#[derive(Clone, Copy)]
struct Path<'a> {
    segment: Step<'a>,
    above: Option<&'a Path<'a>>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl Path<'_> {
    fn segments(&self) -> Vec<Segment> {
        let mut segments = self.above.map(Path::segments).unwrap_or_default();
        segments.push(match self.segment {
            Step::Field(name) => Segment::Field(name.to_owned()),
            Step::Item(at) => Segment::Item(at),
        });
        segments
    }
}

/// The object that a field belongs to.
#[derive(Clone, Copy)]
struct Parent<'a> {
    value: &'a Value,
    /// Whether it came from another GraphQL service, which names fields as the client does.
    is_remote: bool,
}

/// One execution.
struct Run<'a> {
    operation: &'a Operation,
    resolver: &'a dyn Resolver,
    limits: &'a Limits,
    meta: Map<String, Value>,
    n_values: AtomicUsize,
    n_calls: AtomicUsize,
    errors: Mutex<Vec<Error>>,
}

/// A field as it is resolved: all selections that have its name in the response.
#[derive(Clone, Copy)]
struct Group<'a> {
    type_name: &'a str,
    first: &'a Field,
    fields: &'a [&'a Field],
    definition: &'a FieldDefinition,
}

impl Run<'_> {
    /// Tells of an error at a place.
    fn fail(&self, error: Error, field: &Field, path: Option<&Path<'_>>) -> Missing {
        self.tell(Error {
            locations: Location::of(field.name.location(), &self.operation.document.sources),
            path: path.map(Path::segments).unwrap_or_default(),
            ..error
        });
        Missing
    }

    /// Tells of an error; one past the most that are told is only counted.
    fn tell(&self, error: Error) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = errors.len() < self.limits.max_errors;
        errors.push(if is_told { error } else { Error::default() });
    }

    /// Counts a call of a resolver or of the service.
    fn count_call(&self, field: &Field, path: &Path<'_>) -> Result<(), Missing> {
        if self.n_calls.fetch_add(1, Ordering::Relaxed) < self.limits.max_calls {
            return Ok(());
        }
        let text = format!("The operation needs more than {} calls.", self.limits.max_calls);
        Err(self.fail(Error::new(text).code("TOO_MANY_CALLS"), field, Some(path)))
    }

    /// Counts a value of the response.
    fn count(&self, field: &Field, path: Option<&Path<'_>>) -> Result<(), Missing> {
        if self.n_values.fetch_add(1, Ordering::Relaxed) < self.limits.max_values {
            return Ok(());
        }
        let text = format!("The response has more than {} values.", self.limits.max_values);
        Err(self.fail(Error::new(text).code("RESPONSE_TOO_LARGE"), field, path))
    }

    /// The value of a field before it is completed.
    async fn resolved(
        &self,
        group: Group<'_>,
        arguments: &Map<String, Value>,
        parent: &Value,
        path: &Path<'_>,
    ) -> Result<Value, Missing> {
        let (type_name, field) = (group.type_name, group.first.name.as_str());
        self.count_call(group.first, path)?;
        let call = Call { type_name, field, arguments, parent };
        let resolved = self.resolver.resolve(call).await;
        resolved.map_err(|error| self.fail(error, group.first, Some(path)))
    }
}

#[cfg(test)]
mod tests;
