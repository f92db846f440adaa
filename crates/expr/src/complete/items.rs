//! The choices of a place.

use std::collections::BTreeMap;

use super::{Completion, CompletionKind};
use crate::Options;
use crate::bind::probe::{Listed, Site, members};
use crate::types::Type;
use clr::rows::{self, MemberKind, TypeDef, TypeKind};
use csharp::Form;

/// Words that can stand where a name can; `context` stands with the variables.
const KEYWORDS: &[&str] = &[
    "bool", "byte", "char", "decimal", "double", "false", "float", "int", "long", "new", "null",
    "object", "short", "string", "true", "typeof",
];

/// Words that start a statement.
const STATEMENTS: &[&str] = &[
    "break", "const", "continue", "do", "for", "foreach", "if", "return", "switch", "throw", "try",
    "using", "var", "while",
];

/// The choices of a place, in no order.
pub(super) fn of(site: &Site, form: Form, options: &Options) -> Vec<Completion> {
    match site {
        Site::Member { of, is_static } => of_type(*of, *is_static, options),
        Site::Namespace(name) => of_namespace(name, options),
        Site::Name { variables, only_types } => {
            let mut all = types(options);
            all.extend(namespaces_below("", options));
            let words = KEYWORDS.iter().filter(|it| !*only_types || is_type_word(it));
            all.extend(words.map(|it| keyword(it)));
            if *only_types {
                return all;
            }
            if form == Form::Statements {
                all.extend(STATEMENTS.iter().map(|it| keyword(it)));
            }
            let context = crate::host::HostRef::Context.static_type();
            all.push(variable("context", context));
            all.extend(variables.iter().map(|(name, ty)| variable(name, *ty)));
            all
        }
    }
}

fn is_type_word(word: &str) -> bool {
    !matches!(word, "false" | "new" | "null" | "true" | "typeof")
}

fn variable(name: &str, ty: Type) -> Completion {
    plain(name, CompletionKind::Variable, ty.to_string())
}

fn keyword(word: &str) -> Completion {
    plain(word, CompletionKind::Keyword, String::new())
}

fn plain(name: &str, kind: CompletionKind, detail: String) -> Completion {
    Completion {
        label: name.to_owned(),
        insert: name.to_owned(),
        kind,
        detail,
        summary: String::new(),
        docs: String::new(),
    }
}

// ------------------------------------------------------------------------- members

fn of_type(of: Type, is_static: bool, options: &Options) -> Vec<Completion> {
    let mut by_name: BTreeMap<&'static str, Vec<Listed>> = BTreeMap::new();
    for it in members(of, is_static, options) {
        by_name.entry(it.member.name).or_default().push(it);
    }
    let mut all: Vec<Completion> = by_name.values().filter_map(|it| member(it)).collect();
    if let Type::Anonymous(it) = of {
        let fields = it.fields.iter();
        all.extend(fields.map(|(name, ty)| plain(name, CompletionKind::Property, ty.to_string())));
    }
    if let (true, Some(def)) = (is_static, of.definition_name().and_then(rows::definition)) {
        all.extend(enum_members(def));
        all.extend(types_within(def.name, options));
    }
    all
}

fn enum_members(def: &'static TypeDef) -> Vec<Completion> {
    let TypeKind::Enum { values, .. } = def.kind else { return Vec::new() };
    let one = |(name, value): &(&str, i64)| Completion {
        docs: def.docs_link(),
        ..plain(name, CompletionKind::EnumMember, format!("{} = {value}", def.short_name()))
    };
    values.iter().map(one).collect()
}

/// The choice that stands for all rows of a name.
fn member(rows: &[Listed]) -> Option<Completion> {
    let first = rows.first()?;
    let name = first.member.name;
    let (kind, is_method) = match first.member.kind {
        MemberKind::Property | MemberKind::StaticProperty => (CompletionKind::Property, false),
        MemberKind::Extension => (CompletionKind::Extension, true),
        _ => (CompletionKind::Method, true),
    };
    let mut detail = if is_method { first.signature() } else { first.returns().to_string() };
    match rows.len() - 1 {
        0 => {}
        _ if !is_method => {}
        1 => detail.push_str(" (+ 1 overload)"),
        n => detail.push_str(&format!(" (+ {n} overloads)")),
    }
    let insert = match is_method {
        false => name.to_owned(),
        true if rows.iter().all(Listed::needs_type_arguments) => format!("{name}<"),
        true if rows.iter().all(Listed::takes_nothing) => format!("{name}()"),
        true => format!("{name}("),
    };
    Some(Completion {
        label: name.to_owned(),
        insert,
        kind,
        detail,
        summary: rows
            .iter()
            .map(|it| it.member.summary)
            .find(|it| !it.is_empty())
            .unwrap_or("")
            .into(),
        docs: first.docs_link(),
    })
}

// --------------------------------------------------------------- types, namespaces

fn listed(options: &Options) -> impl Iterator<Item = &'static TypeDef> {
    let all = options.allow_unlisted;
    rows::all().filter(move |it| it.listed || all)
}

fn types(options: &Options) -> Vec<Completion> {
    listed(options).filter(|it| is_nameable(it) && !is_nested(it)).map(a_type).collect()
}

/// Types of `context` are interfaces of the gateway, which documents do not name.
fn is_nameable(def: &TypeDef) -> bool {
    !def.name.starts_with("Apim.")
}

/// `System.TimeZoneInfo.AdjustmentRule`.
fn is_nested(def: &TypeDef) -> bool {
    def.name.rsplit_once('.').is_some_and(|(outer, _)| rows::definition(outer).is_some())
}

fn a_type(def: &'static TypeDef) -> Completion {
    let kind = match def.kind {
        TypeKind::Class | TypeKind::Static => CompletionKind::Class,
        TypeKind::Struct => CompletionKind::Struct,
        TypeKind::Interface => CompletionKind::Interface,
        TypeKind::Enum { .. } => CompletionKind::Enum,
    };
    let short = def.short_name();
    let (label, insert) = match def.generics {
        0 => (short.to_owned(), short.to_owned()),
        1 => (format!("{short}<T>"), format!("{short}<")),
        2 => (format!("{short}<TKey, TValue>"), format!("{short}<")),
        n => (format!("{short}<{}>", ",".repeat(n - 1)), format!("{short}<")),
    };
    Completion {
        label,
        insert,
        kind,
        detail: def.name.to_owned(),
        summary: String::new(),
        docs: def.docs_link(),
    }
}

fn of_namespace(name: &str, options: &Options) -> Vec<Completion> {
    let mut all = types_within(name, options);
    all.extend(namespaces_below(name, options));
    all
}

/// Types whose full name is the name, a dot and one word more.
fn types_within(name: &str, options: &Options) -> Vec<Completion> {
    let inside = |it: &&TypeDef| it.name.rsplit_once('.').is_some_and(|(outer, _)| outer == name);
    listed(options).filter(inside).map(a_type).collect()
}

fn namespaces_below(name: &str, options: &Options) -> Vec<Completion> {
    let prefix = if name.is_empty() { String::new() } else { format!("{name}.") };
    let mut found: Vec<&str> = listed(options)
        .filter(|it| is_nameable(it) && !is_nested(it))
        .filter_map(|it| it.name.strip_prefix(prefix.as_str())?.split_once('.'))
        .map(|(next, _)| next)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|it| plain(it, CompletionKind::Namespace, format!("{prefix}{it}")))
        .collect()
}
