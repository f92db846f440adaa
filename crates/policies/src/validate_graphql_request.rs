//! `<validate-graphql-request>`: checks a GraphQL request against the API's schema, its size and
//! depth, and who may ask for which fields.
//!
//! A request that is refused is answered 400 with `errors` and without `data`, and goes through
//! `on-error`. A field that may not be asked for is taken out of the request; its error stands in
//! the response. Rules are looked at in order; the first that says something else than `ignore`
//! decides. A rule for a type counts for fields that are selected by way of its interfaces and
//! unions as well.
//!
//! What goes on says no more than what was checked: other members (`extensions`, ids of stored
//! documents), and parameters beside a body, are taken out, since a service might prefer them. A
//! request that says something twice is refused.
//!
//! At a handshake of WebSocket there is nothing to check yet: each subscription that comes behind it
//! is checked instead, and one that is refused is answered by an `error` message.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-graphql-request-policy>

use std::sync::Arc;

use expr::{Type, Value};
use graphql::{Decision, Error, Limits, Operation, Pruned, Request, Selected};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use pipeline::{
    Attr, Blame, Body, CheckedOperation, Child, CompileCx, Computed, Context, Diagnostic, Element,
    FieldErrors, Flow, GraphQlApi, Message, OperationCheck, PolicyError, PolicyKind, QueryText,
    Response, Scope, Scopes, Sections, Step, ValueType, Waiting, codes, graphql_errors, words,
};
use tree::json::{ParseOptions, Root};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-graphql-request",
    summary: "Checks a GraphQL request and who may ask for which fields.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL.without(Scope::Workspace),
    attrs: &[VARIABLE, MAX_SIZE, MAX_DEPTH],
    children: &[AUTHORIZE],
    compile,
};

const VARIABLE: Attr = Attr::absent_by_default("error-variable-name")
    .expressions()
    .doc("Variable that receives the errors, beside `GraphQLErrors`.");
const MAX_SIZE: Attr = Attr::required("max-size")
    .expressions()
    .doc("Largest request in bytes, at most 102400.")
    .of(ValueType::Integer);
const MAX_DEPTH: Attr = Attr::optional("max-depth", "6")
    .expressions()
    .doc("Most fields inside of each other.")
    .of(ValueType::Integer);
const AUTHORIZE: Child =
    Child::optional("authorize").children(&[RULE]).doc("Who may ask for which fields.");
const RULE: Child =
    Child::repeated("rule").empty().attrs(&[PATH, ACTION]).doc("What becomes of fields.");
const PATH: Attr = Attr::required("path")
    .doc("`/type/field`, or `/field` for fields of the root; a name may end with `*`.");
const ACTION: Attr = Attr::optional("action", "allow")
    .expressions()
    .one_of(Action::WORDS)
    .doc("What becomes of them.");

/// Largest `max-size`, in bytes.
const MAX_MAX_SIZE: u32 = 102_400;
/// Parameters of a URL, spelled in any way, in which services look for an operation.
const PARAMETERS: [&str; 5] = ["query", "operationName", "variables", "extensions", "documentId"];
/// The variable that always receives the errors.
const ERRORS: &str = "GraphQLErrors";

words! {
    enum Action {
        Allow = "allow",
        Remove = "remove",
        Reject = "reject",
        Ignore = "ignore",
    }
}

#[derive(Debug)]
struct ValidateGraphqlRequest {
    variable: Option<Computed<String>>,
    rules: Arc<Rules>,
}

/// What is checked of each request.
#[derive(Debug)]
struct Rules {
    max_size: Computed<u32>,
    max_depth: Computed<u32>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    path: Path,
    action: Computed<Action>,
}

/// Which fields a rule is for.
#[derive(Debug, PartialEq, Eq)]
enum Path {
    /// Fields of the root.
    Root(String),
    /// Fields of types.
    Field(String, String),
}

