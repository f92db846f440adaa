//! What the API's description says of an operation, for the policies that need it.

use std::sync::Arc;

use expr::host::OperationInfo;

use crate::url::pairs;

/// An operation: what `context.Operation` shows, and what the description says of its answers.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// What expressions see.
    pub info: Arc<OperationInfo>,
    /// The described responses, in the order of the description.
    pub responses: Vec<OperationResponse>,
    /// Whether the operation is a WebSocket handshake.
    pub is_websocket: bool,
}

/// One described response of an operation.
#[derive(Clone, Debug, Default)]
pub struct OperationResponse {
    /// Its status.
    pub status: u16,
    /// Its bodies by media type, in the order of the description.
    pub representations: Vec<Representation>,
}

/// One described body.
#[derive(Clone, Debug, Default)]
pub struct Representation {
    /// Its media type.
    pub content_type: String,
    /// The first example's text, if there is one.
    pub example: Option<String>,
    /// The JSON schema with all references put in, if there is one.
    pub schema: Option<serde_json::Value>,
}

/// The parameters of an operation's URL template, such as `/orders/{id}?view={view}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlTemplate {
    parameters: Vec<String>,
    query_names: Vec<String>,
}

impl UrlTemplate {
    /// Reads a template.
    #[must_use]
    pub fn parse(template: &str) -> UrlTemplate {
        let query = template.split_once('?').map_or("", |(_, query)| query);
        UrlTemplate {
            parameters: placeholders(template).map(|it| it.name.to_owned()).collect(),
            query_names: pairs(query).map(|it| it.name().into_owned()).collect(),
        }
    }

    /// Whether the template has the parameter `{name}`, in its path or its query.
    #[must_use]
    pub fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|it| it.eq_ignore_ascii_case(name))
    }

    /// Whether the template's query mentions a parameter of this name.
    #[must_use]
    pub fn mentions_query(&self, name: &str) -> bool {
        self.query_names.iter().any(|it| it.eq_ignore_ascii_case(name))
    }

    /// The names in braces, in order.
    #[must_use]
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }
}

/// One `{name}` of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// The name without braces and without the star of a catch-all.
    pub name: &'a str,
    /// The bytes of the template, braces included.
    pub start: usize,
    /// Just past the closing brace.
    pub end: usize,
}

/// The `{name}`s of a template, left to right. Empty braces are text.
pub fn placeholders(template: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = template.get(at..)?;
            let start = at + rest.find('{')?;
            let inside = template.get(start + 1..)?;
            let length = inside.find(['}', '{'])?;
            if !inside.get(length..)?.starts_with('}') || length == 0 {
                at = start + 1 + length;
                continue;
            }
            at = start + 1 + length + 1;
            let name = inside.get(..length)?.trim().trim_start_matches('*');
            return Some(Placeholder { name, start, end: at });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_parameters_in_path_and_query() {
        let it = UrlTemplate::parse("/orders/{id}/{*rest}?view={kind}&all=1");

        assert_eq!(it.parameters(), ["id", "rest", "kind"]);
        assert!(it.has_parameter("ID") && !it.has_parameter("view"));
        assert!(it.mentions_query("view") && it.mentions_query("ALL"));
        assert!(!it.mentions_query("kind"));
    }

    #[test]
    fn braces_that_hold_no_name_are_text() {
        let names = |text| placeholders(text).map(|it| it.name).collect::<Vec<_>>();

        assert_eq!(names("/a/{}/{b}"), ["b"]);
        assert_eq!(names("/a/{{b}"), ["b"]);
        assert_eq!(names("/a/{b"), [""; 0]);
        assert_eq!(names("/{ x }"), ["x"]);
    }

    proptest::proptest! {
        #[test]
        fn placeholders_lie_inside_of_the_template_and_in_order(text in "[{}a*é/]{0,24}") {
            let mut at = 0;
            for it in placeholders(&text) {
                proptest::prop_assert!(at <= it.start && it.start < it.end && it.end <= text.len());
                proptest::prop_assert!(text.get(it.start..it.end).is_some());
                at = it.end;
            }
        }
    }
}
