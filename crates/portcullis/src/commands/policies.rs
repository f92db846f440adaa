//! `portcullis policies`: the support table, and the reference page of a policy.

use document::closest;
use pipeline::reference::{Row, Status, markdown_table, page, rows, table};
use pipeline::{Attr, Child, Content, Registry};
use serde_json::{Value, json};

use super::{complain, mention, say};
use crate::cli::{Policies, TableFormat};
use crate::exit::Exit;

pub(crate) fn run(arguments: &Policies) -> Exit {
    let mut rows = rows(&Registry::new(policies::ALL));
    let Some(name) = arguments.name.as_deref() else {
        match arguments.format {
            TableFormat::Human => {
                say(table(&rows).trim_end());
                mention(&summary(&rows));
            }
            TableFormat::Md => say(markdown_table(&rows, Row::documentation).trim_end()),
            TableFormat::Json => say(&all_json(&rows)),
        }
        return Exit::Success;
    };
    rows.retain(|it| it.name == name);
    let Some(row) = rows.first() else {
        complain(&unknown(name));
        return Exit::Usage;
    };
    match (arguments.format, row.kind) {
        (TableFormat::Json, _) => say(&row_json(row).to_string()),
        (_, Some(kind)) => say(page(kind, &[]).trim_end()),
        (_, None) => say(&format!(
            "`{name}` is refused: a document that uses it does not load. Azure's page: {}",
            row.documentation()
        )),
    }
    Exit::Success
}

fn summary(rows: &[Row]) -> String {
    let count = |status| rows.iter().filter(|it| it.status == status).count();
    format!(
        "{} supported, {} partial, {} refused",
        count(Status::Supported),
        count(Status::Partial),
        count(Status::Refused)
    )
}

fn unknown(name: &str) -> String {
    let message = format!("Azure API Management has no policy `{name}`");
    match closest(name, pipeline::known::POLICY_NAMES.iter().copied()) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    }
}

/// One object a line, so that a part of them can be cut out.
fn all_json(rows: &[Row]) -> String {
    let lines: Vec<String> = rows.iter().map(|it| format!("  {}", row_json(it))).collect();
    format!("[\n{}\n]", lines.join(",\n"))
}

fn row_json(row: &Row) -> Value {
    let differences: Vec<Value> =
        row.differences.iter().map(|(at, what)| json!({ "at": at, "what": what })).collect();
    let mut it = json!({
        "name": row.name,
        "status": row.status.name(),
        "documentation": row.documentation(),
        "differences": differences,
    });
    if let (Some(kind), Some(members)) = (row.kind, it.as_object_mut()) {
        let scopes: Vec<&str> = kind.scopes.each().map(|it| it.name()).collect();
        members.insert("summary".into(), kind.summary.into());
        members.insert("sections".into(), row.sections().into());
        members.insert("oncePerSection".into(), kind.sections.are_once().into());
        members.insert("scopes".into(), scopes.into());
        members.insert("attributes".into(), kind.attrs.iter().map(attribute).collect());
        members.insert("content".into(), kind.children.iter().map(element).collect());
    }
    it
}

fn attribute(attr: &Attr) -> Value {
    json!({
        "name": attr.name(),
        "type": attr.value_type().to_string(),
        "required": attr.is_required(),
        "default": attr.default_text(),
        "words": attr.words(),
        "expressions": attr.takes_expressions(),
        "excludes": attr.excluded(),
        "meaning": attr.description(),
    })
}

/// An element, or (with an empty name) the policy's own content.
fn element(child: &Child) -> Value {
    let (min, max) = child.count();
    json!({
        "name": child.name(),
        "min": min,
        "max": max,
        "holds": holds(child.holds()),
        "expressions": child.takes_expressions(),
        "meaning": child.description(),
        "attributes": child.attributes().iter().map(attribute).collect::<Vec<_>>(),
        "content": child.elements().iter().map(element).collect::<Vec<_>>(),
    })
}

fn holds(content: Content) -> &'static str {
    match content {
        Content::Nothing => "nothing",
        Content::Text | Content::Template => "text",
        Content::Elements => "elements",
        Content::Policies => "policies",
        Content::Markup => "markup",
        Content::Foreign => "foreign",
        Content::Policy => "policy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_in_the_table_and_in_the_json() {
        let rows = rows(&Registry::new(policies::ALL));
        let all: Value = serde_json::from_str(&all_json(&rows)).unwrap();

        assert_eq!(all.as_array().unwrap().len(), rows.len());
        let jwt = rows.iter().find(|it| it.name == "validate-jwt").unwrap();
        let it = row_json(jwt);
        assert_eq!(it["sections"], json!(["inbound"]));
        assert_eq!(it["attributes"][0]["name"], "header-name");
        assert!(it["content"].as_array().unwrap().iter().any(|it| it["name"] == "audiences"));
    }

    #[test]
    fn a_misspelled_name_is_told_the_nearest() {
        assert!(unknown("validate-jtw").ends_with("did you mean `validate-jwt`?"));
    }
}
