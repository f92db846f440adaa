//! What tells responses apart: the key of a request's response.
//!
//! The documentation does not say what the key is made of. Here it is everything that says where
//! the request came in and where it would go, and what the policy names. Two requests share a
//! response only if all of this is the same:
//!
//! - API, revision, product, operation;
//! - the path that came in, and the URL and backend that the request would go to;
//! - the query parameters that the policy names, or the whole query if it names none, ordered by
//!   name; of the query that came in and, if policies changed it, of the one that would be sent;
//! - the headers that the policy names;
//! - the developer, or the groups, if the policy says so; without a known developer the
//!   subscription stands for both;
//! - whether the request is one with `Authorization`.
//!
//! The host that the client used is no part of it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cache-lookup-policy>

use std::borrow::Cow;

use http::HeaderName;
use percent_encoding::percent_decode_str;
use pipeline::{Context, RequestUrl};
use state::CacheKey;

use crate::key::KeyParts;

/// What responses differ by, beside what they always differ by.
#[derive(Debug)]
pub(crate) struct Variants {
    pub(crate) headers: Vec<HeaderName>,
    /// Names of query parameters, compared without case; none: the whole query.
    pub(crate) query: Vec<String>,
}

/// What is known of the caller that matters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) by_developer: bool,
    pub(crate) by_groups: bool,
    /// Whether the request has `Authorization` and its response may be cached all the same.
    pub(crate) is_private: bool,
}

impl Variants {
    /// The key of a request's response.
    pub(crate) fn key(&self, context: &Context, caller: Caller) -> CacheKey {
        let mut key = KeyParts::of("response");
        let api = context.api.as_deref();
        key.add_if(api.map(|it| &it.id));
        key.add_if(api.map(|it| &it.revision));
        key.add_if(context.product.as_deref().map(|it| &it.id));
        key.add_if(context.operation.as_deref().map(|it| &it.info.id));
        let request = &context.request;
        key.add(request.original_url.path());
        let view = request.url.view();
        key.add(&view.scheme);
        key.add(&view.host);
        key.add(view.port.to_le_bytes());
        key.add(request.url.path());
        key.add_if(context.backend().map(|it| &it.info.id));
        self.add_query(&mut key, &request.original_url);
        let is_changed = request.url.query() != request.original_url.query();
        key.add_count(usize::from(is_changed));
        if is_changed {
            self.add_query(&mut key, &request.url);
        }
        key.add_count(self.headers.len());
        for name in &self.headers {
            key.add(name.as_str());
            let values = request.headers.get_all(name);
            key.add_count(values.iter().count());
            values.iter().for_each(|it| key.add(it.as_bytes()));
        }
        add_caller(&mut key, context, caller);
        key.finish()
    }

    fn add_query(&self, key: &mut KeyParts, url: &RequestUrl) {
        let mut parameters: Vec<(String, &str)> = url
            .query()
            .split('&')
            .filter(|it| !it.is_empty())
            .map(|it| {
                let (name, value) = it.split_once('=').unwrap_or((it, ""));
                (decoded(name).to_ascii_lowercase(), value)
            })
            .filter(|(name, _)| self.query.is_empty() || self.query.contains(name))
            .collect();
        // Those of one name keep their order.
        parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        key.add_count(parameters.len());
        for (name, value) in parameters {
            key.add(name);
            key.add(&*decoded(value));
        }
    }
}

