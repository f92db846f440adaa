//! Schemas that were uploaded by themselves: what `validate-content` names by `schema-id`.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/schemas>

use std::sync::Arc;

use pipeline::NamedSchema;

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
    fn what_is_no_document_is_told() {
        assert_eq!(schema("{}").1, ["PC0505 schema `S` has neither `document` nor `value`"]);
        let xml = r#"{"schemaType":"xml","value":{"a":1}}"#;
        assert_eq!(schema(xml).1, ["PC0506 schema `S` is not the text of an XML schema"]);
        assert!(schema(r#"{"value":"{"}"#).1[0].contains("schema `S` is not JSON"));
    }
}
