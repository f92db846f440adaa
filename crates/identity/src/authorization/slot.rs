//! The token of one connection, and the one request for it that is under way.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use tokio::sync::Mutex;
use transport::{Body, Clock, HttpClient, Request, Secret};

use super::answer::{self, Answer};
use super::{AuthorizationProblem, Authorized, Grant, SecretIn, TokenRequest};
use crate::fetch::{FETCH_TIMEOUT, call};

/// How long before it expires a token is refreshed, or half of its life if that is shorter.
const REFRESH_AHEAD: Duration = Duration::from_mins(5);
/// The pause after a refresh that failed while the old token still serves.
const REFRESH_PAUSE: Duration = Duration::from_secs(30);
/// How long requests are told of a failure without a new attempt.
const FAILURE_KEPT: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Slot {
    current: ArcSwapOption<Held>,
    flight: Mutex<Flight>,
}

struct Held {
    token: Arc<Authorized>,
    expires: SystemTime,
    refresh_at: SystemTime,
}

#[derive(Default)]
struct Flight {
    /// What replaces the refresh token of the configuration.
    refresh_token: Option<Secret>,
    failed: Option<(Duration, AuthorizationProblem)>,
}

impl Slot {
    pub(super) async fn get(
        &self,
        request: &TokenRequest,
        client: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<Authorized>, AuthorizationProblem> {
        let (valid, is_fresh) = self.look(clock);
        if let Some(token) = valid.clone().filter(|_| is_fresh) {
            return Ok(token);
        }
        let mut flight = match &valid {
            // Somebody else refreshes it already.
            Some(token) => match self.flight.try_lock() {
                Ok(flight) => flight,
                Err(_) => return Ok(token.clone()),
            },
            None => self.flight.lock().await,
        };
        let (valid, is_fresh) = self.look(clock);
        if let Some(token) = valid.clone().filter(|_| is_fresh) {
            return Ok(token);
        }
        let pause = if valid.is_some() { REFRESH_PAUSE } else { FAILURE_KEPT };
        let now = clock.monotonic();
        if let Some((at, problem)) = &flight.failed
            && now < *at + pause
        {
            return valid.ok_or_else(|| problem.clone());
        }
        match fetch(request, flight.refresh_token.as_ref(), client, clock).await {
            Ok(answer) => {
                flight.failed = None;
                self.keep(answer, request, &mut flight, clock.now());
                self.look(clock).0.ok_or_else(|| {
                    AuthorizationProblem::Unavailable("the token has expired already".to_owned())
                })
            }
            Err(problem) => {
                tracing::warn!(url = %request.token_url, %problem, "no token of a connection");
                flight.failed = Some((clock.monotonic(), problem.clone()));
                valid.ok_or(problem)
            }
        }
    }

    /// The token that is valid now, and whether it is too early to refresh it.
    fn look(&self, clock: &Arc<dyn Clock>) -> (Option<Arc<Authorized>>, bool) {
        let held = self.current.load();
        let now = clock.now();
        let valid = held.as_ref().filter(|it| now < it.expires);
        (valid.map(|it| it.token.clone()), valid.is_some_and(|it| now < it.refresh_at))
    }

    fn keep(&self, answer: Answer, request: &TokenRequest, flight: &mut Flight, now: SystemTime) {
        let Answer { access_token, members, lifetime, refresh_token } = answer;
        if let (Some(new), Grant::RefreshToken { file, .. }) = (refresh_token, &request.grant) {
            if let Some(file) = file {
                write(file, &new);
            }
            flight.refresh_token = Some(new);
        }
        let ahead = REFRESH_AHEAD.min(lifetime / 2);
        self.current.store(Some(Arc::new(Held {
            token: Arc::new(Authorized { access_token, members }),
            expires: now + lifetime,
            refresh_at: now + (lifetime - ahead),
        })));
    }
}

/// A refresh token may be good once only, so the new one has to outlive the process.
fn write(file: &Path, token: &Secret) {
    let new = file.with_extension("new");
    let written = std::fs::write(&new, token.expose()).and_then(|()| std::fs::rename(&new, file));
    if let Err(error) = written {
        let file = file.display();
        tracing::warn!(%file, %error, "the new refresh token cannot be kept");
    }
}

async fn fetch(
    request: &TokenRequest,
    refresh_token: Option<&Secret>,
    client: &Arc<dyn HttpClient>,
    clock: &Arc<dyn Clock>,
) -> Result<Answer, AuthorizationProblem> {
    let message = message(request, refresh_token)
        .map_err(|_| AuthorizationProblem::Refused("the request cannot be written".to_owned()))?;
    let answer = call(client, clock, message, FETCH_TIMEOUT).await;
    answer::read(answer)
}

fn message(request: &TokenRequest, refresh_token: Option<&Secret>) -> Result<Request, http::Error> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    match &request.grant {
        Grant::ClientCredentials => {
            form.append_pair("grant_type", "client_credentials");
        }
        Grant::RefreshToken { token, .. } => {
            let token = refresh_token.unwrap_or(token);
            form.append_pair("grant_type", "refresh_token");
            form.append_pair("refresh_token", token.expose());
        }
    }
    let mut head = http::Request::builder()
        .method(Method::POST)
        .uri(request.token_url.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    match (&request.client_secret, request.secret_in) {
        (Some(secret), SecretIn::Header) => {
            let encode = |it: &str| url::form_urlencoded::byte_serialize(it.as_bytes()).collect();
            let (id, secret): (String, String) =
                (encode(&request.client_id), encode(secret.expose()));
            let basic = STANDARD.encode(format!("{id}:{secret}"));
            head = head.header(AUTHORIZATION, format!("Basic {basic}"));
        }
        (secret, _) => {
            form.append_pair("client_id", &request.client_id);
            if let Some(secret) = secret {
                form.append_pair("client_secret", secret.expose());
            }
        }
    }
    if !request.scopes.is_empty() {
        form.append_pair("scope", &request.scopes.join(" "));
    }
    for (name, value) in &request.parameters {
        form.append_pair(name, value);
    }
    head.body(Body::full(form.finish()))
}
