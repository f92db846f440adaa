//! Every expression of the public documents parses, except those that are listed.

use std::fs;
use std::path::{Path, PathBuf};

use csharp::parser;
use csharp::scan::expression_end;
use expr::{Form, Options, compile};

/// The folder of public documents beside the checkout, if it is there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    let found = path.canonicalize().ok();
    if found.is_none() {
        eprintln!("SKIPPED: {} is not there", path.display());
    }
    found
}

fn documents(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            documents(&path, into);
        } else if path.extension().is_some_and(|it| it == "xml") {
            into.push(path);
        }
    }
}

/// The expressions of a document: what starts with `@(` or `@{` behind a quote or a `>`.
fn expressions(text: &str) -> Vec<(usize, Form, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find(['@', '<']).map(|it| it + at) {
        if text[next..].starts_with("<!--") {
            at = text[next..].find("-->").map_or(text.len(), |it| next + it + 3);
            continue;
        }
        at = next + 1;
        let form = match text.as_bytes().get(next + 1) {
            Some(b'(') if text.as_bytes()[next] == b'@' => Form::Expression,
            Some(b'{') if text.as_bytes()[next] == b'@' => Form::Statements,
            _ => continue,
        };
        let before = text[..next].trim_end();
        if !before.ends_with(['"', '\'', '>']) {
            continue;
        }
        if let Ok(end) = expression_end(text, next) {
            found.push((next, form, &text[next + 2..end - 1]));
            at = end;
        }
    }
    found
}

/// `{{name}}` as a number: what a named value holds is not known here.
fn substitute(source: &str) -> String {
    let mut text = String::new();
    let mut rest = source;
    while let Some(start) = rest.find("{{") {
        let name = rest[start + 2..].find("}}").map(|it| &rest[start + 2..start + 2 + it]);
        let is_name = |it: &&str| {
            !it.is_empty() && it.chars().all(|c| c.is_alphanumeric() || "-_. $".contains(c))
        };
        match name.filter(is_name) {
            Some(name) => {
                text.push_str(&rest[..start]);
                text.push('7');
                rest = &rest[start + 4 + name.len()..];
            }
            None => {
                text.push_str(&rest[..start + 2]);
                rest = &rest[start + 2..];
            }
        }
    }
    text + rest
}

