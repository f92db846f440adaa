//! Who may call: subscription keys, and the products that they are of.
//!
//! Keys are found by their hash and then compared in constant time. A key of a product puts the
//! request into the context of that product; without a key the API's open product does, if there
//! is one.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-subscriptions>

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

use config::{Api, Snapshot, SubscriptionScope};
use expr::host::{SubscriptionInfo, UserInfo};
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
    user: Option<Arc<UserInfo>>,
    /// When it counts, if dates do; none: always.
    times: Option<Times>,
}

/// When a subscription counts: from the first on, until the second.
#[derive(Debug, Clone, Copy)]
struct Times(Option<SystemTime>, Option<SystemTime>);

impl Times {
    fn include(self, now: SystemTime) -> bool {
        self.0.is_none_or(|it| it <= now) && self.1.is_none_or(|it| now < it)
    }
}

/// What a request brings with it.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query, without `?`.
    pub query: &'a str,
    /// Whether it asks for a WebSocket.
    pub is_websocket: bool,
    /// The time.
    pub now: SystemTime,
}

/// How a request is let in.
#[derive(Debug, Default)]
pub struct Admitted {
    /// The subscription whose key was used.
    pub subscription: Option<Arc<SubscriptionInfo>>,
    /// The owner of the subscription.
    pub user: Option<Arc<UserInfo>>,
    /// The place of the product whose policies apply.
    pub product: Option<usize>,
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
        let enforced = snapshot.settings.enforce_subscription_dates;
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
                    user: subscription.user.clone(),
                    times: enforced.then_some(Times(subscription.starts, subscription.ends)),
                });
            }
        }
        keys
    }

    /// Decides whether a request may use an API, and in which context.
    ///
    /// A key that does not open the API is refused even where none is needed.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn admit(&self, api: &Api, request: Presented<'_>) -> Result<Admitted, Denied> {
        match presented(api, request) {
            Some(key) => self.find(key.as_bytes(), api, request.now).ok_or(Denied::BadKey),
            None if api.open_product.is_some() => {
                Ok(Admitted { product: api.open_product, ..Admitted::default() })
            }
            None if api.subscription_required => Err(Denied::NoKey),
            None => Ok(Admitted::default()),
        }
    }

    fn find(&self, presented: &[u8], api: &Api, now: SystemTime) -> Option<Admitted> {
        let candidates = self.by_hash.get(&self.state.hash_one(presented))?;
        let opens = |it: &&Key| {
            it.secret.is(presented)
                && it.is_active
                && opens(&it.scope, api)
                && it.times.is_none_or(|times| times.include(now))
        };
        let key = candidates.iter().find(opens)?;
        let product = match &key.scope {
            SubscriptionScope::Product(place) => Some(*place),
            _ => None,
        };
        let subscription = Some(key.info.0.clone());
        Some(Admitted { subscription, user: key.user.clone(), product })
    }
}

/// Whether a scope has an API.
fn opens(scope: &SubscriptionScope, api: &Api) -> bool {
    let workspace = api.workspace.as_ref().map(|it| it.id.as_str());
    match scope {
        SubscriptionScope::AllAccess => true,
        SubscriptionScope::AllApis => workspace.is_none(),
        SubscriptionScope::Api(id) => workspace.is_none() && *id == api.info.id,
        SubscriptionScope::Product(place) => api.products.binary_search(place).is_ok(),
        SubscriptionScope::Workspace(name) => workspace == Some(name),
        SubscriptionScope::WorkspaceApi(name, id) => workspace == Some(name) && *id == api.info.id,
    }
}

