//! What a specification says of requests and of headers of responses, with the places of schemas
//! as JSON pointers (RFC 6901).

use pipeline::{Location, OperationRequest, Parameter, Representation, Style};

use super::{MAX_HOPS, Reader, escaped, schema};
use crate::tree::Tree;

/// A node of the specification with the pointer that leads to it.
#[derive(Clone)]
pub(super) struct At<'s> {
    pub(super) tree: &'s Tree,
    pub(super) pointer: String,
}

impl<'s> At<'s> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<At<'s>> {
        Some(At { tree: self.tree.get(key)?, pointer: self.below(key) })
    }

    /// The items of a list.
    fn items(&self) -> impl Iterator<Item = At<'s>> {
        let items = self.tree.items().iter().enumerate();
        items.map(|(n, tree)| At { tree, pointer: self.below(&n.to_string()) })
    }

    /// The entries of a map.
    fn entries(&self) -> impl Iterator<Item = (&'s str, At<'s>)> {
        let of = |it: &'s crate::tree::Entry| {
            (it.key.as_str(), At { tree: &it.value, pointer: self.below(&it.key) })
        };
        self.tree.entries().iter().map(of)
    }

    fn below(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, escaped(key))
    }

    fn text(&self, key: &str) -> Option<&'s str> {
        self.tree.get(key).and_then(Tree::scalar)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.tree.get(key).and_then(Tree::as_bool)
    }
}

