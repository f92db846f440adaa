//! What a request shows to say who sends it: keys and tokens, of the client and of the gateway.

use std::fmt;

use http::HeaderMap;
use pipeline::{Context, url};
use telemetry::redact;
use transport::Secret;

/// Headers whose values say who somebody is, beside those that are marked as sensitive.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-functions-key",
    "aeg-sas-key",
    "cookie",
];
/// Most texts of one request: a header may be there many times.
const MAX_SECRETS: usize = 64;

/// Texts of a request that no record may show. Among the request's extensions from the first step
/// to the last. `Debug` shows nothing.
#[derive(Clone, Default)]
pub(super) struct RequestSecrets(Vec<Secret>);

impl RequestSecrets {
    /// Those of the request as it is now.
    pub(super) fn of(context: &Context) -> RequestSecrets {
        let mut found = RequestSecrets::default();
        let api = context.api.as_deref();
        let key_header = api.map(|it| it.subscription_key_header.as_str());
        found.headers(&context.request.headers, key_header);
        let key_query = api.map(|it| it.subscription_key_query.as_str());
        for url in [&context.request.original_url, &context.request.url] {
            for pair in url::pairs(url.query().trim_start_matches('?')) {
                if redact::is_secret_parameter(&pair.name(), key_query) {
                    found.add(&pair.value());
                }
            }
        }
        found
    }

    /// Adds those of another moment.
    pub(super) fn and(mut self, other: Option<RequestSecrets>) -> RequestSecrets {
        for secret in other.map(|it| it.0).unwrap_or_default() {
            self.add(secret.expose());
        }
        self
    }

    pub(super) fn texts(&self) -> Vec<&str> {
        self.0.iter().map(Secret::expose).collect()
    }

    fn headers(&mut self, headers: &HeaderMap, key_header: Option<&str>) {
        for (name, value) in headers {
            let is_key = key_header.is_some_and(|it| it.eq_ignore_ascii_case(name.as_str()));
            let is_secret =
                is_key || value.is_sensitive() || SECRET_HEADERS.contains(&name.as_str());
            let Some(text) = value.to_str().ok().filter(|_| is_secret) else { continue };
            if name == http::header::COOKIE {
                let values = text.split(';').filter_map(|it| it.split_once('='));
                values.for_each(|(_, value)| self.add(value));
            } else {
                // Without its scheme: `Bearer` is no secret.
                self.add(text.split_once(' ').map_or(text, |(_, behind)| behind));
            }
        }
    }

    fn add(&mut self, text: &str) {
        let text = text.trim();
        let is_known = self.0.iter().any(|it| it.expose() == text);
        if text.len() >= telemetry::MIN_SECRET_BYTES && !is_known && self.0.len() < MAX_SECRETS {
            self.0.push(Secret::new(text));
        }
    }
}

impl fmt::Debug for RequestSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestSecrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn keys_and_tokens_are_found_in_headers() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer t0ken"),
            ("api-key", "k3y-1"),
            ("x-own", "k3y-2"),
            ("cookie", "a=k3y-3; b=no; c"),
            ("user-agent", "visible"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let mut marked = HeaderValue::from_static("k3y-4");
        marked.set_sensitive(true);
        headers.insert("x-other", marked);
        let mut it = RequestSecrets::default();
        it.headers(&headers, Some("X-Own"));
        let mut texts = it.texts();
        texts.sort_unstable();
        assert_eq!(texts, ["k3y-1", "k3y-2", "k3y-3", "k3y-4", "t0ken"]);
        assert_eq!(format!("{it:?}"), "RequestSecrets(5)");
        let twice = it.clone().and(Some(it));
        assert_eq!(twice.0.len(), 5);
    }

    #[test]
    fn their_number_is_bounded() {
        let mut it = RequestSecrets::default();
        (0..99).for_each(|n| it.add(&format!("secret {n}")));
        assert_eq!(it.0.len(), MAX_SECRETS);
    }
}