/// The key of a request: in the header, or in the query if the header is absent. Browsers cannot
/// set headers on WebSocket handshakes, so there the header's name counts in the query as well.
fn presented<'a>(api: &Api, request: Presented<'a>) -> Option<Cow<'a, str>> {
    let Presented { headers, query, is_websocket, .. } = request;
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
    let path = api.base_path();
    let text =
        format!("AzureApiManagementKey realm=\"{origin}/{path}\",name=\"{name}\",type=\"header\"");
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use config::{Api, Snapshot, Subscription, SubscriptionScope};
    use expr::host::WorkspaceInfo;
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Admitted, Denied, Keys, Presented};
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
        let now = SystemTime::UNIX_EPOCH;
        let request = Presented { headers: &headers, query, is_websocket, now };
        shown(Keys::new(&snapshot).admit(&api, request))
    }

    fn shown(admitted: Result<Admitted, Denied>) -> String {
        match admitted {
            Err(denied) => format!("{denied:?}"),
            Ok(it) => {
                let who = match &it.subscription {
                    Some(info) => format!("{} with {}", info.id, info.key),
                    None => "anonymous".to_owned(),
                };
                let product = it.product.map(|it| format!(" in product {it}"));
                who + &product.unwrap_or_default()
            }
        }
    }

    /// Who is admitted to an API: of products, in a workspace, or of neither.
    fn admit_to(api: &Api, snapshot: &Snapshot, key: &'static str, now: u64) -> String {
        let headers: HeaderMap = [("ocp-apim-subscription-key", key)]
            .into_iter()
            .filter(|it| !it.1.is_empty())
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let request = Presented { headers: &headers, query: "", is_websocket: false, now };
        shown(Keys::new(snapshot).admit(api, request))
    }

    #[test]
    fn a_key_opens_its_scope_and_a_products_key_sets_the_product() {
        let all = [
            ("master", SubscriptionScope::AllAccess),
            ("apis", SubscriptionScope::AllApis),
            ("p1", SubscriptionScope::Product(1)),
            ("p2", SubscriptionScope::Product(2)),
            ("shop", SubscriptionScope::Api("shop".to_owned())),
            ("team", SubscriptionScope::Workspace("team".to_owned())),
            ("team-shop", SubscriptionScope::WorkspaceApi("team".to_owned(), "shop".to_owned())),
            ("team-other", SubscriptionScope::WorkspaceApi("team".to_owned(), "o".to_owned())),
        ];
        let snapshot = Snapshot {
            subscriptions: all
                .iter()
                .map(|(id, it)| subscription(id, it.clone(), true, &[id]))
                .collect(),
            ..Snapshot::default()
        };
        let spec = ApiSpec { id: "shop", subscription_required: true, ..ApiSpec::default() };
        let own = || Api { products: vec![1, 3], ..api(&spec) };
        let info = WorkspaceInfo { id: "team".to_owned(), name: "T".to_owned() };
        let in_team = Api { workspace: Some(Arc::new(info)), ..own() };
        for (key, of_service, of_team) in [
            ("master", "master with master", "master with master"),
            ("apis", "apis with apis", "BadKey"),
            ("p1", "p1 with p1 in product 1", "p1 with p1 in product 1"),
            ("p2", "BadKey", "BadKey"),
            ("shop", "shop with shop", "BadKey"),
            ("team", "BadKey", "team with team"),
            ("team-shop", "BadKey", "team-shop with team-shop"),
            ("team-other", "BadKey", "BadKey"),
            ("", "NoKey", "NoKey"),
        ] {
            assert_eq!(admit_to(&own(), &snapshot, key, 0), of_service, "{key}");
            assert_eq!(admit_to(&in_team, &snapshot, key, 0), of_team, "{key}");
        }
    }

    /// The table of Azure's documentation: an open product, an API that needs a key, a key.
    #[test]
    fn an_open_product_admits_without_a_key() {
        let scope = SubscriptionScope::Product(1);
        let snapshot = Snapshot {
            subscriptions: vec![subscription("s", scope, true, &["good"])],
            ..Snapshot::default()
        };
        for (open_product, subscription_required, key, expected) in [
            (None, true, "good", "s with good in product 1"),
            (None, true, "", "NoKey"),
            (None, false, "good", "s with good in product 1"),
            (None, false, "", "anonymous"),
            (Some(0), true, "good", "s with good in product 1"),
            (Some(0), true, "", "anonymous in product 0"),
            (Some(0), false, "good", "s with good in product 1"),
            (Some(0), false, "", "anonymous in product 0"),
            (Some(0), false, "bad", "BadKey"),
            (None, false, "bad", "BadKey"),
        ] {
            let spec = ApiSpec { subscription_required, ..ApiSpec::default() };
            let api = Api { products: vec![0, 1], open_product, ..api(&spec) };
            assert_eq!(admit_to(&api, &snapshot, key, 0), expected, "{open_product:?} {key}");
        }
    }

    #[test]
    fn dates_count_only_if_they_are_enforced() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let dated = Subscription {
            starts: at(10),
            ends: at(20),
            ..subscription("s", SubscriptionScope::AllApis, true, &["k"])
        };
        let mut snapshot = Snapshot { subscriptions: vec![dated], ..Snapshot::default() };
        let api = api(&ApiSpec::default());
        for now in [9, 10, 20] {
            assert_eq!(admit_to(&api, &snapshot, "k", now), "s with k");
        }
        snapshot.settings.enforce_subscription_dates = true;
        for (now, expected) in [(9, "BadKey"), (10, "s with k"), (19, "s with k"), (20, "BadKey")] {
            assert_eq!(admit_to(&api, &snapshot, "k", now), expected, "{now}");
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
            let now = SystemTime::UNIX_EPOCH;
            let request = Presented { headers: &headers, query: "", is_websocket: false, now };
            keys.admit(&api(&spec), request).map(|it| it.subscription.is_some())
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
