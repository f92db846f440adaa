//! What clients and their proxies may do with a response: `Cache-Control` and what goes with it.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cache-lookup-policy>, RFC 9111. The
//! exact headers are not documented; these are the usual ones.

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, EXPIRES, PRAGMA};
use http::{HeaderMap, HeaderValue};
use pipeline::words;

words! {
    /// `downstream-caching-type`.
    pub(crate) enum Downstream {
        /// Nobody may keep it.
        None = "none",
        /// The client may.
        Private = "private",
        /// Proxies may, too.
        Public = "public",
    }
}

/// What the policy says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientCaching {
    pub(crate) downstream: Downstream,
    pub(crate) must_revalidate: bool,
}

impl ClientCaching {
    /// Says it in the headers of a response that is kept for `life`, and was kept for `age` so
    /// far. One that is not kept here (`None`) is only ever forbidden to be kept.
    pub(crate) fn write(self, headers: &mut HeaderMap, life: Option<(Duration, Duration)>) {
        let who = match (self.downstream, life) {
            (Downstream::None, _) => {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
                headers.insert(EXPIRES, HeaderValue::from_static("-1"));
                return;
            }
            (_, None) => return,
            (Downstream::Private, _) => "private",
            (Downstream::Public, _) => "public",
        };
        let (life, age) = life.unwrap_or_default();
        let revalidate = if self.must_revalidate { ", must-revalidate" } else { "" };
        let text = format!("{who}{revalidate}, max-age={}", life.as_secs());
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(CACHE_CONTROL, value);
        }
        headers.remove(PRAGMA);
        headers.remove(EXPIRES);
        headers.remove(AGE);
        if age.as_secs() > 0 {
            headers.insert(AGE, HeaderValue::from(age.as_secs()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(downstream: Downstream, must_revalidate: bool, life: Option<(u64, u64)>) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("own"));
        headers.insert(EXPIRES, HeaderValue::from_static("own"));
        let life = life.map(|(a, b)| (Duration::from_secs(a), Duration::from_secs(b)));
        ClientCaching { downstream, must_revalidate }.write(&mut headers, life);
        let shown: Vec<String> =
            headers.iter().map(|(name, it)| format!("{name}: {}", it.to_str().unwrap())).collect();
        shown.join("; ")
    }

    #[test]
    fn nobody_may_keep_it_unless_the_policy_says_who() {
        let none = "cache-control: no-store; expires: -1; pragma: no-cache";
        assert_eq!(shown(Downstream::None, true, Some((60, 0))), none);
        assert_eq!(shown(Downstream::None, true, None), none);
    }

    #[test]
    fn who_may_keep_it_is_told_for_how_long() {
        for (downstream, must_revalidate, age, expected) in [
            (Downstream::Private, true, 0, "cache-control: private, must-revalidate, max-age=60"),
            (Downstream::Public, false, 0, "cache-control: public, max-age=60"),
            (Downstream::Public, false, 7, "cache-control: public, max-age=60; age: 7"),
        ] {
            assert_eq!(shown(downstream, must_revalidate, Some((60, age))), expected);
        }
    }

    #[test]
    fn what_is_not_kept_here_keeps_its_own_headers() {
        let own = "cache-control: own; expires: own";
        assert_eq!(shown(Downstream::Public, true, None), own);
    }
}
