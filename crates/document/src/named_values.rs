//! Named values: finding `{{name}}` in values and putting their text in.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-howto-properties>

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::resolved::{Mode, Resolved};
use crate::text::Origin;
use crate::{Diagnostic, Severity, SourceText, Span, closest, codes};

/// Longest display name, in characters.
const MAX_NAME_CHARS: usize = 256;

/// One named value.
#[derive(Clone)]
pub struct NamedValue {
    text: Result<Arc<str>, Absent>,
    secret: bool,
}

/// Why a named value has no text.
#[derive(Clone)]
enum Absent {
    /// It could not be read.
    Unreadable(String),
    /// Nobody tried: a configuration is checked without network and secrets.
    Unread,
}

impl NamedValue {
    /// A value that may be shown.
    pub fn plain(text: impl Into<Arc<str>>) -> Self {
        Self { text: Ok(text.into()), secret: false }
    }

    /// A value that is never shown.
    pub fn secret(text: impl Into<Arc<str>>) -> Self {
        Self { text: Ok(text.into()), secret: true }
    }

    /// A value that exists but could not be read, with the reason.
    pub fn unreadable(reason: impl Into<String>) -> Self {
        Self { text: Err(Absent::Unreadable(reason.into())), secret: true }
    }

    /// A value that exists and was not read, as when a configuration is checked without network.
    /// Values that refer to it are not checked further, which is no problem of theirs.
    pub fn unread() -> Self {
        Self { text: Err(Absent::Unread), secret: true }
    }

    /// Whether it is [`NamedValue::unread`].
    pub fn is_unread(&self) -> bool {
        matches!(self.text, Err(Absent::Unread))
    }

    /// Whether it is never shown.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Its text; `Err` holds the reason why it could not be read.
    ///
    /// # Errors
    ///
    /// The reason given to [`NamedValue::unreadable`].
    pub fn text(&self) -> Result<&Arc<str>, &str> {
        self.text.as_ref().map_err(|it| match it {
            Absent::Unreadable(reason) => reason.as_str(),
            Absent::Unread => "not read",
        })
    }
}

impl std::fmt::Debug for NamedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.text {
            Ok(text) if !self.secret => write!(f, "NamedValue({text:?})"),
            Ok(_) => f.write_str("NamedValue(secret)"),
            Err(Absent::Unreadable(reason)) => write!(f, "NamedValue(unreadable: {reason})"),
            Err(Absent::Unread) => f.write_str("NamedValue(unread)"),
        }
    }
}

/// The named values of a configuration, by display name.
#[derive(Debug, Clone, Default)]
pub struct NamedValues {
    values: BTreeMap<Arc<str>, NamedValue>,
    at_hand: AtHand,
}

/// Whether the named values are all there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum AtHand {
    /// An unknown name is an error.
    #[default]
    All,
    /// A document is read on its own: an unknown name is a note.
    Some,
}

impl NamedValues {
    /// No named values; an unknown name is an error.
    pub fn new() -> Self {
        Self::default()
    }

    /// For documents read on their own: a name that is not known here is a note.
    pub fn not_at_hand() -> Self {
        Self { at_hand: AtHand::Some, ..Self::default() }
    }

