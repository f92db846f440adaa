//! What is asked of the container, and the value that is made of the answers.
//!
//! Source: <https://learn.microsoft.com/rest/api/cosmos-db/querying-cosmosdb-resources-using-the-rest-api>

use http::Method;
use pipeline::{Computed, Context, PolicyError, Response, Steps};
use serde_json::{Map, Value as Json, json};

use super::call::{Call, Container};
use super::definition::Definitions;
use super::schema::{DataType, ETag, Level, Write};
use super::text::Text;
use crate::json_value::json_value;

/// Most pages that are read of a query without `paging`.
const MAX_PAGES: usize = 100;

/// What is asked of the container.
#[derive(Debug)]
pub(super) enum Request {
    Query {
        statement: Option<Text>,
        parameters: Vec<(String, Computed<expr::Value>)>,
        paging: Option<(Text, Text)>,
        low_precision: bool,
        key: Option<Key>,
    },
    Read {
        id: Text,
        key: Option<Key>,
    },
    Delete {
        id: Text,
        key: Option<Key>,
        options: Options,
    },
    Write {
        kind: Write,
        id: Option<Text>,
        key: Option<Key>,
        options: Options,
        indexing: Option<&'static str>,
        body: Option<Steps>,
    },
}

/// A partition key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) data_type: DataType,
    pub(super) text: Text,
}

/// What deleting and writing have in common.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) level: Option<Level>,
    pub(super) pre_trigger: Option<String>,
    pub(super) post_trigger: Option<String>,
    pub(super) etag: Option<(ETag, Text)>,
}

impl Request {
    /// Asks, and gives the value of the field.
    pub(super) async fn value(
        &self,
        context: &mut Context,
        container: &Container,
        definitions: &Definitions,
    ) -> Result<Json, PolicyError> {
        match self {
            Request::Query { .. } => {
                let (call, is_paged) = self.query(context).await?;
                let (items, token) = pages(context, container, call, is_paged).await?;
                Ok(json!({ "items": items, "continuationToken": token }))
            }
            Request::Read { id, key } => {
                let id = id.get(context).await?;
                read(context, container, &id, key.as_ref()).await
            }
            Request::Delete { id, key, options } => {
                let mut call = Call::item(Method::DELETE, &id.get(context).await?)?;
                if let Some(key) = key {
                    call.key(&[key.get(context).await?])?;
                }
                options.add(context, &mut call).await?;
                Ok(container.send(context, &call).await?.ok()?.json)
            }
            Request::Write { .. } => self.write(context, container, definitions).await,
        }
    }

    /// The call for a query, and whether one page is asked for.
    async fn query(&self, context: &mut Context) -> Result<(Call, bool), PolicyError> {
        let mut call = Call::feed(Method::POST);
        let Request::Query { statement, parameters, paging, low_precision, key } = self else {
            return Ok((call, true));
        };
        let statement = match statement {
            Some(it) => it.get(context).await?,
            None => "SELECT * FROM c".to_owned(),
        };
        let mut named = Vec::new();
        for (name, value) in parameters {
            let value = json_value(&value.get(context)?, context)?;
            named.push(json!({ "name": name, "value": value }));
        }
        call.query(&statement, &Json::Array(named))?;
        if *low_precision {
            call.header("x-ms-documentdb-query-enable-low-precision-order-by", "True")?;
        }
        match key {
            Some(key) => call.key(&[key.get(context).await?])?,
            None => call.header("x-ms-documentdb-query-enablecrosspartition", "True")?,
        }
        let Some((count, token)) = paging else { return Ok((call, false)) };
        let count = count.get(context).await?;
        if !count.parse::<i32>().is_ok_and(|it| it == -1 || it > 0) {
            let text = "`max-item-count` is neither -1 nor a number from 1.";
            return Err(PolicyError::evaluation(text));
        }
        call.header("x-ms-max-item-count", &count)?;
        let token = token.get(context).await?;
        if !token.is_empty() {
            call.header("x-ms-continuation", &token)?;
        }
        Ok((call, true))
    }

    async fn write(
        &self,
        context: &mut Context,
        container: &Container,
        definitions: &Definitions,
    ) -> Result<Json, PolicyError> {
        let Request::Write { kind, id, key, options, indexing, body } = self else {
            return Ok(Json::Null);
        };
        let id = match id {
            Some(id) => Some(id.get(context).await?),
            None => None,
        };
        let document = document(body.as_ref(), id.as_deref(), context).await?;
        let mut call = match kind {
            Write::Replace => Call::item(Method::PUT, id.as_deref().unwrap_or_default())?,
            Write::Insert | Write::Upsert => Call::feed(Method::POST),
        };
        if *kind == Write::Upsert {
            call.header("x-ms-documentdb-is-upsert", "True")?;
        }
        if let Some(indexing) = indexing {
            call.header("x-ms-indexing-directive", indexing)?;
        }
        match key {
            Some(key) => call.key(&[key.get(context).await?])?,
            None => {
                let definition = definitions.of(context, container).await?;
                if let Some(keys) = definition.keys(&document) {
                    call.key(&keys)?;
                }
            }
        }
        call.body("application/json", document.to_string())?;
        options.add(context, &mut call).await?;
        let answer = container.send(context, &call).await?;
        if key.is_none() && answer.status == http::StatusCode::BAD_REQUEST {
            // The container may have been made anew with another key.
            definitions.forget(container);
        }
        Ok(answer.ok()?.json)
    }
}

