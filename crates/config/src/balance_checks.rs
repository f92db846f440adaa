//! What must hold of pools and circuit breakers, however they are written: in Azure's entities or
//! in `portcullis.yaml`.

use std::cell::RefCell;

use document::Diagnostic;

use crate::balance::{BreakerRule, MAX_COUNT, MAX_POOL_MEMBERS, PoolMember, Threshold};
use crate::codes;
use crate::tree::{Fields, Tree};

/// Largest weight of a member.
pub(crate) const MAX_WEIGHT: u32 = 1_000_000;

/// The reasons of failed calls that Azure's breakers can be told to count, and `Timeout`. Others
/// have no effect in Azure either.
const REASONS: [&str; 7] = [
    "OperationNotFound",
    "SubscriptionKeyNotFound",
    "SubscriptionKeyInvalid",
    "ClientConnectionFailure",
    "BackendConnectionFailure",
    "ExpressionValueEvaluationFailure",
    "Timeout",
];

/// Those of them that the call to a backend can end with.
const REASONS_OF_CALLS: [&str; 3] =
    ["ClientConnectionFailure", "BackendConnectionFailure", "Timeout"];

/// Problems that are found.
pub(crate) type Problems = RefCell<Vec<Diagnostic>>;

/// Reports a bad value, and gives none.
pub(crate) fn bad<T>(problems: &Problems, tree: &Tree, message: impl Into<String>) -> Option<T> {
    problems.borrow_mut().push(tree.error(codes::BAD_VALUE, message));
    None
}

/// The members of a pool, each read by a function. There must be some, not too many, and one that
/// can be chosen.
pub(crate) fn members(
    id: &str,
    pool: &Tree,
    items: Vec<&Tree>,
    problems: &Problems,
    read: impl FnMut(&Tree) -> Option<PoolMember>,
) -> Option<Vec<PoolMember>> {
    if items.is_empty() {
        let message = format!("pool `{id}` has no members");
        problems.borrow_mut().push(pool.error(codes::MISSING, message));
        return None;
    }
    if let Some(tree) = items.get(MAX_POOL_MEMBERS) {
        let message = format!("pool `{id}` has more than {MAX_POOL_MEMBERS} members");
        return bad(problems, tree, message);
    }
    let members: Vec<PoolMember> = items.into_iter().filter_map(read).collect();
    if members.iter().all(|it| it.weight == 0) && !members.is_empty() {
        let message = format!("pool `{id}`: every member has the weight 0, so none is ever chosen");
        return bad(problems, pool, message);
    }
    Some(members)
}

/// The name of the cookie that keeps a session with its member: a token of HTTP.
pub(crate) fn session_cookie(tree: &Tree, problems: &Problems) -> Option<String> {
    let name = tree.scalar().unwrap_or_default();
    let is_token = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
    if name.is_empty() || !name.bytes().all(is_token) {
        return bad(problems, tree, format!("`{name}` is no name for a cookie"));
    }
    Some(name.to_owned())
}

/// A whole number between two bounds.
pub(crate) fn bounded(
    fields: &Fields<'_, '_>,
    key: &'static str,
    bounds: std::ops::RangeInclusive<u32>,
) -> Option<u32> {
    let value = fields.number(key)?;
    match u32::try_from(value).ok().filter(|it| bounds.contains(it)) {
        Some(value) => Some(value),
        None => {
            let message = format!("`{key}` must be from {} to {}", bounds.start(), bounds.end());
            bad(fields.problems(), fields.get(key)?, message)
        }
    }
}

/// The threshold of a breaker: so many failures, or so many of a hundred calls; one of the two.
pub(crate) fn threshold(
    fields: &Fields<'_, '_>,
    count: &'static str,
    percentage: &'static str,
) -> Option<Threshold> {
    let n_problems = fields.problems().borrow().len();
    let found = (bounded(fields, count, 1..=MAX_COUNT), bounded(fields, percentage, 1..=100));
    match found {
        (Some(count), None) => Some(Threshold::Count(count)),
        (None, Some(percentage)) => u8::try_from(percentage).ok().map(Threshold::Percentage),
        (None, None) if fields.problems().borrow().len() > n_problems => None,
        _ => {
            let message = format!(
                "a breaker needs either `{count}` (failures) or `{percentage}` (of a hundred calls)"
            );
            fields.report(fields.tree().error(codes::MISSING, message));
            None
        }
    }
}

/// The reason of that name that a breaker counts; case does not matter.
pub(crate) fn known_reason(name: &str) -> Option<&'static str> {
    REASONS.into_iter().find(|it| it.eq_ignore_ascii_case(name.trim()))
}

/// Warns of a breaker that no call to a backend can trip.
pub(crate) fn warn_if_never_trips(
    backend: &str,
    rule: &BreakerRule,
    tree: &Tree,
    problems: &Problems,
) {
    let can_happen = |it: &String| REASONS_OF_CALLS.contains(&it.as_str());
    if rule.statuses.is_empty() && !rule.reasons.iter().any(can_happen) {
        let message = format!(
            "backend `{backend}`: its breaker never trips: it counts no status, and none of the \
             reasons that a call to a backend can end with ({})",
            REASONS_OF_CALLS.join(", ")
        );
        problems.borrow_mut().push(tree.warning(codes::BAD_VALUE, message));
    }
}
