//! `<send-one-way-request>`: calls another service and does not wait for its response.
//!
//! The request is made before the pipeline goes on; nothing that happens to it afterwards, and no
//! failure before, is seen by the pipeline. Requests on the way are bounded for the process in
//! number, bytes and time; beyond that they are dropped, counted and logged. A gateway that ends
//! waits for them as long as it drains.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/send-one-way-request-policy>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::{
    Background, CompileCx, Context, Diagnostic, Element, Flow, PolicyError, PolicyKind, Scopes,
    Sections, Step, Waiting,
};
use telemetry::Metrics;

use crate::outgoing::{
    AUTHENTICATION_CERTIFICATE, AUTHENTICATION_MANAGED_IDENTITY, Call, Draft, MODE, PROXY,
    SET_BODY, SET_HEADER, SET_METHOD, SET_URL, TIMEOUT,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "send-one-way-request",
    summary: "Calls another service and does not wait for its response.",
    sections: Sections::ALL,
    scopes: Scopes::ALL,
    attrs: &[MODE, TIMEOUT],
    children: &[
        SET_URL,
        SET_METHOD,
        SET_HEADER,
        SET_BODY,
        AUTHENTICATION_CERTIFICATE,
        AUTHENTICATION_MANAGED_IDENTITY,
        PROXY,
    ],
    compile,
};

/// Most requests on the way at once.
const MAX_IN_FLIGHT: usize = 1024;
/// Most bytes that their bodies may hold.
const MAX_BYTES_IN_FLIGHT: usize = 64 * 1024 * 1024;
/// Longest time that one may take, whatever the policy says.
const MAX_TIME: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct SendOneWayRequest {
    draft: Draft,
    on_the_way: Arc<OnTheWay>,
    background: Arc<Background>,
    metrics: Arc<Metrics>,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let draft = Draft::compile(element, cx)?;
    Ok(Step::waiting(SendOneWayRequest {
        draft,
        on_the_way: cx.shared(),
        background: cx.shared(),
        metrics: cx.shared(),
    }))
}

impl Waiting for SendOneWayRequest {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        match self.draft.make(context).await {
            Ok(call) => self.start(call),
            Err(error) => tracing::warn!(%error, "a one-way request could not be made"),
        }
        Ok(Flow::Next)
    }
}

impl SendOneWayRequest {
    fn start(&self, call: Call) {
        let Some(place) = OnTheWay::take(&self.on_the_way, call.n_bytes()) else {
            self.metrics.count("portcullis_one_way_requests_dropped_total");
            return;
        };
        self.background.spawn(async move {
            match call.bounded(MAX_TIME).send().await {
                Ok(response) => {
                    tracing::debug!(status = response.status.as_u16(), "a one-way request is done");
                }
                Err(error) => tracing::warn!(%error, "a one-way request failed"),
            }
            drop(place);
        });
    }
}

/// The requests of this process that are on the way.
#[derive(Debug, Default)]
struct OnTheWay(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    n_requests: usize,
    n_bytes: usize,
    n_dropped: u64,
}

impl OnTheWay {
    /// A place for a request; none if there are too many already.
    fn take(all: &Arc<OnTheWay>, n_bytes: usize) -> Option<Place> {
        let mut counts = all.counts();
        let has_room = counts.n_requests < MAX_IN_FLIGHT
            && (counts.n_requests == 0 || counts.n_bytes + n_bytes <= MAX_BYTES_IN_FLIGHT);
        if !has_room {
            counts.n_dropped += 1;
            // Rarer and rarer, so that an outage does not fill the log.
            if counts.n_dropped.is_power_of_two() {
                let (dropped, in_flight) = (counts.n_dropped, counts.n_requests);
                tracing::warn!(dropped, in_flight, "one-way requests are dropped");
            }
            return None;
        }
        counts.n_requests += 1;
        counts.n_bytes += n_bytes;
        drop(counts);
        Some(Place { all: Arc::clone(all), n_bytes })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one request; given back when it is dropped.
#[derive(Debug)]
struct Place {
    all: Arc<OnTheWay>,
    n_bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
        counts.n_requests = counts.n_requests.saturating_sub(1);
        counts.n_bytes = counts.n_bytes.saturating_sub(self.n_bytes);
    }
}

#[cfg(test)]
mod tests {
    use transport::FakeClient;

    use super::*;
    use crate::test_support::{Trial, problems};

    fn on_the_way() -> Arc<OnTheWay> {
        Arc::default()
    }

    #[test]
    fn the_number_on_the_way_is_bounded_and_the_dropped_are_counted() {
        let all = on_the_way();
        let mut places: Vec<_> =
            (0..MAX_IN_FLIGHT).map(|_| OnTheWay::take(&all, 1).unwrap()).collect();
        assert!(OnTheWay::take(&all, 1).is_none() && OnTheWay::take(&all, 1).is_none());
        assert_eq!(all.counts().n_dropped, 2);
        places.pop();
        assert!(OnTheWay::take(&all, 1).is_some());
        drop(places);
        let counts = all.counts();
        assert_eq!((counts.n_requests, counts.n_bytes), (0, 0));
    }

    #[test]
    fn the_bytes_on_the_way_are_bounded() {
        let all = on_the_way();
        let large = OnTheWay::take(&all, MAX_BYTES_IN_FLIGHT + 1);
        assert!(large.is_some());
        assert!(OnTheWay::take(&all, 1).is_none());
        drop(large);
        assert!(OnTheWay::take(&all, 1).is_some());
    }

    fn run(children: &str) -> (String, FakeClient) {
        let client = FakeClient::unreachable();
        let policy = format!(r#"<send-one-way-request>{children}</send-one-way-request>"#);
        let trial = Trial { client: client.clone(), ..Trial::inbound(&policy) };
        (trial.run("").outcome, client)
    }

    #[test]
    fn no_failure_is_seen_by_the_pipeline() {
        let (outcome, client) =
            run("<set-url>https://o.example</set-url><set-method>GET</set-method>");
        assert_eq!((outcome.as_str(), client.requests().len()), ("next", 1));
        let (outcome, client) =
            run(r#"<set-url>@("no url")</set-url><set-method>GET</set-method>"#);
        assert_eq!((outcome.as_str(), client.requests().len()), ("next", 0));
    }

    #[test]
    fn what_cannot_be_meant_does_not_load() {
        for (policy, codes) in [
            (r#"<send-one-way-request mode="copy" />"#, "fine"),
            ("<send-one-way-request />", "PC0406"),
            (r#"<send-one-way-request mode="copy" response-variable-name="r" />"#, "PC0403"),
            (r#"<send-one-way-request mode="copy" timeout="x" />"#, "PC0409"),
            (
                r#"<send-one-way-request mode="copy"><authentication-certificate thumbprint="x" /></send-one-way-request>"#,
                "fine",
            ),
        ] {
            assert_eq!(problems(policy), codes, "{policy}");
        }
    }
}
