//! The definitions that bodies are checked against: those of the API's description, compiled for
//! each operation, and those of schema entities, JSON or XML.

use bytes::Bytes;
use pipeline::{
    CompileCx, Diagnostic, Element, Message, NamedSchema, NamedSchemas, Operation, Representation,
    Statuses, codes,
};
use schema::{Adjust, Dialect, Schema, Source};

use super::{SCHEMA_ID, SCHEMA_REF};
use crate::content::{self, essence};
use crate::validation::schemas;

/// A schema with the name that messages have for it.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) form: Form,
}

/// What a definition is written in.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Json(Schema),
    Xml(xsd::Schema),
    /// XML in an envelope.
    Soap(xsd::Schema),
}

impl Form {
    /// The text of a body in its charset; that of XML in the encoding that it declares, if its
    /// media type names none. `None` if it is no text in it.
    pub(super) fn text(&self, bytes: &Bytes, content_type: Option<&str>) -> Option<String> {
        match self {
            Form::Json(_) => content::text(bytes, content_type),
            Form::Xml(_) | Form::Soap(_) => content::xml_text(bytes, content_type),
        }
    }
}

/// What one `content` element checks bodies against.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// The API's description of the body.
    Described(Adjust),
    /// A schema entity.
    Named(Definition),
    /// A schema entity, when documents are checked without them.
    NotAtHand,
    /// The XML schemas of the API.
    DescribedXml(fn(xsd::Schema) -> Form),
}

/// The described bodies of an operation in one direction.
#[derive(Debug)]
pub(super) struct Bodies {
    list: Vec<Body>,
    /// The XML schemas of the API, for bodies that the operation does not describe: one for each
    /// `content` element.
    pub(super) undescribed: Vec<Option<Definition>>,
    /// What keeps the policy from working.
    pub(super) problems: Vec<String>,
    pub(super) has_document: bool,
}

/// One described body.
#[derive(Debug)]
pub(super) struct Body {
    statuses: Option<Statuses>,
    content_type: String,
    /// One for each `content` element; none if the description has none for it.
    pub(super) definitions: Vec<Option<Definition>>,
}

/// Compiles the definitions of an operation for all `content` elements.
pub(super) fn describe(
    operation: &Operation,
    message: Message,
    wanted: &[(Option<String>, Wanted)],
) -> Bodies {
    let mut bodies = Bodies {
        list: Vec::new(),
        undescribed: Vec::new(),
        problems: Vec::new(),
        has_document: operation.specification.is_some(),
    };
    bodies.add_xml(operation, wanted);
    if message == Message::Request {
        for it in &operation.request.representations {
            bodies.add(operation, None, it, wanted);
        }
        return bodies;
    }
    for response in &operation.responses {
        for it in &response.representations {
            bodies.add(operation, Some(response.statuses), it, wanted);
        }
    }
    bodies
}

impl Bodies {
    fn add(
        &mut self,
        operation: &Operation,
        statuses: Option<Statuses>,
        described: &Representation,
        wanted: &[(Option<String>, Wanted)],
    ) {
        let content_type = essence(&described.content_type).to_owned();
        let mut definitions = Vec::new();
        for (of_type, wanted) in wanted {
            if let Wanted::DescribedXml(form) = wanted {
                let id = described.schema_id.as_deref();
                definitions.push(self.xml(operation, id, *form));
                continue;
            }
            let is_meant = of_type.as_ref().is_none_or(|it| covers(&content_type, it));
            let pointer = described.definition.as_deref().filter(|_| is_meant);
            let specification = operation.specification.as_deref();
            let (Wanted::Described(adjust), Some(pointer), Some(specification)) =
                (wanted, pointer, specification)
            else {
                definitions.push(None);
                continue;
            };
            let name = match statuses {
                None => format!("{}-request", operation.info.id),
                Some(Statuses::One(status)) => format!("{}-{status}", operation.info.id),
                Some(Statuses::Class(class)) => format!("{}-{class}XX", operation.info.id),
                Some(Statuses::Others) => format!("{}-default", operation.info.id),
            };
            let name = schemas::name(specification, pointer, &name);
            match schemas::compile(specification, pointer, *adjust) {
                Ok(schema) => {
                    definitions.push(Some(Definition { name, form: Form::Json(schema) }));
                }
                Err(error) => {
                    definitions.push(None);
                    self.problems.push(format!(
                        "validate-content: the definition `{name}` of `{content_type}` cannot be used: {error}"
                    ));
                }
            }
        }
        self.list.push(Body { statuses, content_type, definitions });
    }

    /// What describes XML bodies apart from the operation.
    fn add_xml(&mut self, operation: &Operation, wanted: &[(Option<String>, Wanted)]) {
        for (_, wanted) in wanted {
            let definition = match wanted {
                Wanted::DescribedXml(form) => self.xml(operation, None, *form),
                _ => None,
            };
            self.undescribed.push(definition);
        }
    }

