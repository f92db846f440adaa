//! The reference page of a policy, in Markdown.

use std::fmt::Write as _;

use super::table::{difference, scopes};
use crate::schema::{Attr, Child, Content, PolicyKind};
use crate::section::Section;

/// An error that a policy ended with, as `context.LastError` tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// `LastError.Reason`.
    pub reason: String,
    /// The status that the client got.
    pub status: String,
    /// `LastError.Message`.
    pub message: String,
}

/// The page; `refusals` are those that its tests bring about, sorted.
#[must_use]
pub fn page(kind: &PolicyKind, refusals: &[Refusal]) -> String {
    let mut out = format!("# `{}`\n\n{}\n\n", kind.name, kind.summary);
    let sections: Vec<String> = kind.sections.each().map(|it| code(Section::name(it))).collect();
    let once = if kind.sections.are_once() { ", once in each" } else { "" };
    let places = match sections.is_empty() {
        true => "none; it is the document of a GraphQL resolver".to_owned(),
        false => sections.join(", "),
    };
    let _ = writeln!(out, "- Sections: {places}{once}");
    let _ = writeln!(out, "- Scopes: {}", scopes(kind.scopes));
    let _ = writeln!(out, "- Azure's page: <{}>", kind.documentation());
    let differences = kind.differences();
    if !differences.is_empty() {
        out.push_str("\n## What differs from Azure\n\n");
        for (at, what) in &differences {
            let _ = writeln!(out, "- {}", difference(at, what));
        }
    }
    attributes("Attributes", kind.attrs, &mut out);
    elements(kind.children, &mut out);
    inner("", kind.children, &mut out);
    errors(refusals, &mut out);
    out
}

fn attributes(title: &str, attrs: &[Attr], out: &mut String) {
    if attrs.is_empty() {
        return;
    }
    let _ =
        writeln!(out, "\n## {title}\n\n| attribute | value | default | expressions | meaning |");
    out.push_str("|---|---|---|---|---|\n");
    for attr in attrs {
        let default = match attr.default_text() {
            _ if attr.is_required() => "required".to_owned(),
            Some("") | None => String::new(),
            Some(default) => code(default),
        };
        let value = match attr.words() {
            [] => attr.value_type().to_string(),
            words => words.iter().map(|it| code(it)).collect::<Vec<_>>().join(", "),
        };
        let excludes = match attr.excluded() {
            [] => String::new(),
            names => format!(
                " Not beside {}.",
                names.iter().map(|it| code(it)).collect::<Vec<_>>().join(", ")
            ),
        };
        let _ = writeln!(
            out,
            "| `{}` | {value} | {default} | {} | {}{excludes} |",
            attr.name(),
            yes(attr.takes_expressions()),
            cell(attr.description()),
        );
    }
}

fn elements(children: &[Child], out: &mut String) {
    if children.is_empty() {
        return;
    }
    out.push_str("\n## Content\n\n| element | how often | holds | expressions | meaning |\n");
    out.push_str("|---|---|---|---|---|\n");
    for child in children {
        element_row("", child, out);
    }
}

fn element_row(path: &str, child: &Child, out: &mut String) {
    let name = match child.name() {
        "" => "(itself)".to_owned(),
        name => code(&format!("{path}{name}")),
    };
    let _ = writeln!(
        out,
        "| {name} | {} | {} | {} | {} |",
        count(child),
        holds(child),
        yes(child.takes_expressions()),
        cell(child.description()),
    );
    if !child.name().is_empty() {
        for inner in child.elements() {
            element_row(&format!("{path}{}/", child.name()), inner, out);
        }
    }
}

/// The attributes of the elements.
fn inner(path: &str, children: &[Child], out: &mut String) {
    for child in children.iter().filter(|it| !it.name().is_empty()) {
        let own = format!("{path}{}", child.name());
        attributes(&format!("Attributes of `{own}`"), child.attributes(), out);
        inner(&format!("{own}/"), child.elements(), out);
    }
}

fn errors(refusals: &[Refusal], out: &mut String) {
    if refusals.is_empty() {
        return;
    }
    out.push_str(
        "\n## Errors\n\nAs `context.LastError` tells them, with the status that the client gets; ",
    );
    out.push_str("values are those of the examples in the tests.\n\n");
    out.push_str("| reason | status | message |\n|---|---|---|\n");
    let mut rest = refusals;
    while let Some(first) = rest.first() {
        let n_same = rest.iter().take_while(|it| it.reason == first.reason).count();
        let (same, others) = rest.split_at(n_same);
        let mut statuses: Vec<&str> = same.iter().map(|it| it.status.as_str()).collect();
        statuses.dedup();
        let (statuses, message) = (statuses.join(", "), cell(&first.message));
        let _ = writeln!(out, "| `{}` | {statuses} | {message} |", first.reason);
        rest = others;
    }
}

fn count(child: &Child) -> &'static str {
    match child.count() {
        (0, Some(_)) => "at most once",
        (0, None) => "any number",
        (_, Some(_)) => "once",
        (_, None) => "once or more",
    }
}

fn holds(child: &Child) -> &'static str {
    match child.holds() {
        Content::Nothing => "nothing",
        Content::Text | Content::Template => "text",
        Content::Elements => "elements",
        Content::Policies => "policies",
        Content::Markup => "text, markup included",
        Content::Foreign => "an element of another vocabulary",
        Content::Policy => "as the policy",
    }
}

fn yes(it: bool) -> &'static str {
    if it { "yes" } else { "no" }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::KINDS;

    #[test]
    fn a_page_tells_attributes_content_and_errors() {
        let kind = KINDS.iter().find(|it| it.name == "shaped").unwrap();
        let refusal = |status: &str, message: &str| Refusal {
            reason: "Bad".to_owned(),
            status: status.to_owned(),
            message: message.to_owned(),
        };
        let all = ["400", "400", "401"].map(|it| refusal(it, "It is a|b."));
        let page = page(kind, &all);

        for part in [
            "# `shaped`",
            "\n## Attributes\n",
            "| `name` | text | required | no |",
            "| `list/value` |",
            "\n## Attributes of `item`\n",
            "| `Bad` | 400, 401 | It is a\\|b. |\n",
            "Azure's page: <https://learn.microsoft.com/",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
    }
}
