//! `<authentication-managed-identity>`: authenticates with the backend by a token of the
//! gateway's managed identity.
//!
//! The token goes into `Authorization`, or into a variable if the policy names one.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/authentication-managed-identity-policy>

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use expr::{Str, Value};
use http::StatusCode;
use http::header::AUTHORIZATION;
use identity::{AccessToken, ManagedIdentities, TokenOf};
use pipeline::{
    Attr, Blame, CompileCx, Computed, Context, Diagnostic, Element, Flow, Message, PolicyError,
    PolicyKind, Scope, Scopes, Sections, Step, Waiting,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "authentication-managed-identity",
    summary: "Authenticates with the backend by a token of the gateway's managed identity.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL.without(Scope::Workspace),
    attrs: &[RESOURCE, CLIENT_ID, OUTPUT, IGNORE_ERROR],
    children: &[],
    compile,
};

const RESOURCE: Attr = Attr::required("resource")
    .expressions()
    .doc("What the token is for: App ID URI or application ID; a slash at the end counts.");
const CLIENT_ID: Attr = Attr::absent_by_default("client-id")
    .doc("Client ID of a user-assigned identity; the system-assigned one if absent.");
const OUTPUT: Attr = Attr::absent_by_default("output-token-variable-name")
    .doc("Variable that receives the token instead of the header.");
const IGNORE_ERROR: Attr =
    Attr::optional("ignore-error", "false").doc("Whether to go on without a token.");

/// Keeps the token out of `Debug`.
#[derive(Default)]
struct Known(ArcSwapOption<(Arc<str>, Value)>);

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known(..)")
    }
}

#[derive(Debug)]
struct AuthenticationManagedIdentity {
    resource: Computed<String>,
    client_id: Option<String>,
    /// Found at load, if the resource is no expression.
    token: Option<TokenOf>,
    output: Option<Arc<str>>,
    /// The last token's text and what a variable has for it.
    known: Known,
    ignore_error: bool,
    message: Message,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let client_id: Option<Computed<String>> = cx.attr_if(element, &CLIENT_ID)?;
    let client_id = client_id.and_then(|it| it.as_literal().cloned());
    let output: Option<String> = cx.literal_if(element, &OUTPUT)?;
    let resource: Computed<String> = cx.attr(element, &RESOURCE)?;
    let identities: Option<Arc<ManagedIdentities>> = cx.extension();
    let token = identities.zip(resource.as_literal()).and_then(|(identities, resource)| {
        identities.token_of(client_id.as_deref(), resource.trim()).ok()
    });
    Ok(Step::waiting(AuthenticationManagedIdentity {
        resource,
        client_id,
        token,
        output: output.map(Into::into),
        known: Known::default(),
        ignore_error: cx.literal(element, &IGNORE_ERROR)?,
        message: cx.message(),
    }))
}

