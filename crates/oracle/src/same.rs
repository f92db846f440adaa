//! Comparing results: messages and error codes do not count.

use serde_json::{Map, Value as Json};

/// Are two results the same? Wording of messages and error codes do not count, and a floating-point
/// number is the same whichever way its digits are written.
#[must_use]
pub fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            let counted = |it: &Map<String, Json>| it.keys().filter(|it| counts(it)).count();
            counted(a) == counted(b)
                && a.iter().filter(|(name, _)| counts(name)).all(|(name, value)| {
                    b.get(name).is_some_and(|other| {
                        same(value, other)
                            || (name == "value" && same_number(a.get("type"), value, other))
                    })
                })
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => a == b,
    }
}

fn counts(member: &str) -> bool {
    !matches!(member, "message" | "code" | "lang" | "id")
}

fn same_number(of: Option<&Json>, a: &Json, b: &Json) -> bool {
    let (Some(a), Some(b)) = (a.as_str(), b.as_str()) else { return false };
    match of.and_then(Json::as_str) {
        Some("System.Double") => number::<f64>(a).is_some_and(|it| number::<f64>(b) == Some(it)),
        Some("System.Single") => number::<f32>(a).is_some_and(|it| number::<f32>(b) == Some(it)),
        _ => false,
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_do_not_count_and_types_do() {
        let a = json!({ "ok": false, "error": "X", "message": "a" });
        let b = json!({ "ok": false, "error": "X", "message": "b" });
        assert!(same(&a, &b));
        assert!(!same(&a, &json!({ "ok": false, "error": "Y" })));
        assert!(!same(&json!({ "type": "A", "value": 1 }), &json!({ "type": "B", "value": 1 })));
    }

    #[test]
    fn doubles_compare_by_value() {
        let one = |value: &str| json!({ "type": "System.Double", "value": value });
        assert!(same(&one("1E+16"), &one("1e16")) && !same(&one("1"), &one("2")));
        let text = |value: &str| json!({ "type": "System.String", "value": value });
        assert!(!same(&text("1.0"), &text("1")));
    }
}
