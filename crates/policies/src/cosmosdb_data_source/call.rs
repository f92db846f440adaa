//! One request to Cosmos DB and its answer.
//!
//! Source: <https://learn.microsoft.com/rest/api/cosmos-db/common-cosmosdb-rest-request-headers>

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use identity::ManagedIdentities;
use pipeline::url::encode;
use pipeline::{BackendCall, Blame, Body, Context, PolicyError, Response, Trail};
use serde_json::{Value as Json, json};

use super::account::{self, Account};
use crate::outgoing::{Call as Outgoing, request};

/// Version of the REST interface.
const VERSION: &str = "2018-12-31";
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Most tries after the first of a request that is one too many for the account, and the longest
/// wait for all of them together, as Azure's client libraries have them.
const MAX_RETRIES: usize = 9;
const MAX_WAIT: Duration = Duration::from_secs(30);

/// A container of an account, and who asks it.
pub(super) struct Container {
    account: Account,
    by_identity: bool,
    /// `dbs/DATABASE/colls/CONTAINER`, as the signature names it.
    link: String,
    /// Its URL.
    at: String,
    /// The last call, for the log.
    last: Mutex<Option<BackendCall>>,
}

/// A request to a container or to a document of it.
pub(super) struct Call {
    method: Method,
    target: Target,
    headers: HeaderMap,
    body: String,
}

enum Target {
    Container,
    Feed,
    Document(String),
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The body; null if there is none.
    pub(super) json: Json,
    /// How long the body is.
    pub(super) n_bytes: usize,
    /// Where the next page begins.
    pub(super) continuation: Option<String>,
}

impl Call {
    /// A request for the definition of the container.
    pub(super) fn definition() -> Call {
        Call::to(Method::GET, Target::Container)
    }

    /// A request to all documents of the container.
    pub(super) fn feed(method: Method) -> Call {
        Call::to(method, Target::Feed)
    }

    /// A request to one document.
    pub(super) fn item(method: Method, id: &str) -> Result<Call, PolicyError> {
        if matches!(id, "" | "." | "..") || id.contains(['/', '\\', '?', '#']) {
            return Err(PolicyError::evaluation("The id names no document."));
        }
        Ok(Call::to(method, Target::Document(id.to_owned())))
    }

    fn to(method: Method, target: Target) -> Call {
        Call { method, target, headers: HeaderMap::new(), body: String::new() }
    }

    pub(super) fn header(&mut self, name: &'static str, value: &str) -> Result<(), PolicyError> {
        let value = HeaderValue::from_str(value);
        let value =
            value.map_err(|_| PolicyError::evaluation("A value can stand in no header."))?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(())
    }

    pub(super) fn header_text(&self, name: &str) -> Option<String> {
        self.headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
    }

    /// The partition that it is for.
    pub(super) fn key(&mut self, keys: &[Json]) -> Result<(), PolicyError> {
        self.header("x-ms-documentdb-partitionkey", &ascii(&Json::from(keys).to_string()))
    }

    pub(super) fn query(&mut self, statement: &str, parameters: &Json) -> Result<(), PolicyError> {
        self.header("x-ms-documentdb-isquery", "True")?;
        let query = json!({ "query": statement, "parameters": parameters });
        self.body("application/query+json", query.to_string())
    }

    pub(super) fn body(
        &mut self,
        content_type: &'static str,
        body: String,
    ) -> Result<(), PolicyError> {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body;
        Ok(())
    }
}

impl Container {
    pub(super) fn new(account: Account, by_identity: bool, database: &str, name: &str) -> Self {
        let link = format!("dbs/{database}/colls/{name}");
        let at = format!("{}/dbs/{}/colls/{}", account.endpoint, encode(database), encode(name));
        Container { account, by_identity, link, at, last: Mutex::default() }
    }

    /// Its URL.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// Signs and sends a request, again after a while if it is one too many.
    pub(super) async fn send(&self, context: &Context, call: &Call) -> Result<Answer, PolicyError> {
        let mut waited = Duration::ZERO;
        for _ in 0..MAX_RETRIES {
            let response = self.sent(context, call).await?;
            let wait = retry_after(&response).filter(|it| waited + *it <= MAX_WAIT);
            let Some(wait) = wait else { return answer(&response) };
            context.services.clock.sleep(wait).await;
            waited += wait;
        }
        answer(&self.sent(context, call).await?)
    }

    async fn sent(&self, context: &Context, call: &Call) -> Result<Response, PolicyError> {
        let (kind, link, at) = match &call.target {
            Target::Container => ("colls", self.link.clone(), self.at.clone()),
            Target::Feed => ("docs", self.link.clone(), format!("{}/docs", self.at)),
            Target::Document(id) => (
                "docs",
                format!("{}/docs/{id}", self.link),
                format!("{}/docs/{}", self.at, encode(id)),
            ),
        };
        let date = account::date(context.services.clock.now());
        let authorization = if self.by_identity {
            identity_token(context, &self.account).await?
        } else {
            let signed = self.account.sign(call.method.as_str(), kind, &link, &date);
            signed.ok_or_else(|| {
                PolicyError::evaluation("The connection string has no account key in base64.")
                    .blame(Blame::Configuration)
            })?
        };
        let mut value = HeaderValue::try_from(authorization)
            .map_err(|_| PolicyError::evaluation("The authorization can stand in no header."))?;
        value.set_sensitive(true);
        let mut headers = call.headers.clone();
        headers.insert(AUTHORIZATION, value);
        let date = HeaderValue::try_from(date)
            .map_err(|_| PolicyError::evaluation("The time can stand in no header."))?;
        headers.insert("x-ms-date", date);
        headers.insert("x-ms-version", HeaderValue::from_static(VERSION));
        let uri: Uri = at.parse().map_err(|_| PolicyError::evaluation("The names make no URL."))?;
        let body = match call.body.is_empty() {
            true => Body::default(),
            false => Body::bytes(call.body.clone()),
        };
        let draft = Response { headers, body, ..Response::default() };
        let request = request(call.method.clone(), uri, draft)?;
        let outcome = Outgoing::new(request, Some(TIMEOUT), &context.services).send().await;
        let status = outcome.as_ref().ok().map(|it| it.status);
        let noted = BackendCall { method: call.method.clone(), url: at, status, backend: None };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(noted);
        outcome
    }

