//! Where one call goes: the backend that was selected, or the member that its pool chooses now.

use std::sync::Arc;
use std::time::Duration;

use config::Backend;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use pipeline::{Blame, Context, PolicyError, connection_failure};
use telemetry::Metrics;
use transport::Response;

use super::balance::{Chosen, Members, Target};
use super::breaker::Outcome;
use super::single::{Call, Single};
use crate::trail;

/// Counts the calls that went on to another member of their pool.
const FAIL_OVERS: &str = "portcullis_backend_fail_overs_total";
/// Counts the calls that were not made because a breaker was open.
const REFUSED: &str = "portcullis_breaker_refused_calls_total";

/// Where a call goes.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// None for a plain URL.
    single: Option<Arc<Single>>,
    /// The session that begins: name and value of its cookie.
    session: Option<(String, String)>,
    /// The pool whose members are tried one after the other.
    pool: Option<Arc<Members>>,
    tried: Vec<Arc<Single>>,
    call: Option<Call>,
}

impl Choice {
    /// Finds the backend that was selected; a request must have somewhere to go.
    pub(super) fn make(context: &mut Context) -> Result<Choice, PolicyError> {
        let Some(entry) = context.pool().or(context.backend()) else {
            if Arc::ptr_eq(context.request.url.base(), context.request.original_url.base()) {
                return Err(connection_failure(
                    "The API has no service URL, and no policy has chosen a backend.",
                )
                .blame(Blame::Configuration));
            }
            return Ok(Choice::default());
        };
        let id = &entry.info.id;
        let target = trail::of(context).and_then(|(live, _)| live.targets.get(id).cloned());
        match target {
            Some(Target::Single(single)) => Choice::of_single(context, single),
            Some(Target::Pool(pool)) => Choice::of_pool(context, &pool),
            None => {
                let message = format!("The backend `{id}` is not part of the configuration.");
                Err(PolicyError::new("BackendNotFound", message).blame(Blame::Configuration))
            }
        }
    }

    fn of_single(context: &Context, single: Arc<Single>) -> Result<Choice, PolicyError> {
        let now = context.services.clock.monotonic();
        match single.unavailable_for(now) {
            None => Ok(Choice { single: Some(single), ..Choice::default() }),
            Some((status, left)) => {
                let what = format!("Backend '{}'", single.backend.entry.info.id);
                Err(unavailable(context, "BackendUnavailable", &what, status, left))
            }
        }
    }

    fn of_pool(context: &mut Context, pool: &Arc<Members>) -> Result<Choice, PolicyError> {
        let now = context.services.clock.monotonic();
        let cookie = pool.session_cookie.as_deref();
        let mark = cookie.and_then(|it| cookie_value(&context.request.headers, it));
        let Chosen { single, mark } = pool.choose(mark, now).map_err(|left| {
            let what = format!("Backend pool '{}'", pool.id());
            unavailable(context, "BackendPoolUnavailable", &what, pool.failure_status, left)
        })?;
        let session = cookie.map(str::to_owned).zip(mark);
        context.note_backend(Arc::clone(&single.backend.entry));
        let pool = pool.fails_over.then(|| Arc::clone(pool));
        Ok(Choice { single: Some(single), session, pool, ..Choice::default() })
    }

    /// Whether the request is needed only once: nothing goes on to another member.
    pub(super) fn is_final(&self) -> bool {
        self.pool.is_none()
    }

    /// The call begins.
    pub(super) fn begin(&mut self, context: &Context, now: Duration) {
        self.call = self.single.as_ref().and_then(|it| it.begin(&context.services, now));
    }

    /// After a call that brought no response: goes on to a member of the pool that was not tried,
    /// if the request can be sent again. Each member is tried once.
    pub(super) fn goes_on(&mut self, context: &mut Context, error: &PolicyError) -> bool {
        let Some(pool) = &self.pool else { return false };
        let is_no_answer = matches!(error.blamed(), Blame::Backend)
            && matches!(error.reason(), "Timeout" | "BackendConnectionFailure");
        let body = &context.request.body;
        if !is_no_answer || (body.is_present() && body.as_bytes().is_none()) {
            return false;
        }
        self.tried.extend(self.single.take());
        let now = context.services.clock.monotonic();
        let Some(Chosen { single, mark }) = pool.choose_beside(&self.tried, now) else {
            return false;
        };
        context.services.extensions().shared::<Metrics>().count(FAIL_OVERS);
        self.session = pool.session_cookie.clone().zip(mark);
        context.note_backend(Arc::clone(&single.backend.entry));
        self.single = Some(single);
        true
    }

    /// The backend entity; none for a plain URL.
    pub(super) fn backend(&self) -> Option<&Arc<Backend>> {
        self.single.as_ref().map(|it| &it.backend)
    }

    /// The backend entity's name.
    pub(super) fn id(&self) -> Option<&str> {
        self.single.as_ref().map(|it| it.backend.entry.info.id.as_str())
    }

    /// Tells the backend's breaker how the call went.
    pub(super) fn record(&mut self, context: &Context, outcome: &Result<Response, PolicyError>) {
        let Some(single) = &self.single else { return };
        let outcome = match outcome {
            Ok(response) => Some(Outcome::Answered(response.status(), response.headers())),
            // What the gateway or its documents did wrong says nothing of the backend.
            Err(error) if matches!(error.blamed(), Blame::Backend | Blame::Client) => {
                Some(Outcome::Failed(error.reason()))
            }
            Err(_) => None,
        };
        match (self.call.take(), outcome) {
            (Some(call), outcome) => call.end(outcome),
            (None, Some(outcome)) => single.tell(&context.services, outcome),
            (None, None) => {}
        }
    }

    /// Tells the client which session it has.
    pub(super) fn tell(&self, context: &Context, headers: &mut HeaderMap) {
        let Some((name, value)) = &self.session else { return };
        let is_tls = context.request.original_url.base().scheme() == "https";
        let secure = if is_tls { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly{secure}; SameSite=Lax");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// Nothing is sent for a while.
fn unavailable(
    context: &Context,
    reason: &'static str,
    what: &str,
    status: StatusCode,
    left: Duration,
) -> PolicyError {
    context.services.extensions().shared::<Metrics>().count(REFUSED);
    let message = format!("{what} is temporarily unavailable.");
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    PolicyError::new(reason, message.as_str())
        .respond(status, message.as_str())
        .phrase(message)
        .header(header::RETRY_AFTER, HeaderValue::from(seconds))
        .blame(Blame::Backend)
}

/// The value of a cookie; the first one counts.
fn cookie_value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(header::COOKIE).into_iter().filter_map(|it| it.to_str().ok());
    let mut pairs = values.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; SessionId=x=y;b"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=\"quoted\""));
        for (name, value) in
            [("SessionId", Some("x=y")), ("c", Some("quoted")), ("sessionid", None), ("b", None)]
        {
            assert_eq!(cookie_value(&headers, name), value);
        }
    }
}
