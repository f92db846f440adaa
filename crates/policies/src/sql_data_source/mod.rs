//! `<sql-data-source>`: the value of a GraphQL field from an Azure SQL database.
//!
//! ```text
//! statement, parameters ─mssql::ask─▶ rows ─▶ { "items": [...] }, or the first row ─response─▶ value
//! ```
//!
//! Values of parameters are never part of the statement's text. Each call has a connection of its
//! own, with TLS and a checked certificate. The rows are those of the first result; a statement
//! without one gives no rows. With `single-result` the value is the first row, or null.
//!
//! Where Azure is silent: without `sql-type` a parameter is `nvarchar`; a null is NULL; dates are texts
//! of ISO 8601, bytes texts in base64. An error of the database is one of the field, told by its number.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/sql-data-source-policy>

mod schema;

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use identity::ManagedIdentities;
use mssql::{Bounds, Login, Parameter, Row, Server, SqlError, SqlType, Statement};
use pipeline::{
    BackendCall, Blame, Body, CompileCx, Computed, Context, Diagnostic, Element, Flow, PolicyError,
    PolicyKind, Response, Scopes, Sections, Step, Steps, Trail, Waiting, codes,
};
use serde_json::Value as Json;

use crate::json_value::json_value;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "sql-data-source",
    summary: "Finds the value of a GraphQL field in an Azure SQL database.",
    sections: Sections::NONE,
    scopes: Scopes::ALL,
    attrs: &[],
    children: schema::CHILDREN,
    compile,
};

/// Longest time for a statement, the connection included.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Most rows: as many as a list of a GraphQL response has items.
const MAX_ROWS: usize = 10_000;

#[derive(Debug)]
struct SqlDataSource {
    connection: Computed<String>,
    by_identity: Computed<bool>,
    is_single: Computed<bool>,
    statement: Computed<String>,
    parameters: Vec<Declared>,
    response: Steps,
}

/// A parameter as the document declares it.
#[derive(Debug)]
struct Declared {
    name: String,
    sql_type: SqlType,
    value: Computed<expr::Value>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let source = schema::read(element, cx)?;
    if let Some(text) = source.connection.as_literal()
        && let Err(problem) = Server::parse(text)
    {
        let message = format!("the connection string cannot be used: {problem}");
        return Err(cx.refuse(element, codes::BAD_VALUE, message));
    }
    Ok(Step::waiting(source))
}

impl Waiting for SqlDataSource {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let text = self.connection.get(context)?;
        let server = Server::parse(&text).map_err(|problem| {
            PolicyError::evaluation(format_args!("the connection string cannot be used: {problem}"))
        })?;
        let by_identity = self.by_identity.get(context)? || server.by_identity;
        let is_single = self.is_single.get(context)?;
        let statement = self.statement(context)?;
        let max_bytes = context.services.max_buffered_body_bytes;
        let bounds = Bounds { timeout: TIMEOUT, max_rows: MAX_ROWS, max_bytes };
        let token = match by_identity {
            true => Some(identity_token(context, &server.host).await?),
            false => None,
        };
        let login = token.as_ref().map_or(Login::Password, |it| Login::Token(it.expose()));
        let started = context.services.clock.monotonic();
        let asked = mssql::ask(&server, login, &statement, &bounds).await;
        tell(context, &server, started);
        let rows = asked.map_err(|error| failure(&error))?;
        let mut response = Response::new(StatusCode::OK);
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.body = Body::bytes(value(rows, is_single).to_string());
        context.set_response(response);
        self.response.run(context).await
    }
}

impl SqlDataSource {
    fn statement(&self, context: &mut Context) -> Result<Statement, PolicyError> {
        let text = self.statement.get(context)?.trim().to_owned();
        let mut parameters = Vec::new();
        for it in &self.parameters {
            let value = it.value.get(context)?;
            let value = parameter(json_value(&value, context)?);
            parameters.push(Parameter { name: it.name.clone(), sql_type: it.sql_type, value });
        }
        Ok(Statement { text, parameters })
    }
}

