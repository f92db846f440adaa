//! A value after named values are put in: literal or expression, and how its problems are told.

use std::ops::Range;
use std::sync::Arc;

use csharp::Form;
use csharp::scan;

use crate::named_values::Reference;
use crate::text::Origin;
use crate::{Code, Diagnostic, Severity, SourceText, codes};

/// How `{{name}}` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everywhere but in Liquid templates: an unknown name is a problem.
    Policy,
    /// In `set-body template="liquid"`: what is no named value is left to Liquid.
    Liquid,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Literal(SourceText),
    /// Code, without `@(` and `)` or `@{` and `}`.
    Expression {
        /// One expression or statements.
        form: Form,
        /// The code; its places map back to the source.
        code: SourceText,
    },
}

/// The text of a value with named values put in. It may hold secrets; `Debug` does not show them.
#[derive(Clone)]
pub struct Resolved {
    pub(crate) text: SourceText,
    pub(crate) used: Vec<Arc<str>>,
    pub(crate) missing: Vec<Arc<str>>,
    pub(crate) secrets: Vec<Arc<str>>,
    /// The value as written is an expression, or is one named value as a whole.
    may_be_expression: bool,
}

impl Resolved {
    pub(crate) fn new(value: &SourceText, references: &[Reference]) -> Self {
        let trimmed = value.as_str().trim();
        let is_whole = |it: &Reference| value.as_str().get(it.range.clone()) == Some(trimmed);
        let mut text = SourceText::empty(value.span());
        (text.markup, text.unquoted) = (value.markup, value.unquoted);
        Self {
            text,
            used: Vec::new(),
            missing: Vec::new(),
            secrets: Vec::new(),
            may_be_expression: value.starts_expression()
                || (!value.markup && matches!(references, [one] if is_whole(one))),
        }
    }

    /// The text. If named values were put in, it may hold secrets.
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// The text with its map to the source.
    pub fn text(&self) -> &SourceText {
        &self.text
    }

    /// Display names of the named values that were put in.
    pub fn named_values(&self) -> impl Iterator<Item = &str> {
        self.used.iter().map(|it| &**it)
    }

    /// Whether a named value was not found. It was reported; the reference still stands in the
    /// text, so checking the value further says nothing.
    pub fn is_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Whether the text holds a secret.
    pub fn is_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Tells a literal from an expression.
    ///
    /// A value is an expression if its first characters other than white space are `@(` or `@{`
    /// as written, or if it is as a whole one named value whose text starts so.
    ///
    /// # Errors
    ///
    /// A diagnostic if the expression is not closed or if text follows it.
    pub fn kind(&self) -> Result<Value, Diagnostic> {
        let text = self.text.trimmed();
        let code = text.as_str();
        if !self.may_be_expression || !text.starts_expression() {
            return Ok(Value::Literal(self.text.clone()));
        }
        match scan::expression_end(code, 0) {
            Ok(end) if end == code.len() => {
                let form = if code.starts_with("@(") { Form::Expression } else { Form::Statements };
                Ok(Value::Expression { form, code: text.slice(2..end - 1) })
            }
            Ok(end) => Err(report(
                &text,
                &self.secrets,
                (Severity::Error, codes::TEXT_AFTER_EXPRESSION, end..code.len()),
                "text after policy expression",
            )
            .label("a value is one expression or one literal")
            .help("put the text into the expression: `@(\"Bearer \" + token)`")),
            Err(open) => {
                let at = open.at..open.at + 1;
                let message = format!("expression is not closed: `{}` is left open", open.opener);
                let place = (Severity::Error, codes::EXPRESSION_NOT_CLOSED, at);
                Err(report(&text, &self.secrets, place, &message)
                    .label("opened here")
                    .in_expression())
            }
        }
    }

    /// Makes a diagnostic about the bytes `range` of `part`, which is this text or a slice of it
    /// (such as the code of [`Value::Expression`]).
    ///
    /// If a named value's text stands there, its name is told. If the message would show a secret
    /// or is about a secret's text, it is replaced.
    pub fn diagnostic(
        &self,
        severity: Severity,
        code: Code,
        part: &SourceText,
        range: Range<usize>,
        message: &str,
    ) -> Diagnostic {
        report(part, &self.secrets, (severity, code, range), message)
    }

    /// Whether `text` would show a secret of this value.
    pub fn shows_secret(&self, text: &str) -> bool {
        self.secrets.iter().any(|it| text.contains(&**it))
    }

    /// Warns if a secret in an expression ends the literal or the code it stands in.
    pub(crate) fn secret_changes_code(&self) -> Option<Diagnostic> {
        let is_whole = self.text.trimmed().pieces().count() == 1;
        if self.secrets.is_empty() || is_whole || !self.text.starts_expression() {
            return None;
        }
        let mut neutral = String::new();
        let mut culprit = None;
        for (piece, bounds) in self.text.pieces() {
            let text = self.text.as_str().get(bounds.clone()).unwrap_or("");
            match &piece.origin {
                Origin::NamedValue { name, secret: true } => {
                    neutral.push('x');
                    let marks = ['"', '\'', '\\', '(', ')', '[', ']', '{', '}', '\n', '\r', '/'];
                    if text.contains(marks) {
                        culprit.get_or_insert((name.clone(), piece.source));
                    }
                }
                _ => neutral.push_str(text),
            }
        }
        let (name, span) = culprit?;
        let shape = |code: &str| {
            let closes =
                scan::expression_end(code.trim(), 0).is_ok_and(|it| it == code.trim().len());
            (closes, scan::literal_ranges(code).len())
        };
        if shape(&neutral) == shape(self.as_str()) {
            return None;
        }
        let message = format!("secret `{name}` changes the code around it");
        Some(
            Diagnostic::warning(codes::SECRET_CHANGES_CODE, span, message)
                .label("its text ends the literal or the code it stands in"),
        )
    }
}

