//! Texts that no message may show: secrets of named values, and what tokens stand for.

use document::{Diagnostic, NamedValues};
use transport::Secret;

/// Texts with what is shown in their place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden(Vec<(String, Secret)>);

impl Hidden {
    /// Shortest text that is taken out of messages; shorter ones are words, not secrets.
    const MIN_BYTES: usize = 4;

    /// Hides a text.
    pub(crate) fn add(&mut self, shown: String, text: Secret) {
        self.0.push((shown, text));
    }

    /// Hides the texts of secret named values: a policy may quote what it cannot use.
    pub(crate) fn add_named_values(&mut self, values: &NamedValues) {
        for name in values.names() {
            if let Some(value) = values.get(name).filter(|it| it.is_secret())
                && let Ok(text) = value.text()
            {
                self.add(format!("{{{{{name}}}}}"), Secret::new(&**text));
            }
        }
    }

    /// Puts what is shown instead wherever a problem would show a hidden text.
    pub(crate) fn redact(&self, problem: &mut Diagnostic) {
        let put_back = |text: &mut String| {
            for (shown, hidden) in &self.0 {
                let hidden = hidden.expose().trim();
                if hidden.len() >= Self::MIN_BYTES && text.contains(hidden) {
                    *text = text.replace(hidden, shown);
                }
            }
        };
        put_back(&mut problem.message);
        for text in [&mut problem.label, &mut problem.help].into_iter().flatten() {
            let mut owned = text.to_string();
            put_back(&mut owned);
            *text = owned.into();
        }
        problem.related.iter_mut().for_each(|it| put_back(&mut it.message));
    }
}

#[cfg(test)]
mod tests {
    use document::{NamedValue, Span};

    use super::*;

    #[test]
    fn secrets_are_not_shown_and_plain_values_are() {
        let mut values = NamedValues::new();
        values.insert("key", NamedValue::secret("hunter2"));
        values.insert("plain", NamedValue::plain("visible"));
        values.insert("short", NamedValue::secret("a"));
        values.insert("gone", NamedValue::unread());
        let mut hidden = Hidden::default();
        hidden.add_named_values(&values);
        let message = "unknown policy fragment `hunter2`, visible, a";
        let mut problem = Diagnostic::error(crate::codes::BAD_VALUE, Span::new(0, 0), message)
            .label("did you mean `hunter2`?".to_owned())
            .help("hunter2".to_owned());
        hidden.redact(&mut problem);
        assert_eq!(problem.message, "unknown policy fragment `{{key}}`, visible, a");
        assert_eq!(problem.label.as_deref(), Some("did you mean `{{key}}`?"));
        assert_eq!(problem.help.as_deref(), Some("{{key}}"));
    }
}