fn add_caller(key: &mut KeyParts, context: &Context, caller: Caller) {
    let Caller { by_developer, by_groups, is_private } = caller;
    key.add([u8::from(by_developer), u8::from(by_groups), u8::from(is_private)]);
    if !by_developer && !by_groups {
        return;
    }
    let user = context.user.as_deref();
    let subscription = context.subscription.as_deref().filter(|_| user.is_none());
    key.add_if(subscription.map(|it| &it.id));
    key.add_if(user.filter(|_| by_developer).map(|it| &it.id));
    let groups = user.filter(|_| by_groups).map(|it| &it.groups);
    let mut groups: Vec<&str> = groups.into_iter().flatten().map(|it| it.id.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    key.add_count(groups.len());
    groups.iter().for_each(|it| key.add(it));
}

fn decoded(text: &str) -> Cow<'_, str> {
    let spaced =
        if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    match spaced {
        Cow::Borrowed(text) => percent_decode_str(text).decode_utf8_lossy(),
        Cow::Owned(text) => Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expr::host::{GroupInfo, ProductInfo, SubscriptionInfo, UserInfo};
    use proptest::prelude::*;

    use super::*;
    use crate::test_support::context;

    const NOBODY: Caller = Caller { by_developer: false, by_groups: false, is_private: false };

    fn variants(headers: &[&str], query: &[&str]) -> Variants {
        Variants {
            headers: headers.iter().map(|it| it.parse().unwrap()).collect(),
            query: query.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    fn key(variants: &Variants, request: &str) -> CacheKey {
        variants.key(&context(request), NOBODY)
    }

    fn user(id: &str, groups: &[&str]) -> Option<Arc<UserInfo>> {
        let group = |id: &&str| GroupInfo { id: (*id).to_owned(), name: String::new() };
        let groups = groups.iter().map(group).collect();
        Some(Arc::new(UserInfo { id: id.to_owned(), groups, ..UserInfo::default() }))
    }

    #[test]
    fn path_and_whole_query_tell_responses_apart_and_the_order_of_names_does_not() {
        let all = variants(&[], &[]);
        let of = |request: &str| key(&all, request);
        assert_eq!(of("GET /a?x=1&y=2"), of("GET /a?y=2&x=1"));
        assert_eq!(of("GET /a?x=a%20b"), of("GET /a?X=a+b"));
        for other in ["/a", "/b?x=1", "/a?x=2", "/a?x=1&x=1", "/a?x=1&y=", "/a?xx=1", "/A?x=1"] {
            assert_ne!(of("GET /a?x=1"), of(&format!("GET {other}")), "{other}");
        }
        assert_ne!(of("GET /a?x=1&x=2"), of("GET /a?x=2&x=1"));
        assert_ne!(of("GET /a?x=1%26y=2"), of("GET /a?x=1&y=2"));
    }

    #[test]
    fn of_named_parameters_only_those_count() {
        let named = variants(&[], &["version"]);
        let of = |request: &str| key(&named, request);
        assert_eq!(of("GET /a?version=1&x=1"), of("GET /a?x=2&Version=1"));
        assert_ne!(of("GET /a?version=1"), of("GET /a?version=2"));
        assert_ne!(of("GET /a?version="), of("GET /a"));
    }

    #[test]
    fn values_of_named_headers_count_each() {
        let named = variants(&["accept", "x-a"], &[]);
        let of = |headers: &str| key(&named, &format!("GET /a\n{headers}"));
        assert_eq!(of("accept: a\nother: 1"), of("accept: a\nother: 2"));
        assert_ne!(of("accept: a"), of("accept: b"));
        assert_ne!(of("accept: a\naccept: b"), of("accept: a, b"));
        assert_ne!(of("accept: a"), of("x-a: a"));
        assert_ne!(of(""), of("accept:"));
    }

    #[test]
    fn the_developer_and_the_groups_count_where_the_policy_says_so() {
        let all = variants(&[], &[]);
        let of = |caller: Caller, who: Option<Arc<UserInfo>>| {
            let mut context = context("GET /a");
            context.user = who;
            all.key(&context, caller)
        };
        let (anna, bert) = (|| user("anna", &["b", "a"]), || user("bert", &["a", "b", "a"]));
        let by_developer = Caller { by_developer: true, ..NOBODY };
        let by_groups = Caller { by_groups: true, ..NOBODY };

        assert_eq!(of(NOBODY, anna()), of(NOBODY, bert()));
        assert_ne!(of(by_developer, anna()), of(by_developer, bert()));
        assert_ne!(of(by_developer, anna()), of(by_developer, None));
        assert_eq!(of(by_groups, anna()), of(by_groups, bert()));
        assert_ne!(of(by_groups, anna()), of(by_groups, user("anna", &["a"])));
        assert_ne!(of(by_groups, user("a", &["ab"])), of(by_groups, user("a", &["a", "b"])));
        let both = Caller { by_groups: true, by_developer: true, ..NOBODY };
        assert_ne!(of(both, anna()), of(both, bert()));
    }

    #[test]
    fn without_a_known_developer_the_subscription_stands_for_one() {
        let all = variants(&[], &[]);
        let of = |caller: Caller, subscription: &str| {
            let info =
                SubscriptionInfo { id: subscription.to_owned(), ..SubscriptionInfo::default() };
            let mut context = context("GET /a");
            context.subscription = Some(Arc::new(info));
            all.key(&context, caller)
        };
        for caller in
            [Caller { by_developer: true, ..NOBODY }, Caller { by_groups: true, ..NOBODY }]
        {
            assert_ne!(of(caller, "one"), of(caller, "two"));
        }
        assert_eq!(of(NOBODY, "one"), of(NOBODY, "two"));
    }

    #[test]
    fn products_backends_and_private_requests_do_not_share() {
        let all = variants(&[], &[]);
        let plain = all.key(&context("GET /a"), NOBODY);
        assert_ne!(plain, all.key(&context("GET /a"), Caller { is_private: true, ..NOBODY }));

        let mut of_product = context("GET /a");
        let product = ProductInfo { id: "gold".to_owned(), ..ProductInfo::default() };
        of_product.product = Some(Arc::new(product));
        assert_ne!(plain, all.key(&of_product, NOBODY));

        let mut elsewhere = context("GET /a");
        let base = pipeline::BaseUrl::parse("https://other.example/").unwrap();
        elsewhere.use_base_url(Arc::new(base));
        assert_ne!(plain, all.key(&elsewhere, NOBODY));

        let mut rewritten = context("GET /a");
        rewritten.request.url.rewrite("/a", "added=1");
        assert_ne!(plain, all.key(&rewritten, NOBODY));
    }

    proptest! {
        #[test]
        fn different_queries_make_different_keys(
            a in "[a-c=&%2]{0,8}", b in "[a-c=&%2]{0,8}",
        ) {
            let sorted = |text: &str| {
                let mut all: Vec<(String, String)> = text
                    .split('&')
                    .filter(|it| !it.is_empty())
                    .map(|it| it.split_once('=').unwrap_or((it, "")))
                    .map(|(n, v)| (decoded(n).into_owned(), decoded(v).into_owned()))
                    .collect();
                all.sort_by(|a, b| a.0.cmp(&b.0));
                all
            };
            let all = variants(&[], &[]);
            let same = key(&all, &format!("GET /?{a}")) == key(&all, &format!("GET /?{b}"));
            prop_assert_eq!(same, sorted(&a) == sorted(&b));
        }
    }
}
