//! `duration`: for how long an entry is kept.

use std::time::Duration;

use expr::{Type, Value};
use pipeline::{Convert, Unfit, ValueType};

/// Whole seconds. Nothing and less is no life at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life(pub(crate) Duration);

const WANTED: &str = "a whole number of seconds";

impl Convert for Life {
    const TYPE: ValueType = ValueType::Seconds;

    fn refuses(found: &Type) -> Option<&'static str> {
        i64::refuses(found).map(|_| WANTED)
    }

    fn from_text(text: &str) -> Result<Life, Unfit> {
        i64::from_text(text).map(Life::of).map_err(|_| Unfit::wanted(WANTED).got(text.trim()))
    }

    fn from_value(value: Value) -> Result<Life, Unfit> {
        match (value.as_i64(), value.as_str()) {
            (Some(seconds), _) => Ok(Life::of(seconds)),
            (None, Some(text)) => Life::from_text(text),
            (None, None) => Err(Unfit::wanted(WANTED).got(&value.type_name())),
        }
    }
}

impl Life {
    fn of(seconds: i64) -> Life {
        Life(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    /// Whether there is anything to keep.
    pub(crate) fn is_none(self) -> bool {
        self.0.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_and_less_than_nothing_is_nothing() {
        for (text, expected) in [("60", 60), (" 5 ", 5), ("0", 0), ("-1", 0)] {
            assert_eq!(Life::from_text(text), Ok(Life(Duration::from_secs(expected))));
        }
        assert!(Life::from_text("1.5").is_err() && Life::from_text("").is_err());
        assert_eq!(Life::from_value(Value::from("60")), Ok(Life(Duration::from_secs(60))));
        assert_eq!(Life::from_value(Value::from(i64::MIN)), Ok(Life(Duration::ZERO)));
        assert!(Life::refuses(&Type::Double).is_some() && Life::refuses(&Type::Object).is_none());
    }
}
