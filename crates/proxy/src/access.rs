//! Who may call: subscription keys.
//!
//! Keys are found by their hash and then compared in constant time.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-subscriptions>

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::Arc;

use config::{Api, Snapshot, SubscriptionScope};
use expr::host::SubscriptionInfo;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use pipeline::PolicyError;
use pipeline::url::pairs;
use transport::Secret;

/// All keys of a snapshot.
#[derive(Debug, Default)]
pub struct Keys {
    state: RandomState,
    by_hash: HashMap<u64, Vec<Key>, BuildHasherDefault<AsIs>>,
}

#[derive(Debug)]
struct Key {
    secret: Secret,
    is_active: bool,
    scope: SubscriptionScope,
    /// What expressions see, with this key as the one presented.
    info: Arc<Shown>,
}

/// Takes a number that is a hash already for what it is.
#[derive(Debug, Clone, Copy, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Keeps keys out of `Debug`.
struct Shown(Arc<SubscriptionInfo>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.id)
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The API needs a key and there is none.
    NoKey,
    /// There is a key that does not open the API.
    BadKey,
}

impl Keys {
    /// The keys of all subscriptions.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        let mut keys = Self::default();
        for subscription in &snapshot.subscriptions {
            for secret in subscription.keys.iter().filter(|it| !it.is_empty()) {
                let info = SubscriptionInfo {
                    key: secret.expose().to_owned(),
                    ..(*subscription.info).clone()
                };
                let hash = keys.state.hash_one(secret.expose().as_bytes());
                keys.by_hash.entry(hash).or_default().push(Key {
                    secret: secret.clone(),
                    is_active: subscription.is_active,
                    scope: subscription.scope.clone(),
                    info: Arc::new(Shown(Arc::new(info))),
                });
            }
        }
        keys
    }

    /// Decides whether a request may use an API. The subscription, if a key was used.
    ///
    /// A key that does not open the API is refused even where none is needed.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn admit(
        &self,
        api: &Api,
        headers: &HeaderMap,
        query: &str,
        is_websocket: bool,
    ) -> Result<Option<Arc<SubscriptionInfo>>, Denied> {
        match presented(api, headers, query, is_websocket) {
            Some(key) => self.find(key.as_bytes(), api).map(Some).ok_or(Denied::BadKey),
            None if api.subscription_required => Err(Denied::NoKey),
            None => Ok(None),
        }
    }

    fn find(&self, presented: &[u8], api: &Api) -> Option<Arc<SubscriptionInfo>> {
        let candidates = self.by_hash.get(&self.state.hash_one(presented))?;
        let opens = |it: &&Key| {
            it.secret.is(presented)
                && it.is_active
                && match &it.scope {
                    SubscriptionScope::AllApis => true,
                    SubscriptionScope::Api(id) => *id == api.info.id,
                }
        };
        candidates.iter().find(opens).map(|it| it.info.0.clone())
    }
}

/// The key of a request: in the header, or in the query if the header is absent. Browsers cannot
/// set headers on WebSocket handshakes, so there the header's name counts in the query as well.
fn presented<'a>(
    api: &Api,
    headers: &'a HeaderMap,
    query: &'a str,
    is_websocket: bool,
) -> Option<Cow<'a, str>> {
    if let Some(value) = headers.get(&api.key_header) {
        return Some(String::from_utf8_lossy(value.as_bytes()));
    }
    let named = |name: &str| pairs(query).find(|it| it.is_named(name)).map(|it| it.value());
    let in_query = || {
        let by_header_name = || is_websocket.then(|| named(api.key_header.as_str())).flatten();
        named(&api.key_query).or_else(by_header_name)
    };
    let key = if query.is_empty() { None } else { in_query() };
    key.or_else(|| api.key_bearer.then(|| bearer_key(headers)).flatten())
}

/// A bearer token that is no JWT: what clients of the `/openai/v1/` surface send as their key.
fn bearer_key(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let is_key = scheme.eq_ignore_ascii_case("bearer") && token.split('.').count() != 3;
    is_key.then(|| Cow::Borrowed(token.trim()))
}

impl Denied {
    /// The refusal, to the letter. `origin` is scheme and host as the client used them.
    #[must_use]
    pub fn into_error(self, api: &Api, origin: &str) -> PolicyError {
        let (reason, message, shown) = match self {
            Denied::NoKey => (
                "SubscriptionKeyNotFound",
                "Access denied due to missing subscription key. Make sure to include \
                 subscription key when making requests to this API.",
                "Access denied due to missing subscription key. Make sure to include \
                 subscription key when making requests to an API.",
            ),
            Denied::BadKey => (
                "SubscriptionKeyInvalid",
                "Access denied due to invalid subscription key. Make sure to provide a valid \
                 key for an active subscription.",
                "Access denied due to invalid subscription key. Make sure to provide a valid \
                 key for an active subscription.",
            ),
        };
        let error = PolicyError::new(reason, message)
            .respond(StatusCode::UNAUTHORIZED, shown)
            .source("authorization");
        match challenge(api, origin) {
            Some(challenge) => error.header(WWW_AUTHENTICATE, challenge),
            None => error,
        }
    }
}

