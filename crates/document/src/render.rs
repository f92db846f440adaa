//! Diagnostics for people and for machines.
//!
//! ```text
//! error[PC0204]: Cannot find a property 'backend-url'
//!   --> apis/chat/policy.xml:7:34
//!    |
//!  7 |     <set-backend-service base-url="{{backend-url}}" />
//!    |                                    ^^^^^^^^^^^^^^^ no named value has this display name
//!    |
//!    = help: did you mean `backend-uri`?
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::{Diagnostic, LineIndex, Severity, Span};

/// Widest source line that is shown whole, in characters.
const MAX_LINE_CHARS: usize = 160;
/// What is shown left of the place in a wider line.
const LEAD_CHARS: usize = 60;

/// The texts that diagnostics point into, by file name.
///
/// Add a text that holds secrets with [`Sources::add_hidden`]: its lines are never shown.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: BTreeMap<Arc<str>, File>,
}

#[derive(Clone)]
struct File {
    text: Arc<str>,
    lines: LineIndex,
    is_hidden: bool,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({} lines)", self.lines.n_lines())
    }
}

impl Sources {
    /// No texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text whose lines may be shown.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.insert(name.into(), text.into(), false);
    }

    /// Adds a text whose lines are never shown; places in it are still told.
    pub fn add_hidden(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.insert(name.into(), text.into(), true);
    }

    /// Adds all texts of another set; of two with one name the other's counts.
    pub fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
    }

    /// The same texts under names that start with `folder` and a slash.
    #[must_use]
    pub fn below(self, folder: &str) -> Self {
        let below = |(name, file): (Arc<str>, File)| (format!("{folder}/{name}").into(), file);
        Self { files: self.files.into_iter().map(below).collect() }
    }

    fn insert(&mut self, name: Arc<str>, text: Arc<str>, is_hidden: bool) {
        let lines = LineIndex::new(&text);
        self.files.insert(name, File { text, lines, is_hidden });
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&Arc<str>> {
        self.files.get(name).map(|it| &it.text)
    }

    /// Line and column of the start of `span` in the file `name`.
    pub fn position(&self, name: &str, span: Span) -> Option<crate::Position> {
        self.files.get(name).map(|it| it.lines.position(&it.text, span.start as usize))
    }
}

/// Whether the human form uses colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Plain text.
    Off,
    /// ANSI escape sequences.
    On,
}

/// The human form of one diagnostic, ending with a line feed.
pub fn human(diagnostic: &Diagnostic, sources: &Sources, colours: Colours) -> String {
    let paint = Paint { colours };
    let mut out = String::new();
    let head = format!("{}[{}]", diagnostic.severity.as_str(), diagnostic.code);
    let tint = match diagnostic.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    };
    let _ = writeln!(out, "{}: {}", paint.with(tint, &head), paint.with("1", &diagnostic.message));
    let file = diagnostic.file.as_deref().and_then(|it| sources.files.get(it));
    let position = file.map(|it| it.lines.position(&it.text, diagnostic.span.start as usize));
    let line = position.map_or(1, |it| it.line);
    let gutter = " ".repeat(line.to_string().len() + 2);
    let bar = paint.with("34", "|");
    if let Some(name) = &diagnostic.file {
        let arrow = paint.with("34", "-->");
        let place = position.map(|it| format!(":{}:{}", it.line, it.column)).unwrap_or_default();
        let inside = if diagnostic.in_expression { "   in an expression" } else { "" };
        let _ = writeln!(out, "{}{arrow} {name}{place}{inside}", " ".repeat(gutter.len() - 1));
    }
    if let (Some(file), Some(label)) = (file.filter(|it| !it.is_hidden), &diagnostic.label) {
        let (shown, carets) = excerpt(file, diagnostic.span);
        let number = paint.with("34", &format!(" {line} |"));
        let _ = writeln!(out, "{gutter}{bar}");
        let _ = writeln!(out, "{number} {shown}");
        let _ = writeln!(out, "{gutter}{bar} {}", paint.with(tint, &format!("{carets} {label}")));
    } else if let Some(label) = &diagnostic.label {
        let _ = writeln!(out, "{gutter}= {label}");
    }
    if let Some(help) = &diagnostic.help {
        if diagnostic.label.is_some() {
            let _ = writeln!(out, "{gutter}{bar}");
        }
        let _ = writeln!(out, "{gutter}= {} {help}", paint.with("1;32", "help:"));
    }
    for related in &diagnostic.related {
        let name = related.file.as_deref().or(diagnostic.file.as_deref()).unwrap_or("");
        let place = sources.position(name, related.span);
        let place = place.map(|it| format!(":{}:{}", it.line, it.column)).unwrap_or_default();
        let _ = writeln!(out, "{gutter}= note: {name}{place}: {}", related.message);
    }
    out
}

/// The JSON form of one diagnostic: one line without a line feed.
///
/// `file` and `span` are `null` if the place is not known.
pub fn json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = |file: Option<&str>, span: Span| -> Value {
        let Some(file) = file.and_then(|it| sources.files.get(it)) else { return Value::Null };
        let at = |offset: u32| {
            let it = file.lines.position(&file.text, offset as usize);
            json!({ "line": it.line, "column": it.column, "offset": it.offset })
        };
        json!({ "start": at(span.start), "end": at(span.end) })
    };
    let file = diagnostic.file.as_deref();
    let related = |it: &crate::Related| {
        let file = it.file.as_deref().or(file);
        json!({ "message": it.message, "file": file, "span": place(file, it.span) })
    };
    json!({
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.message,
        "file": file,
        "span": place(file, diagnostic.span),
        "label": diagnostic.label,
        "help": diagnostic.help,
        "related": diagnostic.related.iter().map(related).collect::<Vec<_>>(),
    })
    .to_string()
}