    /// Tells the request of its calls, which began when the clock said `started`.
    pub(super) fn tell(self, context: &mut Context, started: Duration) {
        let last = self.last.into_inner().unwrap_or_else(PoisonError::into_inner);
        if last.is_none() {
            return;
        }
        let now = context.services.clock.monotonic();
        context.calls.count = context.calls.count.saturating_add(1);
        context.calls.time += now.saturating_sub(started);
        if let Some(trail) = Trail::of_mut(context) {
            trail.call = last;
        }
    }
}

impl Answer {
    /// The answer, unless its status says that the request failed.
    pub(super) fn ok(self) -> Result<Answer, PolicyError> {
        if self.status.as_u16() < 400 {
            return Ok(self);
        }
        let text = format!("The data source answered {}.", self.status.as_u16());
        Err(PolicyError::new("BackendErrorStatusCode", text.clone())
            .respond(StatusCode::BAD_GATEWAY, text)
            .blame(Blame::Backend))
    }
}

fn answer(response: &Response) -> Result<Answer, PolicyError> {
    let bytes = response.body.as_bytes().unwrap_or_default();
    let json = match bytes.is_empty() || response.status.as_u16() >= 400 {
        true => Json::Null,
        false => serde_json::from_slice(&bytes).map_err(|_| {
            let text = "The data source has not answered JSON.";
            PolicyError::new("UnreadableResponse", text)
                .respond(StatusCode::BAD_GATEWAY, text)
                .blame(Blame::Backend)
        })?,
    };
    let continuation = response.headers.get("x-ms-continuation").and_then(|it| it.to_str().ok());
    let continuation = continuation.filter(|it| !it.is_empty()).map(str::to_owned);
    Ok(Answer { status: response.status, json, n_bytes: bytes.len(), continuation })
}

/// When to try again, if the request was one too many.
fn retry_after(response: &Response) -> Option<Duration> {
    if response.status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let header = response.headers.get("x-ms-retry-after-ms")?.to_str().ok()?;
    header.parse().ok().map(Duration::from_millis)
}

/// JSON for a header: other characters than those of ASCII are escaped.
fn ascii(json: &str) -> String {
    let mut text = String::new();
    for it in json.chars() {
        match it {
            ' '..='~' => text.push(it),
            _ => {
                let mut units = [0; 2];
                for unit in it.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}

async fn identity_token(context: &Context, account: &Account) -> Result<String, PolicyError> {
    let failure = |problem: String| PolicyError::new("ManagedIdentityTokenError", problem);
    let identities: Option<Arc<ManagedIdentities>> = context.services.extension();
    let identities = identities.ok_or_else(|| {
        failure("no managed identity is set up".to_owned()).blame(Blame::Configuration)
    })?;
    let token = identities.access_token(None, &account.resource()).await;
    let token = token.map_err(|problem| {
        failure(problem.to_string()).blame(match problem.is_temporary() {
            true => Blame::IdentityProvider,
            false => Blame::Configuration,
        })
    })?;
    Ok(account::authorization("aad", token.secret().expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_key_stands_in_a_header_as_ascii() {
        let mut call = Call::feed(Method::POST);
        call.key(&[json!("a\"é😀"), json!(1.5), json!({})]).unwrap();
        let text = call.header_text("x-ms-documentdb-partitionkey").unwrap();
        assert_eq!(text, r#"["a\"\u00e9\ud83d\ude00",1.5,{}]"#);
        assert!(call.header("x-ms-continuation", "a\r\nb").is_err());
    }

    #[test]
    fn an_id_is_one_part_of_a_path() {
        for (id, fits) in
            [("a b", true), ("é", true), ("", false), ("..", false), ("a/b", false), ("a?", false)]
        {
            assert_eq!(Call::item(Method::GET, id).is_ok(), fits, "{id}");
        }
    }

    #[test]
    fn a_request_that_is_one_too_many_says_when_to_try_again() {
        for (status, header, expected) in [
            (429, Some("25"), Some(25)),
            (429, Some("soon"), None),
            (429, None, None),
            (503, Some("25"), None),
        ] {
            let mut response = Response::new(StatusCode::from_u16(status).unwrap());
            if let Some(text) = header {
                response.headers.insert("x-ms-retry-after-ms", HeaderValue::from_static(text));
            }
            assert_eq!(retry_after(&response), expected.map(Duration::from_millis));
        }
    }
}