    /// Adds a named value; a second one with the same display name replaces the first.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, value: NamedValue) {
        self.values.insert(name.into(), value);
    }

    /// The named value with exactly this display name.
    pub fn get(&self, name: &str) -> Option<&NamedValue> {
        self.values.get(name)
    }

    /// The display names, ordered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(|it| &**it)
    }

    /// Puts the text of each named value in place of its reference.
    ///
    /// Returns the text and every problem: an unknown name, an unreadable value, a secret that
    /// changes the code around it. References inside a value stay as they are.
    pub fn resolve(&self, value: &SourceText, mode: Mode) -> (Resolved, Vec<Diagnostic>) {
        let references = references(value.as_str());
        let mut resolved = Resolved::new(value, &references);
        let mut problems = Vec::new();
        let mut from = 0;
        for reference in references {
            if mode == Mode::Liquid && !self.is_for_liquid(&reference.name) {
                continue;
            }
            let span = value.span_of(reference.range.clone());
            resolved.text.append(&value.slice(from..reference.range.start));
            from = reference.range.end;
            match self.get(&reference.name).map(|it| (it.text(), it.is_secret())) {
                Some((Ok(text), secret)) => resolved.insert(&reference.name, text, secret, span),
                found => {
                    resolved.missing.push(reference.name.as_str().into());
                    resolved.text.append(&value.slice(reference.range.clone()));
                    let reason = found.and_then(|(text, _)| text.err());
                    if !self.get(&reference.name).is_some_and(NamedValue::is_unread) {
                        problems.push(self.missing(&reference.name, reason, span));
                    }
                }
            }
        }
        resolved.text.append(&value.slice(from..value.as_str().len()));
        problems.extend(resolved.secret_changes_code());
        (resolved, problems)
    }

    /// In a Liquid template the same braces mean Liquid, unless a named value has the name.
    fn is_for_liquid(&self, name: &str) -> bool {
        let is_liquid = name.starts_with("body.") || name.starts_with("context.");
        !is_liquid && self.get(name).is_some()
    }

    fn missing(&self, name: &str, reason: Option<&str>, span: Span) -> Diagnostic {
        if let Some(reason) = reason {
            let message = format!("named value `{name}` cannot be read");
            return Diagnostic::error(codes::UNREADABLE_NAMED_VALUE, span, message).label(reason);
        }
        let (severity, label) = match self.at_hand {
            AtHand::All => (Severity::Error, "no named value has this display name"),
            AtHand::Some => (Severity::Note, "not at hand: the document is checked on its own"),
        };
        let message = format!("Cannot find a property '{name}'");
        let it = Diagnostic::new(severity, codes::UNKNOWN_NAMED_VALUE, span, message).label(label);
        match closest(name, self.names()) {
            Some(near) => it.help(format!("did you mean `{near}`?")),
            None => it,
        }
    }
}

/// A `{{name}}` in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The display name.
    pub name: String,
    /// Its bytes in the text, braces included.
    pub range: Range<usize>,
}

/// Finds every reference in `text`: `{{`, optional spaces, a name, optional spaces, `}}`.
///
/// Names have up to 256 of the characters `A-Z a-z 0-9 - . _`; anything else is text.
pub fn references(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|it| it.find("{{")).map(|it| from + it) {
        match reference_at(text, at) {
            Some(reference) => {
                from = reference.range.end;
                found.push(reference);
            }
            None => from = at + 1,
        }
    }
    found
}

/// The reference that starts at `at`, if one does.
pub(crate) fn reference_at(text: &str, at: usize) -> Option<Reference> {
    let rest = text.get(at..)?.strip_prefix("{{")?.trim_start_matches(' ');
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_');
    let len = rest.chars().take(MAX_NAME_CHARS + 1).take_while(|it| is_name(*it)).count();
    let (name, rest) = rest.split_at_checked(len)?;
    if name.is_empty() || len > MAX_NAME_CHARS {
        return None;
    }
    let rest = rest.trim_start_matches(' ').strip_prefix("}}")?;
    Some(Reference { name: name.to_owned(), range: at..text.len() - rest.len() })
}

impl Resolved {
    fn insert(&mut self, name: &str, text: &Arc<str>, secret: bool, span: Span) {
        let name: Arc<str> = name.into();
        let text = if self.text.unquoted { without_quotes(text) } else { text };
        self.text.push(text, span, Origin::NamedValue { name: name.clone(), secret });
        if secret && !text.is_empty() {
            self.secrets.push(text.into());
        }
        self.used.push(name);
    }
}