/// The source line of `span`, cut if it is wide, and the carets below it.
fn excerpt(file: &File, span: Span) -> (String, String) {
    let position = file.lines.position(&file.text, span.start as usize);
    let line: Vec<char> = file.lines.line(&file.text, position.line).chars().collect();
    let covered = file.text.get(span.range()).unwrap_or("");
    let n_carets = covered.lines().next().unwrap_or("").chars().count().max(1);
    let column = position.column - 1;
    let from = if line.len() > MAX_LINE_CHARS { column.saturating_sub(LEAD_CHARS) } else { 0 };
    let cut: Vec<char> = line.iter().skip(from).take(MAX_LINE_CHARS).copied().collect();
    let before = if from > 0 { "..." } else { "" };
    let after = if from + cut.len() < line.len() { "..." } else { "" };
    let width = |it: &char| if *it == '\t' { 4 } else { 1 };
    let pad: usize = cut.iter().take(column - from).map(width).sum::<usize>() + before.len();
    let room = cut.len().saturating_sub(column - from).max(1);
    let shown: String = cut.iter().collect::<String>().replace('\t', "    ");
    let carets = format!("{}{}", " ".repeat(pad), "^".repeat(n_carets.min(room)));
    (format!("{before}{shown}{after}"), carets)
}

struct Paint {
    colours: Colours,
}

impl Paint {
    fn with(&self, tint: &str, text: &str) -> String {
        match self.colours {
            Colours::On => format!("\u{1b}[{tint}m{text}\u{1b}[0m"),
            Colours::Off => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Related, codes};

    const TEXT: &str =
        "<policies>\n\t<set-backend-service base-url=\"{{backend-url}}\" />\n</policies>";

    fn sources() -> Sources {
        let mut sources = Sources::new();
        sources.add("apis/chat/policy.xml", TEXT);
        sources.add_hidden("secret.json", "{\"value\":\"hunter2\"}");
        sources
    }

    fn problem() -> Diagnostic {
        let start = TEXT.find("{{").unwrap();
        Diagnostic::error(
            codes::UNKNOWN_NAMED_VALUE,
            start..start + 15,
            "Cannot find a property 'backend-url'",
        )
        .label("not defined")
        .in_file("apis/chat/policy.xml".into())
        .help("did you mean `backend-uri`?")
    }

    #[test]
    fn the_human_form_shows_line_carets_label_and_help() {
        insta::assert_snapshot!(human(&problem(), &sources(), Colours::Off), @r#"
        error[PC0204]: Cannot find a property 'backend-url'
          --> apis/chat/policy.xml:2:33
           |
         2 |     <set-backend-service base-url="{{backend-url}}" />
           |                                    ^^^^^^^^^^^^^^^ not defined
           |
           = help: did you mean `backend-uri`?
        "#);
    }

    #[test]
    fn without_a_label_only_the_place_is_shown() {
        let it = Diagnostic::warning(codes::ENTITIES_IN_EXPRESSION, 11..12, "odd")
            .in_file("apis/chat/policy.xml".into())
            .in_expression()
            .related(Related { file: None, span: Span::at(0), message: "see here".to_owned() });
        insta::assert_snapshot!(human(&it, &sources(), Colours::Off), @r"
        warning[PC0118]: odd
          --> apis/chat/policy.xml:2:1   in an expression
           = note: apis/chat/policy.xml:1:1: see here
        ");
    }

    #[test]
    fn lines_that_hold_secrets_are_not_shown() {
        let it = Diagnostic::error(codes::UNREADABLE_NAMED_VALUE, 9..18, "bad")
            .in_file("secret.json".into())
            .label("this value");
        let shown = human(&it, &sources(), Colours::Off);
        assert!(shown.contains("secret.json:1:10") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_wide_line_is_cut_around_the_place() {
        let mut sources = Sources::new();
        sources.add("f", format!("{}X{}", "a".repeat(500), "b".repeat(500)));
        let it = Diagnostic::error(codes::GAVE_UP, 500..501, "m").in_file("f".into()).label("l");
        let shown = human(&it, &sources, Colours::Off);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[3].len() < 200 && lines[3].contains('X'));
        assert_eq!(lines[3].find('X'), lines[4].find('^'));
    }

    #[test]
    fn the_json_form_is_one_line() {
        assert_eq!(
            json(&problem(), &sources()),
            "{\"code\":\"PC0204\",\"severity\":\"error\",\
             \"message\":\"Cannot find a property 'backend-url'\",\"file\":\"apis/chat/policy.xml\",\
             \"span\":{\"start\":{\"line\":2,\"column\":33,\"offset\":43},\
             \"end\":{\"line\":2,\"column\":48,\"offset\":58}},\"label\":\"not defined\",\
             \"help\":\"did you mean `backend-uri`?\",\"related\":[]}"
        );
    }

    #[test]
    fn colours_are_escape_sequences() {
        assert!(
            human(&problem(), &sources(), Colours::On).starts_with("\u{1b}[1;31merror[PC0204]")
        );
    }
}
