//! The normalization forms of Unicode.
//!
//! Source: <https://www.unicode.org/reports/tr15/>

use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

/// `System.Text.NormalizationForm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Composed.
    C,
    /// Decomposed.
    D,
    /// Composed, with compatibility characters replaced.
    Kc,
    /// Decomposed, with compatibility characters replaced.
    Kd,
}

impl Form {
    /// The form of an enum's value.
    pub fn of(value: i64) -> Option<Self> {
        Some(match value {
            1 => Self::C,
            2 => Self::D,
            5 => Self::Kc,
            6 => Self::Kd,
            _ => return None,
        })
    }

    /// The text in this form.
    pub fn apply(self, text: &str) -> String {
        match self {
            Self::C => ComposingNormalizer::new_nfc().normalize(text),
            Self::D => DecomposingNormalizer::new_nfd().normalize(text),
            Self::Kc => ComposingNormalizer::new_nfkc().normalize(text),
            Self::Kd => DecomposingNormalizer::new_nfkd().normalize(text),
        }
        .into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn each_form_has_its_text() {
        for (form, text, expected) in [
            (Form::C, "e\u{301}", "\u{e9}"),
            (Form::D, "\u{e9}", "e\u{301}"),
            (Form::Kc, "\u{fb01}", "fi"),
            (Form::Kd, "\u{b2}", "2"),
            (Form::C, "\u{b2}", "\u{b2}"),
        ] {
            assert_eq!(form.apply(text), expected);
        }
        assert_eq!(Form::of(3), None);
    }
}