impl Waiting for AuthenticationManagedIdentity {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let resource = self.resource.get(context)?;
        match self.token(context, resource.trim()).await {
            Ok(token) => self.put(&token, context)?,
            Err(error) if self.ignore_error => {
                tracing::debug!(resource, "{}", error.message());
                if let Some(name) = &self.output {
                    context.variables.set(Arc::clone(name), Value::Null);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(Flow::Next)
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        let Some(token) = self.token.as_ref().and_then(TokenOf::ready) else { return Ok(None) };
        self.put(&token, context)?;
        Ok(Some(Flow::Next))
    }
}

impl AuthenticationManagedIdentity {
    /// The token as a variable has it; made once per token, because that looks at all of it.
    fn value(&self, token: &AccessToken) -> Value {
        let text = token.text();
        if let Some(known) = &*self.known.0.load()
            && Arc::ptr_eq(&known.0, &text)
        {
            return known.1.clone();
        }
        let value = Value::String(Str::from(Arc::clone(&text)));
        self.known.0.store(Some(Arc::new((text, value.clone()))));
        value
    }

    fn put(&self, token: &AccessToken, context: &mut Context) -> Result<(), PolicyError> {
        match &self.output {
            Some(name) => context.variables.set(Arc::clone(name), self.value(token)),
            None => {
                let header = token.bearer().ok_or_else(|| failure("the token makes no header"))?;
                context.headers_mut(self.message).insert(AUTHORIZATION, header);
            }
        }
        Ok(())
    }

    async fn token(&self, context: &Context, resource: &str) -> Result<AccessToken, PolicyError> {
        let outcome = match &self.token {
            Some(token) => token.access_token().await,
            None => {
                let identities: Option<Arc<ManagedIdentities>> = context.services.extension();
                let identities =
                    identities.ok_or_else(|| failure("no managed identity is set up"))?;
                identities.access_token(self.client_id.as_deref(), resource).await
            }
        };
        outcome.map_err(|problem| match problem.is_temporary() {
            true => failure(problem)
                .respond(StatusCode::SERVICE_UNAVAILABLE, "Managed identity is not available.")
                .blame(Blame::IdentityProvider),
            false => failure(problem).blame(Blame::Configuration),
        })
    }
}

fn failure(problem: impl ToString) -> PolicyError {
    PolicyError::new("ManagedIdentityTokenError", problem.to_string())
}

#[cfg(test)]
mod tests {
    use identity::{IdentitySource, ManagedIdentitySettings};
    use pipeline::Extensions;
    use transport::{Body, FakeClient, FakeClock, Response, Secret};

    use super::*;
    use crate::test_support::{Ran, Trial, problems};

    const TOKEN: &str = r#"{"access_token":"t1","expires_in":"3600"}"#;

    /// An endpoint that gives a token, or refuses with this status.
    fn run(attrs: &str, status: u16) -> (Ran, FakeClient) {
        let client = FakeClient::new(move |_| {
            let body = if status == 200 { TOKEN } else { r#"{"error":"invalid_resource"}"# };
            Ok(Response::builder_with(status, body))
        });
        let base = url::Url::parse("http://169.254.169.254").unwrap();
        let ran = run_with(attrs, &client, IdentitySource::Imds { base });
        (ran, client)
    }

    fn run_with(attrs: &str, client: &FakeClient, source: IdentitySource) -> Ran {
        let clock = Arc::new(FakeClock::at_unix(1_700_000_000));
        let settings = ManagedIdentitySettings { source, runtime: None };
        let identities = ManagedIdentities::new(Arc::new(client.clone()), clock, settings);
        let mut extensions = Extensions::default();
        extensions.insert(Arc::new(identities));
        let policy = format!(r#"<authentication-managed-identity {attrs} />"#);
        Trial { extensions, ..Trial::inbound(&policy) }.run("Authorization: Bearer of-the-client")
    }

    trait BuilderWith {
        fn builder_with(status: u16, body: &'static str) -> Self;
    }

    impl BuilderWith for Response {
        fn builder_with(status: u16, body: &'static str) -> Self {
            http::Response::builder().status(status).body(Body::full(body)).unwrap()
        }
    }

    fn authorization(ran: &Ran) -> &http::HeaderValue {
        &ran.context.request.headers[AUTHORIZATION]
    }

    #[test]
    fn the_token_replaces_the_header() {
        let (ran, client) = run(r#"resource="https://cognitiveservices.azure.com""#, 200);

        assert_eq!(ran.outcome, "next");
        assert_eq!(authorization(&ran), "Bearer t1");
        assert!(authorization(&ran).is_sensitive());
        let query = client.requests()[0].uri.query().unwrap().to_owned();
        assert!(query.ends_with("resource=https%3A%2F%2Fcognitiveservices.azure.com"), "{query}");
    }

    #[test]
    fn with_a_variable_the_header_stays() {
        let attrs = r#"resource="r/" client-id="user" output-token-variable-name="token""#;
        let (ran, client) = run(attrs, 200);

        assert_eq!(ran.context.variables.get("token").unwrap().as_str(), Some("t1"));
        assert_eq!(authorization(&ran), "Bearer of-the-client");
        let query = client.requests()[0].uri.query().unwrap().to_owned();
        assert!(query.ends_with("resource=r%2F&client_id=user"), "{query}");
    }

    #[test]
    fn a_refusal_is_an_error_of_the_configuration() {
        let (ran, _) = run(r#"resource="r""#, 400);

        assert_eq!(ran.outcome, "500 - (ManagedIdentityTokenError)");
        assert_eq!(ran.blame, Some(Blame::Configuration));
        assert_eq!(authorization(&ran), "Bearer of-the-client");
    }

    /// A clock on which no time passes and nobody waits.
    #[derive(Debug)]
    struct Hasty;

    impl transport::Clock for Hasty {
        fn now(&self) -> std::time::SystemTime {
            std::time::SystemTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }

        fn sleep(&self, _: std::time::Duration) -> transport::BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn an_endpoint_that_is_down_is_to_blame() {
        let client = Arc::new(FakeClient::unreachable());
        let base = url::Url::parse("http://169.254.169.254").unwrap();
        let settings =
            ManagedIdentitySettings { source: IdentitySource::Imds { base }, runtime: None };
        let mut extensions = Extensions::default();
        let identities = ManagedIdentities::new(client, Arc::new(Hasty), settings);
        extensions.insert(Arc::new(identities));
        let policy = r#"<authentication-managed-identity resource="r" />"#;

        let ran = Trial { extensions, ..Trial::inbound(policy) }.run("");

        let expected = "503 Managed identity is not available. (ManagedIdentityTokenError)";
        assert_eq!(ran.outcome, expected);
        assert_eq!(ran.blame, Some(Blame::IdentityProvider));
    }

    #[test]
    fn errors_can_be_ignored() {
        let attrs = r#"resource="r" ignore-error="true""#;
        let (ran, _) = run(attrs, 400);
        assert_eq!(
            (ran.outcome.as_str(), authorization(&ran)),
            ("next", &"Bearer of-the-client".parse().unwrap())
        );

        let (ran, _) = run(&format!(r#"{attrs} output-token-variable-name="token""#), 400);
        assert!(ran.context.variables.get("token").unwrap().is_null());
    }

    #[test]
    fn a_fixed_token_needs_no_endpoint() {
        let source = IdentitySource::Fixed(Secret::new("fixed"));
        let ran = run_with(r#"resource="r""#, &FakeClient::unreachable(), source);
        assert_eq!(authorization(&ran), "Bearer fixed");
    }

    #[test]
    fn without_an_identity_the_request_fails() {
        let ran = Trial::inbound(r#"<authentication-managed-identity resource="r" />"#).run("");
        assert_eq!(ran.outcome, "500 - (ManagedIdentityTokenError)");
    }

    #[test]
    fn attributes_are_checked() {
        let with = |attrs: &str| problems(&format!("<authentication-managed-identity {attrs} />"));
        assert_eq!(with(""), "PC0404");
        assert_eq!(with(r#"resource="r" ignore-error="perhaps""#), "PC0409");
        assert_eq!(with(r#"resource="r" scope="x""#), "PC0403");
        assert_eq!(with(r#"resource="r" client-id="c" ignore-error="False""#), "fine");
        let outbound = Trial::of(
            pipeline::Section::Outbound,
            r#"<authentication-managed-identity resource="r" />"#,
        );
        assert_eq!(outbound.problems(), "PC0413");
    }
}
