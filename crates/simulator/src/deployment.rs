//! Deployments of models: what each is allowed, and what it has been asked for lately.
//!
//! Tokens are charged when a request arrives, by estimate, in a window of a minute; requests in one
//! of ten seconds, a sixth of what is allowed in a minute. A window begins with the first request
//! that finds the last one over.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/openai/how-to/quota>

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

/// Window of the token limit.
const TOKEN_WINDOW: Duration = Duration::from_secs(60);

/// Window of the request limit.
const REQUEST_WINDOW: Duration = Duration::from_secs(10);

/// A deployment of a model.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deployment {
    /// The model that it says it is.
    pub model: String,
    /// Tokens a minute; without it, no limit.
    #[serde(default)]
    pub tokens_per_minute: Option<u64>,
    /// Requests a minute; without it, no limit.
    #[serde(default)]
    pub requests_per_minute: Option<u64>,
    /// Milliseconds that each token of an answer takes.
    #[serde(default)]
    pub latency_per_token_ms: u64,
}

impl Deployment {
    /// A deployment without limits that answers at once.
    pub fn of(model: &str) -> Self {
        Self { model: model.to_owned(), ..Self::default() }
    }
}

/// What a deployment is allowed and has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    /// Tokens: allowed in a minute, left.
    pub(crate) tokens: Option<(u64, u64)>,
    /// Requests: allowed in a minute, left in the window.
    pub(crate) requests: Option<(u64, u64)>,
}

/// A limit that a request has run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttled {
    /// Whether it was the limit of tokens; otherwise that of requests.
    pub(crate) of_tokens: bool,
    /// Time until the window is over.
    pub(crate) wait: Duration,
    pub(crate) rates: Rates,
}

/// All deployments.
#[derive(Debug)]
pub(crate) struct Deployments(Mutex<BTreeMap<String, Metered>>);

#[derive(Debug)]
struct Metered {
    deployment: Deployment,
    tokens: Window,
    requests: Window,
}

#[derive(Debug, Default)]
struct Window {
    began: Option<Duration>,
    used: u64,
}

impl Window {
    /// Whether `cost` still fits into `limit`; begins anew if `length` is over.
    fn fits(&mut self, now: Duration, length: Duration, limit: u64, cost: u64) -> bool {
        let is_over = self.began.is_none_or(|began| now.saturating_sub(began) >= length);
        if is_over {
            (self.began, self.used) = (Some(now), 0);
        }
        self.used.saturating_add(cost) <= limit
    }

    fn wait(&self, now: Duration, length: Duration) -> Duration {
        self.began.map_or(Duration::ZERO, |began| (began + length).saturating_sub(now))
    }
}

impl Metered {
    fn new(deployment: Deployment) -> Self {
        Self { deployment, tokens: Window::default(), requests: Window::default() }
    }

    fn per_window(&self) -> Option<u64> {
        self.deployment.requests_per_minute.map(|it| it.div_ceil(6))
    }

    fn rates(&self) -> Rates {
        let left = |limit: u64, used: u64| limit.saturating_sub(used);
        let tokens = self.deployment.tokens_per_minute;
        Rates {
            tokens: tokens.map(|it| (it, left(it, self.tokens.used))),
            requests: self
                .deployment
                .requests_per_minute
                .zip(self.per_window())
                .map(|(a_minute, limit)| (a_minute, left(limit, self.requests.used))),
        }
    }
}

impl Deployments {
    pub(crate) fn new(deployments: &BTreeMap<String, Deployment>) -> Self {
        let metered = deployments.iter().map(|(name, it)| (name.clone(), Metered::new(it.clone())));
        Self(Mutex::new(metered.collect()))
    }

    /// Adds these deployments or replaces those of the same name; their windows begin anew.
    pub(crate) fn put(&self, deployments: BTreeMap<String, Deployment>) {
        let mut all = self.all();
        all.extend(deployments.into_iter().map(|(name, it)| (name, Metered::new(it))));
    }

