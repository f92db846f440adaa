//! What a backend entity adds to its requests, after all policies.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/backends>

use std::borrow::Cow;

use config::Credentials;
use http::{HeaderMap, HeaderValue, header};
use pipeline::url::pairs;
use pipeline::{Blame, Context, PolicyError, QueryText, RequestUrl};

use super::BackendTokens;
use crate::trail;

/// Puts a backend's credentials in. What the client or a policy sent under the same name is
/// dropped first, so that nobody can add to them.
pub(super) async fn apply(
    credentials: &Credentials,
    tokens: Option<&dyn BackendTokens>,
    headers: &mut HeaderMap,
    url: &mut Cow<'_, RequestUrl>,
) -> Result<(), PolicyError> {
    for (name, values) in &credentials.headers {
        headers.remove(name);
        for value in values {
            headers.append(name, value.clone());
        }
    }
    for (name, values) in &credentials.query {
        let values: Vec<QueryText> = values.iter().map(|it| QueryText::new(it.expose())).collect();
        url.to_mut().set_parameter(&QueryText::new(name), values.iter());
    }
    if let Some(value) = &credentials.authorization {
        headers.insert(header::AUTHORIZATION, value.clone());
    }
    let Some(identity) = &credentials.managed_identity else { return Ok(()) };
    let failed = |reason: &str| {
        PolicyError::new("ManagedIdentityTokenError", reason).blame(Blame::IdentityProvider)
    };
    let tokens = tokens.ok_or_else(|| failed("No managed identity is set up."))?;
    let token = tokens
        .access_token(&identity.resource, identity.client_id.as_deref())
        .await
        .map_err(|it| failed(&it))?;
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
        .map_err(|_| failed("The token is no header value."))?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

/// With the setting for it, takes the subscription key out of what goes to the backend: where it
/// still stands as the client sent it. A policy may have put the backend's own key in its place.
pub(super) fn strip_keys(
    context: &Context,
    headers: &mut HeaderMap,
    url: &mut Cow<'_, RequestUrl>,
) {
    let Some(subscription) = &context.subscription else { return };
    let Some((live, api)) = trail::of(context) else { return };
    if !live.snapshot.settings.strip_subscription_keys {
        return;
    }
    let key = subscription.key.as_str();
    if headers.get(&api.key_header).is_some_and(|it| it.as_bytes() == key.as_bytes()) {
        headers.remove(&api.key_header);
    }
    for name in [api.key_query.as_str(), api.key_header.as_str()] {
        let is_key = pairs(url.own_query()).any(|it| it.is_named(name) && it.value() == key);
        if is_key {
            url.to_mut().remove_parameter(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use config::{Credentials, ManagedIdentity};
    use http::{HeaderMap, HeaderName, HeaderValue, header};
    use pipeline::{BaseUrl, RequestUrl};
    use transport::{BoxFuture, Secret};

    use super::{BackendTokens, apply};

    #[derive(Debug)]
    struct Tokens;

    impl BackendTokens for Tokens {
        fn access_token<'a>(
            &'a self,
            resource: &'a str,
            client_id: Option<&'a str>,
        ) -> BoxFuture<'a, Result<Secret, String>> {
            let token = match resource {
                "https://down" => Err("nobody answers".to_owned()),
                _ => Ok(format!("{resource}/{client_id:?}").into()),
            };
            Box::pin(std::future::ready(token))
        }
    }

    fn url() -> Cow<'static, RequestUrl> {
        let base = Arc::new(BaseUrl::parse("https://h").unwrap());
        Cow::Owned(RequestUrl::new(base, "/x", "Code=mine&a=b"))
    }

    #[tokio::test]
    async fn credentials_replace_what_is_there() {
        let own = HeaderName::from_static("api-key");
        let credentials = Credentials {
            headers: vec![(own.clone(), vec![HeaderValue::from_static("real")])],
            query: vec![("code".to_owned(), vec!["s 1".into()])],
            authorization: Some(HeaderValue::from_static("Basic eA==")),
            managed_identity: None,
            aws: None,
        };
        let (mut headers, mut url) = (HeaderMap::new(), url());
        headers.append(own.clone(), HeaderValue::from_static("fake"));
        headers.append(own.clone(), HeaderValue::from_static("other"));

        apply(&credentials, None, &mut headers, &mut url).await.unwrap();

        assert_eq!(headers.get_all(own).iter().collect::<Vec<_>>(), ["real"]);
        assert_eq!(headers[header::AUTHORIZATION], "Basic eA==");
        assert_eq!(url.own_query(), "Code=s%201&a=b");
    }

    #[tokio::test]
    async fn a_managed_identity_sends_its_token_or_fails() {
        let identity = |resource: &str| Credentials {
            managed_identity: Some(ManagedIdentity {
                resource: resource.to_owned(),
                client_id: None,
            }),
            ..Credentials::default()
        };
        let mut headers = HeaderMap::new();

        apply(&identity("https://up"), Some(&Tokens), &mut headers, &mut url()).await.unwrap();
        assert_eq!(headers[header::AUTHORIZATION], "Bearer https://up/None");
        assert!(headers[header::AUTHORIZATION].is_sensitive());

        for (resource, tokens) in
            [("https://down", Some(&Tokens as &dyn BackendTokens)), ("x", None)]
        {
            let error = apply(&identity(resource), tokens, &mut headers, &mut url()).await;
            assert_eq!(error.unwrap_err().reason(), "ManagedIdentityTokenError");
        }
    }
}
