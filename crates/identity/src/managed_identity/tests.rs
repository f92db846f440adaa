//! Every source against a pretended endpoint, and the life of a token.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Response};
use serde_json::json;
use transport::{Body, CallError, FakeClient, FakeClock, RecordedRequest};
use url::Url;

use super::*;
use crate::test_support::{NOW, settle};

const RESOURCE: &str = "https://cognitiveservices.azure.com";

/// What the pretended endpoint does next.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Down,
    Busy,
    Refusing,
}

struct World {
    clock: FakeClock,
    client: FakeClient,
    identities: Arc<ManagedIdentities>,
    mood: Arc<Mutex<Mood>>,
}

impl World {
    /// Tokens are named by the number of the call and live for an hour.
    fn new(source: IdentitySource) -> Self {
        let mood = Arc::new(Mutex::new(Mood::Well));
        let clock = FakeClock::at_unix(NOW);
        let (shown, time, count) = (Arc::clone(&mood), clock.clone(), Mutex::new(0));
        let client = FakeClient::new(move |request| {
            use transport::Clock as _;
            let mut count = count.lock().unwrap();
            *count += 1;
            let now = time.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            let answer = |status, body: serde_json::Value| {
                Ok(Response::builder().status(status).body(Body::full(body.to_string())).unwrap())
            };
            match *shown.lock().unwrap() {
                Mood::Well => answer(
                    200,
                    json!({ "access_token": format!("t{count}"), "token_type": "Bearer",
                        "expires_in": "3600", "expires_on": (now + 3600).to_string() }),
                ),
                Mood::Busy => answer(429, json!({ "error": "busy" })),
                Mood::Refusing => answer(
                    400,
                    json!({ "error": "invalid_request",
                    "error_description": "Identity not found" }),
                ),
                Mood::Down => {
                    let host = request.uri.host().unwrap().to_owned();
                    Err(CallError::Connect { host, reason: "refused".to_owned() })
                }
            }
        });
        let settings = ManagedIdentitySettings { source, runtime: None };
        let shared: Arc<dyn transport::HttpClient> = Arc::new(client.clone());
        let identities = ManagedIdentities::new(shared, Arc::new(clock.clone()), settings);
        Self { clock, client, identities: Arc::new(identities), mood }
    }

    fn imds() -> Self {
        Self::new(IdentitySource::from_environment(Environment::new(|_| None)).unwrap())
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn token(&self) -> Result<String, String> {
        self.token_of(None, RESOURCE).await
    }

    /// Asks, and lets time pass second by second while it waits.
    async fn token_of(&self, client_id: Option<&str>, resource: &str) -> Result<String, String> {
        let identities = Arc::clone(&self.identities);
        let (client_id, resource) = (client_id.map(str::to_owned), resource.to_owned());
        let task =
            tokio::spawn(
                async move { identities.access_token(client_id.as_deref(), &resource).await },
            );
        for _ in 0..100 {
            settle().await;
            if task.is_finished() {
                break;
            }
            self.clock.advance(Duration::from_secs(1));
        }
        let outcome = task.await.unwrap();
        outcome.map(|it| it.secret().expose().to_owned()).map_err(|it| it.to_string())
    }

    /// Asks while time stands still: files are read on another thread.
    async fn token_at_once(
        &self,
        client_id: Option<&str>,
        resource: &str,
    ) -> Result<String, String> {
        let outcome = self.identities.access_token(client_id, resource).await;
        outcome.map(|it| it.secret().expose().to_owned()).map_err(|it| it.to_string())
    }

    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            settle().await;
        }
    }

    fn calls(&self) -> Vec<RecordedRequest> {
        self.client.requests()
    }
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables: Vec<(String, String)> =
        variables.iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
    Environment::new(move |name| variables.iter().find(|it| it.0 == name).map(|it| it.1.clone()))
}

#[tokio::test]
async fn imds_is_asked_as_documented() {
    let world = World::imds();

    assert_eq!(world.token().await.as_deref(), Ok("t1"));
    assert_eq!(
        world.token_of(Some("user id"), "https://vault.azure.net/").await.as_deref(),
        Ok("t2")
    );

    let calls = world.calls();
    assert_eq!(
        calls[0].uri,
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com"
    );
    assert_eq!(calls[0].headers["metadata"], "true");
    assert!(!calls[0].headers.contains_key("x-forwarded-for"));
    let query = calls[1].uri.query().unwrap();
    assert!(
        query.ends_with("&resource=https%3A%2F%2Fvault.azure.net%2F&client_id=user+id"),
        "{query}"
    );
}

