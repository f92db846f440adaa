//! One call: read, or change, load, write, swap.
//!
//! ```text
//! Call ─▶ Target ─▶ View (files of one version) ─▶ write::put ─▶ changes of files
//!                                                      │ Configuration::change: load, write, swap
//!            Answer ◀── the resource as it is now ◀────┘ conflict: again with the new files
//! ```

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use config::Source;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use transport::Clock;

use crate::address::{ServiceName, Target};
use crate::configuration::{Configuration, FileChange, Refused};
use crate::documents::As;
use crate::exported::export;
use crate::index::Index;
use crate::kinds::KeptIn;
use crate::links::{Linked, Links};
use crate::problem::Problem;
use crate::secrets;
use crate::shown::{missing, one, page, references_to, related, shown};
use crate::view::{Resource, View};
use crate::write::{self, How, Plan};

/// How often a change is made again because somebody else was quicker.
const MAX_ATTEMPTS: usize = 8;

/// A call, below the service.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// The decoded segments of its path.
    pub segments: Vec<String>,
    /// Its query, decoded.
    pub query: Vec<(String, String)>,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// Its body; `null` without one.
    pub body: Value,
    /// Scheme, host and path of the request, for `nextLink`.
    pub url: String,
}

/// What a call is answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Option<Value>,
    /// The version of the resource.
    pub etag: Option<String>,
}

/// The management API without a listener.
pub struct Engine {
    configuration: Arc<dyn Configuration>,
    service: Arc<ServiceName>,
    clock: Arc<dyn Clock>,
    /// The files that were sorted last.
    last: Mutex<Option<(String, View)>>,
    links: Links,
}

impl Call {
    /// A query parameter; names compare without case.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.as_str())
    }

    fn object(&self) -> Result<Map<String, Value>, Problem> {
        match &self.body {
            Value::Object(map) => Ok(map.clone()),
            Value::Null => Ok(Map::new()),
            _ => Err(Problem::bad("InvalidRequestContent", "The body is not a JSON object.")),
        }
    }
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body), etag: None }
    }

    fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, etag: None }
    }
}

impl Engine {
    /// The API over a configuration.
    pub fn new(
        configuration: Arc<dyn Configuration>,
        service: ServiceName,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let links = Links::new(clock.clone());
        Self { configuration, service: Arc::new(service), clock, last: Mutex::default(), links }
    }

    /// The text that a link of an export leads to, as long as it is good.
    pub(crate) fn follow(&self, link: &str) -> Option<Linked> {
        self.links.follow(link)
    }

