//! Schemas that were uploaded by themselves: what `validate-content` names by `schema-id`.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/schemas>

use std::sync::Arc;

use pipeline::{NamedSchema, NamedSchemas};

use super::{Reading, properties};
use crate::codes;
use crate::layout::EntityFiles;
use crate::tree::Tree;

/// A schema entity.
#[derive(Clone, Debug)]
pub struct SchemaEntity {
    /// Entity name.
    pub name: String,
    /// What it holds.
    pub schema: NamedSchema,
}

/// The XML schemas that an API has of its own. Others describe what its specification holds.
///
/// Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/apis/schemas>
pub(super) fn of_api(api: &EntityFiles, cx: &Reading<'_>) -> Option<Arc<NamedSchemas>> {
    let mut found = NamedSchemas::default();
    for files in api.schemas.values() {
        // Overrides of these stand below their API, so the section is one that never matches.
        let Some(info) = cx.info("", files) else { continue };
        let fields = properties(&info, cx.problems);
        let kind = fields.filled("contentType").unwrap_or_default().to_ascii_lowercase();
        if !kind.contains("xml") && !kind.contains("xsd") {
            continue;
        }
        let content = fields.get("document").or_else(|| fields.get("value"));
        let text = content.and_then(|it| it.scalar().or_else(|| it.get("value")?.scalar()));
        match text {
            Some(text) => found.insert(&files.name, NamedSchema::Xml(text.into())),
            None => {
                let name = (&api.name, &files.name);
                let message =
                    format!("schema `{}` of API `{}` is no text of an XML schema", name.1, name.0);
                cx.report(files.place().error(codes::BAD_VALUE, message));
            }
        }
    }
    let is_empty = found.names().next().is_none();
    (!is_empty).then(|| Arc::new(found))
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<SchemaEntity> {
    let info = cx.info("schemas", files)?;
    let fields = properties(&info, cx.problems);
    let name = files.name.clone();
    let is_xml = fields.filled("schemaType").is_some_and(|it| it.eq_ignore_ascii_case("xml"));
    let content = fields.get("document").or_else(|| fields.get("value")).filter(|it| !it.is_null());
    let Some(content) = content else {
        let message = format!("schema `{name}` has neither `document` nor `value`");
        cx.report(files.place().error(codes::MISSING, message));
        return None;
    };
    // Tools store the document as it is, or its text.
    let text = content.scalar().or_else(|| content.get("value").and_then(Tree::scalar));
    if is_xml {
        let Some(text) = text else {
            let message = format!("schema `{name}` is not the text of an XML schema");
            cx.report(content.error(codes::BAD_VALUE, message));
            return None;
        };
        return Some(SchemaEntity { name, schema: NamedSchema::Xml(text.into()) });
    }
    let document = match text.map(serde_json::from_str) {
        None => content.to_json(),
        Some(Ok(document)) => document,
        Some(Err(error)) => {
            let message = format!("schema `{name}` is not JSON: {error}");
            cx.report(content.error(codes::BAD_VALUE, message));
            return None;
        }
    };
    Some(SchemaEntity { name, schema: NamedSchema::Json(Arc::new(document)) })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn schema(properties: &str) -> (Option<String>, Vec<String>) {
        let info = format!(r#"{{"properties":{properties}}}"#);
        let (entities, problems) = read(&[("schemas/S/schemaInformation.json", &info)]);
        let shown = entities.schemas.first().map(|it| match &it.schema {
            NamedSchema::Json(document) => format!("{} {document}", it.name),
            NamedSchema::Xml(text) => format!("{} XML {text}", it.name),
        });
        (shown, problems)
    }

    #[test]
    fn a_document_stands_as_it_is_or_as_text() {
        let expected = Some(r#"S {"type":"string"}"#.to_owned());
        for properties in [
            r#"{"schemaType":"json","document":{"type":"string"}}"#,
            r#"{"schemaType":"json","value":"{\"type\":\"string\"}"}"#,
            r#"{"document":{"value":"{\"type\":\"string\"}"}}"#,
        ] {
            let (shown, problems) = schema(properties);
            assert_eq!(shown, expected, "{properties}");
            assert!(problems.is_empty(), "{problems:?}");
        }
        assert_eq!(schema(r#"{"schemaType":"xml","value":"<a/>"}"#).0.unwrap(), "S XML <a/>");
    }

    #[test]
    fn an_api_has_xml_schemas_of_its_own() {
        let of = |properties: &str| {
            let info = format!(r#"{{"properties":{properties}}}"#);
            let (mut entities, problems) = read(&[
                ("apis/a/apiInformation.json", r#"{"properties":{"path":"a"}}"#),
                ("apis/a/schemas/S/apiSchemaInformation.json", &info),
            ]);
            let schemas = entities.apis.remove(0).schemas;
            (schemas.map(|it| it.xml_documents()), problems)
        };
        let expected = Some(vec![("s".to_owned(), "<a/>".to_owned())]);
        for kind in ["application/xml", "application/vnd.ms-azure-apim.xsd+xml", "text/xml"] {
            let (found, problems) =
                of(&format!(r#"{{"contentType":"{kind}","document":{{"value":"<a/>"}}}}"#));
            assert_eq!((found, problems.len()), (expected.clone(), 0), "{kind}");
        }
        let json = r#"{"contentType":"application/vnd.oai.openapi.components+json"}"#;
        assert_eq!(of(json).0, None);
        let broken = of(r#"{"contentType":"application/xml","document":{"a":1}}"#).1;
        assert_eq!(broken, ["PC0506 schema `S` of API `a` is no text of an XML schema"]);
    }

    #[test]
    fn what_is_no_document_is_told() {
        assert_eq!(schema("{}").1, ["PC0505 schema `S` has neither `document` nor `value`"]);
        let xml = r#"{"schemaType":"xml","value":{"a":1}}"#;
        assert_eq!(schema(xml).1, ["PC0506 schema `S` is not the text of an XML schema"]);
        assert!(schema(r#"{"value":"{"}"#).1[0].contains("schema `S` is not JSON"));
    }
}
