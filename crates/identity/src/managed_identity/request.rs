//! What is asked of each kind of endpoint.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Response, StatusCode};
use transport::{Body, Clock, HttpClient, Request};
use url::Url;
use url::form_urlencoded::Serializer;

use super::source::{misconfigured, url};
use super::{AccessToken, IdentitySource, ManagedIdentityError, WorkloadIdentity, answer};
use crate::fetch::{self, FetchError};

/// The longest wait for one answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest file that holds a federated token or an Arc challenge.
const MAX_TOKEN_FILE_BYTES: u64 = 64 * 1024;
const MAX_ARC_KEY_BYTES: u64 = 4096;
const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What calls are made with.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) client: Arc<dyn HttpClient>,
    pub(super) clock: Arc<dyn Clock>,
}

/// One attempt to get a token.
pub(super) async fn attempt(
    source: &IdentitySource,
    caller: &Caller,
    client_id: Option<&str>,
    resource: &str,
) -> Result<AccessToken, ManagedIdentityError> {
    let name = source.name();
    let now = caller.clock.now();
    let answer = match source {
        IdentitySource::Imds { base } => imds(base, caller, client_id, resource).await,
        IdentitySource::AppService(environment) => {
            let lookup = |variable: &str| {
                let missing = || misconfigured(name, &format!("`{variable}` is not set any more"));
                environment.get(variable).ok_or_else(missing)
            };
            let endpoint = url(name, "IDENTITY_ENDPOINT", &lookup("IDENTITY_ENDPOINT")?)?;
            let header = HeaderValue::from_str(&lookup("IDENTITY_HEADER")?);
            let header =
                header.map_err(|_| misconfigured(name, "`IDENTITY_HEADER` is not usable"))?;
            app_service(endpoint, header, caller, client_id, resource).await
        }
        IdentitySource::Workload(workload) => {
            let file = &workload.token_file;
            let assertion = read_text(file, MAX_TOKEN_FILE_BYTES).await.ok_or_else(|| {
                misconfigured(name, &format!("`{}` cannot be read", file.display()))
            })?;
            exchange(workload, caller, client_id, resource, &assertion).await
        }
        IdentitySource::Arc { endpoint, key_directory } => {
            if client_id.is_some() {
                return Err(misconfigured(name, "only the system-assigned identity exists"));
            }
            arc(endpoint, key_directory, caller, resource).await?
        }
        IdentitySource::Fixed(secret) => {
            let expires = now + Duration::from_secs(24 * 60 * 60);
            return Ok(AccessToken::new(secret.clone(), expires));
        }
    };
    answer::token(name, answer, now)
}

async fn imds(
    base: &Url,
    caller: &Caller,
    client_id: Option<&str>,
    resource: &str,
) -> Result<Response<Bytes>, FetchError> {
    let mut target = base.clone();
    target.set_path("/metadata/identity/oauth2/token");
    add_query(&mut target, "2018-02-01", client_id, resource);
    caller.get(&target, &[("metadata", HeaderValue::from_static("true"))]).await
}

async fn app_service(
    mut target: Url,
    mut header: HeaderValue,
    caller: &Caller,
    client_id: Option<&str>,
    resource: &str,
) -> Result<Response<Bytes>, FetchError> {
    header.set_sensitive(true);
    add_query(&mut target, "2019-08-01", client_id, resource);
    caller.get(&target, &[("x-identity-header", header)]).await
}

async fn exchange(
    workload: &WorkloadIdentity,
    caller: &Caller,
    client_id: Option<&str>,
    resource: &str,
    assertion: &str,
) -> Result<Response<Bytes>, FetchError> {
    let mut target = workload.authority.clone();
    let path = target.path().trim_end_matches('/').to_owned();
    target.set_path(&format!("{path}/{}/oauth2/v2.0/token", workload.tenant_id));
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client_id.unwrap_or(&workload.client_id))
        // The slash at the end of a resource stays, so that it comes out in `aud` as it went in.
        .append_pair("scope", &format!("{resource}/.default"))
        .append_pair("client_assertion_type", CLIENT_ASSERTION_TYPE)
        .append_pair("client_assertion", assertion.trim())
        .finish();
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(target.as_str())
        .header(CONTENT_TYPE, form_type)
        .body(Body::full(form));
    caller.send(request).await
}

/// Azure Arc proves that the caller may read a file of the Arc service.
async fn arc(
    endpoint: &Url,
    key_directory: &Path,
    caller: &Caller,
    resource: &str,
) -> Result<Result<Response<Bytes>, FetchError>, ManagedIdentityError> {
    let name = "Azure Arc";
    let metadata = ("metadata", HeaderValue::from_static("true"));
    let mut target = endpoint.clone();
    add_query(&mut target, "2020-06-01", None, resource);
    let first = caller.get(&target, std::slice::from_ref(&metadata)).await;
    let challenge = match &first {
        Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            answer.headers().get(WWW_AUTHENTICATE).and_then(|it| it.to_str().ok()).unwrap_or("")
        }
        _ => return Ok(first),
    };
    let file = challenge.strip_prefix("Basic realm=").map(|it| PathBuf::from(it.trim_matches('"')));
    let is_expected = |it: &PathBuf| {
        it.extension().is_some_and(|it| it == "key") && it.parent() == Some(key_directory)
    };
    let file = file.filter(is_expected).ok_or_else(|| {
        misconfigured(name, "the Arc service's challenge names an unexpected file")
    })?;
    let secret = read_text(&file, MAX_ARC_KEY_BYTES).await.ok_or_else(|| {
        misconfigured(name, "the file of the Arc service's challenge cannot be read")
    })?;
    let mut header = HeaderValue::from_str(&format!("Basic {}", secret.trim())).map_err(|_| {
        misconfigured(name, "the file of the Arc service's challenge is not usable")
    })?;
    header.set_sensitive(true);
    Ok(caller.get(&target, &[metadata, (AUTHORIZATION.as_str(), header)]).await)
}

impl Caller {
    async fn get(
        &self,
        target: &Url,
        headers: &[(&'static str, HeaderValue)],
    ) -> Result<Response<Bytes>, FetchError> {
        let mut request = http::Request::builder().method(Method::GET).uri(target.as_str());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.send(request.body(Body::empty())).await
    }

    async fn send(&self, request: http::Result<Request>) -> Result<Response<Bytes>, FetchError> {
        let request = request.map_err(|it| FetchError::Malformed(it.to_string()))?;
        fetch::call(&self.client, &self.clock, request, CALL_TIMEOUT).await
    }
}

fn add_query(target: &mut Url, version: &str, client_id: Option<&str>, resource: &str) {
    let mut query = target.query_pairs_mut();
    query.append_pair("api-version", version).append_pair("resource", resource);
    if let Some(client_id) = client_id {
        query.append_pair("client_id", client_id);
    }
}

/// Reads a small text file; `None` if it is missing, too large or no text.
async fn read_text(path: &Path, max_bytes: u64) -> Option<String> {
    use tokio::io::AsyncReadExt as _;
    let file = tokio::fs::File::open(path).await.ok()?;
    let mut text = String::new();
    let n = file.take(max_bytes + 1).read_to_string(&mut text).await.ok()?;
    (n as u64 <= max_bytes && !text.trim().is_empty()).then_some(text)
}
