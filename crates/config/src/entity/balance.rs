//! Reading what a backend says of pools and circuit breakers.
//!
//! Numbers may be written as strings, as published templates do.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends>

use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;

use super::extras::PoolExtras;
use crate::balance::{BreakerRule, Pool, PoolMember};
use crate::balance_checks::{self as checks, MAX_WEIGHT, Problems, bad, bounded};
use crate::codes;
use crate::tree::{Fields, Keys, Tree};

/// Longest interval and longest trip: a day.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The members of a pool, and how a session finds its own.
pub(super) fn pool(id: &str, fields: &Fields<'_, '_>, extras: PoolExtras) -> Option<Pool> {
    let problems = fields.problems();
    let services = fields.list("services");
    let read = |it: &Tree| member(it, problems);
    let members = checks::members(id, fields.tree(), services, problems, read);
    let session_cookie = fields.map("sessionAffinity").and_then(|it| {
        let found = it.map("sessionId").and_then(session_cookie);
        it.finish();
        found
    });
    Some(Pool {
        members: members?,
        session_cookie,
        failure_status: failure_status(fields),
        balance: extras.balance,
        fails_over: extras.fails_over,
    })
}

fn member(tree: &Tree, problems: &Problems) -> Option<PoolMember> {
    let fields = Fields::new(tree, Keys::Known, problems);
    let id = fields.filled("id");
    if id.is_none() {
        fields.missing("id");
    }
    if let Some(tree) = fields.get("preferredCarbonEmission") {
        let message = "`preferredCarbonEmission` has no effect: nothing is known of emissions here";
        fields.report(tree.warning(codes::LEFT_OUT, message));
    }
    let priority = bounded(&fields, "priority", 0..=u32::MAX).unwrap_or(0);
    let weight = bounded(&fields, "weight", 0..=MAX_WEIGHT).unwrap_or(1);
    fields.finish();
    let backend = id?.trim().rsplit('/').next().unwrap_or_default().to_owned();
    Some(PoolMember { backend, priority, weight })
}

fn session_cookie(fields: Fields<'_, '_>) -> Option<String> {
    let (source, name) = (fields.get("source"), fields.get("name"));
    if name.is_none() {
        fields.missing("name");
    }
    let problems = fields.problems();
    fields.finish();
    if let Some(source) = source
        && !source.scalar().is_some_and(|it| it.eq_ignore_ascii_case("cookie"))
    {
        return bad(problems, source, "`source` of a session ID must be `Cookie`");
    }
    checks::session_cookie(name?, problems)
}

