//! `<cosmosdb-data-source>`: the value of a GraphQL field from a container of Azure Cosmos DB.
//!
//! ```text
//! Request ─call─▶ Call ─send (signed, tried again at 429)─▶ Answer ─▶ value of the field
//!            partition key: as written, or as the container's definition says of the document
//! ```
//!
//! Requests go over Cosmos DB's REST interface, signed with the account's key or with a token of the
//! managed identity. A query gives an object with its `items` and, if there are more, a
//! `continuationToken`; reading and writing give the document, deleting nothing. A document that is
//! not there is null when it is read. Any other status of 400 and more is an error of the field.
//!
//! Where Azure is silent: without `paging` all pages of a query are read, within bounds; without
//! `partition-key` a document is looked for by its id across partitions, and one that is written has
//! the key that the container's definition finds in it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cosmosdb-data-source-policy>,
//! <https://learn.microsoft.com/rest/api/cosmos-db/documents>

mod account;
mod call;
mod definition;
mod request;
mod schema;
mod text;

use pipeline::{
    CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow, Message, PolicyError,
    PolicyKind, Response, Scopes, Section, Sections, Step, Steps, Unfit, Waiting, codes,
};

use account::Account;
use call::Container;
use definition::Definitions;
use request::Request;

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cosmosdb-data-source",
    summary: "Finds the value of a GraphQL field in a container of Azure Cosmos DB.",
    sections: Sections::NONE,
    scopes: Scopes::ALL,
    attrs: &[],
    children: schema::CHILDREN,
    compile,
};

#[derive(Debug)]
struct CosmosDataSource {
    connection: Computed<String>,
    by_identity: Computed<bool>,
    database: Computed<Name>,
    container: Computed<Name>,
    request: Request,
    definitions: Definitions,
    response: Steps,
}

/// Name of a database or a container.
#[derive(Clone, Debug)]
struct Name(String);

impl Convert for Name {
    fn from_text(text: &str) -> Result<Name, Unfit> {
        let text = text.trim();
        let fits = !matches!(text, "" | "." | "..") && !text.contains(['/', '\\', '#', '?']);
        let wanted = || Unfit::wanted("a name without `/`, `\\`, `#` and `?`");
        fits.then(|| Name(text.to_owned())).ok_or_else(|| wanted().got(text))
    }
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let source = schema::connection(element, cx)?;
    let mut requests = schema::requests(element).collect::<Vec<_>>();
    let (Some(request), true) = (requests.pop(), requests.is_empty()) else {
        let message = "`cosmosdb-data-source` has exactly one of `query-request`, `read-request`, \
                       `delete-request` and `write-request`";
        return Err(cx.refuse(element, codes::MISSING_CHILD, message));
    };
    let request = schema::request(request, cx)?;
    let response = match element.child(&schema::RESPONSE) {
        Some(it) => cx.steps_in(it, schema::IN_RESPONSE, Section::Outbound, Message::Response)?,
        None => Steps::default(),
    };
    let (connection, by_identity, database, container) = source;
    if let Some(text) = connection.as_literal()
        && let Err(problem) = Account::parse(text)
    {
        let message = format!("the connection string cannot be used: {problem}");
        return Err(cx.refuse(element, codes::BAD_VALUE, message));
    }
    Ok(Step::waiting(CosmosDataSource {
        connection,
        by_identity,
        database,
        container,
        request,
        definitions: Definitions::default(),
        response,
    }))
}

impl Waiting for CosmosDataSource {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let connection = self.connection.get(context)?;
        let account = Account::parse(&connection).map_err(|problem| {
            PolicyError::evaluation(format_args!("the connection string cannot be used: {problem}"))
        })?;
        let by_identity = self.by_identity.get(context)?;
        let (database, name) = (self.database.get(context)?.0, self.container.get(context)?.0);
        let container = Container::new(account, by_identity, &database, &name);
        let started = context.services.clock.monotonic();
        let outcome = self.request.value(context, &container, &self.definitions).await;
        container.tell(context, started);
        let json = outcome?;
        let mut response = Response::new(http::StatusCode::OK);
        let content_type = http::HeaderValue::from_static("application/json");
        response.headers.insert(http::header::CONTENT_TYPE, content_type);
        response.body = pipeline::Body::bytes(json.to_string());
        context.set_response(response);
        self.response.run(context).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        for (text, fits) in
            [(" a b ", true), ("", false), ("..", false), ("a/b", false), ("a#", false)]
        {
            assert_eq!(Name::from_text(text).is_ok(), fits, "{text}");
        }
    }
}