/// The documents of one page, or of all; and where those that are left begin.
async fn pages(
    context: &Context,
    container: &Container,
    mut call: Call,
    is_paged: bool,
) -> Result<(Vec<Json>, Option<String>), PolicyError> {
    let (mut items, mut n_bytes) = (Vec::new(), 0);
    if !is_paged {
        call.header("x-ms-max-item-count", "-1")?;
    }
    for _ in 0..MAX_PAGES {
        let mut answer = container.send(context, &call).await?.ok()?;
        if let Some(Json::Array(found)) = answer.json.get_mut("Documents").map(Json::take) {
            items.extend(found);
        }
        n_bytes += answer.n_bytes;
        let is_full = n_bytes > context.services.max_buffered_body_bytes;
        match answer.continuation {
            Some(token) if !is_paged && !is_full => call.header("x-ms-continuation", &token)?,
            token => return Ok((items, token)),
        }
    }
    Ok((items, call.header_text("x-ms-continuation")))
}

/// A document by its id; null if there is none.
async fn read(
    context: &mut Context,
    container: &Container,
    id: &str,
    key: Option<&Key>,
) -> Result<Json, PolicyError> {
    let Some(key) = key else {
        let mut call = Call::feed(Method::POST);
        let parameters = json!([{ "name": "@id", "value": id }]);
        call.query("SELECT * FROM c WHERE c.id = @id", &parameters)?;
        call.header("x-ms-documentdb-query-enablecrosspartition", "True")?;
        let (items, _) = pages(context, container, call, false).await?;
        if items.len() > 1 {
            let text = "Several partitions have a document with this id.";
            return Err(PolicyError::new("AmbiguousDocument", text)
                .respond(http::StatusCode::BAD_GATEWAY, text));
        }
        return Ok(items.into_iter().next().unwrap_or(Json::Null));
    };
    let mut call = Call::item(Method::GET, id)?;
    call.key(&[key.get(context).await?])?;
    let answer = container.send(context, &call).await?;
    match answer.status {
        http::StatusCode::NOT_FOUND => Ok(Json::Null),
        _ => Ok(answer.ok()?.json),
    }
}

/// The document to write: what `set-body` makes, or else the arguments of the field.
async fn document(
    body: Option<&Steps>,
    id: Option<&str>,
    context: &mut Context,
) -> Result<Json, PolicyError> {
    let no_object = || PolicyError::evaluation("The document to write is no JSON object.");
    let read = |bytes: &[u8]| serde_json::from_slice::<Map<String, Json>>(bytes).ok();
    let found = match body {
        Some(steps) => {
            context.draft = Some(Response::default());
            let outcome = steps.run(context).await;
            let draft = context.draft.take().unwrap_or_default();
            outcome?;
            read(&draft.body.as_bytes().unwrap_or_default())
        }
        None => {
            let bytes = context.request.body.as_bytes().unwrap_or_default();
            match read(&bytes).and_then(|mut it| it.remove("arguments")) {
                Some(Json::Object(arguments)) => Some(arguments),
                _ => None,
            }
        }
    };
    let mut object = found.ok_or_else(no_object)?;
    if let Some(id) = id {
        object.entry("id").or_insert_with(|| Json::from(id));
    }
    Ok(Json::Object(object))
}

impl Key {
    async fn get(&self, context: &mut Context) -> Result<Json, PolicyError> {
        let text = self.text.get(context).await?;
        self.data_type.json(&text).ok_or_else(|| {
            PolicyError::evaluation("The partition key is not of the type that `data-type` names.")
        })
    }
}

impl Options {
    async fn add(&self, context: &mut Context, call: &mut Call) -> Result<(), PolicyError> {
        if let Some(level) = self.level {
            call.header("x-ms-consistency-level", level.name())?;
        }
        if let Some(trigger) = &self.pre_trigger {
            call.header("x-ms-documentdb-pre-trigger-include", trigger)?;
        }
        if let Some(trigger) = &self.post_trigger {
            call.header("x-ms-documentdb-post-trigger-include", trigger)?;
        }
        if let Some((kind, text)) = &self.etag {
            let text = text.get(context).await?;
            call.header(kind.header(), &text)?;
        }
        Ok(())
    }
}
