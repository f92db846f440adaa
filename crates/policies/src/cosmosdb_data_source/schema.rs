//! The elements and attributes of the policy, and how they are read.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cosmosdb-data-source-policy>

use pipeline::{
    Attr, Child, CompileCx, Computed, Diagnostic, Element, Message, Section, ValueType, codes,
    words,
};
use serde_json::Value as Json;

use super::Name;
use super::request::{Key, Options, Request};
use super::text::{TEMPLATE, Text};
use crate::outgoing::SET_BODY;

pub(super) const CHILDREN: &[Child] =
    &[CONNECTION_INFO, QUERY_REQUEST, READ_REQUEST, DELETE_REQUEST, WRITE_REQUEST, RESPONSE];

const CONNECTION_INFO: Child = Child::required("connection-info")
    .children(&[CONNECTION_STRING, DATABASE_NAME, CONTAINER_NAME])
    .doc("The container.");
const CONNECTION_STRING: Child = Child::required("connection-string")
    .attrs(&[USE_MANAGED_IDENTITY])
    .expressions()
    .doc("`AccountEndpoint=...;AccountKey=...;`; without the key for the managed identity.");
const USE_MANAGED_IDENTITY: Attr = Attr::optional("use-managed-identity", "false")
    .expressions()
    .doc("Whether the gateway's system-assigned identity is used.")
    .of(ValueType::Boolean);
const DATABASE_NAME: Child =
    Child::required("database-name").expressions().doc("Name of the database.");
const CONTAINER_NAME: Child =
    Child::required("container-name").expressions().doc("Name of the container.");

const QUERY_REQUEST: Child = Child::optional("query-request")
    .attrs(&[LOW_PRECISION])
    .children(&[SQL_STATEMENT, PARAMETERS, PARTITION_KEY, PAGING])
    .doc("A query; its value has `items` and `continuationToken`.");
const LOW_PRECISION: Attr = Attr::optional("enable-low-precision-order-by", "false")
    .one_of(&["true", "false"])
    .doc("Whether an order may be imprecise.");
const SQL_STATEMENT: Child = Child::optional("sql-statement")
    .expressions()
    .template()
    .doc("The query; without it all documents.");
const PARAMETERS: Child =
    Child::optional("parameters").children(&[PARAMETER]).doc("Parameters of the query.");
const PARAMETER: Child =
    Child::repeated("parameter").attrs(&[NAME]).expressions().doc("Value; a literal is a text.");
const NAME: Attr = Attr::required("name").doc("Name with its `@`.");
const PARTITION_KEY: Child = Child::optional("partition-key")
    .attrs(&[DATA_TYPE, TEMPLATE])
    .expressions()
    .template()
    .doc("Partition of the documents.")
    .differs(
        "A query without it can filter, but neither sort, group nor aggregate: Cosmos DB does not \
         do that over REST across partitions. A deletion without it is good only for containers \
         without a key.",
    );
const DATA_TYPE: Attr =
    Attr::optional("data-type", "string").one_of(DataType::WORDS).doc("What the key is.");
const PAGING: Child =
    Child::optional("paging").children(&[MAX_ITEM_COUNT, CONTINUATION_TOKEN]).doc("One page.");
const MAX_ITEM_COUNT: Child = Child::required("max-item-count")
    .attrs(&[TEMPLATE])
    .expressions()
    .template()
    .doc("Most items of the page; -1: as many as there are.");
const CONTINUATION_TOKEN: Child = Child::required("continuation-token")
    .attrs(&[TEMPLATE])
    .expressions()
    .template()
    .doc("Where the page begins; empty: at the start.");

const READ_REQUEST: Child =
    Child::optional("read-request").children(&[ID, PARTITION_KEY]).doc("Reads a document.");
const ID: Child =
    Child::required("id").attrs(&[TEMPLATE]).expressions().template().doc("Id of the document.");
const DELETE_REQUEST: Child = Child::optional("delete-request")
    .attrs(&[CONSISTENCY, PRE_TRIGGER, POST_TRIGGER])
    .children(&[ETAG, ID, PARTITION_KEY])
    .doc("Deletes a document.");
const CONSISTENCY: Attr = Attr::absent_by_default("consistency-level")
    .one_of(Level::WORDS)
    .doc("Consistency of the request.");
