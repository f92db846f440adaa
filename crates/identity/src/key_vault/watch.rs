//! Secrets in use: the last good value of each, asked for again from time to time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use transport::Secret;
use url::Url;

use super::{KeyVault, KeyVaultError};

/// The largest number of secrets.
const MAX_SECRETS: usize = 10_000;
/// The longest pause between two attempts while a secret cannot be read.
const FIRST_RETRY: Duration = Duration::from_secs(60);

/// How often secrets are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// The time between two rounds: four hours, at least one minute. A tenth more or less, by
    /// chance, so that many gateways do not ask at the same time.
    pub interval: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { interval: Duration::from_secs(4 * 60 * 60) }
    }
}

/// The secrets that a configuration uses.
#[derive(Debug)]
pub struct SecretWatch {
    vault: Arc<KeyVault>,
    settings: WatchSettings,
    secrets: Mutex<BTreeMap<Name, Known>>,
}

/// A secret and the identity that reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    identifier: Url,
    client_id: Option<String>,
}

#[derive(Debug)]
struct Known {
    value: Secret,
    problem: Option<KeyVaultError>,
}

/// What a round found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many secrets have a new value.
    pub n_changed: usize,
    /// How many could not be read; their last good value stays.
    pub n_failed: usize,
}

impl SecretWatch {
    /// Watches secrets of this vault client; none yet.
    pub fn new(vault: Arc<KeyVault>, settings: WatchSettings) -> Self {
        Self { vault, settings, secrets: Mutex::default() }
    }

    /// The value of a secret: the last good one if it is known, else it is read now.
    ///
    /// # Errors
    ///
    /// As [`KeyVault::secret`], for a secret that was never read.
    pub async fn secret(
        &self,
        identifier: &Url,
        client_id: Option<&str>,
    ) -> Result<Secret, KeyVaultError> {
        let name = Name { identifier: identifier.clone(), client_id: client_id.map(str::to_owned) };
        if let Some(known) = self.secrets().get(&name) {
            return Ok(known.value.clone());
        }
        let value = self.vault.secret(identifier, client_id).await?;
        let mut secrets = self.secrets();
        if secrets.len() < MAX_SECRETS {
            secrets.insert(name, Known { value: value.clone(), problem: None });
        }
        Ok(value)
    }

    /// Reads every secret again that has no version in its identifier.
    pub async fn refresh(&self) -> Round {
        let names: Vec<Name> =
            self.secrets().keys().filter(|it| !it.is_pinned()).cloned().collect();
        let mut round = Round::default();
        for name in names {
            let outcome = self.vault.secret(&name.identifier, name.client_id.as_deref()).await;
            if let Err(problem) = &outcome {
                tracing::warn!(%problem, "a secret could not be refreshed");
            }
            let mut secrets = self.secrets();
            let Some(known) = secrets.get_mut(&name) else { continue };
            match outcome {
                Ok(value) => {
                    round.n_changed += usize::from(known.value != value);
                    *known = Known { value, problem: None };
                }
                Err(problem) => {
                    round.n_failed += 1;
                    known.problem = Some(problem);
                }
            }
        }
        round
    }

    /// Refreshes for ever, and calls `on_change` after each round that brought a new value:
    /// the configuration is then to be resolved again.
    pub async fn run(&self, on_change: impl Fn() + Send) {
        let mut n_failures: u32 = 0;
        loop {
            self.vault.clock.sleep(self.pause(n_failures)).await;
            let round = self.refresh().await;
            if round.n_changed > 0 {
                on_change();
            }
            n_failures = if round.n_failed > 0 { n_failures.saturating_add(1) } else { 0 };
        }
    }

    /// Why a secret could not be refreshed lately: identifier and reason.
    pub fn problems(&self) -> Vec<(Url, KeyVaultError)> {
        let secrets = self.secrets();
        let problem = |(name, known): (&Name, &Known)| {
            known.problem.clone().map(|it| (name.identifier.clone(), it))
        };
        secrets.iter().filter_map(problem).collect()
    }

    /// Forgets all values, so that the next use reads them again.
    pub fn forget_all(&self) {
        self.secrets().clear();
    }

    fn pause(&self, n_failures: u32) -> Duration {
        let interval = self.settings.interval.max(Duration::from_secs(60));
        let interval = match n_failures {
            0 => interval,
            n => interval.min(FIRST_RETRY.saturating_mul(1 << (n - 1).min(16))),
        };
        interval.mul_f64(0.9 + 0.2 * chance())
    }

    fn secrets(&self) -> MutexGuard<'_, BTreeMap<Name, Known>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Name {
    /// True if the identifier names a version, whose value never changes.
    fn is_pinned(&self) -> bool {
        let parts = self.identifier.path_segments().into_iter().flatten();
        parts.filter(|it| !it.is_empty()).count() > 2
    }
}

