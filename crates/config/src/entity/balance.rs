//! Reading what a backend says of pools and circuit breakers.
//!
//! Numbers may be written as strings, as published templates do.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends>

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use document::Diagnostic;
use http::StatusCode;

use crate::balance::{BreakerRule, MAX_COUNT, MAX_POOL_MEMBERS, Pool, PoolMember, Threshold};
use crate::codes;
use crate::tree::{Fields, Keys, Tree};

/// Longest interval and longest trip: a day.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The reasons of failed calls that a breaker knows; others have no effect in Azure either.
const REASONS: [&str; 7] = [
    "OperationNotFound",
    "SubscriptionKeyNotFound",
    "SubscriptionKeyInvalid",
    "ClientConnectionFailure",
    "BackendConnectionFailure",
    "ExpressionValueEvaluationFailure",
    "Timeout",
];

type Problems = RefCell<Vec<Diagnostic>>;

fn bad<T>(problems: &Problems, tree: &Tree, message: impl Into<String>) -> Option<T> {
    problems.borrow_mut().push(tree.error(codes::BAD_VALUE, message));
    None
}

/// The members of a pool, and how a session finds its own.
pub(super) fn pool(id: &str, fields: &Fields<'_, '_>) -> Option<Pool> {
    let problems = fields.problems();
    let services = fields.list("services");
    if services.is_empty() {
        fields
            .report(fields.tree().error(codes::MISSING, format!("pool `{id}` has no `services`")));
        return None;
    }
    if let Some(tree) = services.get(MAX_POOL_MEMBERS) {
        return bad(
            problems,
            tree,
            format!("pool `{id}` has more than {MAX_POOL_MEMBERS} members"),
        );
    }
    let members: Vec<PoolMember> =
        services.into_iter().filter_map(|it| member(it, problems)).collect();
    if members.iter().all(|it| it.weight == 0) && !members.is_empty() {
        let message = format!("pool `{id}`: every member has the weight 0, so none is ever chosen");
        return bad(problems, fields.tree(), message);
    }
    let affinity = fields.map("sessionAffinity").and_then(|it| it.map("sessionId"));
    Some(Pool {
        members,
        session_cookie: affinity.and_then(|it| session_cookie(&it)),
        failure_status: failure_status(fields),
    })
}

fn member(tree: &Tree, problems: &Problems) -> Option<PoolMember> {
    let fields = Fields::new(tree, Keys::Any, problems);
    let Some(id) = fields.filled("id") else {
        fields.missing("id");
        return None;
    };
    Some(PoolMember {
        backend: id.trim().rsplit('/').next().unwrap_or_default().to_owned(),
        priority: number(&fields, "priority", u32::MAX).unwrap_or(0),
        weight: number(&fields, "weight", 1_000_000).unwrap_or(1),
    })
}

fn session_cookie(fields: &Fields<'_, '_>) -> Option<String> {
    if let Some(source) = fields.get("source")
        && !source.scalar().is_some_and(|it| it.eq_ignore_ascii_case("cookie"))
    {
        return bad(fields.problems(), source, "`source` of a session ID must be `Cookie`");
    }
    let tree = fields.get("name");
    let Some((tree, name)) = tree.and_then(|it| Some((it, it.scalar()?))) else {
        fields.missing("name");
        return None;
    };
    if !is_cookie_name(name) {
        return bad(fields.problems(), tree, format!("`{name}` is no name for a cookie"));
    }
    Some(name.to_owned())
}

/// Whether a cookie may have this name: a token of HTTP.
pub(crate) fn is_cookie_name(name: &str) -> bool {
    let is_token = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
    !name.is_empty() && name.bytes().all(is_token)
}

/// The reason of that name that a breaker counts; case does not matter.
pub(crate) fn known_reason(name: &str) -> Option<&'static str> {
    REASONS.into_iter().find(|it| it.eq_ignore_ascii_case(name.trim()))
}

