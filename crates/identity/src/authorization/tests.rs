//! Whole flights: caching, refreshing, failing, replaced refresh tokens.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use transport::{Body, CallError, FakeClient, FakeClock, Response};

use super::*;

fn request(grant: Grant) -> TokenRequest {
    TokenRequest {
        token_url: Url::parse("https://login.test/token").unwrap(),
        client_id: "app 1".to_owned(),
        client_secret: Some(Secret::new("s&1")),
        secret_in: SecretIn::Body,
        grant,
        scopes: vec!["a".to_owned(), "b".to_owned()],
        parameters: vec![("audience".to_owned(), "x".to_owned())],
    }
}

/// A provider whose nth answer is `answers[n]`; the last one again and again. Empty: nobody.
fn provider(answers: &[&'static str]) -> (AuthorizationTokens, FakeClient, FakeClock) {
    let answers: Vec<&'static str> = answers.to_vec();
    let n_asked = AtomicUsize::new(0);
    let client = FakeClient::new(move |_| {
        let at = n_asked.fetch_add(1, Relaxed).min(answers.len() - 1);
        match answers[at] {
            "" => {
                Err(CallError::Connect { host: "login.test".to_owned(), reason: "no".to_owned() })
            }
            body => Ok(Response::new(Body::full(body))),
        }
    });
    let clock = FakeClock::at_unix(1_000_000);
    let tokens = AuthorizationTokens::new(Arc::new(client.clone()), Arc::new(clock.clone()));
    (tokens, client, clock)
}

async fn token(tokens: &AuthorizationTokens, request: &TokenRequest) -> String {
    match tokens.get(request).await {
        Ok(it) => it.access_token().expose().to_owned(),
        Err(problem) => problem.to_string(),
    }
}

fn bodies(client: &FakeClient) -> Vec<String> {
    let text = |it: &transport::RecordedRequest| String::from_utf8(it.body.to_vec()).unwrap();
    client.requests().iter().map(text).collect()
}

#[tokio::test]
async fn a_token_is_kept_and_refreshed_early() {
    let (tokens, client, clock) = provider(&[
        r#"{"access_token":"t1","expires_in":3600}"#,
        r#"{"access_token":"t2","expires_in":3600}"#,
    ]);
    let request = request(Grant::ClientCredentials);
    for (minutes, expected) in [(0, "t1"), (54, "t1"), (1, "t2"), (1, "t2")] {
        clock.advance(Duration::from_mins(minutes));
        assert_eq!(token(&tokens, &request).await, expected);
    }
    let body =
        "grant_type=client_credentials&client_id=app+1&client_secret=s%261&scope=a+b&audience=x";
    assert_eq!(bodies(&client), [body, body]);
}

#[tokio::test]
async fn an_old_token_serves_while_the_provider_is_away() {
    let (tokens, client, clock) = provider(&[r#"{"access_token":"t1","expires_in":3600}"#, ""]);
    let request = request(Grant::ClientCredentials);
    assert_eq!(token(&tokens, &request).await, "t1");
    clock.advance(Duration::from_mins(56));
    assert_eq!(token(&tokens, &request).await, "t1");
    assert_eq!(token(&tokens, &request).await, "t1");
    assert_eq!(client.requests().len(), 2, "one attempt in 30 s");
    clock.advance(Duration::from_mins(5));
    assert!(token(&tokens, &request).await.contains("not available"));
    let n_asked = client.requests().len();
    assert!(token(&tokens, &request).await.contains("not available"));
    assert_eq!(client.requests().len(), n_asked, "the failure is kept for a moment");
}

#[tokio::test]
async fn many_ask_and_one_call_is_made() {
    let (tokens, client, _) = provider(&[r#"{"access_token":"t1","expires_in":3600}"#]);
    let request = request(Grant::ClientCredentials);
    let (a, b, c) =
        tokio::join!(token(&tokens, &request), token(&tokens, &request), token(&tokens, &request));
    assert_eq!([a, b, c], ["t1", "t1", "t1"]);
    assert_eq!(client.requests().len(), 1);
}

#[tokio::test]
async fn a_replaced_refresh_token_is_used_next_and_written_down() {
    let folder = std::env::temp_dir().join(format!("portcullis-refresh-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("token");
    let (tokens, client, clock) = provider(&[
        r#"{"access_token":"t1","expires_in":60,"refresh_token":"r2"}"#,
        r#"{"access_token":"t2","expires_in":60}"#,
        r#"{"access_token":"t3","expires_in":60,"refresh_token":"r3"}"#,
    ]);
    let grant = Grant::RefreshToken { token: Secret::new("r1"), file: Some(file.clone()) };
    let request = request(grant);
    for expected in ["t1", "t2", "t3"] {
        assert_eq!(token(&tokens, &request).await, expected);
        clock.advance(Duration::from_mins(2));
    }
    let used: Vec<String> = bodies(&client)
        .iter()
        .map(|it| it.split('&').nth(1).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(used, ["refresh_token=r1", "refresh_token=r2", "refresh_token=r2"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "r3");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_secret_may_stand_in_the_header() {
    let (tokens, client, _) = provider(&[r#"{"access_token":"t1"}"#]);
    let request = TokenRequest { secret_in: SecretIn::Header, ..request(Grant::ClientCredentials) };
    assert_eq!(token(&tokens, &request).await, "t1");
    let headers = client.requests()[0].headers.clone();
    // RFC 6749, 2.3.1: both are form-encoded first.
    assert_eq!(headers["authorization"], "Basic YXBwKzE6cyUyNjE=");
    assert_eq!(bodies(&client), ["grant_type=client_credentials&scope=a+b&audience=x"]);
}

#[test]
fn other_settings_are_other_tokens() {
    let one = request(Grant::ClientCredentials);
    let other = TokenRequest { client_secret: Some(Secret::new("s2")), ..one.clone() };
    assert!(key(&one) == key(&one.clone()) && key(&one) != key(&other));
    assert!(!format!("{one:?}").contains("s&1"));
}