fn failure_status(fields: &Fields<'_, '_>) -> StatusCode {
    let of = |it: Fields<'_, '_>| {
        let (problems, tree) = (it.problems(), it.get("statusCode"));
        it.finish();
        let tree = tree?;
        let code = tree.scalar().and_then(|it| it.parse().ok());
        let status = code.and_then(|it| StatusCode::from_u16(it).ok());
        match status.filter(|it| it.is_client_error() || it.is_server_error()) {
            Some(status) => Some(status),
            None => bad(problems, tree, "`statusCode` must be from 400 to 599"),
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
    let rule = Fields::new(rules.first()?, Keys::Known, problems);
    rule.text("name");
    let condition = rule.map("failureCondition");
    if condition.is_none() {
        rule.missing("failureCondition");
    }
    let trip_duration = duration(&rule, "tripDuration");
    let accepts_retry_after = rule.bool("acceptRetryAfter").unwrap_or(false);
    let failure_status = failure_status(&rule);
    rule.finish();
    let condition = condition?;
    let threshold = checks::threshold(&condition, "count", "percentage");
    let interval = duration(&condition, "interval");
    let ranges = condition.list("statusCodeRanges").into_iter();
    let statuses: Vec<_> = ranges.filter_map(|it| range(it, problems)).collect();
    let reasons = reasons(&condition);
    let tree = condition.tree();
    condition.finish();
    let rule = BreakerRule {
        threshold: threshold?,
        interval: interval?,
        statuses,
        reasons,
        trip_duration: trip_duration?,
        accepts_retry_after,
        failure_status,
    };
    checks::warn_if_never_trips(id, &rule, tree, problems);
    Some(rule)
}

fn reasons(condition: &Fields<'_, '_>) -> Vec<String> {
    let texts = condition.list("errorReasons").into_iter().filter_map(Tree::scalar);
    texts.filter_map(checks::known_reason).map(str::to_owned).collect()
}

fn range(tree: &Tree, problems: &Problems) -> Option<RangeInclusive<u16>> {
    let fields = Fields::new(tree, Keys::Known, problems);
    let end = |key| fields.number(key).and_then(|it| u16::try_from(it).ok());
    let ends = (end("min"), end("max"));
    fields.finish();
    match ends {
        (Some(min @ 100..=599), Some(max @ 100..=599)) if min <= max => Some(min..=max),
        _ => bad(problems, tree, "a range of statuses needs `min` and `max`, from 100 to 599"),
    }
}

/// A range of statuses in short form: `429`, `5xx`, `500-503`.
pub(crate) fn status_range(text: &str) -> Option<RangeInclusive<u16>> {
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
    use crate::balance::{Balance, Threshold};
    use crate::tree::tests::yaml;

    fn breaker_of(rule: &str) -> (Option<BreakerRule>, Vec<String>) {
        let tree = yaml(rule);
        let problems = Problems::default();
        let read = breaker("b", &Fields::new(&tree, Keys::Known, &problems));
        (read, problems.into_inner().into_iter().map(|it| it.message).collect())
    }

    fn pool_of(text: &str) -> (Option<Pool>, Vec<String>) {
        let tree = yaml(text);
        let problems = Problems::default();
        let extras = PoolExtras { balance: Balance::Latency, fails_over: true };
        let read = pool("p", &Fields::new(&tree, Keys::Known, &problems), extras);
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
            (r#""count":1,"percentage":5"#, "", "either `count` (failures) or `percentage`"),
            ("", "", "either `count` (failures) or `percentage`"),
            (r#""count":0"#, "", "`count` must be from 1 to 10000"),
            (r#""percentage":101"#, "", "`percentage` must be from 1 to 100"),
            (r#""count":10001"#, "", "`count` must be from 1 to 10000"),
            (r#""count":1,"statusCodeRange":[]"#, "", "unknown key `statusCodeRange`"),
            (r#""count":1"#, r#","tripDurations":"PT1M""#, "unknown key `tripDurations`"),
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
    }

    #[test]
    fn a_breaker_that_nothing_can_trip_loads_with_a_warning() {
        for (reasons, warns) in [
            ("", true),
            (r#""Server errors""#, true),
            (r#""OperationNotFound","SubscriptionKeyInvalid""#, true),
            (r#""OperationNotFound","timeout""#, false),
            (r#""ClientConnectionFailure""#, false),
        ] {
            let (rule, problems) = breaker_of(&format!(
                r#"{{"rules":[{{"failureCondition":{{"count":1,"interval":"PT1M",
                    "errorReasons":[{reasons}]}},"tripDuration":"PT1M"}}]}}"#
            ));
            assert!(rule.is_some());
            assert_eq!(problems.iter().any(|it| it.contains("never trips")), warns, "{reasons}");
        }
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
        assert_eq!((pool.balance, pool.fails_over), (Balance::Latency, true));
    }

    #[test]
    fn a_pool_without_members_to_choose_from_is_refused() {
        let many = format!(r#"{{"services":[{}]}}"#, [r#"{"id":"a"}"#; 31].join(","));
        for (text, problem) in [
            ("{}", "pool `p` has no members"),
            (r#"{"services":[{"id":"a","weight":0}]}"#, "every member has the weight 0"),
            (r#"{"services":[{}]}"#, "`id` is missing"),
            (r#"{"services":[{"id":"a","priorities":1}]}"#, "unknown key `priorities`"),
            (r#"{"services":[{"id":"a","preferredCarbonEmission":"Low"}]}"#, "has no effect"),
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