    /// The XML schema of the API that has the name, or all of them.
    fn xml(
        &mut self,
        operation: &Operation,
        id: Option<&str>,
        form: fn(xsd::Schema) -> Form,
    ) -> Option<Definition> {
        let documents = operation.schemas.as_ref()?.xml_documents();
        let id = id.map(str::to_lowercase).filter(|id| documents.iter().any(|(it, _)| it == id));
        let compiled = match &id {
            Some(id) => xsd::Schema::compile(&documents, id),
            None => xsd::Schema::compile_all(&documents),
        };
        let name = id.unwrap_or_else(|| {
            documents.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        });
        match compiled {
            Ok(schema) => Some(Definition { name, form: form(schema) }),
            Err(error) => {
                let problem =
                    format!("validate-content: the XML schema `{name}` cannot be used: {error}");
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                None
            }
        }
    }

    /// The described body for a media type, in a response of these statuses.
    pub(super) fn find(&self, statuses: Option<Statuses>, content_type: &str) -> Option<&Body> {
        let mut of_status = self.list.iter().filter(|it| it.statuses == statuses);
        let exact = of_status.clone().find(|it| it.content_type.eq_ignore_ascii_case(content_type));
        exact.or_else(|| of_status.find(|it| covers(&it.content_type, content_type)))
    }
}

/// Whether a media type or range (`text/*`, `*/*`) covers a media type.
fn covers(range: &str, content_type: &str) -> bool {
    let (Some((kind, subtype)), Some((actual, actual_subtype))) =
        (range.split_once('/'), content_type.split_once('/'))
    else {
        return false;
    };
    (kind == "*" || kind.eq_ignore_ascii_case(actual))
        && (subtype == "*" || subtype.eq_ignore_ascii_case(actual_subtype))
}

/// The schema entity that a `content` element names.
pub(super) fn named(
    element: Element<'_>,
    id: &str,
    reference: Option<&str>,
    adjust: Adjust,
    cx: &mut CompileCx,
) -> Result<Wanted, Diagnostic> {
    let Some(entities) = cx.extension::<NamedSchemas>() else { return Ok(Wanted::NotAtHand) };
    let document = match entities.get(id) {
        Some(NamedSchema::Json(document)) => document,
        Some(NamedSchema::Xml(_)) => {
            let message = format!("schema `{id}` is an XML schema");
            return Err(cx
                .refuse_attr(element, &SCHEMA_ID, codes::BAD_VALUE, message)
                .label("a JSON schema is needed"));
        }
        None => return Err(unknown(element, id, &entities, cx)),
    };
    let pointer = reference.map(|it| it.trim().trim_start_matches('#')).unwrap_or_default();
    let dialect = if document.get("openapi").is_some() || document.get("components").is_some() {
        Dialect::OpenApi30
    } else {
        Dialect::JsonSchema
    };
    let compiled =
        Source::new(document, dialect, adjust).and_then(|source| source.compile(pointer));
    let last = pointer.rsplit('/').next().filter(|it| !it.is_empty());
    match compiled {
        Ok(schema) => {
            let name = last.unwrap_or(id).to_owned();
            Ok(Wanted::Named(Definition { name, form: Form::Json(schema) }))
        }
        Err(error) => {
            let attr = if reference.is_some() { &SCHEMA_REF } else { &SCHEMA_ID };
            let message = format!("schema `{id}` cannot be used: {error}");
            Err(cx.refuse_attr(element, attr, codes::BAD_VALUE, message).label("named here"))
        }
    }
}

fn unknown(element: Element<'_>, id: &str, entities: &NamedSchemas, cx: &CompileCx) -> Diagnostic {
    let message = format!("unknown schema `{id}`");
    let it = cx.refuse_attr(element, &SCHEMA_ID, codes::UNKNOWN_SCHEMA, message);
    match document::closest(&id.to_lowercase(), entities.names()) {
        Some(near) => it.label(format!("did you mean `{near}`?")),
        None => it.label("no schema has this name"),
    }
}

/// The schema entity that a `content` element for XML names; `form` makes it a definition.
pub(super) fn named_xml(
    element: Element<'_>,
    id: &str,
    form: fn(xsd::Schema) -> Form,
    cx: &mut CompileCx,
) -> Result<Wanted, Diagnostic> {
    let Some(entities) = cx.extension::<NamedSchemas>() else { return Ok(Wanted::NotAtHand) };
    match entities.get(id) {
        Some(NamedSchema::Xml(_)) => {}
        Some(NamedSchema::Json(_)) => {
            let message = format!("schema `{id}` is a JSON schema");
            return Err(cx
                .refuse_attr(element, &SCHEMA_ID, codes::BAD_VALUE, message)
                .label("an XML schema is needed"));
        }
        None => return Err(unknown(element, id, &entities, cx)),
    }
    match xsd::Schema::compile(&entities.xml_documents(), &id.to_lowercase()) {
        Ok(schema) => Ok(Wanted::Named(Definition { name: id.to_owned(), form: form(schema) })),
        Err(error) => {
            let message = format!("schema `{id}` cannot be used: {error}");
            Err(cx.refuse_attr(element, &SCHEMA_ID, codes::BAD_VALUE, message).label("named here"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_media_types() {
        for (range, content_type, is_covered) in [
            ("application/json", "Application/JSON", true),
            ("application/*", "application/json", true),
            ("*/*", "text/plain", true),
            ("text/*", "application/json", false),
            ("application/json", "application/hal+json", false),
            ("*/*", "", false),
        ] {
            assert_eq!(covers(range, content_type), is_covered, "{range} {content_type}");
        }
    }
}