const PRE_TRIGGER: Attr =
    Attr::absent_by_default("pre-trigger").doc("Trigger of the container that runs before.");
const POST_TRIGGER: Attr =
    Attr::absent_by_default("post-trigger").doc("Trigger of the container that runs after.");
const ETAG: Child = Child::optional("etag")
    .attrs(&[TYPE, TEMPLATE])
    .expressions()
    .template()
    .doc("Entity tag that the document must have, or must not.");
const TYPE: Attr = Attr::optional("type", "match").one_of(ETag::WORDS).doc("Which of both.");
const WRITE_REQUEST: Child = Child::optional("write-request")
    .attrs(&[WRITE_TYPE, CONSISTENCY, INDEXING, PRE_TRIGGER, POST_TRIGGER])
    .children(&[WRITTEN_ID, PARTITION_KEY, ETAG, SET_BODY])
    .doc("Writes a document; without `set-body` the arguments of the field.");
const WRITE_TYPE: Attr =
    Attr::optional("type", "upsert").one_of(Write::WORDS).doc("How it is written.");
const INDEXING: Attr = Attr::optional("indexing-directive", "default")
    .one_of(Indexing::WORDS)
    .doc("Whether the document is indexed.");
const WRITTEN_ID: Child = Child::optional("id")
    .attrs(&[TEMPLATE])
    .expressions()
    .template()
    .doc("Id of the document, if it has none itself; needed to replace one.");

pub(super) const RESPONSE: Child =
    Child::optional("response").children(IN_RESPONSE).doc("What is made of the answer.");
const PUBLISH_EVENT: Child = Child::optional("publish-event").as_policy().doc("Tells subscribers.");
pub(super) const IN_RESPONSE: &[Child] = &[SET_BODY, PUBLISH_EVENT];

words! {
    pub(super) enum DataType {
        String = "string",
        Number = "number",
        Bool = "bool",
        None = "none",
        Null = "null",
    }
}

words! {
    pub(super) enum Level {
        BoundedStaleness = "bounded-staleness",
        ConsistentPrefix = "consistent-prefix",
        Eventual = "eventual",
        Session = "session",
        Strong = "strong",
    }
}

words! {
    pub(super) enum ETag {
        Match = "match",
        NoMatch = "no-match",
    }
}

words! {
    pub(super) enum Write {
        Insert = "insert",
        Replace = "replace",
        Upsert = "upsert",
    }
}

words! {
    enum Indexing {
        Default = "default",
        Include = "include",
        Exclude = "exclude",
    }
}

impl DataType {
    /// The key as JSON; none if the text is not of the type.
    pub(super) fn json(self, text: &str) -> Option<Json> {
        match self {
            DataType::String => Some(Json::from(text)),
            DataType::Number => text.parse().ok().map(Json::Number),
            DataType::Bool => text.to_ascii_lowercase().parse().ok().map(Json::Bool),
            // An undefined value.
            DataType::None => Some(Json::Object(serde_json::Map::new())),
            DataType::Null => Some(Json::Null),
        }
    }
}

impl Level {
    /// The level as the REST interface names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Level::BoundedStaleness => "Bounded",
            Level::ConsistentPrefix => "ConsistentPrefix",
            Level::Eventual => "Eventual",
            Level::Session => "Session",
            Level::Strong => "Strong",
        }
    }
}

impl ETag {
    pub(super) fn header(self) -> &'static str {
        match self {
            ETag::Match => "if-match",
            ETag::NoMatch => "if-none-match",
        }
    }
}

/// Connection string, whether by identity, database and container.
type Connection = (Computed<String>, Computed<bool>, Computed<Name>, Computed<Name>);

pub(super) fn connection(
    element: Element<'_>,
    cx: &mut CompileCx,
) -> Result<Connection, Diagnostic> {
    let info = required(element, &CONNECTION_INFO, cx)?;
    let string = required(info, &CONNECTION_STRING, cx)?;
    let database = required(info, &DATABASE_NAME, cx)?;
    let container = required(info, &CONTAINER_NAME, cx)?;
    let by_identity = cx.attr(string, &USE_MANAGED_IDENTITY)?;
    Ok((cx.text(string)?, by_identity, cx.text(database)?, cx.text(container)?))
}

