//! Backends in `portcullis.yaml`: an address, a pool, a breaker.
//!
//! ```yaml
//! backends:
//!   east: { url: https://east.example.test, auth: { header: api-key, value: "{{east-key}}" } }
//!   west: { url: https://west.example.test, breaker: { on: [429, 5xx, Timeout], after: 1, within: 1m, open: 1m } }
//!   models:
//!     pool: [{ backend: east, priority: 1 }, { backend: west, priority: 2, weight: 3 }]
//!     session-cookie: SessionId
//!     breaker: { on: [429], percent: 50, within: 1m, open: 30s, retry-after: true }  # of members without
//! ```

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;

use crate::balance::{BreakerRule, MAX_COUNT, MAX_POOL_MEMBERS, Pool, PoolMember, Threshold};
use crate::codes;
use crate::entity::{BackendEntity, CredentialsEntity, Given, is_cookie_name, known_reason};
use crate::place::Place;
use crate::settings::duration;
use crate::snapshot::ManagedIdentity;
use crate::tree::{Entry, Fields, Keys, Tree};

/// How long failures count, and how long nothing is sent, unless the breaker says so.
const USUAL: Duration = Duration::from_secs(60);

/// Reads all backends; a pool's breaker is that of its members that have none.
pub(crate) fn read(entries: &[Entry], fields: &Fields<'_, '_>) -> Vec<BackendEntity> {
    let mut found: Vec<BackendEntity> = entries.iter().map(|it| backend(it, fields)).collect();
    let shared: Vec<(Vec<PoolMember>, BreakerRule)> = found
        .iter_mut()
        .filter_map(|it| Some((it.pool.as_ref()?.members.clone(), it.breaker.take()?)))
        .collect();
    for (members, rule) in shared {
        for member in members {
            let of_pool = |it: &&mut BackendEntity| it.id.eq_ignore_ascii_case(&member.backend);
            if let Some(backend) = found.iter_mut().find(of_pool) {
                backend.breaker.get_or_insert_with(|| rule.clone());
            }
        }
    }
    found
}

fn backend(entry: &Entry, all: &Fields<'_, '_>) -> BackendEntity {
    let tree = &entry.value;
    let fields = Fields::new(tree, Keys::Known, all.problems());
    let url = fields.get("url").and_then(Given::of);
    let pool = fields.get("pool").map(|it| pool(it, &fields));
    match (&url, &pool) {
        (None, None) => fields.missing("url"),
        (Some(_), Some(_)) => {
            let message = format!("backend `{}` has both `url` and `pool`", entry.key);
            fields.report(tree.error(codes::BAD_VALUE, message));
        }
        _ => {}
    }
    let backend = BackendEntity {
        id: entry.key.clone(),
        url: url.unwrap_or_default(),
        azure_region: fields.filled("region"),
        credentials: fields.map("auth").map(auth).unwrap_or_default(),
        verify_chain: fields.bool("verify-chain").unwrap_or(true),
        verify_name: fields.bool("verify-name").unwrap_or(true),
        pool,
        breaker: fields.map("breaker").and_then(breaker),
        place: Place::from(tree),
    };
    fields.finish();
    backend
}

fn auth(fields: Fields<'_, '_>) -> CredentialsEntity {
    let value = fields.get("value").and_then(Given::of);
    let pair = |name: Option<String>| {
        let name = name?;
        match &value {
            Some(value) => Some((name, vec![value.clone()])),
            None => {
                fields.missing("value");
                None
            }
        }
    };
    let client_id = fields.filled("client-id");
    let credentials = CredentialsEntity {
        headers: pair(fields.filled("header")).into_iter().collect(),
        query: pair(fields.filled("query")).into_iter().collect(),
        authorization: None,
        managed_identity: fields
            .filled("managed-identity")
            .map(|resource| ManagedIdentity { resource, client_id }),
    };
    fields.finish();
    credentials
}

