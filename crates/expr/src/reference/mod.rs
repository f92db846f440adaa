//! The reference page of the language, generated from the rows.
//!
//! [`page`] is `docs/expressions.md`, to the letter; a test keeps it so.

mod differences;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Limits;
use crate::bind::codes;
use crate::complete::signature_of;
use crate::host::HostRef;
use crate::types::Type;
use clr::rows::{self, Member, MemberKind, TypeDef, TypeKind};
use differences::DIFFERENCES;

/// What is written by hand.
const LANGUAGE: &str = include_str!("language.md");
/// The namespace of the types of `context`, which has no name in documents.
const CONTEXT: &str = "Apim";

/// The page, in Markdown.
#[must_use]
pub fn page() -> String {
    crate::catalog::load();
    let mut out = LANGUAGE.to_owned();
    bounds(&mut out);
    differences_table(&mut out);
    codes_table(&mut out);
    let types = by_namespace();
    contents(&types, &mut out);
    for (namespace, types) in &types {
        section(namespace, types, &mut out);
    }
    out
}

fn bounds(out: &mut String) {
    let Limits { steps, bytes, depth } = Limits::default();
    let _ = writeln!(out, "| bound | default |\n|---|---|");
    let _ = writeln!(out, "| steps: calls, rounds of loops, work on long texts | {steps} |");
    let _ = writeln!(out, "| bytes allocated, freed or not | {} MiB |", bytes >> 20);
    let _ = writeln!(out, "| levels of calls within calls | {depth} |");
    let _ = writeln!(out, "| steps of a regular expression | a budget of its own |");
}

fn differences_table(out: &mut String) {
    out.push_str("\n## Runtimes\n\n| | expression | `modern` | `framework` |\n|---|---|---|---|\n");
    for it in DIFFERENCES {
        let (expression, modern, framework) =
            (code(it.expression), code(it.modern), code(it.framework));
        let _ = writeln!(out, "| {} | {expression} | {modern} | {framework} |", it.about);
    }
}

fn codes_table(out: &mut String) {
    out.push_str("\n## Errors\n\n| code | meaning |\n|---|---|\n");
    for (code, title) in codes::TABLE {
        let _ = writeln!(out, "| {code} | {title} |");
    }
}