fn required<'a>(
    element: Element<'a>,
    child: &Child,
    cx: &mut CompileCx,
) -> Result<Element<'a>, Diagnostic> {
    element.child(child).ok_or_else(|| {
        let message = format!("`{}` is missing", child.name());
        cx.refuse(element, codes::MISSING_CHILD, message)
    })
}

/// The requests that are there.
pub(super) fn requests(element: Element<'_>) -> impl Iterator<Item = (&'static str, Element<'_>)> {
    let all = [QUERY_REQUEST, READ_REQUEST, DELETE_REQUEST, WRITE_REQUEST];
    all.into_iter().filter_map(move |it| element.child(&it).map(|found| (it.name(), found)))
}

pub(super) fn request(
    (name, element): (&str, Element<'_>),
    cx: &mut CompileCx,
) -> Result<Request, Diagnostic> {
    if name == "query-request" {
        return query(element, cx);
    }
    let key = key(element, cx)?;
    match name {
        "write-request" => write(element, key, cx),
        "read-request" => {
            let id = Text::compile(required(element, &ID, cx)?, cx)?;
            Ok(Request::Read { id, key })
        }
        _ => {
            let id = Text::compile(required(element, &ID, cx)?, cx)?;
            Ok(Request::Delete { id, key, options: options(element, cx)? })
        }
    }
}

fn query(element: Element<'_>, cx: &mut CompileCx) -> Result<Request, Diagnostic> {
    let mut parameters = Vec::new();
    for all in element.children(&PARAMETERS) {
        for one in all.children(&PARAMETER) {
            let name: String = cx.literal(one, &NAME)?;
            parameters.push((name.trim().to_owned(), cx.text(one)?));
        }
    }
    let paging = match element.child(&PAGING) {
        Some(it) => {
            let count = Text::compile(required(it, &MAX_ITEM_COUNT, cx)?, cx)?;
            let token = Text::compile(required(it, &CONTINUATION_TOKEN, cx)?, cx)?;
            Some((count, token))
        }
        None => None,
    };
    Ok(Request::Query {
        statement: text(element, &SQL_STATEMENT, cx)?,
        parameters,
        paging,
        low_precision: cx.literal(element, &LOW_PRECISION)?,
        key: key(element, cx)?,
    })
}

fn write(
    element: Element<'_>,
    key: Option<Key>,
    cx: &mut CompileCx,
) -> Result<Request, Diagnostic> {
    let kind: Write = cx.literal(element, &WRITE_TYPE)?;
    let id = text(element, &WRITTEN_ID, cx)?;
    if kind == Write::Replace && id.is_none() {
        let message = "`write-request` needs the `id` of the document that is replaced";
        return Err(cx.refuse(element, codes::MISSING_CHILD, message));
    }
    let indexing = match cx.literal::<Indexing>(element, &INDEXING)? {
        Indexing::Default => None,
        Indexing::Include => Some("Include"),
        Indexing::Exclude => Some("Exclude"),
    };
    let body = match element.child(&SET_BODY) {
        Some(_) => Some(cx.steps_in(element, &[SET_BODY], Section::Inbound, Message::Draft)?),
        None => None,
    };
    let options = options(element, cx)?;
    Ok(Request::Write { kind, id, key, options, indexing, body })
}

fn text(
    element: Element<'_>,
    child: &Child,
    cx: &mut CompileCx,
) -> Result<Option<Text>, Diagnostic> {
    element.child(child).map(|it| Text::compile(it, cx)).transpose()
}

fn key(element: Element<'_>, cx: &mut CompileCx) -> Result<Option<Key>, Diagnostic> {
    let Some(it) = element.child(&PARTITION_KEY) else { return Ok(None) };
    Ok(Some(Key { data_type: cx.literal(it, &DATA_TYPE)?, text: Text::compile(it, cx)? }))
}

fn options(element: Element<'_>, cx: &mut CompileCx) -> Result<Options, Diagnostic> {
    let etag = match element.child(&ETAG) {
        Some(it) => Some((cx.literal(it, &TYPE)?, Text::compile(it, cx)?)),
        None => None,
    };
    Ok(Options {
        level: cx.literal_if(element, &CONSISTENCY)?,
        pre_trigger: cx.literal_if(element, &PRE_TRIGGER)?,
        post_trigger: cx.literal_if(element, &POST_TRIGGER)?,
        etag,
    })
}
