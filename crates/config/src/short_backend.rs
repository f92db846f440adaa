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

use std::time::Duration;

use http::StatusCode;

use crate::balance::{BreakerRule, Extras, Pool, PoolMember};
use crate::balance_checks::{self as checks, MAX_WEIGHT, bounded};
use crate::codes;
use crate::entity::{
    BackendEntity, CertificateRef, CredentialsEntity, Given, TlsEntity, aws, extras, proxy,
    status_range,
};
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
    let id = &entry.key;
    let fields = Fields::new(tree, Keys::Known, all.problems());
    let url = fields.get("url").and_then(Given::of);
    let members = fields.get("pool");
    match (&url, members) {
        (None, None) => fields.missing("url"),
        (Some(_), Some(_)) => {
            let message = format!("backend `{id}` has both `url` and `pool`");
            fields.report(tree.error(codes::BAD_VALUE, message));
        }
        _ => {}
    }
    let extras = match members {
        None => extras::of_single(&fields),
        Some(_) => Extras::default(),
    };
    let backend = BackendEntity {
        id: id.clone(),
        url: url.unwrap_or_default(),
        azure_region: fields.filled("region"),
        credentials: fields.map("auth").map(auth).unwrap_or_default(),
        tls: TlsEntity {
            verify_chain: fields.bool("verify-chain").unwrap_or(true),
            verify_name: fields.bool("verify-name").unwrap_or(true),
            thumbprints: fields.list("thumbprints").into_iter().filter_map(Given::of).collect(),
            names: Vec::new(),
        },
        proxy: fields.map("proxy").and_then(|it| proxy(id, it)),
        pool: members.and_then(|it| pool(id, it, &fields)),
        breaker: fields.map("breaker").and_then(|it| breaker(id, it)),
        extras,
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
    let certificate = fields.get("certificate").and_then(Given::of).map(CertificateRef::Id);
    let credentials = CredentialsEntity {
        headers: pair(fields.filled("header")).into_iter().collect(),
        query: pair(fields.filled("query")).into_iter().collect(),
        authorization: None,
        managed_identity: fields
            .filled("managed-identity")
            .map(|resource| ManagedIdentity { resource, client_id }),
        certificates: certificate.into_iter().collect(),
        aws: aws::read(&fields),
    };
    fields.finish();
    credentials
}

fn pool(id: &str, tree: &Tree, fields: &Fields<'_, '_>) -> Option<Pool> {
    let problems = fields.problems();
    let items = tree.items().iter().collect();
    let members = checks::members(id, tree, items, problems, |it| member(it, fields));
    let cookie = fields.get("session-cookie");
    let extras = extras::of_pool(fields);
    Some(Pool {
        members: members?,
        session_cookie: cookie.and_then(|it| checks::session_cookie(it, problems)),
        failure_status: StatusCode::SERVICE_UNAVAILABLE,
        balance: extras.balance,
        fails_over: extras.fails_over,
    })
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
    let priority = bounded(&fields, "priority", 0..=u32::MAX).unwrap_or(0);
    let weight = bounded(&fields, "weight", 0..=MAX_WEIGHT).unwrap_or(1);
    fields.finish();
    Some(PoolMember { backend: name?, priority, weight })
}

fn breaker(id: &str, fields: Fields<'_, '_>) -> Option<BreakerRule> {
    let (mut statuses, mut reasons) = (Vec::new(), Vec::new());
    let on = fields.list("on");
    if on.is_empty() {
        fields.missing("on");
    }
    let is_given = !on.is_empty();
    for item in on {
        let text = item.scalar().unwrap_or_default();
        match (status_range(text), checks::known_reason(text)) {
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
    let threshold = checks::threshold(&fields, "after", "percent");
    let interval = duration(&fields, "within").unwrap_or(USUAL);
    let trip_duration = duration(&fields, "open").unwrap_or(USUAL);
    let accepts_retry_after = fields.bool("retry-after").unwrap_or(false);
    let (tree, problems) = (fields.tree(), fields.problems());
    fields.finish();
    let rule = BreakerRule {
        threshold: threshold?,
        interval,
        statuses,
        reasons,
        trip_duration,
        accepts_retry_after,
        failure_status: StatusCode::SERVICE_UNAVAILABLE,
    };
    if is_given {
        checks::warn_if_never_trips(id, &rule, tree, problems);
    }
    Some(rule)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::balance::Threshold;
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
    fn certificates_proxies_and_more_are_read() {
        let (found, problems) = read_text(
            "a: { url: https://a, auth: { certificate: client }, thumbprints: [AB], \
             proxy: { url: http://p, username: u, password: '{{p}}' }, \
             health-check: { path: /status }, stream-idle-timeout: 10s }\n\
             p: { pool: [a], balance: latency, fail-over: true }",
        );
        assert_eq!(problems, [""; 0]);
        let CertificateRef::Id(name) = &found[0].credentials.certificates[0] else { panic!() };
        assert_eq!((name.text.as_str(), found[0].tls.thumbprints.len()), ("client", 1));
        assert!(found[0].proxy.is_some() && found[0].extras.health_check.is_some());
        assert!(found[1].pool.as_ref().is_some_and(|it| it.fails_over));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, problem) in [
            ("a: {}", "PC0505 `url` is missing"),
            ("a: { url: https://a, pool: [b] }", "PC0506 backend `a` has both `url` and `pool`"),
            ("a: { pool: [] }", "PC0505 pool `a` has no members"),
            (
                "a: { pool: [{ backend: b, weight: 0 }] }",
                "PC0506 pool `a`: every member has the weight 0",
            ),
            ("a: { pool: [{ weight: 1 }] }", "PC0505 `backend` is missing"),
            ("a: { pool: [{ backend: b, wieght: 1 }] }", "PC0503 unknown key `wieght`"),
            ("a: { pool: [b], session-cookie: 'a b' }", "PC0506 `a b` is no name for a cookie"),
            ("a: { url: x, breaker: { on: [oops], after: 1 } }", "PC0506 `oops` is no failure"),
            ("a: { url: x, breaker: { on: [6xx], after: 1 } }", "PC0506 `6xx` is no failure"),
            ("a: { url: x, breaker: { on: [429] } }", "PC0505 a breaker needs either"),
            ("a: { url: x, breaker: { on: [429], after: 0 } }", "PC0506 `after` must be from 1"),
            ("a: { url: x, breaker: { after: 1 } }", "PC0505 `on` is missing"),
            ("a: { url: x, auth: { header: h } }", "PC0505 `value` is missing"),
            ("a: { url: x, proxy: { username: u } }", "PC0505 backend `a`: `proxy` has no `url`"),
            ("a: { url: x, balance: latency }", "PC0503 unknown key `balance`"),
            ("a: { pool: [b], first-byte-timeout: 1s }", "PC0503 unknown key `first-byte-timeout`"),
            (
                "a: { url: x, breaker: { on: [SubscriptionKeyInvalid], after: 1 } }",
                "PC0506 backend `a`: its breaker never trips",
            ),
        ] {
            let problems = read_text(text).1;
            assert!(problems.iter().any(|it| it.starts_with(problem)), "{text}: {problems:?}");
        }
    }
}
