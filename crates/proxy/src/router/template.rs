//! URL templates of operations: `/orders/{id}/{*rest}?view={view}&kind=full`.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-add-operations>

use pipeline::placeholders;
use pipeline::url::{decode, pairs};

use super::segment::{Mixed, fold};

/// A template, cut into what is compared.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) segments: Vec<Segment>,
    /// The rest of the path, whatever it is, and the name it is kept under.
    pub(super) wildcard: Option<String>,
    /// Names of the path's parameters, in order.
    pub(super) names: Vec<String>,
    pub(super) query: Vec<QueryRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Folded.
    Literal(String),
    Mixed(Mixed),
    Parameter,
}

/// A query parameter that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryRule {
    /// Decoded.
    pub(super) name: String,
    pub(super) value: QueryValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum QueryValue {
    /// Any value, kept under this name.
    Parameter(String),
    /// This value, decoded. An empty one stands for any.
    Literal(String),
}

impl Template {
    pub(super) fn parse(template: &str) -> Self {
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        let mut parsed =
            Self { segments: Vec::new(), wildcard: None, names: Vec::new(), query: Vec::new() };
        let mut texts = split(path).peekable();
        while let Some(text) = texts.next() {
            let is_last = texts.peek().is_none();
            if is_last && let Some(name) = wildcard(text) {
                parsed.wildcard = Some(name.to_owned());
                break;
            }
            let before = parsed.names.len();
            parsed.names.extend(placeholders(text).map(|it| it.name.to_owned()));
            let is_whole =
                placeholders(text).next().is_some_and(|it| it.end - it.start == text.len());
            parsed.segments.push(match parsed.names.len() - before {
                0 => Segment::Literal(fold(text).into_owned()),
                1 if is_whole => Segment::Parameter,
                _ => Segment::Mixed(Mixed::parse(text)),
            });
        }
        parsed.query = pairs(query).map(|it| query_rule(it.raw_name, it.raw_value)).collect();
        parsed
    }
}

/// The segments of a path that starts with a slash; one slash at the end does not count.
pub(super) fn split(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let is_root = inner.is_empty();
    inner.split('/').skip(usize::from(is_root))
}

/// `*`, or `{*rest}`, which Azure takes as well.
fn wildcard(text: &str) -> Option<&str> {
    if text == "*" {
        return Some("*");
    }
    let name = text.strip_prefix("{*")?.strip_suffix('}')?.trim();
    Some(if name.is_empty() { "*" } else { name })
}

fn query_rule(name: &str, value: &str) -> QueryRule {
    let value = match placeholders(value).next() {
        Some(it) if it.end - it.start == value.len() => QueryValue::Parameter(it.name.to_owned()),
        _ => QueryValue::Literal(decode(value).into_owned()),
    };
    QueryRule { name: decode(name).into_owned(), value }
}

#[cfg(test)]
mod tests {
    use super::{QueryRule, QueryValue, Segment, Template, split};

    #[test]
    fn a_slash_at_the_end_does_not_count_and_empty_segments_do() {
        let segments = |path| split(path).collect::<Vec<_>>();
        assert_eq!(segments("/a/b/"), ["a", "b"]);
        assert_eq!(segments("/a//b"), ["a", "", "b"]);
        assert_eq!(segments("/"), [""; 0]);
        assert_eq!(segments(""), [""; 0]);
        assert_eq!(segments("a"), ["a"]);
    }

    #[test]
    fn a_template_is_cut_into_segments_wildcard_and_query() {
        let it = Template::parse("/Orders/{id}/{name}.json/*?view={kind}&all=1&x=");
        assert_eq!(it.segments.len(), 3);
        assert_eq!(it.segments[0], Segment::Literal("orders".to_owned()));
        assert_eq!(it.segments[1], Segment::Parameter);
        assert!(matches!(it.segments[2], Segment::Mixed(_)));
        assert_eq!(it.wildcard.as_deref(), Some("*"));
        assert_eq!(it.names, ["id", "name"]);
        let rule = |name: &str, value| QueryRule { name: name.to_owned(), value };
        assert_eq!(
            it.query,
            [
                rule("view", QueryValue::Parameter("kind".to_owned())),
                rule("all", QueryValue::Literal("1".to_owned())),
                rule("x", QueryValue::Literal(String::new())),
            ]
        );
    }

    #[test]
    fn a_star_is_a_wildcard_only_at_the_end() {
        assert_eq!(Template::parse("/{*rest}").wildcard.as_deref(), Some("rest"));
        assert_eq!(Template::parse("/*/b").wildcard, None);
        assert_eq!(Template::parse("/a*").wildcard, None);
    }
}
