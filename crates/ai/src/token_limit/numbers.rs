//! Numbers of tokens.

use expr::{Type, Value};
use pipeline::{Convert, Unfit, ValueType};

/// A number of tokens, from 0 to 2^63 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tokens(pub(super) u64);

const WANTED: &str = "an integer from 0 to 9223372036854775807";

impl Convert for Tokens {
    const TYPE: ValueType = ValueType::Integer;

    fn refuses(found: &Type) -> Option<&'static str> {
        i64::refuses(found)
    }

    fn from_text(text: &str) -> Result<Tokens, Unfit> {
        let unfit = || Unfit::wanted(WANTED).got(text.trim());
        let number = i64::from_text(text).map_err(|_| unfit())?;
        u64::try_from(number).map(Tokens).map_err(|_| unfit())
    }

    fn from_value(value: Value) -> Result<Tokens, Unfit> {
        let number = i64::from_value(value)?;
        let unfit = |_| Unfit::wanted(WANTED).got(&number.to_string());
        u64::try_from(number).map(Tokens).map_err(unfit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(Tokens::from_text(" 500 "), Ok(Tokens(500)));
        assert_eq!(Tokens::from_value(Value::from("7")), Ok(Tokens(7)));
        for bad in ["-1", "1.5", "", "many", "99999999999999999999"] {
            assert!(Tokens::from_text(bad).is_err(), "{bad}");
        }
        assert!(Tokens::from_value(Value::from(-1)).is_err());
    }
}
