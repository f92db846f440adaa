//! The management API as a listener serves it.
//!
//! ```text
//! path, token, api-version, body ─▶ Engine::call ─▶ JSON with x-ms-request-id; one audit line
//! ```

use std::fmt;
use std::sync::Arc;

use document::render::Sources;
use document::{Diagnostic, Severity};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_MATCH, IF_NONE_MATCH,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use transport::{Body, BodyError, Peer, Request, Response, Service};
use uuid::Uuid;

use crate::address::segments;
use crate::audit;
use crate::auth::{Authority, Denied};
use crate::engine::{Answer, Call, Engine};
use crate::metadata::{Place, Surroundings, list, place};
use crate::problem::{Detail, Problem};

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct ManagementSettings {
    /// Whether changes are refused.
    pub is_read_only: bool,
    /// Longest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// What answers name besides resources.
    pub surroundings: Surroundings,
}

/// The management API.
pub struct ManagementService {
    engine: Engine,
    authority: Authority,
    settings: ManagementSettings,
}

impl ManagementService {
    /// The API of an engine, for those that the authority admits.
    pub fn new(engine: Engine, authority: Authority, settings: ManagementSettings) -> Arc<Self> {
        Arc::new(Self { engine, authority, settings })
    }

    async fn answer(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let request_id = Uuid::new_v4().to_string();
        let path = head.uri.path().to_owned();
        let mut response = match self.linked(&head.method, &path) {
            Some(response) => response,
            None => match self.outcome(&head, body, &path, &request_id).await {
                Ok(answer) => respond(answer),
                Err(problem) => self.refuse(&problem),
            },
        };
        if head.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let name = |text: &'static str| HeaderName::from_static(text);
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert(name("x-ms-request-id"), value.clone());
            let correlation = head.headers.get("x-ms-correlation-request-id").cloned();
            headers.insert(name("x-ms-correlation-request-id"), correlation.unwrap_or(value));
        }
        if let Some(value) = head.headers.get("x-ms-client-request-id") {
            headers.insert(name("x-ms-client-request-id"), value.clone());
        }
        response
    }

    /// What a link of an export leads to. The link is its own token: one that is not good is
    /// answered as any other path.
    fn linked(&self, method: &Method, path: &str) -> Option<Response> {
        let name = path.strip_prefix("/exports/").filter(|_| *method == Method::GET)?;
        let linked = self.engine.follow(name)?;
        let mut response = Response::new(Body::full(linked.text.to_string()));
        let value = HeaderValue::from_static(linked.media_type);
        response.headers_mut().insert(CONTENT_TYPE, value);
        Some(response)
    }

    async fn outcome(
        &self,
        head: &http::request::Parts,
        body: Body,
        path: &str,
        request_id: &str,
    ) -> Result<Answer, Problem> {
        let decoded = segments(path)
            .ok_or_else(|| Problem::bad("InvalidRequestUri", "The path is not UTF-8."))?;
        let base = base(head);
        if head.method == Method::GET
            && let [first, second] = decoded.as_slice()
            && first.eq_ignore_ascii_case("metadata")
            && second.eq_ignore_ascii_case("endpoints")
        {
            return Ok(ok(self.settings.surroundings.endpoints(&base)));
        }
        let authorization = head.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let caller = match self.authority.admit(authorization).await {
            Ok(caller) => caller.0,
            Err(denied) => {
                let problem = denial(&denied);
                if audit::is_told(&head.method) {
                    audit::tell(
                        "nobody",
                        &head.method,
                        path,
                        problem.status,
                        problem.code,
                        request_id,
                    );
                }
                return Err(problem);
            }
        };
        let outcome = self.admitted(head, body, &decoded, &base).await;
        if audit::is_told(&head.method) {
            let (status, code) = match &outcome {
                Ok(answer) => (answer.status, ""),
                Err(problem) => (problem.status, problem.code),
            };
            audit::tell(&caller, &head.method, path, status, code, request_id);
        }
        outcome
    }

    async fn admitted(
        &self,
        head: &http::request::Parts,
        body: Body,
        decoded: &[String],
        base: &str,
    ) -> Result<Answer, Problem> {
        let query = pairs(head.uri.query().unwrap_or(""));
        check_version(&query)?;
        let service = self.engine.service();
        let place = place(decoded, service).map_err(Problem::not_found)?;
        let Place::Below(below) = place else {
            return self.around(&head.method, &place);
        };
        if let [first, name, rest @ ..] = below.as_slice()
            && first.eq_ignore_ascii_case("tenant")
        {
            return self.access(&head.method, name, rest);
        }
        let is_read = matches!(head.method, Method::GET | Method::HEAD)
            || (head.method == Method::POST && is_reading(&below));
        if self.settings.is_read_only && !is_read {
            let message = "The management API is read-only.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "ReadOnly", message));
        }
        let body = self.body(&head.method, body).await?;
        let text = |name: HeaderName| {
            head.headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
        };
        let call = Call {
            method: head.method.clone(),
            segments: below,
            query,
            if_match: text(IF_MATCH),
            if_none_match: text(IF_NONE_MATCH),
            body,
            url: format!("{base}{}", head.uri.path()),
        };
        self.engine.call(&call).await
    }

    async fn body(&self, method: &Method, body: Body) -> Result<Value, Problem> {
        if !matches!(*method, Method::PUT | Method::PATCH | Method::POST) {
            return Ok(Value::Null);
        }
        let max = self.settings.max_body_bytes;
        let bytes = body.collect(max).await.map_err(|error| match error {
            BodyError::TooLarge { .. } => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                format!("The body has more than {max} bytes."),
            ),
            _ => Problem::bad("InvalidRequestContent", "The body ends too early."),
        })?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!(
                "The request content was invalid and could not be deserialized: line {}, column {}.",
                error.line(),
                error.column()
            );
            Problem::bad("InvalidRequestContent", message)
        })
    }

    /// What is above the service.
    fn around(&self, method: &Method, place: &Place) -> Result<Answer, Problem> {
        let (own, service) = (&self.settings.surroundings, self.engine.service());
        let is_register = *place == Place::Register;
        if is_register != (*method == Method::POST)
            || !matches!(*method, Method::GET | Method::HEAD | Method::POST)
        {
            return Err(Problem::method());
        }
        Ok(ok(match place {
            Place::Tenants => own.tenants(),
            Place::Subscriptions => list(vec![own.subscription(service)]),
            Place::Subscription => own.subscription(service),
            Place::Locations => list(Vec::new()),
            Place::ResourceGroups => list(vec![own.resource_group(service)]),
            Place::ResourceGroup => own.resource_group(service),
            Place::Provider | Place::Register => own.provider(service),
            Place::Services => list(vec![own.service(service)]),
            Place::Service | Place::Below(_) => own.service(service),
        }))
    }

    /// `tenant/access`: off, so it has no keys.
    fn access(&self, method: &Method, name: &str, rest: &[String]) -> Result<Answer, Problem> {
        let is_known = ["access", "gitAccess"].iter().any(|it| it.eq_ignore_ascii_case(name));
        match (method, rest) {
            _ if !is_known => Err(Problem::not_found("The requested resource was")),
            (&Method::GET | &Method::HEAD, []) => {
                let service = self.engine.service();
                Ok(ok(self.settings.surroundings.access(service, name)))
            }
            (&Method::POST, [action]) if action.eq_ignore_ascii_case("listSecrets") => {
                let message = "Access to the direct management API is not enabled.";
                Err(Problem::new(StatusCode::FORBIDDEN, "AuthorizationFailed", message))
            }
            _ => Err(Problem::method()),
        }
    }

    fn refuse(&self, problem: &Problem) -> Response {
        let mut response = json(problem.status, &problem.to_json());
        if problem.status == StatusCode::UNAUTHORIZED
            && let Ok(value) = HeaderValue::from_str(&self.settings.surroundings.challenge())
        {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response
    }
}