    /// What the service is called.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// Answers a call.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub async fn call(&self, call: &Call) -> Result<Answer, Problem> {
        let Some(target) = Target::parse(&call.segments) else {
            return Err(Problem::not_found("The requested resource was"));
        };
        match call.method {
            Method::GET | Method::HEAD => self.read(call, &target).await,
            Method::PUT | Method::PATCH | Method::DELETE if target.action.is_some() => {
                Err(Problem::method())
            }
            Method::PUT | Method::PATCH => self.put(call, &target).await,
            Method::DELETE => self.delete(call, &target).await,
            Method::POST => self.act(call, &target).await,
            _ => Err(Problem::method()),
        }
    }

    async fn view(&self) -> Result<(View, String), Problem> {
        let held = self.configuration.read().await.map_err(|message| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
        })?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, view)) = &*last
            && *version == held.version
        {
            return Ok((view.clone(), held.version));
        }
        let view = self.sorted(held.source);
        *last = Some((held.version.clone(), view.clone()));
        Ok((view, held.version))
    }

    fn sorted(&self, source: Arc<Source>) -> View {
        let index = Arc::new(Index::new(&source));
        View { source, index, service: self.service.clone() }
    }

    async fn read(&self, call: &Call, target: &Target) -> Result<Answer, Problem> {
        let (view, _) = self.view().await?;
        let target = view.canonical(target);
        if target.action.is_some() {
            return related(&view, &target).and_then(|all| page(call, all));
        }
        if target.name().is_none() {
            if !view.has_parent(&target) {
                return Err(missing(&target));
            }
            return page(call, shown(call, &view, view.list(&target))?);
        }
        let resource = view.get(&target).filter(|_| view.has_parent(&target));
        let resource = resource.ok_or_else(|| missing(&target))?;
        if let (&Method::HEAD, KeptIn::Link { .. }) = (&call.method, target.kind().kept_in) {
            return Ok(Answer::empty());
        }
        if target.kind().is(&["apis"]) && call.query("export").is_some() {
            return export(&view, &resource, call, &self.links);
        }
        let format = As::asked(call.query("format"))?;
        Ok(self.answer(StatusCode::OK, &resource, format))
    }

    fn answer(&self, status: StatusCode, resource: &Resource, format: As) -> Answer {
        let etag = Some(resource.etag());
        let body = Some(one(&self.service, resource, format));
        Answer { status, body, etag }
    }

    async fn put(&self, call: &Call, target: &Target) -> Result<Answer, Problem> {
        let kind = target.kind();
        let how = if call.method == Method::PATCH { How::Merge } else { How::Replace };
        if target.name().is_none()
            || (how == How::Merge && !matches!(kind.kept_in, KeptIn::Folder { .. }))
        {
            return Err(Problem::method());
        }
        let body = call.object()?;
        let plan = |view: &View| {
            let target = view.canonical(target);
            let before = view.get(&target);
            conditions(call, before.as_ref())?;
            if how == How::Merge && before.is_none() {
                return Err(missing(&target));
            }
            write::put(view, &target, &body, how, self.clock.now())
        };
        let (view, plan) = self.make(&plan).await?;
        let target = view.canonical(target);
        let resource = view.get(&target).ok_or_else(|| missing(&target))?;
        let status = if plan.is_new { StatusCode::CREATED } else { StatusCode::OK };
        let sent = body.get("properties").and_then(|it| it.get("format")).and_then(Value::as_str);
        let format = As::asked(sent).unwrap_or(As::Xml);
        Ok(self.answer(status, &resource, format))
    }

    async fn delete(&self, call: &Call, target: &Target) -> Result<Answer, Problem> {
        if target.name().is_none() {
            return Err(Problem::method());
        }
        let query = |name: &str| call.query(name).map(str::to_owned);
        let plan = |view: &View| {
            let target = view.canonical(target);
            let resource = view.get(&target);
            let Some(resource) = resource else {
                return Ok(Plan { changes: Vec::new(), is_new: false });
            };
            conditions(call, Some(&resource))?;
            write::delete(view, &resource, &query)
        };
        self.make(&plan).await?;
        Ok(Answer::empty())
    }

    /// Makes the changes of a plan; makes the plan again if the files have changed meanwhile.
    async fn make(
        &self,
        plan: &(dyn Fn(&View) -> Result<Plan, Problem> + Send + Sync),
    ) -> Result<(View, Plan), Problem> {
        for _ in 0..MAX_ATTEMPTS {
            let (view, version) = self.view().await?;
            let made = plan(&view)?;
            if made.changes.is_empty() {
                return Ok((view, made));
            }
            match self.configuration.change(&made.changes, &version).await {
                Ok(version) => {
                    let view = self.sorted(Arc::new(with(&view.source, &made.changes)));
                    let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                    *last = Some((version, view.clone()));
                    return Ok((view, made));
                }
                Err(Refused::Conflict) => {}
                Err(refused) => return Err(refusal(refused)),
            }
        }
        let message = "Others are changing the service. Try again.";
        Err(Problem::new(StatusCode::CONFLICT, "Conflict", message))
    }

    async fn act(&self, call: &Call, target: &Target) -> Result<Answer, Problem> {
        let Some(action) = &target.action else { return Err(Problem::method()) };
        let (view, _) = self.view().await?;
        let target = view.canonical(&Target { action: None, ..target.clone() });
        let resource = view.get(&target).ok_or_else(|| missing(&target))?;
        let kind = target.kind();
        if let Some(listed) = secrets::list(&resource, action) {
            return Ok(Answer { etag: Some(resource.etag()), ..Answer::ok(listed?) });
        }
        if let Some(property) = secrets::regenerated(kind, action) {
            let body = json!({ "properties": { property: secrets::new_key() } });
            let body = body.as_object().cloned().unwrap_or_default();
            let now = self.clock.now();
            let plan = |view: &View| {
                conditions(call, view.get(&target).as_ref())?;
                write::put(view, &target, &body, How::Merge, now)
            };
            self.make(&plan).await?;
            return Ok(Answer::empty());
        }
        let is = |name: &str| action.eq_ignore_ascii_case(name);
        if is("refreshSecret") && (kind.is(&["namedValues"]) || kind.is(&["certificates"])) {
            self.configuration.refresh().await.map_err(refusal)?;
            return Ok(self.answer(StatusCode::OK, &resource, As::Xml));
        }
        if is("listReferences") && kind.is(&["policyFragments"]) {
            return page(call, references_to(&view, &resource));
        }
        Err(Problem::not_found(&format!("The action `{action}` is")))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("service", &self.service).finish_non_exhaustive()
    }
}

fn with(source: &Source, changes: &[FileChange]) -> Source {
    let gone = |name: &str| changes.iter().any(|it| it.name == name);
    let kept =
        source.files().filter(|it| !gone(it.0)).map(|(name, text)| (name.clone(), text.clone()));
    let new =
        changes.iter().filter_map(|it| Some((it.name.as_str().into(), it.text.as_deref()?.into())));
    Source::from_files(kept.chain(new))
}

fn refusal(refused: Refused) -> Problem {
    match refused {
        Refused::Invalid(details) => Problem::invalid(details),
        Refused::Conflict => Problem::stale(),
        Refused::ReadOnly(message) => Problem::new(StatusCode::FORBIDDEN, "ReadOnly", message),
        Refused::Failed(message) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
        }
    }
}

/// `If-Match` and `If-None-Match`.
fn conditions(call: &Call, before: Option<&Resource>) -> Result<(), Problem> {
    let listed = |header: &str, etag: &str| {
        header.split(',').map(str::trim).any(|it| it == "*" || it.trim_start_matches("W/") == etag)
    };
    match (&call.if_match, before) {
        (Some(header), Some(before)) if !listed(header, &before.etag()) => {
            return Err(Problem::stale());
        }
        (Some(header), None) if header.trim() != "*" && !header.trim().is_empty() => {
            return Err(Problem::stale());
        }
        _ => {}
    }
    match (&call.if_none_match, before) {
        (Some(header), Some(before)) if listed(header, &before.etag()) => Err(Problem::stale()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