impl<'s> Reader<'s> {
    /// Follows `$ref` and tells where it ends. What leads nowhere is reported elsewhere.
    pub(super) fn follow_at(&self, mut at: At<'s>) -> At<'s> {
        for _ in 0..MAX_HOPS {
            let Some(reference) = at.text("$ref") else { return at };
            let Some(tree) = schema::pointer(self.spec, reference) else { return at };
            at = At { tree, pointer: reference.trim_start_matches('#').to_owned() };
        }
        at
    }

    /// Every parameter and body of a request.
    pub(super) fn request(&self, operation: &At<'s>, item: &At<'s>) -> OperationRequest {
        let mut request = OperationRequest::default();
        let of = |at: &At<'s>| at.get("parameters").map(|it| it.items().collect::<Vec<_>>());
        let all = of(operation).into_iter().chain(of(item)).flatten();
        for at in all.map(|it| self.follow_at(it)) {
            match at.text("in") {
                Some("body") => self.body_v2(&at, operation, &mut request),
                Some("formData") => self.form_v2(&at, operation, &mut request),
                _ => {
                    let Some(found) = self.parameter(&at) else { continue };
                    let is_known =
                        |it: &Parameter| it.location == found.location && it.name == found.name;
                    if !request.parameters.iter().any(is_known) {
                        request.parameters.push(found);
                    }
                }
            }
        }
        if let Some(body) = operation.get("requestBody").map(|it| self.follow_at(it)) {
            request.is_body_required = body.flag("required").unwrap_or(false);
            request.representations = self.definitions(&body);
        }
        request
    }

    /// The bodies of a request by media type, without examples.
    fn definitions(&self, body: &At<'s>) -> Vec<Representation> {
        let content = body.get("content");
        let entries = content.iter().flat_map(At::entries);
        entries
            .map(|(content_type, it)| Representation {
                content_type: content_type.to_owned(),
                definition: it.get("schema").map(|it| it.pointer),
                ..Representation::default()
            })
            .collect()
    }

    fn body_v2(&self, at: &At<'s>, operation: &At<'s>, request: &mut OperationRequest) {
        let definition = at.get("schema").map(|it| it.pointer);
        request.is_body_required = at.flag("required").unwrap_or(false);
        let types = self.consumed(operation, &["application/json"]);
        request.representations = types
            .into_iter()
            .map(|content_type| Representation {
                content_type,
                definition: definition.clone(),
                ..Representation::default()
            })
            .collect();
    }

    fn form_v2(&self, at: &At<'s>, operation: &At<'s>, request: &mut OperationRequest) {
        request.is_body_required |= at.flag("required").unwrap_or(false);
        if request.representations.is_empty() {
            let usual = ["application/x-www-form-urlencoded", "multipart/form-data"];
            let types = self.consumed(operation, &usual);
            request.representations = types
                .into_iter()
                .map(|content_type| Representation { content_type, ..Representation::default() })
                .collect();
        }
    }

    fn consumed(&self, operation: &At<'s>, usual: &[&str]) -> Vec<String> {
        let listed = operation.tree.get("consumes").or_else(|| self.spec.get("consumes"));
        let listed = listed.map(Tree::items).unwrap_or_default();
        let listed: Vec<String> =
            listed.iter().filter_map(|it| it.scalar().map(str::to_owned)).collect();
        if listed.is_empty() { usual.iter().map(|it| (*it).to_owned()).collect() } else { listed }
    }

    fn parameter(&self, at: &At<'s>) -> Option<Parameter> {
        let location = match at.text("in")? {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            _ => return None,
        };
        Some(self.described(at.text("name")?, location, at))
    }

    /// The headers of a response.
    pub(super) fn headers(&self, response: &At<'s>) -> Vec<Parameter> {
        let headers = response.get("headers");
        let entries = headers.iter().flat_map(At::entries);
        entries
            .map(|(name, at)| self.described(name, Location::Header, &self.follow_at(at)))
            .collect()
    }

    fn described(&self, name: &str, location: Location, at: &At<'s>) -> Parameter {
        let is_header = location == Location::Header;
        let usual = if location == Location::Query { Style::Form } else { Style::Simple };
        let content = at.get("content");
        let content = content.as_ref().and_then(|it| it.entries().next());
        let (definition, style, is_exploded) = if self.is_v2 {
            let (style, is_exploded) = collection(at.text("collectionFormat"), usual);
            (Some(at.pointer.clone()), style, is_exploded)
        } else if let Some((_, media)) = content {
            (media.get("schema").map(|it| it.pointer), Style::Json, false)
        } else {
            let style = at.text("style").and_then(style).unwrap_or(usual);
            let is_exploded = at.flag("explode").unwrap_or(style == Style::Form);
            (at.get("schema").map(|it| it.pointer), style, is_exploded)
        };
        Parameter {
            name: if is_header { name.to_ascii_lowercase() } else { name.to_owned() },
            location,
            is_required: at.flag("required").unwrap_or(location == Location::Path),
            definition,
            style,
            is_exploded,
        }
    }
}

fn style(name: &str) -> Option<Style> {
    Some(match name {
        "simple" => Style::Simple,
        "form" => Style::Form,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "deepObject" => Style::DeepObject,
        "label" => Style::Label,
        "matrix" => Style::Matrix,
        _ => return None,
    })
}

/// How OpenAPI 2 writes lists.
fn collection(format: Option<&str>, usual: Style) -> (Style, bool) {
    match format {
        Some("ssv") => (Style::SpaceDelimited, false),
        Some("tsv") => (Style::TabDelimited, false),
        Some("pipes") => (Style::PipeDelimited, false),
        Some("multi") => (usual, true),
        _ => (usual, false),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::{RequiredQuery, operations};
    use super::*;
    use crate::entity::OperationEntity;
    use crate::tree::tests::yaml;

    fn read(text: &str) -> OperationEntity {
        let problems = RefCell::default();
        let operation = operations(&yaml(text), RequiredQuery::default(), &problems).remove(0);
        assert!(problems.borrow().is_empty(), "{problems:?}");
        operation
    }

    fn told(operation: &OperationEntity) -> Vec<String> {
        let of = |it: &Parameter| {
            format!(
                "{:?} {} {} {:?} {} {}",
                it.location,
                it.name,
                it.is_required,
                it.style,
                it.is_exploded,
                it.definition.as_deref().unwrap_or("-")
            )
        };
        operation.request.parameters.iter().map(of).collect()
    }

    #[test]
    fn parameters_and_bodies_know_where_their_schemas_are() {
        let it = read(
            r##"
openapi: 3.0.1
paths:
  /a/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
      - { name: q, in: query, schema: { type: string } }
    post:
      parameters:
        - { name: q, in: query, style: pipeDelimited, schema: { type: array } }
        - { $ref: '#/components/parameters/Trace' }
        - { name: f, in: query, content: { application/json: { schema: { type: object } } } }
        - { name: c, in: cookie, schema: { type: string } }
      requestBody: { $ref: '#/components/requestBodies/Order' }
      responses:
        '200': { headers: { X-Count: { schema: { type: integer } } } }
        4XX: { description: no }
        default: { description: no }
components:
  parameters:
    Trace: { name: X-Trace, in: header, required: true, schema: { type: string } }
  requestBodies:
    Order: { required: true, content: { application/json: { schema: { type: object } }, text/plain: {} } }
"##,
        );
        assert_eq!(
            told(&it),
            [
                "Query q false PipeDelimited false /paths/~1a~1{id}/post/parameters/0/schema",
                "Header x-trace true Simple false /components/parameters/Trace/schema",
                "Query f false Json false /paths/~1a~1{id}/post/parameters/2/content/application~1json/schema",
                "Path id true Simple false /paths/~1a~1{id}/parameters/0/schema",
            ]
        );
        let bodies: Vec<_> = it
            .request
            .representations
            .iter()
            .map(|it| (it.content_type.as_str(), it.definition.as_deref()))
            .collect();
        assert_eq!(
            bodies,
            [
                (
                    "application/json",
                    Some("/components/requestBodies/Order/content/application~1json/schema")
                ),
                ("text/plain", None)
            ]
        );
        assert!(it.request.is_body_required);
        let header = &it.responses[0].headers[0];
        assert_eq!((header.name.as_str(), header.is_required), ("x-count", false));
        assert_eq!(it.responses.len(), 3);
        let specification = it.specification.unwrap();
        let definition = it.request.parameters[1].definition.as_ref().unwrap();
        assert_eq!(specification.document.pointer(definition).unwrap()["type"], "string");
    }

    #[test]
    fn version_two_describes_parameters_in_place() {
        let it = read(
            "swagger: '2.0'\nconsumes: [application/json, application/xml]\npaths:\n  /a:\n    post:\n      parameters:\n        \
             - { name: ids, in: query, type: array, items: { type: integer }, collectionFormat: multi }\n        \
             - { name: order, in: body, required: true, schema: { type: object } }\n      \
             responses: { '200': { schema: { type: string } } }\n",
        );
        assert_eq!(told(&it), ["Query ids false Form true /paths/~1a/post/parameters/0"]);
        let types: Vec<_> = it.request.representations.iter().map(|it| &it.content_type).collect();
        assert_eq!(types, ["application/json", "application/xml"]);
        assert_eq!(
            it.request.representations[0].definition.as_deref(),
            Some("/paths/~1a/post/parameters/1/schema")
        );
        assert_eq!(
            it.responses[0].representations[0].definition.as_deref(),
            Some("/paths/~1a/post/responses/200/schema")
        );
    }
}