fn pool(tree: &Tree, fields: &Fields<'_, '_>) -> Pool {
    let wrong = |tree: &Tree, message: String| fields.report(tree.error(codes::BAD_VALUE, message));
    let items = tree.items();
    if items.is_empty() {
        wrong(tree, "`pool` must be a list of backends".to_owned());
    }
    if let Some(item) = items.get(MAX_POOL_MEMBERS) {
        wrong(item, format!("a pool has at most {MAX_POOL_MEMBERS} members"));
    }
    let members: Vec<PoolMember> = items.iter().filter_map(|it| member(it, fields)).collect();
    if !members.is_empty() && members.iter().all(|it| it.weight == 0) {
        wrong(tree, "every member has the weight 0, so none is ever chosen".to_owned());
    }
    let session_cookie = fields.filled("session-cookie");
    if let Some(name) = session_cookie.as_ref().filter(|it| !is_cookie_name(it)) {
        wrong(tree, format!("`{name}` is no name for a cookie"));
    }
    Pool { members, session_cookie, failure_status: StatusCode::SERVICE_UNAVAILABLE }
}

fn member(tree: &Tree, all: &Fields<'_, '_>) -> Option<PoolMember> {
    if let Some(name) = tree.scalar() {
        return Some(PoolMember { backend: name.to_owned(), priority: 0, weight: 1 });
    }
    let fields = Fields::new(tree, Keys::Known, all.problems());
    let name = fields.filled("backend");
    if name.is_none() {
        fields.missing("backend");
    }
    let number = |key| Some(u32::try_from(fields.number(key)?).unwrap_or(u32::MAX));
    let (priority, weight) = (number("priority").unwrap_or(0), number("weight").unwrap_or(1));
    fields.finish();
    Some(PoolMember { backend: name?, priority, weight: weight.min(1_000_000) })
}

fn breaker(fields: Fields<'_, '_>) -> Option<BreakerRule> {
    let (mut statuses, mut reasons) = (Vec::new(), Vec::new());
    let on = fields.list("on");
    if on.is_empty() {
        fields.missing("on");
    }
    for item in on {
        let text = item.scalar().unwrap_or_default();
        match (range(text), known_reason(text)) {
            (Some(range), _) => statuses.push(range),
            (None, Some(reason)) => reasons.push(reason.to_owned()),
            (None, None) => {
                let message = format!("`{text}` is no failure that a breaker counts");
                let help = "write statuses (`429`, `5xx`, `500-503`), `Timeout` or \
                            `BackendConnectionFailure`";
                fields.report(item.error(codes::BAD_VALUE, message).help(help));
            }
        }
    }
    let max = |key, max: u32| {
        let number = fields.number(key)?;
        u32::try_from(number).ok().filter(|it| (1..=max).contains(it)).or_else(|| {
            let message = format!("`{key}` must be from 1 to {max}");
            fields.report(fields.get(key)?.error(codes::BAD_VALUE, message));
            None
        })
    };
    let threshold = match (max("after", MAX_COUNT), max("percent", 100)) {
        (Some(count), None) => Some(Threshold::Count(count)),
        (None, Some(percent)) => u8::try_from(percent).ok().map(Threshold::Percentage),
        _ => {
            let message = "a breaker needs either `after` (failures) or `percent` (of the calls)";
            fields.report(fields.tree().error(codes::MISSING, message));
            None
        }
    };
    let rule = BreakerRule {
        threshold: threshold.unwrap_or(Threshold::Count(1)),
        interval: duration(&fields, "within").unwrap_or(USUAL),
        statuses,
        reasons,
        trip_duration: duration(&fields, "open").unwrap_or(USUAL),
        accepts_retry_after: fields.bool("retry-after").unwrap_or(false),
        failure_status: StatusCode::SERVICE_UNAVAILABLE,
    };
    fields.finish();
    threshold.map(|_| rule)
}