fn decode(source: &str) -> String {
    [
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&apos;", "'"),
        ("&#xA;", "\n"),
        ("&#xD;", "\r"),
        ("&#10;", "\n"),
        ("&#13;", "\r"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(source.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Documents with an expression that is no C# 7, each with the reason. May only shrink.
const BROKEN: &[(&str, &str)] = &[
    (
        "Azure-Samples__Apim-Samples/samples/load-balancing/apim-policies/aca-backend-pool-load-balancing-with-retry-tracked.xml",
        "strings in single quotes",
    ),
    (
        "Azure-Samples__ai-hub-gateway-solution-accelerator/guides/openai-onboarding.md.embedded-2.xml",
        "strings in single quotes",
    ),
    (
        "Azure__api-management-policy-snippets/examples/Call out to an HTTP endpoint and cache the response.policy.xml",
        "`=\"\"` behind names in strings, from a broken conversion",
    ),
    (
        "Azure__api-management-policy-snippets/examples/Loopback request for service at same API Management service.xml",
        "`=\"\"` behind names in strings, from a broken conversion",
    ),
    (
        "Azure__api-management-policy-snippets/examples/Pre-authorize requests based on HTTP method with validate-jwt.policy.xml",
        "`=\"\"` behind names in strings, from a broken conversion",
    ),
    (
        "MicrosoftDocs__azure-docs/articles/api-management/http-data-source-policy.md.embedded-4.xml",
        "a `;` is missing",
    ),
    (
        "MicrosoftDocs__azure-docs/articles/api-management/set-body-policy.md.embedded-4.xml",
        "a hole of the text: `== <some value>`",
    ),
    (
        "MicrosoftDocs__azure-docs/articles/api-management/validate-graphql-request-policy.md.embedded-3.xml",
        "`<>` is no operator",
    ),
];

#[test]
fn every_expression_of_the_corpus_parses() {
    let Some(folder) = shared("corpus") else { return };
    let mut files = Vec::new();
    documents(&folder, &mut files);
    let mut count = 0;
    let mut failures = Vec::new();
    for file in files {
        let name = file.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (at, form, source) in expressions(&text) {
            count += 1;
            let plain = substitute(source);
            let result = parser::parse(&plain, form, parser::Dialect::Azure).or_else(|first| {
                parser::parse(&decode(&plain), form, parser::Dialect::Azure).map_err(|_| first)
            });
            if let Err(problems) = result {
                let problem = &problems[0];
                let line = text[..at].lines().count();
                let start = problem.span.start.saturating_sub(40);
                let near = plain.get(start..problem.span.end.min(plain.len())).unwrap_or("");
                failures.push((
                    name.clone(),
                    format!("{name}:{line}: {} near `{near}`", problem.message),
                ));
            }
        }
    }
    let listed = |name: &str| BROKEN.iter().any(|(it, _)| *it == name);
    let fixed: Vec<_> =
        BROKEN.iter().filter(|(it, _)| !failures.iter().any(|(name, _)| name == it)).collect();
    assert!(fixed.is_empty(), "these parse now, take them off the list: {fixed:?}");
    let new: Vec<_> = failures.iter().filter(|(it, _)| !listed(it)).map(|(_, it)| it).collect();
    assert!(
        new.is_empty(),
        "{} of {count} do not parse:\n{}",
        new.len(),
        new.iter().map(|it| it.as_str()).collect::<Vec<_>>().join("\n")
    );
}

/// An expression of the corpus, ready to be compiled.
pub(crate) struct Found {
    /// Document and line.
    pub(crate) place: String,
    pub(crate) form: Form,
    pub(crate) source: String,
    pub(crate) options: Options,
}

/// How the expressions of a document are compiled: some documents are GraphQL resolvers.
fn options(text: &str) -> Options {
    Options { in_resolver: text.contains("-data-source>"), ..Options::default() }
}

/// Every expression of the documents that are not broken at the source.
pub(crate) fn all(folder: &Path) -> Vec<Found> {
    let mut files = Vec::new();
    documents(folder, &mut files);
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        let Ok(text) = fs::read_to_string(&file) else { continue };
        if BROKEN.iter().any(|(it, _)| *it == name) {
            continue;
        }
        for (at, form, source) in expressions(&text) {
            let plain = substitute(source);
            let parsed = parser::parse(&plain, form, parser::Dialect::Azure).is_ok();
            let source = if parsed { plain } else { decode(&plain) };
            let place = format!("{name}:{}", text[..at].lines().count());
            found.push(Found { place, form, source, options: options(&text) });
        }
    }
    found
}

/// The expressions that do not compile, by the place and the first problem.
fn refused(folder: &Path) -> (usize, Vec<String>) {
    let all = all(folder);
    let problem = |it: &Found| {
        let problems = compile(&it.source, it.form, &it.options).err()?;
        Some(format!("{}: {}", it.place, problems[0].message))
    };
    (all.len(), all.iter().filter_map(problem).collect())
}

/// Why an expression of the corpus does not compile.
const REASONS: &[&str] = &[
    "wrong C#",
    "unknown member",
    "type that is not on the allow-list",
    "hole of a template",
    "type of get-authorization-context",
];

/// What does not compile is listed in `tests/pass/corpus.txt`, each with the problem and the reason
/// behind ` -- `. The list may only shrink; `UPDATE_PASS_LISTS=1` writes it anew, with the reasons
/// that it had.
#[test]
fn every_expression_of_the_corpus_compiles() {
    let Some(folder) = shared("corpus") else { return };
    let (count, refused) = refused(&folder);
    println!("corpus: {} of {count} compile", count - refused.len());
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pass/corpus.txt");
    let known = fs::read_to_string(&list).unwrap();
    let known: Vec<&str> = known.lines().filter(|it| !it.is_empty()).collect();
    let reason = |it: &str| it.rsplit_once(" -- ").map_or("?", |(_, reason)| reason).to_owned();
    let place = |it: &str| it.splitn(3, ':').take(2).collect::<Vec<_>>().join(":");
    if std::env::var_os("UPDATE_PASS_LISTS").is_some() {
        let line = |it: &String| {
            let known = known.iter().find(|own| place(own) == place(it));
            format!("{it} -- {}\n", known.map_or("?".to_owned(), |it| reason(it)))
        };
        fs::write(&list, refused.iter().map(line).collect::<String>()).unwrap();
        return;
    }
    let new: Vec<&String> =
        refused.iter().filter(|it| !known.iter().any(|own| place(own) == place(it))).collect();
    assert!(new.is_empty(), "{} more do not compile:\n{new:#?}", new.len());
    let fixed: Vec<&&str> =
        known.iter().filter(|it| !refused.iter().any(|own| place(own) == place(it))).collect();
    assert!(fixed.is_empty(), "these compile now, take them off {}: {fixed:#?}", list.display());
    for it in known {
        assert!(REASONS.contains(&reason(it).as_str()), "{it}: the reason is none of {REASONS:?}");
    }
}