#[tokio::test]
async fn app_service_is_asked_with_the_header_of_the_moment() {
    let header = Arc::new(Mutex::new("one"));
    let shown = Arc::clone(&header);
    let environment = Environment::new(move |name| match name {
        "IDENTITY_ENDPOINT" => Some("http://localhost:1/msi/token".to_owned()),
        "IDENTITY_HEADER" => Some((*shown.lock().unwrap()).to_owned()),
        _ => None,
    });
    let world = World::new(IdentitySource::from_environment(environment).unwrap());

    assert!(world.token().await.is_ok());
    *header.lock().unwrap() = "two";
    assert!(world.token_of(Some("u"), RESOURCE).await.is_ok());

    let calls = world.calls();
    assert_eq!(
        calls[1].uri,
        "http://localhost:1/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=u"
    );
    assert_eq!(calls[0].headers["x-identity-header"], "one");
    assert_eq!(calls[1].headers["x-identity-header"], "two");
    assert!(calls[1].headers["x-identity-header"].is_sensitive());
    *header.lock().unwrap() = "";
    let error = world.token_of(None, "other").await.unwrap_err();
    assert!(error.contains("`IDENTITY_HEADER` is not set any more"), "{error}");
}

#[tokio::test]
async fn a_federated_token_is_exchanged() {
    let directory = tempdir();
    let file = directory.join("token");
    std::fs::write(&file, "assertion-1\n").unwrap();
    let variables = environment(&[
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_AUTHORITY_HOST", "https://login.test/"),
    ]);
    let world = World::new(IdentitySource::from_environment(variables).unwrap());

    assert!(world.token_at_once(None, RESOURCE).await.is_ok());
    std::fs::write(&file, "assertion-2").unwrap();
    let other = world.token_at_once(Some("other"), "https://management.azure.com/").await;
    assert!(other.is_ok());

    let calls = world.calls();
    assert_eq!(calls[0].method, Method::POST);
    assert_eq!(calls[0].uri, "https://login.test/tenant/oauth2/v2.0/token");
    let form = |n: usize| -> Vec<(String, String)> {
        url::form_urlencoded::parse(&calls[n].body).into_owned().collect()
    };
    let expect = |client: &str, scope: &str, assertion: &str| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("scope", scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    };
    assert_eq!(form(0), expect("client", &format!("{RESOURCE}/.default"), "assertion-1"));
    assert_eq!(form(1), expect("other", "https://management.azure.com//.default", "assertion-2"));

    std::fs::remove_file(&file).unwrap();
    let error = world.token_at_once(None, "x").await.unwrap_err();
    assert!(error.contains("cannot be read"), "{error}");
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn the_challenge_of_azure_arc_is_answered_from_the_expected_directory_only() {
    let directory = tempdir();
    std::fs::write(directory.join("a.key"), "file secret").unwrap();
    std::fs::write(directory.join("big.key"), "x".repeat(4097)).unwrap();
    std::fs::write(directory.join("a.txt"), "other").unwrap();
    for (file, expected) in [
        ("a.key", Ok("arc")),
        ("big.key", Err("cannot be read")),
        ("missing.key", Err("cannot be read")),
        ("a.txt", Err("unexpected file")),
        ("../a.key", Err("unexpected file")),
        ("sub/../a.key", Err("unexpected file")),
    ] {
        let realm = format!("Basic realm={}/{file}", directory.display());
        let client = FakeClient::new(move |request| {
            let is_proven =
                request.headers.get("authorization").is_some_and(|it| it == "Basic file secret");
            let answer = match is_proven {
                true => Response::builder()
                    .body(Body::full(r#"{"access_token":"arc","expires_in":"60"}"#)),
                false => Response::builder()
                    .status(401)
                    .header("WWW-Authenticate", realm.as_str())
                    .body(Body::empty()),
            };
            Ok(answer.unwrap())
        });
        let source = IdentitySource::Arc {
            endpoint: Url::parse("http://localhost:40342/metadata/identity/oauth2/token").unwrap(),
            key_directory: directory.clone(),
        };
        let settings = ManagedIdentitySettings { source, runtime: None };
        let clock = Arc::new(FakeClock::at_unix(NOW));
        let identities = ManagedIdentities::new(Arc::new(client.clone()), clock, settings);

        let outcome = identities.access_token(None, RESOURCE).await;

        match (outcome, expected) {
            (Ok(token), Ok(text)) => assert_eq!(token.secret().expose(), text),
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
            (outcome, _) => panic!("{file}: {outcome:?}"),
        }
        assert_eq!(client.requests()[0].headers["metadata"], "true");
        let user = identities.access_token(Some("user"), RESOURCE).await;
        assert!(user.unwrap_err().to_string().contains("system-assigned"));
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_fixed_token_is_always_there() {
    let world = World::new(IdentitySource::Fixed(transport::Secret::new("fixed")));
    assert_eq!(world.token().await.as_deref(), Ok("fixed"));
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn tokens_are_kept_by_identity_and_resource() {
    let world = World::imds();
    for _ in 0..3 {
        assert_eq!(world.token().await.as_deref(), Ok("t1"));
        assert_eq!(world.token_of(Some("u"), RESOURCE).await.as_deref(), Ok("t2"));
        assert_eq!(
            world.token_of(None, "https://cognitiveservices.azure.com/").await.as_deref(),
            Ok("t3")
        );
        assert_eq!(world.token_of(Some(" "), RESOURCE).await.as_deref(), Ok("t1"));
    }
}

#[tokio::test]
async fn a_hundred_first_requests_cause_one_call() {
    let world = World::imds();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let identities = Arc::clone(&world.identities);
            tokio::spawn(async move { identities.access_token(None, RESOURCE).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_token_in_use_is_refreshed_five_minutes_before_it_expires() {
    let world = World::imds();
    assert!(world.token().await.is_ok());
    settle().await;

    world.pass(3600 - 301).await;
    assert_eq!(world.calls().len(), 1);
    world.pass(1).await;
    assert_eq!(world.calls().len(), 2);
    assert_eq!(world.token().await.as_deref(), Ok("t2"));
}

#[tokio::test]
async fn a_token_that_nobody_uses_is_not_refreshed_for_ever() {
    let world = World::imds();
    assert!(world.token().await.is_ok());
    for _ in 0..1000 {
        world.clock.advance(Duration::from_secs(10));
        settle().await;
    }
    assert_eq!(world.calls().len(), 2);
    assert_eq!(world.token().await.as_deref(), Ok("t3"));
    world.pass(3400).await;
    assert_eq!(world.calls().len(), 4);
}

#[tokio::test]
async fn the_old_token_is_used_until_it_expires_while_the_endpoint_is_down() {
    let world = World::imds();
    assert!(world.token().await.is_ok());
    settle().await;
    world.set(Mood::Down);

    world.pass(3599).await;
    assert_eq!(world.token().await.as_deref(), Ok("t1"));
    let n = world.calls().len();
    assert!((6..=21).contains(&n), "{n}");
    world.pass(1).await;
    let error = world.token().await.unwrap_err();
    assert_eq!(
        error,
        "the managed identity endpoint (IMDS) is not available: cannot connect to `169.254.169.254`: refused"
    );

    world.set(Mood::Well);
    world.pass(2).await;
    assert!(world.token().await.is_ok());
}

#[tokio::test]
async fn a_request_waits_for_two_quick_retries_and_then_fails() {
    for mood in [Mood::Down, Mood::Busy] {
        let world = World::imds();
        world.set(mood);

        let error = world.token().await.unwrap_err();
        assert!(error.contains("is not available"), "{error}");
        assert_eq!(world.calls().len(), 3);
        // Who asks at once is told the same, without another call.
        assert!(world.token().await.is_err());
        assert_eq!(world.calls().len(), 3);

        world.set(Mood::Well);
        world.pass(2).await;
        assert!(world.token().await.is_ok());
        assert_eq!(world.calls().len(), 4);
    }
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let world = World::imds();
    world.set(Mood::Refusing);

    let error = world.token().await.unwrap_err();

    assert_eq!(
        error,
        "the managed identity is not usable (IMDS): status 400, invalid_request, Identity not found"
    );
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn the_patient_schedule_is_that_of_the_documentation() {
    let world = World::imds();
    assert!(world.token().await.is_ok());
    settle().await;
    world.set(Mood::Busy);
    world.pass(3300 - 1).await;
    let mut made = Vec::new();
    for second in 0..60 {
        world.pass(1).await;
        made.resize(world.calls().len() - 1, second);
    }
    assert_eq!(made, [0, 2, 6, 14, 30]);
}

#[tokio::test]
async fn the_number_of_tokens_and_the_length_of_names_are_bounded() {
    let world = World::new(IdentitySource::Fixed(transport::Secret::new("fixed")));
    for n in 0..1100 {
        assert!(world.identities.access_token(None, &format!("r{n}")).await.is_ok());
    }
    assert_eq!(world.identities.n_tokens(), 1024);
    for resource in [String::new(), "x".repeat(3000)] {
        assert!(world.identities.access_token(None, &resource).await.is_err());
    }
}

#[test]
fn tokens_and_sources_show_no_secret() {
    let secret = || transport::Secret::new("s3cr3t");
    let token = AccessToken::new(secret(), SystemTime::UNIX_EPOCH);
    let shown = format!("{token:?} {:?}", IdentitySource::Fixed(secret()));
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

/// A new directory for one test.
fn tempdir() -> std::path::PathBuf {
    static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let n = N.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("portcullis-identity-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}