fn report(
    part: &SourceText,
    secrets: &[Arc<str>],
    (severity, code, range): (Severity, Code, Range<usize>),
    message: &str,
) -> Diagnostic {
    let span = part.span_of(range.clone());
    let named = part.named_values_in(range);
    let is_shown = secrets.iter().any(|it| message.contains(&**it));
    if let Some((name, _)) = named.iter().find(|(_, secret)| *secret) {
        let message = format!("the text of named value `{name}` is not valid here");
        return Diagnostic::new(severity, code, span, message);
    }
    if is_shown {
        let message = "the text of a secret named value makes this invalid";
        return Diagnostic::new(severity, code, span, message);
    }
    let it = Diagnostic::new(severity, code, span, message);
    match named.first() {
        Some((name, _)) => it.help(format!("the text comes from named value `{name}`")),
        None => it,
    }
}

impl std::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resolved({:?})", self.text.without_secrets())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NamedValue, NamedValues, Span};

    fn values() -> NamedValues {
        let mut values = NamedValues::new();
        values.insert("expression", NamedValue::plain(" @(DateTime.Now.ToString()) "));
        values.insert("half", NamedValue::plain("@(1"));
        values.insert("flag", NamedValue::plain("true"));
        values.insert("key", NamedValue::secret("hunter2"));
        values.insert("evil", NamedValue::secret("a\" + \"b"));
        values
    }

    fn resolve(text: &str) -> (Resolved, Vec<Diagnostic>) {
        values().resolve(&SourceText::verbatim(text, 0), Mode::Policy)
    }

    fn kind(text: &str) -> String {
        match resolve(text).0.kind() {
            Ok(Value::Literal(text)) => format!("literal {}", text.as_str()),
            Ok(Value::Expression { form, code }) => format!("{form:?} {}", code.as_str()),
            Err(problem) => format!("{} {}", problem.code, problem.message),
        }
    }

    #[test]
    fn a_value_is_a_literal_or_one_expression() {
        for (text, expected) in [
            ("plain", "literal plain"),
            ("Bearer @(x)", "literal Bearer @(x)"),
            ("@familyId", "literal @familyId"),
            ("@* | node()", "literal @* | node()"),
            (" \n@( a + 1 ) ", "Expression  a + 1 "),
            ("@{ return 1; }", "Statements  return 1; "),
            ("@({{flag}} && x)", "Expression true && x"),
            ("{{expression}}", "Expression DateTime.Now.ToString()"),
            ("x {{expression}}", "literal x  @(DateTime.Now.ToString()) "),
            ("{{expression}} y", "literal  @(DateTime.Now.ToString())  y"),
            ("@(x) tail", "PC0110 text after policy expression"),
            ("@(x", "PC0109 expression is not closed: `(` is left open"),
            ("{{half}}", "PC0109 expression is not closed: `(` is left open"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn a_problem_in_a_secret_names_the_value_and_never_shows_it() {
        let (resolved, problems) = resolve("@({{key}} + 1)");
        assert!(problems.is_empty());
        let Ok(Value::Expression { code, .. }) = resolved.kind() else { panic!("an expression") };
        let problem = resolved.diagnostic(
            Severity::Error,
            codes::EXPRESSION_NOT_CLOSED,
            &code,
            0..7,
            "unknown name `hunter2`",
        );
        assert_eq!(problem.message, "the text of named value `key` is not valid here");
        assert_eq!(problem.span, Span::new(2, 9));
        let elsewhere =
            resolved.diagnostic(Severity::Error, codes::GAVE_UP, &code, 10..11, "got hunter2");
        assert_eq!(elsewhere.message, "the text of a secret named value makes this invalid");
        assert!(!format!("{resolved:?}").contains("hunter2"));
        assert!(resolved.shows_secret("xhunter2x") && resolved.is_secret());
    }

    #[test]
    fn a_problem_in_a_plain_named_value_tells_its_name() {
        let (resolved, _) = resolve("@({{flag}})");
        let problem =
            resolved.diagnostic(Severity::Error, codes::GAVE_UP, resolved.text(), 2..6, "bad");
        assert_eq!(problem.help.as_deref(), Some("the text comes from named value `flag`"));
    }

    #[test]
    fn a_secret_that_ends_its_string_is_warned_about() {
        let codes_of =
            |text: &str| -> Vec<Code> { resolve(text).1.iter().map(|it| it.code).collect() };
        assert_eq!(codes_of("@(f(\"{{evil}}\"))"), [codes::SECRET_CHANGES_CODE]);
        assert_eq!(codes_of("@(f(\"{{key}}\"))"), []);
        assert_eq!(codes_of("{{evil}}"), []);
    }
}
