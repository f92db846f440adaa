//! What is checked, and in which words the policy says so.

use expr::{Type, Value};
use pipeline::{Convert, Unfit, ValueType, words};

/// Longest text that the service takes, in characters.
pub(super) const MAX_CHARS: usize = 10_000;

words! {
    /// A harm category.
    pub(super) enum Category {
        /// Hate and fairness.
        Hate = "Hate",
        /// Self-harm.
        SelfHarm = "SelfHarm",
        /// Sexual content.
        Sexual = "Sexual",
        /// Violence.
        Violence = "Violence",
    }
}

words! {
    /// How severities are told.
    pub(super) enum OutputType {
        /// 0, 2, 4, 6.
        FourSeverityLevels = "FourSeverityLevels",
        /// 0 to 7.
        EightSeverityLevels = "EightSeverityLevels",
    }
}

impl Category {
    /// As the service writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Category::Hate => "Hate",
            Category::SelfHarm => "SelfHarm",
            Category::Sexual => "Sexual",
            Category::Violence => "Violence",
        }
    }
}

impl OutputType {
    /// As the service writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            OutputType::FourSeverityLevels => "FourSeverityLevels",
            OutputType::EightSeverityLevels => "EightSeverityLevels",
        }
    }
}

/// What a request's text and a response's text are checked for.
#[derive(Debug)]
pub(super) struct Rules {
    /// Categories, each with the severity from which on it is blocked.
    pub(super) categories: Vec<(Category, u8)>,
    pub(super) output_type: OutputType,
    pub(super) blocklists: Vec<String>,
    pub(super) shields: bool,
    /// Characters of a response that are judged at a time.
    pub(super) window: usize,
    /// Of which so many were judged before.
    pub(super) overlap: usize,
}

impl Rules {
    pub(super) fn check_texts(&self) -> bool {
        !self.categories.is_empty() || !self.blocklists.is_empty()
    }

    pub(super) fn check_nothing(&self) -> bool {
        !self.check_texts() && !self.shields
    }
}

macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($inner:ty), $max:expr, $wanted:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) struct $name(pub(super) $inner);

        impl Convert for $name {
            const TYPE: ValueType = ValueType::Integer;

            fn refuses(found: &Type) -> Option<&'static str> {
                u32::refuses(found).map(|_| $wanted)
            }

            fn from_text(text: &str) -> Result<$name, Unfit> {
                let number = <$inner>::try_from(u32::from_text(text)?).ok();
                let number = number.filter(|it| *it <= $max);
                number.map($name).ok_or_else(|| Unfit::wanted($wanted).got(text.trim()))
            }

            fn from_value(value: Value) -> Result<$name, Unfit> {
                let number = <$inner>::try_from(u32::from_value(value)?).ok();
                number.filter(|it| *it <= $max).map($name).ok_or_else(|| Unfit::wanted($wanted))
            }
        }
    };
}

bounded!(
    /// A number of characters.
    Size(usize), MAX_CHARS, "a number of characters up to 10000"
);
bounded!(
    /// A severity.
    Threshold(u8), 7, "a severity from 0 to 7"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_thresholds_are_bounded() {
        assert_eq!(Size::from_text("10000"), Ok(Size(10_000)));
        assert!(Size::from_text("10001").is_err() && Size::from_text("-1").is_err());
        assert_eq!(Threshold::from_text("7"), Ok(Threshold(7)));
        assert!(Threshold::from_text("8").is_err());
        assert_eq!(Threshold::from_value(Value::from("4")), Ok(Threshold(4)));
        assert!(Threshold::from_value(Value::from(300)).is_err());
    }
}