/// How to authenticate. The header's name is written as Azure writes it, where it is Azure's.
fn challenge(api: &Api, origin: &str) -> Option<HeaderValue> {
    const USUAL: &str = "Ocp-Apim-Subscription-Key";
    let name = api.key_header.as_str();
    let name = if name.eq_ignore_ascii_case(USUAL) { USUAL } else { name };
    let path = &api.info.path;
    let text =
        format!("AzureApiManagementKey realm=\"{origin}/{path}\",name=\"{name}\",type=\"header\"");
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use config::{Snapshot, SubscriptionScope};
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Denied, Keys};
    use crate::test_support::{ApiSpec, api, subscription};

    #[derive(Clone, Copy, PartialEq)]
    enum Shop {
        NeedsKey,
        IsOpen,
    }

    /// Who is admitted to the API `shop`: the subscription's id, or why nobody.
    fn admit(shop: Shop, header: &str, query: &str, is_websocket: bool) -> String {
        let all = SubscriptionScope::AllApis;
        let only = |id: &str| SubscriptionScope::Api(id.to_owned());
        let snapshot = Snapshot {
            subscriptions: vec![
                subscription("everything", all.clone(), true, &["all1", "all2"]),
                subscription("shop-only", only("shop"), true, &["shop1"]),
                subscription("other-only", only("other"), true, &["other1"]),
                subscription("asleep", all, false, &["asleep1", ""]),
                subscription("twin", only("other"), true, &["shop1"]),
            ],
            ..Snapshot::default()
        };
        let api = api(&ApiSpec {
            id: "shop",
            path: "shop",
            subscription_required: shop == Shop::NeedsKey,
            key_header: "api-key",
            ..ApiSpec::default()
        });
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            let value = HeaderValue::from_str(header.trim()).unwrap();
            headers.insert(HeaderName::from_static("api-key"), value);
        }
        match Keys::new(&snapshot).admit(&api, &headers, query, is_websocket) {
            Ok(None) => "anonymous".to_owned(),
            Ok(Some(info)) => format!("{} with {}", info.id, info.key),
            Err(denied) => format!("{denied:?}"),
        }
    }

    #[test]
    fn both_keys_of_an_active_subscription_open_what_it_is_for() {
        for (header, expected) in [
            ("all1", "everything with all1"),
            ("all2", "everything with all2"),
            ("shop1", "shop-only with shop1"),
            ("other1", "BadKey"),
            ("asleep1", "BadKey"),
            ("ALL1", "BadKey"),
            ("all", "BadKey"),
            (" ", "BadKey"),
            ("", "NoKey"),
        ] {
            assert_eq!(admit(Shop::NeedsKey, header, "", false), expected, "{header:?}");
        }
    }

    #[test]
    fn a_bearer_token_counts_as_a_key_only_where_the_api_says_so_and_it_is_no_jwt() {
        let subscriptions = vec![subscription("team", SubscriptionScope::AllApis, true, &["k1"])];
        let keys = Keys::new(&Snapshot { subscriptions, ..Snapshot::default() });
        let admit = |key_bearer, value: &'static str| {
            let spec = ApiSpec { subscription_required: true, key_bearer, ..ApiSpec::default() };
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            keys.admit(&api(&spec), &headers, "", false).map(|it| it.is_some())
        };
        assert_eq!(admit(true, "Bearer k1"), Ok(true));
        assert_eq!(admit(true, "bearer k2"), Err(Denied::BadKey));
        assert_eq!(admit(true, "Bearer a.b.c"), Err(Denied::NoKey));
        assert_eq!(admit(true, "Basic k1"), Err(Denied::NoKey));
        assert_eq!(admit(false, "Bearer k1"), Err(Denied::NoKey));
    }

    #[test]
    fn the_query_counts_only_without_the_header() {
        for (header, query, expected) in [
            ("", "subscription-key=all1", "everything with all1"),
            ("", "x=y&Subscription-Key=all1&z", "everything with all1"),
            ("bad", "subscription-key=all1", "BadKey"),
            ("all2", "subscription-key=bad", "everything with all2"),
            ("", "api-key=all1", "NoKey"),
        ] {
            assert_eq!(admit(Shop::NeedsKey, header, query, false), expected, "{header} {query}");
        }
        assert_eq!(admit(Shop::NeedsKey, "", "api-key=all1", true), "everything with all1");
    }

    #[test]
    fn an_open_api_needs_no_key_but_refuses_a_bad_one() {
        let open = Shop::IsOpen;
        assert_eq!(admit(open, "", "", false), "anonymous");
        assert_eq!(admit(open, "bad", "", false), "BadKey");
        assert_eq!(admit(open, "shop1", "", false), "shop-only with shop1");
    }

    #[test]
    fn a_refusal_has_azures_texts() {
        let usual = api(&ApiSpec { path: "shop/v1", ..ApiSpec::default() });
        let error = Denied::NoKey.into_error(&usual, "https://h:1");
        assert!(error.message().ends_with("requests to this API."));
        assert!(error.response_message().unwrap().ends_with("requests to an API."));
        assert_eq!(error.reason(), "SubscriptionKeyNotFound");
        assert_eq!(error.place().unwrap().source(), "authorization");
        assert_eq!(error.response_status().unwrap(), 401);

        let challenge = super::challenge(&usual, "https://h:1").unwrap();
        assert_eq!(
            challenge,
            "AzureApiManagementKey realm=\"https://h:1/shop/v1\",\
             name=\"Ocp-Apim-Subscription-Key\",type=\"header\""
        );
    }
}