impl Path {
    fn parse(text: &str) -> Option<Path> {
        let below = text.trim().strip_prefix('/')?;
        let is_pattern = |it: &str| {
            let name = it.strip_suffix('*').unwrap_or(it);
            !it.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
        };
        match below.split('/').collect::<Vec<_>>().as_slice() {
            [field] if is_pattern(field) => Some(Path::Root((*field).to_owned())),
            [ty, field] if is_pattern(ty) && is_pattern(field) => {
                Some(Path::Field((*ty).to_owned(), (*field).to_owned()))
            }
            _ => None,
        }
    }

    fn matches(&self, field: Selected<'_>) -> bool {
        match self {
            Path::Root(pattern) => field.is_root && is_like(field.name, pattern),
            Path::Field(ty, pattern) => {
                field.types.iter().any(|it| is_like(it, ty)) && is_like(field.name, pattern)
            }
        }
    }
}

fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let max_size: Computed<u32> = cx.attr(element, &MAX_SIZE)?;
    if max_size.as_literal().is_some_and(|it| *it > MAX_MAX_SIZE) {
        let problem = format!("`max-size` is at most {MAX_MAX_SIZE} bytes");
        cx.report(cx.refuse_attr(element, &MAX_SIZE, codes::BAD_VALUE, problem).label("too large"));
    }
    let mut rules = Vec::new();
    for it in element.child(&AUTHORIZE).into_iter().flat_map(|it| it.children(&RULE)) {
        let text: String = cx.literal(it, &PATH)?;
        let action = cx.attr(it, &ACTION)?;
        match Path::parse(&text) {
            Some(path) => rules.push(Rule { path, action }),
            None => {
                let message = format!("`{text}` is no path of a field");
                let problem = cx.refuse_attr(it, &PATH, codes::BAD_VALUE, message);
                cx.report(problem.label("write `/type/field` or `/field`"));
            }
        }
    }
    cx.prepare(|operation| match &operation.graphql {
        Some(_) => Vec::new(),
        None => {
            let problem = "`validate-graphql-request` needs a GraphQL API with a schema";
            vec![problem.to_owned()]
        }
    });
    Ok(Step::waiting(ValidateGraphqlRequest {
        variable: cx.attr_if(element, &VARIABLE)?,
        rules: Arc::new(Rules { max_size, max_depth: cx.attr(element, &MAX_DEPTH)?, rules }),
    }))
}

impl Waiting for ValidateGraphqlRequest {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let api = context.operation.as_ref().and_then(|it| it.graphql.clone());
        let Some(api) = api else {
            let text = "The API has no GraphQL schema.";
            return Err(PolicyError::new("GraphQLSchemaNotFound", text).blame(Blame::Configuration));
        };
        if context.is_graphql_handshake() {
            context.check_operations(Arc::clone(&self.rules) as Arc<dyn OperationCheck>);
            return Ok(Flow::Next);
        }
        let most = self.rules.max_bytes(context)?;
        if !fits(context, most).await? {
            return self.refuse(context, &[too_large(most)]);
        }
        let request = match api.read(context).await? {
            Ok(request) => request,
            Err(malformed) => {
                let error = Error::new(malformed.to_string()).code("BAD_REQUEST");
                return self.refuse(context, &[error]);
            }
        };
        let checked = |limits: &Limits| api.schema.check(&request, limits);
        match self.rules.prune(context, &api, &request, checked)? {
            Ok(Pruned::Whole) => {
                if !is_plain(context) {
                    replace(context, &request);
                }
                Ok(Flow::Next)
            }
            Ok(Pruned::Rejected(error)) => self.refuse(context, &[error]),
            Ok(Pruned::Parted { request, errors }) => self.part(context, request, errors),
            Err(errors) => self.refuse(context, &errors),
        }
    }
}

/// Whether whoever reads the request after the gateway reads what the gateway has read: services may
/// look for an operation in further members and parameters, too.
fn is_plain(context: &Context) -> bool {
    let request = &context.request;
    let names_other = |it: &&&str| request.url.has_parameter(it);
    if request.method == Method::GET {
        return PARAMETERS.iter().filter(names_other).all(|it| *it == "query");
    }
    let mut content_types = request.header_values(CONTENT_TYPE);
    let content_type = content_types.next();
    let bytes = request.body.as_bytes().unwrap_or_default();
    // A body that is encoded was decoded to be read; it goes on plain then.
    !request.headers.contains_key(CONTENT_ENCODING)
        && content_types.next().is_none()
        && !PARAMETERS.iter().any(|it| request.url.has_parameter(it))
        && Request::is_plain_body(content_type, &bytes)
}

