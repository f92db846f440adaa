//! What the API's description says of an operation, for the policies that need it.

use std::sync::{Arc, Mutex, PoisonError};

use expr::host::OperationInfo;

use crate::graphql::GraphQlApi;
use crate::named_schemas::NamedSchemas;
use crate::services::Extensions;
use crate::url::pairs;

/// An operation: what `context.Operation` shows, and what the API's description says of it.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// What expressions see.
    pub info: Arc<OperationInfo>,
    /// The described request.
    pub request: OperationRequest,
    /// The described responses, in the order of the description.
    pub responses: Vec<OperationResponse>,
    /// Whether the operation is a WebSocket handshake.
    pub is_websocket: bool,
    /// Whether the messages behind that handshake are GraphQL operations.
    pub speaks_graphql: bool,
    /// The XML schemas of its API; none if the API has none.
    pub schemas: Option<Arc<NamedSchemas>>,
    /// The document that definitions are found in; none if the API came without one.
    pub specification: Option<Arc<Specification>>,
    /// The GraphQL API that it belongs to, if that has a schema.
    pub graphql: Option<Arc<GraphQlApi>>,
}

/// The specification of an API.
#[derive(Debug, Default)]
pub struct Specification {
    /// Its version of OpenAPI.
    pub version: OpenApi,
    /// The whole of it.
    pub document: serde_json::Value,
    kept: Mutex<Extensions>,
}

impl Specification {
    /// A specification.
    #[must_use]
    pub fn new(version: OpenApi, document: serde_json::Value) -> Specification {
        Specification { version, document, kept: Mutex::default() }
    }

    /// What policies make of the document and share, by its type; made when it is first asked for.
    #[must_use]
    pub fn keep<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get().unwrap_or_else(|| {
            let made = Arc::<T>::default();
            kept.insert(Arc::clone(&made));
            made
        })
    }
}

/// A version of OpenAPI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenApi {
    /// OpenAPI 2 (Swagger).
    V2,
    /// OpenAPI 3.0.
    #[default]
    V30,
    /// OpenAPI 3.1.
    V31,
}

/// The described request of an operation.
#[derive(Clone, Debug, Default)]
pub struct OperationRequest {
    /// Parameters in path, query and headers.
    pub parameters: Vec<Parameter>,
    /// Its bodies by media type, in the order of the description.
    pub representations: Vec<Representation>,
    /// Whether there must be a body.
    pub is_body_required: bool,
}

/// One described parameter of a request, or header of a response.
#[derive(Clone, Debug, Default)]
pub struct Parameter {
    /// Its name; of headers in lower case.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// Whether it must be there.
    pub is_required: bool,
    /// Where its schema is: a JSON pointer into the specification.
    pub definition: Option<String>,
    /// How lists and objects are written.
    pub style: Style,
    /// Whether each member of a list or object is written on its own.
    pub is_exploded: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Location {
    /// In the path of the URL.
    #[default]
    Path,
    /// In the query of the URL.
    Query,
    /// A header.
    Header,
}

/// How the lists and objects of a parameter are written.
///
/// Source: <https://spec.openapis.org/oas/v3.0.4#style-values>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `a,b`, of paths and headers.
    #[default]
    Simple,
    /// `x=a,b`, of queries.
    Form,
    /// `a b`.
    SpaceDelimited,
    /// `a|b`.
    PipeDelimited,
    /// `a` and `b` with a tab between, of OpenAPI 2.
    TabDelimited,
    /// `x[name]=value`.
    DeepObject,
    /// `.a.b`.
    Label,
    /// `;x=a;x=b`.
    Matrix,
    /// The value is JSON, or text of another media type that is described.
    Json,
}

/// One described response of an operation.
#[derive(Clone, Debug, Default)]
pub struct OperationResponse {
    /// Which statuses it describes.
    pub statuses: Statuses,
    /// Its bodies by media type, in the order of the description.
    pub representations: Vec<Representation>,
    /// Its headers.
    pub headers: Vec<Parameter>,
}

/// Which statuses a described response is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// This one.
    One(u16),
    /// Those of a class: 4 for `4XX`.
    Class(u16),
    /// All that no other response is for.
    Others,
}

impl Default for Statuses {
    fn default() -> Statuses {
        Statuses::One(200)
    }
}

impl Statuses {
    /// Reads `200`, `4XX` or `default`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Statuses> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("default") {
            return Some(Statuses::Others);
        }
        let class = text.get(..1)?;
        match text.get(1..)?.eq_ignore_ascii_case("xx") {
            true => class.parse().ok().map(Statuses::Class),
            false => text.parse().ok().map(Statuses::One),
        }
    }
}

impl Operation {
    /// The described response for a status: for that one, for its class, for all others.
    #[must_use]
    pub fn response(&self, status: u16) -> Option<&OperationResponse> {
        [Statuses::One(status), Statuses::Class(status / 100), Statuses::Others]
            .into_iter()
            .find_map(|wanted| self.responses.iter().find(|it| it.statuses == wanted))
    }
}

/// One described body.
#[derive(Clone, Debug, Default)]
pub struct Representation {
    /// Its media type.
    pub content_type: String,
    /// The first example's text, if there is one.
    pub example: Option<String>,
    /// The JSON schema with all references put in, if there is one: for samples.
    pub schema: Option<Arc<serde_json::Value>>,
    /// Where the schema is: a JSON pointer into the specification.
    pub definition: Option<String>,
    /// The schema of the API that describes it, if the operation names one.
    pub schema_id: Option<String>,
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

    #[test]
    fn the_response_for_a_status_is_the_closest() {
        let response = |text| OperationResponse {
            statuses: Statuses::parse(text).unwrap(),
            ..OperationResponse::default()
        };
        let it = Operation {
            responses: ["default", "4XX", "404"].map(response).into(),
            ..Operation::default()
        };
        let found = |status| it.response(status).map(|it| it.statuses);

        assert_eq!(found(404), Some(Statuses::One(404)));
        assert_eq!(found(403), Some(Statuses::Class(4)));
        assert_eq!(found(500), Some(Statuses::Others));
        assert_eq!(Operation::default().response(200).map(|it| it.statuses), None);
        assert_eq!(Statuses::parse("x"), None);
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
