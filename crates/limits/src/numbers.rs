//! Numbers and times that limits are written with, each within its bounds.

use std::time::Duration;

use expr::Value;
use pipeline::{Convert, Unfit, ValueType};
use state::Period;

/// Longest window of a rate limit, in seconds, as Azure has it.
const MAX_RATE_SECONDS: i64 = 300;
/// Shortest period of a quota by key that is renewed at all, in seconds.
const MIN_QUOTA_SECONDS: i64 = 300;
/// Bytes of a kilobyte.
const KILOBYTE: i64 = 1024;
/// Milliseconds from the year 1 to 1970.
const YEAR_ONE_MS: i64 = -62_135_596_800_000;

/// Declares a whole number within bounds.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($type:ty) $kind:ident $min:expr, $max:expr, $wanted:expr, $make:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $type);

        impl Convert for $name {
            const TYPE: ValueType = ValueType::$kind;

            fn refuses(found: &expr::Type) -> Option<&'static str> {
                i64::refuses(found)
            }

            fn from_text(text: &str) -> Result<$name, Unfit> {
                let unfit = || Unfit::wanted($wanted).got(text.trim());
                let number = i64::from_text(text).map_err(|_| unfit())?;
                $name::of(number).ok_or_else(unfit)
            }

            fn from_value(value: Value) -> Result<$name, Unfit> {
                let number = i64::from_value(value)?;
                $name::of(number).ok_or_else(|| Unfit::wanted($wanted).got(&number.to_string()))
            }
        }

        impl $name {
            fn of(number: i64) -> Option<$name> {
                let is_inside = ($min..=$max).contains(&number);
                if is_inside { $make(number).map($name) } else { None }
            }
        }
    };
}

bounded! {
    /// Calls of a rate limit, or calls that a request counts as.
    Calls(u32) Integer 0, i64::from(i32::MAX), "an integer from 0 to 2147483647", as_u32
}
bounded! {
    /// The window of a rate limit.
    Window(Duration) Seconds 1, MAX_RATE_SECONDS, "a number of seconds from 1 to 300", as_seconds
}
bounded! {
    /// Calls of a quota.
    QuotaCalls(u64) Integer 0, i64::MAX, "an integer from 0 to 9223372036854775807", as_u64
}
bounded! {
    /// Kilobytes of a quota, held as bytes.
    Kilobytes(u64) Integer 0, i64::MAX / KILOBYTE, "a number of kilobytes up to 9007199254740991", as_bytes
}
bounded! {
    /// The period of a quota; none if it is never renewed.
    Renewal(Option<Duration>) Seconds 0, i64::from(i32::MAX), "a number of seconds up to 2147483647", as_renewal
}

fn as_u32(it: i64) -> Option<u32> {
    u32::try_from(it).ok()
}

fn as_u64(it: i64) -> Option<u64> {
    u64::try_from(it).ok()
}

fn as_bytes(it: i64) -> Option<u64> {
    u64::try_from(it.checked_mul(KILOBYTE)?).ok()
}

fn as_seconds(it: i64) -> Option<Duration> {
    u64::try_from(it).ok().map(Duration::from_secs)
}

fn as_renewal(it: i64) -> Option<Option<Duration>> {
    u64::try_from(it).ok().map(|it| (it > 0).then(|| Duration::from_secs(it)))
}

/// The period of a quota by key: at least five minutes, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRenewal(pub(crate) Option<Duration>);

impl Convert for KeyRenewal {
    const TYPE: ValueType = ValueType::Seconds;

    fn from_text(text: &str) -> Result<KeyRenewal, Unfit> {
        let unfit = || Unfit::wanted("0 or a number of seconds from 300 to 2147483647").got(text);
        let number = i64::from_text(text).map_err(|_| unfit())?;
        let is_inside = number == 0 || number >= MIN_QUOTA_SECONDS;
        let renewal = Renewal::of(number).filter(|_| is_inside);
        renewal.map(|it| KeyRenewal(it.0)).ok_or_else(unfit)
    }
}

/// A moment, written `yyyy-MM-ddTHH:mm:ssZ`, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// The first moment that .NET knows.
    pub(crate) const YEAR_ONE: Moment = Moment(YEAR_ONE_MS);

    /// The period that begins then.
    pub(crate) fn period(self, length: Option<Duration>) -> Period {
        Period { origin_ms: self.0, length }
    }
}

impl Convert for Moment {
    fn from_text(text: &str) -> Result<Moment, Unfit> {
        let text = text.trim();
        let moment: Result<jiff::Timestamp, _> = text.parse();
        moment
            .map(|it| Moment(it.as_millisecond()))
            .map_err(|_| Unfit::wanted("a time such as `2026-01-31T00:00:00Z`").got(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<T: Convert>(text: &str) -> Result<T, String> {
        T::from_text(text).map_err(|it| it.to_string())
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(found(" 10 "), Ok(Calls(10)));
        assert_eq!(found("0"), Ok(Calls(0)));
        for bad in ["-1", "2147483648", "1.5", "", "#{calls}#", "99999999999999999999"] {
            let told = found::<Calls>(bad).unwrap_err();
            assert!(told.starts_with("expected an integer from 0 to 2147483647"), "{told}");
        }
        assert_eq!(found("300"), Ok(Window(Duration::from_secs(300))));
        assert!(found::<Window>("0").is_err() && found::<Window>("301").is_err());
        assert_eq!(found("2"), Ok(Kilobytes(2048)));
        assert!(found::<Kilobytes>("9223372036854775807").is_err());
    }

    #[test]
    fn expressions_give_numbers_within_the_same_bounds() {
        let of = |it: Value| Window::from_value(it).map_err(|it| it.to_string());
        assert_eq!(of(Value::from(60)), Ok(Window(Duration::from_secs(60))));
        assert_eq!(of(Value::from("60")), Ok(Window(Duration::from_secs(60))));
        let told = of(Value::from(301)).unwrap_err();
        assert_eq!(told, "expected a number of seconds from 1 to 300, found `301`");
        assert!(of(Value::from(true)).is_err());
    }

    #[test]
    fn a_quota_by_key_is_renewed_after_five_minutes_or_never() {
        assert_eq!(found("0"), Ok(KeyRenewal(None)));
        assert_eq!(found("300"), Ok(KeyRenewal(Some(Duration::from_secs(300)))));
        assert!(found::<KeyRenewal>("299").is_err() && found::<KeyRenewal>("-300").is_err());
        assert_eq!(found("1"), Ok(Renewal(Some(Duration::from_secs(1)))));
    }

    #[test]
    fn moments_are_of_the_years_1_to_9999() {
        assert_eq!(found("1970-01-01T00:00:01Z"), Ok(Moment(1_000)));
        assert_eq!(found("0001-01-01T00:00:00Z"), Ok(Moment::YEAR_ONE));
        for bad in ["2026-01-01", "soon", ""] {
            assert!(found::<Moment>(bad).is_err(), "{bad}");
        }
    }
}