/// Puts a request in the place of the client's, and nothing beside it.
fn replace(context: &mut Context, request: &Request) {
    let url = &mut context.request.url;
    for name in PARAMETERS {
        url.remove_parameter(name);
    }
    if context.request.method != Method::GET {
        let json = HeaderValue::from_static("application/json");
        context.request.headers.insert(CONTENT_TYPE, json);
        context.set_text_body(Message::Request, request.to_json().to_string());
        return;
    }
    let mut set = |name: &str, value: &str| {
        url.append_parameter(&QueryText::new(name), &QueryText::new(value));
    };
    set("query", &request.query);
    if let Some(name) = &request.operation_name {
        set("operationName", name);
    }
    if !request.variables.is_empty() {
        set("variables", &serde_json::Value::Object(request.variables.clone()).to_string());
    }
}

/// Whether the request, body or query string, is no larger.
async fn fits(context: &mut Context, most: usize) -> Result<bool, PolicyError> {
    if context.request.method == Method::GET {
        return Ok(context.request.url.query().len() <= most);
    }
    let is_buffered = context.buffer_within(Message::Request, most).await?;
    // What is in memory anyway may be longer.
    let n_bytes = context.request.body.as_bytes().map_or(0, |it| it.len());
    Ok(is_buffered && n_bytes <= most)
}

fn too_large(most: usize) -> Error {
    Error::new(format!("The request is larger than {most} bytes.")).code("REQUEST_TOO_LARGE")
}

impl OperationCheck for Rules {
    fn check(
        &self,
        context: &Context,
        api: &GraphQlApi,
        request: &Request,
    ) -> Result<CheckedOperation, PolicyError> {
        let most = self.max_bytes(context)?;
        if request.to_json().to_string().len() > most {
            return Ok(CheckedOperation::Refused(vec![too_large(most)]));
        }
        let checked = |limits: &Limits| api.schema.check_subscription(request, limits);
        Ok(match self.prune(context, api, request, checked)? {
            Ok(Pruned::Whole) => CheckedOperation::Left(request.clone(), Vec::new()),
            Ok(Pruned::Rejected(error)) => CheckedOperation::Refused(vec![error]),
            Ok(Pruned::Parted { request: Some(request), errors }) => {
                CheckedOperation::Left(request, errors)
            }
            Ok(Pruned::Parted { request: None, errors }) | Err(errors) => {
                CheckedOperation::Refused(errors)
            }
        })
    }
}

impl Rules {
    fn max_bytes(&self, context: &Context) -> Result<usize, PolicyError> {
        Ok(self.max_size.get(context)?.min(MAX_MAX_SIZE) as usize)
    }

    /// What is left of a request, or why it does not fit the schema and the depth.
    fn prune(
        &self,
        context: &Context,
        api: &GraphQlApi,
        request: &Request,
        check: impl FnOnce(&Limits) -> Result<Operation, Vec<Error>>,
    ) -> Result<Result<Pruned, Vec<Error>>, PolicyError> {
        let max_depth = self.max_depth.get(context)? as usize;
        let limits = Limits { max_depth: max_depth.min(api.limits.max_depth), ..api.limits };
        let operation = match check(&limits) {
            Ok(operation) => operation,
            Err(errors) => return Ok(Err(errors)),
        };
        let mut decide = |field: Selected<'_>| self.decide(context, field);
        operation.prune(request, &mut decide).map(Ok)
    }

    fn decide(&self, context: &Context, field: Selected<'_>) -> Result<Decision, PolicyError> {
        for rule in self.rules.iter().filter(|it| it.path.matches(field)) {
            match rule.action.get(context)? {
                Action::Allow => return Ok(Decision::Allow),
                Action::Remove => return Ok(Decision::Remove),
                Action::Reject => return Ok(Decision::Reject),
                Action::Ignore => {}
            }
        }
        Ok(Decision::Allow)
    }
}

