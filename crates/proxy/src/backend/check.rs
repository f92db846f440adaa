//! Health checks: backends that ask for it are called now and then, and left alone while they do
//! not answer as they should. Beyond Azure; off unless a backend has a `health-check`.
//!
//! Checks run on the control runtime, never on that of requests. A backend is taken for healthy
//! until checks say otherwise, and at most one check of it is under way.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use config::HealthCheck;
use http::{HeaderMap, Method};
use pipeline::{RequestUrl, Services};
use transport::{Body, CallOptions, Request};

use super::balance::Targets;
use super::single::Single;
use super::{BackendTokens, aws, credentials, target};

/// Longest time until backends of a new configuration are noticed.
pub(crate) const LONGEST_REST: Duration = Duration::from_secs(1);
const SHORTEST_REST: Duration = Duration::from_millis(10);

/// What checks have found of a backend; kept over reloads that change neither check nor URL.
#[derive(Debug)]
pub(crate) struct Check {
    rule: HealthCheck,
    is_down: AtomicBool,
    /// Checks in a row that speak against the verdict.
    n_against: AtomicU32,
    /// When the next one is due, in nanoseconds of the monotonic clock.
    next_at: AtomicU64,
    is_running: AtomicBool,
}

impl Check {
    pub(crate) fn new(rule: HealthCheck) -> Check {
        Check {
            rule,
            is_down: AtomicBool::new(false),
            n_against: AtomicU32::new(0),
            next_at: AtomicU64::new(0),
            is_running: AtomicBool::new(false),
        }
    }

    pub(crate) fn rule(&self) -> &HealthCheck {
        &self.rule
    }

    /// How long the backend is not to be called at least; none if it is healthy.
    pub(crate) fn down_for(&self) -> Option<Duration> {
        self.is_down.load(Relaxed).then_some(self.rule.interval)
    }

    /// Notes a check. Whether the verdict has turned.
    fn note(&self, is_good: bool) -> bool {
        let is_down = self.is_down.load(Relaxed);
        if is_good != is_down {
            self.n_against.store(0, Relaxed);
            return false;
        }
        let n = self.n_against.fetch_add(1, Relaxed) + 1;
        let needed = if is_down { self.rule.healthy_after } else { self.rule.unhealthy_after };
        if n < needed {
            return false;
        }
        self.n_against.store(0, Relaxed);
        self.is_down.store(!is_down, Relaxed);
        true
    }

    /// Takes the turn if a check is due.
    fn is_due(&self, now: Duration) -> bool {
        if Duration::from_nanos(self.next_at.load(Relaxed)) > now {
            return false;
        }
        let next = now.saturating_add(self.rule.interval).as_nanos();
        self.next_at.store(u64::try_from(next).unwrap_or(u64::MAX), Relaxed);
        !self.is_running.swap(true, Relaxed)
    }
}

/// Starts all checks that are due. Gives the time until something can be due again.
pub(crate) fn begin_due(
    targets: &Targets,
    services: &Arc<Services>,
    tokens: Option<&Arc<dyn BackendTokens>>,
) -> Duration {
    let now = services.clock.monotonic();
    let mut rest = LONGEST_REST;
    for single in targets.singles() {
        let Some(check) = &single.check else { continue };
        if check.is_due(now) {
            let probe = probe(Arc::clone(single), Arc::clone(services), tokens.cloned());
            tokio::spawn(probe);
        }
        let next = Duration::from_nanos(check.next_at.load(Relaxed));
        rest = rest.min(next.saturating_sub(now));
    }
    rest.max(SHORTEST_REST)
}

async fn probe(
    single: Arc<Single>,
    services: Arc<Services>,
    tokens: Option<Arc<dyn BackendTokens>>,
) {
    let Some(check) = &single.check else { return };
    let asked = tokio::select! {
        biased;
        status = ask(&single, check, &services, tokens.as_deref()) => status,
        () = services.clock.sleep(check.rule.timeout) => Err("no answer in time".to_owned()),
    };
    let found = asked.and_then(|status| {
        let is_good = check.rule.expected.iter().any(|it| it.contains(&status));
        if is_good { Ok(()) } else { Err(format!("it answered {status}")) }
    });
    if check.note(found.is_ok()) {
        let backend = &single.backend.entry.info.id;
        match found {
            Ok(()) => tracing::info!(backend, "the backend is healthy again"),
            Err(why) => tracing::warn!(backend, why, "the backend is unhealthy"),
        }
    }
    check.is_running.store(false, Relaxed);
}

/// The status of the answer; or why there is none, in words without secrets.
async fn ask(
    single: &Single,
    check: &Check,
    services: &Services,
    tokens: Option<&dyn BackendTokens>,
) -> Result<u16, String> {
    let backend = &single.backend;
    let base = backend.entry.url.as_ref().ok_or("it has no URL")?;
    let (path, query) = check.rule.path.split_once('?').unwrap_or((&check.rule.path, ""));
    let mut url = Cow::Owned(RequestUrl::new(Arc::clone(base), path, query));
    let mut headers = HeaderMap::new();
    let told = |error: pipeline::PolicyError| error.reason().to_owned();
    let applied = credentials::apply(&backend.credentials, tokens, &mut headers, &mut url);
    applied.await.map_err(told)?;
    let uri = target::uri(&url).map_err(told)?;
    if let Some(keys) = &backend.credentials.aws {
        let (now, nothing) = (services.clock.now(), Bytes::new());
        aws::sign(keys, now, (&Method::GET, &uri), &mut headers, Some(&nothing)).map_err(told)?;
    }
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let options = CallOptions {
        response_timeout: Some(check.rule.timeout),
        connect_timeout: check.rule.timeout,
        tls: backend.tls,
        pins: backend.pins.clone(),
        identity: backend.identity.clone(),
        proxy: backend.proxy.clone(),
        ..CallOptions::default()
    };
    let answer = services.client.send(request, &options).await;
    answer.map(|it| it.status().as_u16()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_turns_after_so_many_checks_in_a_row() {
        let rule = HealthCheck { unhealthy_after: 3, healthy_after: 2, ..HealthCheck::default() };
        let check = Check::new(rule);
        for (is_good, is_down) in [
            (false, false),
            (false, false),
            (true, false),
            (false, false),
            (false, false),
            (false, true),
            (true, true),
            (false, true),
            (true, true),
            (true, false),
        ] {
            check.note(is_good);
            assert_eq!(check.down_for().is_some(), is_down);
        }
    }

    #[test]
    fn a_check_is_due_once_an_interval_and_never_twice_at_once() {
        let check = Check::new(HealthCheck::default());
        let at = Duration::from_secs;
        assert!(check.is_due(at(5)) && !check.is_due(at(14)));
        assert!(!check.is_due(at(15)), "the first is still under way");
        check.is_running.store(false, Relaxed);
        assert!(!check.is_due(at(24)) && check.is_due(at(25)));
    }
}