type ByNamespace = BTreeMap<(u8, &'static str), Vec<&'static TypeDef>>;

/// Listed types by namespace, `context` first.
fn by_namespace() -> ByNamespace {
    let mut all = ByNamespace::new();
    for def in rows::all().filter(|it| it.listed) {
        let namespace = def.name.rsplit_once('.').map_or("", |it| it.0);
        // A nested type stands with its outer one.
        let is_nested = rows::definition(namespace).is_some();
        let namespace = match namespace.rsplit_once('.') {
            Some((outer, _)) if is_nested => outer,
            _ => namespace,
        };
        all.entry((u8::from(namespace != CONTEXT), namespace)).or_default().push(def);
    }
    for types in all.values_mut() {
        types.sort_by_key(|it| it.name);
        types.dedup_by_key(|it| it.name);
    }
    let context = HostRef::Context.static_type().definition_name().unwrap_or_default();
    if let Some(types) = all.get_mut(&(0, CONTEXT)) {
        types.sort_by_key(|it| (it.name != context, it.name));
    }
    all
}

fn contents(all: &ByNamespace, out: &mut String) {
    let n_types: usize = all.values().map(Vec::len).sum();
    let rows =
        |def: &&TypeDef| def.members.iter().filter(|it| it.listed && can_be_called(it)).count();
    let n_members: usize = all.values().flatten().map(rows).sum();
    let _ = writeln!(out, "\n## Types\n\n{n_types} types with {n_members} members:\n");
    for ((_, namespace), types) in all {
        let title = title(namespace);
        let names: Vec<String> =
            types.iter().map(|it| format!("[{}](#{})", plain_name(it), anchor(it))).collect();
        let _ = writeln!(out, "- **{title}**: {}", names.join(", "));
    }
}

fn title(namespace: &str) -> String {
    if namespace == CONTEXT { "context".to_owned() } else { namespace.to_owned() }
}

/// Every type has an anchor of its own, whatever the page's reader makes of headings.
fn anchor(def: &TypeDef) -> String {
    let name = def.name.to_lowercase().replace('.', "-");
    // `System.Array[,]` cannot stand in a link.
    let name = name.replace(['[', ']'], "").replace(',', "x");
    format!("{name}-{}", def.generics)
}

fn section(namespace: &(u8, &str), types: &[&'static TypeDef], out: &mut String) {
    let _ = writeln!(out, "\n## {}", title(namespace.1));
    for def in types {
        one_type(def, out);
    }
}

/// `List<T>`.
fn full_title(def: &TypeDef) -> String {
    match def.own_type() {
        Type::Named(..) => def.own_type().to_string(),
        _ => def.short_name().to_owned(),
    }
}

/// The name for a table of contents, with a nested type's outer one.
fn plain_name(def: &TypeDef) -> String {
    full_title(def).replace('<', "&lt;").replace('>', "&gt;")
}

fn one_type(def: &'static TypeDef, out: &mut String) {
    let kind = match def.kind {
        TypeKind::Class => "class",
        TypeKind::Static => "static class",
        TypeKind::Struct => "struct",
        TypeKind::Interface => "interface",
        TypeKind::Enum { flags: true, .. } => "enum, values may be combined",
        TypeKind::Enum { .. } => "enum",
    };
    let (anchor, name, link) = (anchor(def), plain_name(def), def.docs_link());
    let _ = writeln!(out, "\n### <a id=\"{anchor}\"></a>{name}\n");
    let mut line = if def.name.starts_with(CONTEXT) {
        let at = place_in_context(def);
        format!("{}[documentation]({link})", if at.is_empty() { at } else { format!("`{at}` · ") })
    } else {
        format!("[`{}`]({link}) · {kind}", def.name)
    };
    let bases: Vec<String> = def.bases.iter().map(|it| code(&it.to_string())).collect();
    if !bases.is_empty() {
        let _ = write!(line, " · also what {} has", bases.join(", "));
    }
    let _ = writeln!(out, "{line}");
    if let TypeKind::Enum { values, .. } = def.kind {
        let names: Vec<String> =
            values.iter().map(|(name, value)| format!("`{name}` = {value}")).collect();
        let _ = writeln!(out, "\n{}", names.join(", "));
    }
    rows(def, out);
}

/// Where a type is first met from `context` on.
fn place_in_context(def: &TypeDef) -> String {
    let context = HostRef::Context.static_type();
    if context.is_named(def.name) {
        return "context".to_owned();
    }
    let mut seen = vec![(context, "context".to_owned())];
    let mut at = 0;
    while let Some((ty, path)) = seen.get(at).cloned() {
        let rows = ty.definition_name().and_then(rows::definition).map_or(&[][..], |it| it.members);
        for row in rows.iter().filter(|it| it.kind == MemberKind::Property) {
            if row.returns.is_named(def.name) {
                return format!("{path}.{}", row.name);
            }
            if !seen.iter().any(|(it, _)| *it == row.returns) {
                seen.push((row.returns, format!("{path}.{}", row.name)));
            }
        }
        at += 1;
    }
    String::new()
}

/// One line for each name, its overloads below each other.
fn rows(def: &'static TypeDef, out: &mut String) {
    let mut by_name: BTreeMap<(u8, &str), Vec<&'static Member>> = BTreeMap::new();
    for row in def.members.iter().filter(|it| it.listed && can_be_called(it)) {
        by_name.entry((order(row.kind), row.name)).or_default().push(row);
    }
    if by_name.is_empty() {
        return;
    }
    out.push_str("\n| member | |\n|---|---|\n");
    for rows in by_name.values() {
        let Some(first) = rows.first() else { continue };
        let signatures: Vec<String> = rows.iter().map(|it| code(&written(it, def))).collect();
        let summary = rows.iter().map(|it| it.summary).find(|it| !it.is_empty()).unwrap_or("");
        let name = shown_name(first).replace('|', "\\|");
        let name = if def.docs.is_empty() {
            format!("[{name}]({})", def.member_link(first))
        } else {
            name
        };
        let gap = if summary.is_empty() { "" } else { "<br>" };
        let _ = writeln!(
            out,
            "| {name} | {}{gap}{} |",
            signatures.join("<br>"),
            summary.replace('|', "\\|")
        );
    }
}

/// A member that needs an object of a type that may not be named cannot be called.
fn can_be_called(row: &Member) -> bool {
    let is_listed = |of: &Type| match of {
        Type::Named(name, _) => rows::definition(name).is_none_or(|it| it.listed),
        _ => true,
    };
    row.params.iter().all(is_listed)
}

fn order(kind: MemberKind) -> u8 {
    match kind {
        MemberKind::Constructor => 0,
        MemberKind::Property | MemberKind::StaticProperty => 1,
        MemberKind::Indexer => 2,
        MemberKind::Method | MemberKind::StaticMethod | MemberKind::Extension => 3,
        MemberKind::Operator => 4,
        MemberKind::Implicit | MemberKind::Explicit => 5,
    }
}

fn shown_name(row: &Member) -> String {
    match row.kind {
        MemberKind::Constructor => "new".to_owned(),
        MemberKind::Indexer => "[ ]".to_owned(),
        MemberKind::Operator => format!("operator {}", row.name),
        MemberKind::Implicit => "implicit".to_owned(),
        MemberKind::Explicit => "explicit".to_owned(),
        _ => row.name.to_owned(),
    }
}

/// A member as C# would declare it.
fn written(row: &'static Member, def: &TypeDef) -> String {
    let signature = signature_of(row);
    match row.kind {
        MemberKind::Property => {
            let set = if row.set.is_some() { " { get; set; }" } else { "" };
            format!("{} {}{set}", row.returns, row.name)
        }
        MemberKind::StaticProperty => format!("static {} {}", row.returns, row.name),
        MemberKind::StaticMethod if def.kind != TypeKind::Static => format!("static {signature}"),
        MemberKind::Extension => {
            let this = row.params.first().copied().unwrap_or(Type::Object);
            signature
                .replacen('(', if row.params.len() > 1 { "(THIS, " } else { "(THIS" }, 1)
                .replacen("THIS", &format!("this {this}"), 1)
        }
        MemberKind::Implicit | MemberKind::Explicit => {
            let from = row.params.first().copied().unwrap_or(Type::Object);
            format!("({}){from}", row.returns)
        }
        MemberKind::Operator => {
            let types: Vec<String> = row.params.iter().map(Type::to_string).collect();
            match types.as_slice() {
                [one] => format!("{} {}{one}", row.returns, row.name),
                [a, b] => format!("{} {a} {} {b}", row.returns, row.name),
                _ => signature,
            }
        }
        MemberKind::Indexer => {
            let set = if row.set.is_some() { " { get; set; }" } else { "" };
            let inside = signature.split_once('(').map_or("", |it| it.1).trim_end_matches(')');
            format!("{} this[{inside}]{set}", row.returns)
        }
        _ => signature,
    }
}

/// A code span of a table.
fn code(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::EmptyHost;
    use crate::{Form, Options, Runtime, compile};

    #[test]
    fn each_difference_is_one() {
        for it in DIFFERENCES {
            let text = |runtime| {
                let options = Options { runtime, ..Options::default() };
                let program = compile(it.expression, Form::Expression, &options).unwrap();
                match program.evaluate(&EmptyHost::default()) {
                    Ok(value) => value.to_str(runtime).as_str().to_owned(),
                    Err(exception) => exception.type_name.to_owned(),
                }
            };
            assert_eq!(text(Runtime::Modern), it.modern, "{}", it.expression);
            assert_eq!(text(Runtime::Framework), it.framework, "{}", it.expression);
            assert_ne!(it.modern, it.framework, "{}", it.expression);
        }
    }

    #[test]
    fn every_listed_member_stands_on_the_page() {
        let page = page();
        let lines: std::collections::HashSet<&str> = page.lines().collect();
        for def in rows::all().filter(|it| it.listed) {
            let heading = format!("### <a id=\"{}\"></a>{}", anchor(def), plain_name(def));
            assert!(lines.contains(heading.as_str()), "{heading}");
        }
        assert!(page.contains("T As<T>(bool preserveContent = false)"));
        assert!(page.contains("`context.Request` · "));
        assert!(!page.contains("CultureInfo "), "types that may not be named have no place");
    }
}