impl ValidateGraphqlRequest {
    fn refuse(&self, context: &mut Context, errors: &[Error]) -> Result<Flow, PolicyError> {
        self.note(context, errors)?;
        let text = errors.first().map_or("", |it| it.message.as_str()).to_owned();
        let response = graphql_errors(&context.request, errors);
        context.set_response(response);
        Err(PolicyError::new("GraphQLRequestInvalid", text).keep_response().blame(Blame::Client))
    }

    /// Goes on with what is left of the request.
    fn part(
        &self,
        context: &mut Context,
        left: Option<Request>,
        errors: Vec<Error>,
    ) -> Result<Flow, PolicyError> {
        self.note(context, &errors)?;
        let Some(left) = left else {
            let errors: Vec<serde_json::Value> = errors.iter().map(Error::to_json).collect();
            let mut response = Response::new(StatusCode::OK);
            response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let json = serde_json::json!({ "data": {}, "errors": errors });
            response.body = Body::bytes(json.to_string());
            context.answer_in_place_of_backend(response);
            return Ok(Flow::End);
        };
        replace(context, &left);
        FieldErrors::note(context, errors);
        Ok(Flow::Next)
    }

    /// Puts the errors into the variables.
    fn note(&self, context: &mut Context, errors: &[Error]) -> Result<(), PolicyError> {
        let object = |it: &Error| -> Result<Value, PolicyError> {
            let options = ParseOptions { dates: false, ..ParseOptions::default() };
            let token = tree::json::parse(&it.to_json().to_string(), Root::Any, &options)
                .map_err(|fault| PolicyError::evaluation(fault.message))?;
            Ok(expr::json_value(token))
        };
        let objects = errors.iter().map(object).collect::<Result<Vec<_>, _>>()?;
        let list = Value::list(Type::Object, objects);
        if let Some(variable) = &self.variable {
            let name: String = variable.get(context)?;
            context.variables.set(name, list.clone());
        }
        context.variables.set(ERRORS, list);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::problems;

    #[test]
    fn a_path_names_fields_of_the_root_or_of_a_type() {
        let root = |it: &str| Some(Path::Root(it.to_owned()));
        for (text, expected) in [
            ("/__*", root("__*")),
            (" /listUsers ", root("listUsers")),
            ("/User/*", Some(Path::Field("User".to_owned(), "*".to_owned()))),
            ("User/name", None),
            ("/", None),
            ("/a/b/c", None),
            ("/a*b/c", None),
            ("/a b", None),
        ] {
            assert_eq!(Path::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn names_match_exactly_or_by_their_start() {
        let types = ["Named".to_owned(), "User".to_owned()];
        let is = |path: &str, name: &str, is_root: bool| {
            Path::parse(path).unwrap().matches(Selected { types: &types, name, is_root })
        };
        assert!(is("/__*", "__schema", true) && !is("/__*", "__typename", false));
        assert!(is("/User/name", "name", false) && !is("/User/name", "names", false));
        assert!(is("/User/*", "anything", false) && !is("/Robot/*", "name", false));
        assert!(!is("/user/name", "name", false));
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        let with = |attributes: &str, rules: &str| {
            problems(&format!(
                "<validate-graphql-request {attributes}><authorize>{rules}</authorize>\
                 </validate-graphql-request>"
            ))
        };
        for (attributes, rules, codes) in [
            (r#"max-size="102400""#, "", "fine"),
            (r#"max-size="102401""#, "", "PC0409"),
            ("", "", "PC0404"),
            (r#"max-size="1" max-depth="x""#, "", "PC0409"),
            (r#"max-size="@(1)" max-depth="@(2)""#, "", "fine"),
            (r#"max-size="1""#, r#"<rule path="/a" action="deny" />"#, "PC0409"),
            (r#"max-size="1""#, r#"<rule path="a" />"#, "PC0409"),
            (r#"max-size="1""#, "<rule />", "PC0404"),
            (r#"max-size="1""#, r#"<rule path="/a/b" action="@("reject")" />"#, "fine"),
        ] {
            assert_eq!(with(attributes, rules), codes, "{attributes} {rules}");
        }
    }
}