    /// Only these deployments, as at the beginning.
    pub(crate) fn reset(&self, deployments: &BTreeMap<String, Deployment>) {
        *self.all() =
            deployments.iter().map(|(name, it)| (name.clone(), Metered::new(it.clone()))).collect();
    }

    /// The deployment of that name: of this host alone (`HOST/NAME`), else of every host.
    pub(crate) fn find(&self, host: &str, name: &str) -> Option<(String, Deployment)> {
        let all = self.all();
        [format!("{host}/{name}"), name.to_owned()].into_iter().find_map(|key| {
            let deployment = all.get(&key)?.deployment.clone();
            Some((key, deployment))
        })
    }

    /// The names of the deployments that every host has, with their models.
    pub(crate) fn models(&self) -> Vec<(String, String)> {
        let all = self.all();
        let shared = all.iter().filter(|(name, _)| !name.contains('/'));
        shared.map(|(name, it)| (name.clone(), it.deployment.model.clone())).collect()
    }

    /// Charges a request of about `n_tokens` that arrives at `now`.
    pub(crate) fn charge(
        &self,
        key: &str,
        now: Duration,
        n_tokens: u64,
    ) -> Result<Rates, Throttled> {
        let mut all = self.all();
        let Some(metered) = all.get_mut(key) else { return Ok(Rates::default()) };
        if let Some(limit) = metered.per_window()
            && !metered.requests.fits(now, REQUEST_WINDOW, limit, 1)
        {
            let wait = metered.requests.wait(now, REQUEST_WINDOW);
            return Err(Throttled { of_tokens: false, wait, rates: metered.rates() });
        }
        if let Some(limit) = metered.deployment.tokens_per_minute
            && !metered.tokens.fits(now, TOKEN_WINDOW, limit, n_tokens)
        {
            let wait = metered.tokens.wait(now, TOKEN_WINDOW);
            return Err(Throttled { of_tokens: true, wait, rates: metered.rates() });
        }
        metered.requests.used += 1;
        metered.tokens.used = metered.tokens.used.saturating_add(n_tokens);
        Ok(metered.rates())
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Metered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(tokens: Option<u64>, requests: Option<u64>) -> Deployments {
        let deployment = Deployment {
            tokens_per_minute: tokens,
            requests_per_minute: requests,
            ..Deployment::of("m")
        };
        Deployments::new(&[("d".to_owned(), deployment)].into())
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn tokens_are_counted_in_a_minute_that_begins_with_the_first_request() {
        let all = limited(Some(100), None);
        assert_eq!(all.charge("d", at(5), 60).unwrap().tokens, Some((100, 40)));
        let refused = all.charge("d", at(35), 41).unwrap_err();
        assert!(refused.of_tokens);
        assert_eq!((refused.wait, refused.rates.tokens), (at(30), Some((100, 40))));
        assert_eq!(all.charge("d", at(64), 40).unwrap().tokens, Some((100, 0)));
        assert_eq!(all.charge("d", at(65), 41).unwrap().tokens, Some((100, 59)));
    }

    #[test]
    fn a_sixth_of_a_minutes_requests_passes_in_ten_seconds() {
        let all = limited(None, Some(12));
        assert_eq!(all.charge("d", at(0), 1).unwrap().requests, Some((12, 1)));
        assert!(all.charge("d", at(1), 1).is_ok());
        let refused = all.charge("d", at(2), 1).unwrap_err();
        assert_eq!((refused.of_tokens, refused.wait), (false, at(8)));
        assert!(all.charge("d", at(10), 1).is_ok());
    }

    #[test]
    fn a_host_can_have_a_deployment_of_its_own() {
        let all = limited(None, None);
        all.put([("east/d".to_owned(), Deployment::of("other"))].into());
        assert_eq!(all.find("east", "d").unwrap().1.model, "other");
        assert_eq!(all.find("west", "d").unwrap().1.model, "m");
        assert!(all.find("west", "e").is_none());
        assert_eq!(all.models(), [("d".to_owned(), "m".to_owned())]);
    }
}