/// `429`, `5xx`, `500-503`.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let status = |it: &str| it.trim().parse().ok().filter(|it| (100..=599).contains(it));
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().ok().filter(|it| (1..=5).contains(it))?;
        return Some(class * 100..=class * 100 + 99);
    }
    match text.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (status(first)?, status(last)?);
            (first <= last).then_some(first..=last)
        }
        None => status(text).map(|it| it..=it),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::tree::Node;
    use crate::tree::tests::yaml;

    fn read_text(text: &str) -> (Vec<BackendEntity>, Vec<String>) {
        let tree = yaml(text);
        assert!(matches!(tree.node, Node::Map(_)));
        let problems = RefCell::default();
        let fields = Fields::new(&tree, Keys::Known, &problems);
        let found = read(tree.entries(), &fields);
        let told =
            problems.into_inner().into_iter().map(|it| format!("{} {}", it.code, it.message));
        (found, told.collect())
    }

    #[test]
    fn a_pools_breaker_is_that_of_its_members_without_one() {
        let (found, problems) = read_text(
            "a: { url: https://a, breaker: { on: [500-503, timeout], percent: 50, within: 10s, open: 5s } }\n\
             b: { url: https://b }\n\
             c: { url: https://c }\n\
             p: { pool: [a, { backend: B, priority: 2, weight: 3 }], session-cookie: S, \
                  breaker: { on: [429, 5xx], after: 3, retry-after: true } }",
        );
        assert_eq!(problems, [""; 0]);
        let rules: Vec<_> = found.iter().map(|it| it.breaker.as_ref()).collect();
        let [Some(a), Some(b), None, None] = rules[..] else { panic!("{rules:?}") };
        assert_eq!(
            (a.threshold, &a.reasons[..]),
            (Threshold::Percentage(50), &["Timeout".to_owned()][..])
        );
        assert_eq!((&a.statuses[..], a.trip_duration), (&[500..=503][..], Duration::from_secs(5)));
        assert_eq!((b.threshold, b.accepts_retry_after), (Threshold::Count(3), true));
        assert_eq!((&b.statuses[..], b.interval), (&[429..=429, 500..=599][..], USUAL));
        let pool = found[3].pool.as_ref().unwrap();
        assert_eq!(pool.members[1], PoolMember { backend: "B".to_owned(), priority: 2, weight: 3 });
        assert_eq!(pool.session_cookie.as_deref(), Some("S"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, problem) in [
            ("a: {}", "PC0505 `url` is missing"),
            ("a: { url: https://a, pool: [b] }", "PC0506 backend `a` has both `url` and `pool`"),
            ("a: { pool: [] }", "PC0506 `pool` must be a list of backends"),
            ("a: { pool: [{ backend: b, weight: 0 }] }", "PC0506 every member has the weight 0"),
            ("a: { pool: [{ weight: 1 }] }", "PC0505 `backend` is missing"),
            ("a: { pool: [{ backend: b, wieght: 1 }] }", "PC0503 unknown key `wieght`"),
            ("a: { pool: [b], session-cookie: 'a b' }", "PC0506 `a b` is no name for a cookie"),
            ("a: { url: x, breaker: { on: [oops], after: 1 } }", "PC0506 `oops` is no failure"),
            ("a: { url: x, breaker: { on: [6xx], after: 1 } }", "PC0506 `6xx` is no failure"),
            ("a: { url: x, breaker: { on: [429] } }", "PC0505 a breaker needs either"),
            ("a: { url: x, breaker: { on: [429], after: 0 } }", "PC0506 `after` must be from 1"),
            ("a: { url: x, breaker: { after: 1 } }", "PC0505 `on` is missing"),
            ("a: { url: x, auth: { header: h } }", "PC0505 `value` is missing"),
        ] {
            let problems = read_text(text).1;
            assert!(problems.iter().any(|it| it.starts_with(problem)), "{text}: {problems:?}");
        }
    }
}