/// A number from 0 up to 1, by chance.
fn chance() -> f64 {
    let mut byte = [0_u8; 1];
    // Without randomness there is no jitter, which does no harm.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    f64::from(byte[0]) / 256.0
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::Response;
    use serde_json::json;
    use transport::{Body, Clock, FakeClient, FakeClock, HttpClient};

    use super::*;
    use crate::managed_identity::{IdentitySource, ManagedIdentities, ManagedIdentitySettings};
    use crate::test_support::{NOW, settle};

    struct World {
        client: FakeClient,
        clock: FakeClock,
        watch: Arc<SecretWatch>,
        value: Arc<Mutex<Option<&'static str>>>,
    }

    fn world(interval: Duration) -> World {
        let value = Arc::new(Mutex::new(Some("one")));
        let shown = Arc::clone(&value);
        let client = FakeClient::new(move |_| {
            let answer = match *shown.lock().unwrap() {
                Some(value) => {
                    Response::builder().body(Body::full(json!({ "value": value }).to_string()))
                }
                None => Response::builder().status(403).body(Body::empty()),
            };
            Ok(answer.unwrap())
        });
        let clock = FakeClock::at_unix(NOW);
        let shared: Arc<dyn HttpClient> = Arc::new(client.clone());
        let time: Arc<dyn Clock> = Arc::new(clock.clone());
        let source = IdentitySource::Fixed(Secret::new("token"));
        let settings = ManagedIdentitySettings { source, runtime: None };
        let identities = ManagedIdentities::new(Arc::clone(&shared), Arc::clone(&time), settings);
        let vault = Arc::new(KeyVault::new(shared, time, Arc::new(identities)));
        let watch = Arc::new(SecretWatch::new(vault, WatchSettings { interval }));
        World { client, clock, watch, value }
    }

    async fn read(world: &World, name: &str) -> Result<String, KeyVaultError> {
        let url = Url::parse(&format!("https://v.vault.azure.net/secrets/{name}")).unwrap();
        world.watch.secret(&url, None).await.map(|it| it.expose().to_owned())
    }

    #[tokio::test]
    async fn a_known_value_is_not_asked_for_again_until_the_next_round() {
        let world = world(Duration::from_secs(3600));
        assert_eq!(read(&world, "s").await.as_deref(), Ok("one"));
        *world.value.lock().unwrap() = Some("two");
        assert_eq!(read(&world, "s").await.as_deref(), Ok("one"));
        assert_eq!(world.client.requests().len(), 1);

        assert_eq!(world.watch.refresh().await, Round { n_changed: 1, n_failed: 0 });
        assert_eq!(read(&world, "s").await.as_deref(), Ok("two"));
        assert_eq!(world.watch.refresh().await, Round::default());
    }

    #[tokio::test]
    async fn the_last_good_value_stays_when_a_refresh_fails() {
        let world = world(Duration::from_secs(3600));
        assert!(read(&world, "s").await.is_ok());
        *world.value.lock().unwrap() = None;

        assert_eq!(world.watch.refresh().await, Round { n_changed: 0, n_failed: 1 });

        assert_eq!(read(&world, "s").await.as_deref(), Ok("one"));
        assert_eq!(world.watch.problems().len(), 1);
        assert!(read(&world, "other").await.is_err());
        world.watch.forget_all();
        assert!(read(&world, "s").await.is_err());
    }

    #[tokio::test]
    async fn a_version_in_the_identifier_pins_the_value() {
        let world = world(Duration::from_secs(3600));
        assert!(read(&world, "s/0123").await.is_ok());
        *world.value.lock().unwrap() = Some("two");

        assert_eq!(world.watch.refresh().await, Round::default());
        assert_eq!(read(&world, "s/0123").await.as_deref(), Ok("one"));
    }

    #[tokio::test]
    async fn a_change_is_told_after_about_the_interval() {
        let world = world(Duration::from_secs(600));
        assert!(read(&world, "s").await.is_ok());
        let n = Arc::new(AtomicUsize::new(0));
        let (watch, told) = (Arc::clone(&world.watch), Arc::clone(&n));
        tokio::spawn(async move {
            let on_change = || {
                told.fetch_add(1, Ordering::Relaxed);
            };
            watch.run(on_change).await;
        });
        settle().await;
        *world.value.lock().unwrap() = Some("two");

        world.clock.advance(Duration::from_secs(539));
        settle().await;
        assert_eq!(n.load(Ordering::Relaxed), 0);
        world.clock.advance(Duration::from_secs(122));
        settle().await;
        assert_eq!(n.load(Ordering::Relaxed), 1);
        world.clock.advance(Duration::from_secs(661));
        settle().await;
        assert_eq!(n.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn pauses_vary_by_a_tenth_and_are_shorter_after_a_failure() {
        let world = world(Duration::ZERO);
        let hour = world_interval(3600);
        for _ in 0..100 {
            let secs = |it: Duration| it.as_secs_f64();
            assert!((54.0..66.1).contains(&secs(world.watch.pause(0))));
            assert!((3240.0..3960.1).contains(&secs(hour.watch.pause(0))));
            assert!((54.0..66.1).contains(&secs(hour.watch.pause(1))));
            assert!((216.0..264.1).contains(&secs(hour.watch.pause(3))));
            assert!((3240.0..3960.1).contains(&secs(hour.watch.pause(40))));
        }
    }

    fn world_interval(secs: u64) -> World {
        world(Duration::from_secs(secs))
    }

    #[test]
    fn values_are_never_shown() {
        let world = world(Duration::ZERO);
        *world.value.lock().unwrap() = Some("s3cr3t");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { assert!(read(&world, "s").await.is_ok()) });
        assert!(!format!("{:?}", world.watch).contains("s3cr3t"));
    }
}