impl Service for ManagementService {
    async fn call(self: Arc<Self>, request: Request, _: Arc<Peer>) -> Response {
        self.answer(request).await
    }
}

impl fmt::Debug for ManagementService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagementService").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// What is wrong with a configuration, as details of an answer: errors only, with their places.
pub fn details(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Detail> {
    let errors = diagnostics.iter().filter(|it| it.severity == Severity::Error);
    errors
        .map(|it| {
            let place = it.file.as_ref().and_then(|file| {
                let at = sources.position(file, it.span)?;
                Some(format!("Error on line {}, column {}: ", at.line, at.column))
            });
            let help = it.help.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
            Detail {
                code: it.code.to_string(),
                target: it.file.as_ref().map(ToString::to_string),
                message: format!("{}{}{help}", place.unwrap_or_default(), it.message),
            }
        })
        .collect()
}

fn denial(denied: &Denied) -> Problem {
    match denied {
        Denied::Missing => Problem::new(
            StatusCode::UNAUTHORIZED,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        ),
        Denied::Invalid(why) => Problem::new(
            StatusCode::UNAUTHORIZED,
            "AuthenticationFailed",
            format!("Authentication failed: {why}."),
        ),
        Denied::Forbidden(why) => Problem::new(
            StatusCode::FORBIDDEN,
            "AuthorizationFailed",
            format!("The client does not have authorization to perform the action: {why}."),
        ),
    }
}

/// Actions that change nothing.
fn is_reading(below: &[String]) -> bool {
    let action = below.last().map_or("", String::as_str);
    ["listSecrets", "listValue", "listReferences"].iter().any(|it| it.eq_ignore_ascii_case(action))
}

fn check_version(query: &[(String, String)]) -> Result<(), Problem> {
    let version = query.iter().find(|it| it.0.eq_ignore_ascii_case("api-version"));
    let Some((_, version)) = version.filter(|it| !it.1.is_empty()) else {
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Problem::bad("MissingApiVersionParameter", message));
    };
    let date = version.strip_suffix("-preview").unwrap_or(version);
    let is_date = date.len() == 10
        && date.bytes().enumerate().all(|(n, it)| match n {
            4 | 7 => it == b'-',
            _ => it.is_ascii_digit(),
        });
    if is_date {
        return Ok(());
    }
    let message = "The api-version is a date: `2024-05-01` or `2024-06-01-preview`.";
    Err(Problem::bad("InvalidApiVersionParameter", message))
}

/// The pairs of a query, names and values decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let decode =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|it| !it.is_empty());
    pairs
        .map(|it| {
            let (name, value) = it.split_once('=').unwrap_or((it, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Scheme and authority that the client called.
fn base(head: &http::request::Parts) -> String {
    let host =
        |headers: &HeaderMap| headers.get(HOST).and_then(|it| it.to_str().ok()).map(str::to_owned);
    let authority = head.uri.authority().map(ToString::to_string).or_else(|| host(&head.headers));
    format!("https://{}", authority.unwrap_or_else(|| "localhost".to_owned()))
}

fn ok(body: Value) -> Answer {
    Answer { status: StatusCode::OK, body: Some(body), etag: None }
}

fn respond(answer: Answer) -> Response {
    let mut response = match &answer.body {
        Some(body) => json(answer.status, body),
        None => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = answer.status;
            response
        }
    };
    if let Some(etag) = answer.etag.and_then(|it| HeaderValue::from_str(&it).ok()) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::full(body.to_string()));
    *response.status_mut() = status;
    let value = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

#[cfg(test)]
mod tests;