/// Drops one pair of matching quotes around `text`.
fn without_quotes(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|it| it.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> NamedValues {
        let mut values = NamedValues::new();
        values.insert("host", NamedValue::plain("example.test"));
        values.insert("key", NamedValue::secret("hunter2"));
        values.insert("quoted", NamedValue::plain("\"inner\""));
        values.insert("nested", NamedValue::plain("{{host}}"));
        values.insert("body.x", NamedValue::plain("never"));
        values.insert("locked", NamedValue::unreadable("vault says no"));
        values
    }

    fn resolve(text: &str, mode: Mode) -> (String, Vec<String>) {
        let (resolved, problems) = values().resolve(&SourceText::verbatim(text, 0), mode);
        (resolved.as_str().to_owned(), problems.iter().map(|it| it.message.clone()).collect())
    }

    #[test]
    fn references_are_names_in_double_braces() {
        let names = |text: &str| -> Vec<String> {
            references(text).into_iter().map(|it| it.name).collect()
        };
        assert_eq!(names("a{{b}}c{{ d.e-f_1 }}"), ["b", "d.e-f_1"]);
        assert_eq!(names("{{{x}}}"), ["x"]);
        for text in ["{{\"a\":1}}", "{{ x | Date }}", "{{}}", "{{a", "{a}", "{{\u{e9}}}"] {
            assert!(names(text).is_empty(), "{text}");
        }
        assert!(names(&format!("{{{{{}}}}}", "a".repeat(257))).is_empty());
        assert_eq!(names(&format!("{{{{{}}}}}", "a".repeat(256))).len(), 1);
    }

    #[test]
    fn text_is_put_in_once_and_as_it_is() {
        assert_eq!(
            resolve("https://{{host}}/{{ key }}", Mode::Policy).0,
            "https://example.test/hunter2"
        );
        assert_eq!(resolve("{{nested}}", Mode::Policy), ("{{host}}".to_owned(), vec![]));
        assert_eq!(resolve("{{quoted}}", Mode::Policy).0, "\"inner\"");
    }

    #[test]
    fn an_unquoted_value_loses_one_pair_of_quotes() {
        let mut text = SourceText::verbatim("{{quoted}}", 0);
        text.unquoted = true;
        assert_eq!(values().resolve(&text, Mode::Policy).0.as_str(), "inner");
    }

    #[test]
    fn an_unknown_name_is_an_error_with_a_suggestion() {
        let (resolved, problems) =
            values().resolve(&SourceText::verbatim("x{{Host}}", 7), Mode::Policy);
        assert!(resolved.is_missing());
        let problem = &problems[0];
        assert_eq!(problem.message, "Cannot find a property 'Host'");
        assert_eq!(problem.help.as_deref(), Some("did you mean `host`?"));
        assert_eq!((problem.code.as_str(), problem.span), ("PC0204", Span::new(8, 16)));
        assert!(problem.is_error());
    }

    #[test]
    fn a_name_that_is_not_at_hand_is_a_note() {
        let (_, problems) =
            NamedValues::not_at_hand().resolve(&SourceText::verbatim("{{a}}", 0), Mode::Policy);
        assert_eq!(problems[0].severity, Severity::Note);
    }

    #[test]
    fn a_value_that_cannot_be_read_gives_the_reason() {
        let (_, problems) = values().resolve(&SourceText::verbatim("{{locked}}", 0), Mode::Policy);
        assert_eq!(problems[0].code, codes::UNREADABLE_NAMED_VALUE);
        assert_eq!(problems[0].label.as_deref(), Some("vault says no"));
    }

    #[test]
    fn a_value_that_was_not_read_is_no_problem() {
        let mut values = values();
        values.insert("later", NamedValue::unread());
        let (resolved, problems) =
            values.resolve(&SourceText::verbatim("{{later}}", 0), Mode::Policy);
        assert!(resolved.is_missing() && problems.is_empty());
    }

    #[test]
    fn liquid_keeps_its_own_braces() {
        let text = "{{body.x}} {{context.a}} {{unknown}} {{host}}";
        assert_eq!(
            resolve(text, Mode::Liquid),
            ("{{body.x}} {{context.a}} {{unknown}} example.test".to_owned(), vec![])
        );
    }

    #[test]
    fn debug_never_shows_a_secret() {
        assert!(!format!("{:?}", values()).contains("hunter2"));
    }
}