/// A value as the text of a parameter.
fn parameter(json: Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::Bool(it) => Some(if it { "1" } else { "0" }.to_owned()),
        Json::String(it) => Some(it),
        other => Some(other.to_string()),
    }
}

fn value(rows: Vec<Row>, is_single: bool) -> Json {
    let mut rows = rows.into_iter().map(Json::Object);
    match is_single {
        true => rows.next().unwrap_or_default(),
        false => serde_json::json!({ "items": rows.collect::<Vec<_>>() }),
    }
}

/// Tells the request of the call, which began when the clock said `started`.
fn tell(context: &mut Context, server: &Server, started: Duration) {
    let now = context.services.clock.monotonic();
    context.calls.count = context.calls.count.saturating_add(1);
    context.calls.time += now.saturating_sub(started);
    if let Some(trail) = Trail::of_mut(context) {
        let url = server.url();
        trail.call = Some(BackendCall { method: Method::POST, url, status: None, backend: None });
    }
}

fn failure(error: &SqlError) -> PolicyError {
    let (reason, text, blame) = match error {
        SqlError::NoPassword => {
            let text = "The connection string has no `User ID` and `Password`.".to_owned();
            ("BackendConnectionFailure", text, Blame::Configuration)
        }
        SqlError::Refused(number) => {
            let text = format!("The data source answered error {number}.");
            ("BackendErrorStatusCode", text, Blame::Backend)
        }
        SqlError::TooManyRows(_) | SqlError::TooLong(_) => (
            "UnreadableResponse",
            "The data source has answered too much.".to_owned(),
            Blame::Backend,
        ),
        SqlError::Connection(_) | SqlError::Tls(_) | SqlError::Protocol | SqlError::TimedOut(_) => {
            tracing::warn!("sql-data-source: {error}");
            let text = "The data source cannot be reached.".to_owned();
            ("BackendConnectionFailure", text, Blame::Backend)
        }
    };
    PolicyError::new(reason, text.clone()).respond(StatusCode::BAD_GATEWAY, text).blame(blame)
}

/// What a token for a server is for: the cloud that the server is in.
fn resource(host: &str) -> String {
    let cloud = host.split_once(".database.").map_or("windows.net", |(_, it)| it);
    format!("https://database.{cloud}/")
}

async fn identity_token(context: &Context, host: &str) -> Result<transport::Secret, PolicyError> {
    let failure = |problem: String| PolicyError::new("ManagedIdentityTokenError", problem);
    let identities: Option<Arc<ManagedIdentities>> = context.services.extension();
    let identities = identities.ok_or_else(|| {
        failure("no managed identity is set up".to_owned()).blame(Blame::Configuration)
    })?;
    let token = identities.access_token(None, &resource(host)).await;
    let token = token.map_err(|problem| {
        failure(problem.to_string()).blame(match problem.is_temporary() {
            true => Blame::IdentityProvider,
            false => Blame::Configuration,
        })
    })?;
    Ok(token.secret().clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_parameters_are_texts_or_null() {
        for (value, expected) in [
            (json!(null), None),
            (json!(true), Some("1")),
            (json!(1.5), Some("1.5")),
            (json!("'; DROP TABLE x"), Some("'; DROP TABLE x")),
            (json!([1, "a"]), Some(r#"[1,"a"]"#)),
        ] {
            assert_eq!(parameter(value.clone()).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn rows_are_items_or_the_first_of_them() {
        let rows = |n: usize| vec![Row::from_iter([("a".to_owned(), json!(1))]); n];
        assert_eq!(value(rows(2), false), json!({ "items": [{ "a": 1 }, { "a": 1 }] }));
        assert_eq!(value(rows(0), false), json!({ "items": [] }));
        assert_eq!(value(rows(2), true), json!({ "a": 1 }));
        assert_eq!(value(rows(0), true), json!(null));
    }

    #[test]
    fn a_token_is_for_the_cloud_of_the_server() {
        for (host, expected) in [
            ("me.database.windows.net", "https://database.windows.net/"),
            ("me.database.usgovcloudapi.net", "https://database.usgovcloudapi.net/"),
            ("localhost", "https://database.windows.net/"),
        ] {
            assert_eq!(resource(host), expected);
        }
    }
}
