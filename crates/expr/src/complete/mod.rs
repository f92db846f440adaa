//! Completion and signatures: what an editor offers while an expression is being typed.
//!
//! ```text
//! source + cursor -> the source with a marker -> bind::probe -> what stands there -> members, names
//! ```
//!
//! Start with [`complete`] and [`signatures`]. Everything comes from the rows of the library and
//! from the binder, so what is offered compiles. The source may be unfinished: brackets are closed,
//! and what cannot be parsed is left out.

mod items;
mod signature;
mod site;

use std::ops::Range;

pub(crate) use signature::signature_of;
pub use signature::{Signatures, signatures};
pub use site::is_unfinished;

use crate::Options;
use csharp::Form;

/// What can stand at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// The bytes that a choice replaces: the part of the name that is there.
    pub replace: Range<usize>,
    /// The choices, by name.
    pub items: Vec<Completion>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The name, as lists show it: `GetValueOrDefault`, `List<T>`.
    pub label: String,
    /// What is written: the name, with what must follow it (`As<`, `Trim()`, `Split(`).
    pub insert: String,
    /// What it is.
    pub kind: CompletionKind,
    /// Its type or signature; of several overloads the first one, and how many more there are.
    pub detail: String,
    /// One sentence about it; may be empty.
    pub summary: String,
    /// Its page in the documentation; may be empty.
    pub docs: String,
}

/// What a choice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum CompletionKind {
    Variable,
    Property,
    Method,
    Extension,
    EnumMember,
    Class,
    Struct,
    Interface,
    Enum,
    Namespace,
    Keyword,
}

/// What can stand at the cursor, a byte offset in the source; names that start with what is there,
/// without regard to case.
///
/// `source` is the code between the brackets of `@(...)` or `@{...}`; it may be unfinished, and what
/// stands behind the cursor is taken into account.
#[must_use]
pub fn complete(source: &str, form: Form, cursor: usize, options: &Options) -> Completions {
    crate::catalog::load();
    let Some(word) = site::word_at(source, cursor) else { return Completions::default() };
    let Some(found) = site::find(source, form, &word, options) else {
        return Completions { replace: word, items: Vec::new() };
    };
    let typed = source.get(word.start..cursor.min(word.end)).unwrap_or("");
    let mut items = items::of(&found, form, options);
    items.retain(|it| starts_with(&it.label, typed));
    items.sort_by(|a, b| {
        let key = |it: &Completion| it.label.to_lowercase();
        key(a).cmp(&key(b)).then_with(|| a.label.cmp(&b.label))
    });
    items.dedup_by(|a, b| a.label == b.label);
    Completions { replace: word.start..cursor.min(word.end), items }
}