fn failure_status(fields: &Fields<'_, '_>) -> StatusCode {
    let of = |it: Fields<'_, '_>| {
        let tree = it.get("statusCode")?;
        let code = tree.scalar().and_then(|it| it.parse().ok());
        let status = code.and_then(|it| StatusCode::from_u16(it).ok());
        match status.filter(|it| it.is_client_error() || it.is_server_error()) {
            Some(status) => Some(status),
            None => bad(it.problems(), tree, "`statusCode` must be from 400 to 599"),
        }
    };
    fields.map("failureResponse").and_then(of).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// The rule of a circuit breaker: at most one, as in Azure.
pub(super) fn breaker(id: &str, fields: &Fields<'_, '_>) -> Option<BreakerRule> {
    let problems = fields.problems();
    let rules = fields.list("rules");
    if let Some(second) = rules.get(1) {
        return bad(problems, second, format!("backend `{id}`: a breaker has one rule at most"));
    }
    let rule = Fields::new(rules.first()?, Keys::Any, problems);
    let Some(condition) = rule.map("failureCondition") else {
        rule.missing("failureCondition");
        return None;
    };
    let (threshold, interval) = (threshold(&condition), duration(&condition, "interval"));
    let statuses: Vec<_> = condition
        .list("statusCodeRanges")
        .into_iter()
        .filter_map(|it| range(it, problems))
        .collect();
    let reasons = reasons(&condition);
    if statuses.is_empty() && reasons.is_empty() {
        let message = format!(
            "backend `{id}`: its breaker never trips: `statusCodeRanges` names no status, and \
             `errorReasons` none of {}",
            REASONS.join(", ")
        );
        fields.report(condition.tree().warning(codes::BAD_VALUE, message));
    }
    let trip_duration = duration(&rule, "tripDuration");
    let failure_status = failure_status(&rule);
    Some(BreakerRule {
        threshold: threshold?,
        interval: interval?,
        statuses,
        reasons,
        trip_duration: trip_duration?,
        accepts_retry_after: rule.bool("acceptRetryAfter").unwrap_or(false),
        failure_status,
    })
}

fn reasons(condition: &Fields<'_, '_>) -> Vec<String> {
    let texts = condition.list("errorReasons").into_iter().filter_map(Tree::scalar);
    texts.filter_map(known_reason).map(str::to_owned).collect()
}

fn threshold(condition: &Fields<'_, '_>) -> Option<Threshold> {
    let count = number(condition, "count", MAX_COUNT);
    let percentage = number(condition, "percentage", 100);
    let one = || "`failureCondition` needs either `count` or `percentage`, from 1";
    match (count, percentage) {
        (Some(count @ 1..), None) => Some(Threshold::Count(count)),
        (None, Some(percentage @ 1..)) => u8::try_from(percentage).ok().map(Threshold::Percentage),
        _ => bad(condition.problems(), condition.tree(), one()),
    }
}

fn range(tree: &Tree, problems: &Problems) -> Option<RangeInclusive<u16>> {
    let fields = Fields::new(tree, Keys::Any, problems);
    let end = |key| fields.number(key).and_then(|it| u16::try_from(it).ok());
    match (end("min"), end("max")) {
        (Some(min @ 100..=599), Some(max @ 100..=599)) if min <= max => Some(min..=max),
        _ => bad(problems, tree, "a range of statuses needs `min` and `max`, from 100 to 599"),
    }
}

/// A whole number up to a bound.
fn number(fields: &Fields<'_, '_>, key: &'static str, max: u32) -> Option<u32> {
    let value = fields.number(key)?;
    match u32::try_from(value).ok().filter(|it| *it <= max) {
        Some(value) => Some(value),
        None => bad(fields.problems(), fields.get(key)?, format!("`{key}` must be at most {max}")),
    }
}

/// An ISO 8601 duration such as `PT1M`.
fn duration(fields: &Fields<'_, '_>, key: &'static str) -> Option<Duration> {
    let Some(tree) = fields.get(key) else {
        fields.missing(key);
        return None;
    };
    let text = tree.scalar().unwrap_or_default().trim();
    let span: Option<jiff::Span> = text.parse().ok().filter(|_| text.starts_with(['P', 'p']));
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span.and_then(|it| it.to_duration(day).ok());
    match duration.and_then(|it| Duration::try_from(it).ok()) {
        Some(it) if !it.is_zero() && it <= MAX_DURATION => Some(it),
        _ => {
            let message =
                format!("`{key}` must be a duration such as `PT1M`, at most a day, not `{text}`");
            bad(fields.problems(), tree, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::yaml;

    fn breaker_of(rule: &str) -> (Option<BreakerRule>, Vec<String>) {
        let tree = yaml(rule);
        let problems = Problems::default();
        let read = breaker("b", &Fields::new(&tree, Keys::Any, &problems));
        (read, problems.into_inner().into_iter().map(|it| it.message).collect())
    }

    fn pool_of(text: &str) -> (Option<Pool>, Vec<String>) {
        let tree = yaml(text);
        let problems = Problems::default();
        let read = pool("p", &Fields::new(&tree, Keys::Any, &problems));
        (read, problems.into_inner().into_iter().map(|it| it.message).collect())
    }

    #[test]
    fn a_rule_is_read_with_numbers_as_strings() {
        let (rule, problems) = breaker_of(
            r#"{"rules":[{"name":"r","failureCondition":{"count":"3","interval":"PT1M",
                "statusCodeRanges":[{"min":"429","max":429}],"errorReasons":["Server errors","timeout"]},
                "tripDuration":"P1D","acceptRetryAfter":true,"failureResponse":{"statusCode":504}}]}"#,
        );
        assert_eq!(problems, [""; 0]);
        let expected = BreakerRule {
            threshold: Threshold::Count(3),
            interval: Duration::from_secs(60),
            statuses: vec![429..=429],
            reasons: vec!["Timeout".to_owned()],
            trip_duration: MAX_DURATION,
            accepts_retry_after: true,
            failure_status: StatusCode::GATEWAY_TIMEOUT,
        };
        assert_eq!(rule, Some(expected));
        assert_eq!(breaker_of(r#"{"rules":[]}"#), (None, Vec::new()));
    }

    #[test]
    fn a_rule_that_cannot_be_kept_is_refused() {
        for (condition, rest, problem) in [
            (r#""count":1,"percentage":5"#, "", "either `count` or `percentage`"),
            (r#""count":0"#, "", "either `count` or `percentage`"),
            (r#""percentage":101"#, "", "`percentage` must be at most 100"),
            (r#""count":10001"#, "", "`count` must be at most 10000"),
            (r#""count":1,"interval":"1 minute""#, "", "`interval` must be a duration"),
            (r#""count":1,"interval":"PT0S""#, "", "`interval` must be a duration"),
            (r#""count":1,"interval":"P2D""#, "", "`interval` must be a duration"),
            (r#""count":1,"interval":"-PT1M""#, "", "`interval` must be a duration"),
            (r#""count":1,"statusCodeRanges":[{"min":500}]"#, "", "a range of statuses"),
            (r#""count":1,"statusCodeRanges":[{"min":500,"max":499}]"#, "", "a range of statuses"),
            (r#""count":1"#, r#","failureResponse":{"statusCode":200}"#, "from 400 to 599"),
        ] {
            let text = format!(r#"{{"rules":[{{"failureCondition":{{{condition}}}{rest}}}]}}"#);
            let (_, problems) = breaker_of(&text);
            assert!(problems.iter().any(|it| it.contains(problem)), "{condition}: {problems:?}");
        }
        assert!(breaker_of(r#"{"rules":[{},{}]}"#).1[0].contains("one rule at most"));
        let silent = r#"{"rules":[{"failureCondition":{"count":1,"interval":"PT1M"},"tripDuration":"PT1M"}]}"#;
        assert!(breaker_of(silent).1[0].contains("never trips"));
        assert!(breaker_of(silent).0.is_some());
    }

    #[test]
    fn members_are_named_by_path_or_name() {
        let (pool, problems) = pool_of(
            r#"{"services":[{"id":"/subscriptions/s/backends/a","priority":1,"weight":3},{"id":"b"}],
                "sessionAffinity":{"sessionId":{"source":"Cookie","name":"SessionId"}}}"#,
        );
        assert_eq!(problems, [""; 0]);
        let pool = pool.unwrap();
        let member = |backend: &str, priority, weight| PoolMember {
            backend: backend.to_owned(),
            priority,
            weight,
        };
        assert_eq!(pool.members, [member("a", 1, 3), member("b", 0, 1)]);
        assert_eq!(pool.session_cookie.as_deref(), Some("SessionId"));
        assert_eq!(pool.failure_status, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn a_pool_without_members_to_choose_from_is_refused() {
        let many = format!(r#"{{"services":[{}]}}"#, [r#"{"id":"a"}"#; 31].join(","));
        for (text, problem) in [
            ("{}", "pool `p` has no `services`"),
            (r#"{"services":[{"id":"a","weight":0}]}"#, "every member has the weight 0"),
            (r#"{"services":[{}]}"#, "`id` is missing"),
            (many.as_str(), "more than 30 members"),
            (
                r#"{"services":[{"id":"a"}],"sessionAffinity":{"sessionId":{"name":"a b"}}}"#,
                "no name for a cookie",
            ),
            (
                r#"{"services":[{"id":"a"}],"sessionAffinity":{"sessionId":{"source":"Header","name":"a"}}}"#,
                "must be `Cookie`",
            ),
        ] {
            let (_, problems) = pool_of(text);
            assert!(problems.iter().any(|it| it.contains(problem)), "{text}: {problems:?}");
        }
    }
}