fn starts_with(label: &str, typed: &str) -> bool {
    let mut letters = label.chars().flat_map(char::to_lowercase);
    typed.chars().flat_map(char::to_lowercase).all(|it| letters.next() == Some(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Completes at the `|`; statements if there is a `;`.
    fn at(source: &str) -> Completions {
        let cursor = source.find('|').unwrap();
        let source = source.replacen('|', "", 1);
        let form = if source.contains(';') { Form::Statements } else { Form::Expression };
        complete(&source, form, cursor, &Options::default())
    }

    fn labels(source: &str) -> Vec<String> {
        at(source).items.into_iter().map(|it| it.label).collect()
    }

    fn item(source: &str, label: &str) -> Completion {
        let all = at(source).items;
        all.into_iter().find(|it| it.label == label).unwrap_or_else(|| panic!("{source}: {label}"))
    }

    #[test]
    fn members_come_with_their_types() {
        let all = labels("context.Request.|");
        for name in ["Body", "Headers", "Method", "Url", "MatchedParameters"] {
            assert!(all.contains(&name.to_owned()), "{all:?}");
        }
        let url = item("context.Request.|", "Url");
        assert_eq!((url.kind, url.detail.as_str()), (CompletionKind::Property, "IUrl"));
        assert!(url.summary.contains("forwarded") && url.docs.starts_with("https://"));
    }

    #[test]
    fn a_partial_name_filters_without_regard_to_case() {
        assert_eq!(labels("context.request.he|"), [""; 0], "C# itself is strict about case");
        assert_eq!(labels("context.Request.hea|"), ["Headers"]);
        assert_eq!(at("context.Request.hea|").replace, 16..19);
        assert_eq!(labels("context.Request.Hea|ders.Count"), ["Headers"]);
    }

    #[test]
    fn methods_say_how_they_are_called() {
        let it = item("\"a\".|", "Substring");
        assert_eq!(it.insert, "Substring(");
        assert!(it.detail.starts_with("string Substring(int startIndex)"), "{}", it.detail);
        assert!(it.detail.ends_with("(+ 1 overload)"), "{}", it.detail);
        assert_eq!(item("\"a\".|", "ToUpperInvariant").insert, "ToUpperInvariant()");
        let it = item("context.Request.Body.A|", "As");
        assert_eq!((it.insert.as_str(), it.kind), ("As<", CompletionKind::Method));
        assert!(it.detail.contains("T As<T>(bool preserveContent = false)"), "{}", it.detail);
    }

    #[test]
    fn extension_methods_know_the_items() {
        let it = item("context.Request.Headers.Sel|", "Select");
        assert_eq!(it.kind, CompletionKind::Extension);
        assert!(it.detail.contains("KeyValuePair<string,string[]>"), "{}", it.detail);
        assert_eq!(item("\"a\".AsJ|", "AsJwt").detail, "Jwt AsJwt()");
    }

    #[test]
    fn lambda_parameters_have_the_types_that_inference_gives() {
        assert_eq!(labels("new[] { \"a\" }.Where(s => s.Leng|"), ["Length"]);
        assert_eq!(labels("new[] { \"a\" }.Where(sss => ss|"), ["sss"]);
        assert!(labels("context.Request.Headers.Any(h => h.Value.|)").contains(&"Contains".into()));
    }

    #[test]
    fn unfinished_statements_are_understood() {
        let cases = [
            ("var x = context.Request.Url; return x.Ho|", "Host"),
            ("if (context.Request.Met|", "Method"),
            ("foreach (var h in context.Request.Head|", "Headers"),
            ("try { var a = \"\"; a.Tri|", "Trim"),
            ("var number = 1; num|", "number"),
            ("var number = 1; if (true) { return num|", "number"),
            ("switch (context.Request.Meth|", "Method"),
            ("return new JObject(new JProp|", "JProperty"),
            ("for (var i = 0; i < context.Request.Url.Pa|", "Path"),
            ("return string.Join(\",\", context.Request.Url.Qu|", "Query"),
            ("var a = true ? context.Req|", "Request"),
            ("return $\"{context.Req|", "Request"),
            ("return (string)context.Var|", "Variables"),
            ("var b = context.Request.Body.As<JOb|", "JObject"),
            ("catch", ""),
        ];
        for (source, expected) in cases.iter().filter(|(_, expected)| !expected.is_empty()) {
            let source =
                if source.contains(';') { (*source).to_owned() } else { format!("; {source}") };
            assert!(
                labels(&source).contains(&(*expected).to_owned()),
                "{source}: {:?}",
                labels(&source)
            );
        }
    }

    #[test]
    fn names_are_variables_context_types_and_namespaces() {
        assert_eq!(labels("cont|"), ["context"]);
        assert!(labels("Regex.IsM|").contains(&"IsMatch".to_owned()));
        assert_eq!(item("JOb|", "JObject").kind, CompletionKind::Class);
        assert_eq!(item("Lis|", "List<T>").insert, "List<");
        assert_eq!(item("System.Te|", "Text").kind, CompletionKind::Namespace);
        assert!(labels("System.Text.Enc|").contains(&"Encoding".to_owned()));
        assert!(!labels("new H|").contains(&"HttpClient".to_owned()));
        assert_eq!(labels("DayOfWeek.Fri|"), ["Friday"]);
    }

    #[test]
    fn nothing_is_offered_inside_of_texts_and_numbers() {
        for source in ["\"context.|\"", "1.|", "15|", "// context.|\n1", "'|'"] {
            assert_eq!(labels(source), [""; 0], "{source}");
        }
    }

    #[test]
    fn any_cursor_in_any_text_is_fine() {
        let source = "new[] {\"ä\"}.Select(x => $\"{x.ToString()}\").First() + context.Request.";
        for cursor in 0..source.len() + 3 {
            let found = complete(source, Form::Statements, cursor, &Options::default());
            assert!(found.replace.end <= source.len());
            let _ = signatures(source, Form::Expression, cursor, &Options::default());
        }
    }
}
