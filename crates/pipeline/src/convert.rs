//! From text and from the results of expressions to what policies need.
//!
//! A literal is converted when the document is loaded, the result of an expression per request,
//! by the same rules (expression reference, section 7): booleans from `bool` or `true`/`false` in
//! any case, integers from integral types or numeric text, words without case, text from
//! anything.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use expr::{Type, Value};
use http::{HeaderName, Method, StatusCode};

use crate::url::BaseUrl;
use crate::value_type::ValueType;

/// Why a value cannot be used: what was wanted, and a short quotation of what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    wanted: Cow<'static, str>,
    /// Absent for values that may be secret or are no text.
    got: Option<String>,
}

impl Unfit {
    /// The wanted kind, as a noun phrase: "an integer".
    pub fn wanted(wanted: impl Into<Cow<'static, str>>) -> Unfit {
        Unfit { wanted: wanted.into(), got: None }
    }

    /// With the text that came, shortened.
    #[must_use]
    pub fn got(mut self, text: &str) -> Unfit {
        const MAX_CHARS: usize = 60;
        let mut short: String = text.chars().take(MAX_CHARS).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        self.got = Some(short);
        self
    }

    /// The wanted kind.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.wanted
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.got {
            Some(got) => write!(f, "expected {}, found `{got}`", self.wanted),
            None => write!(f, "expected {}", self.wanted),
        }
    }
}

/// What an attribute or text can be converted to.
pub trait Convert: Sized + Clone + fmt::Debug + Send + Sync + 'static {
    /// Whether `null` is a value of its own kind (text: empty) and not a failure.
    const TAKES_NULL: bool = false;

    /// Whether that value is an empty text, which an attribute takes only if it says so.
    const NULL_IS_EMPTY: bool = false;

    /// What it is, for reference and editors.
    const TYPE: ValueType = ValueType::Text;

    /// What is wanted instead, if expressions of that static type can never be used.
    #[must_use]
    fn refuses(_: &Type) -> Option<&'static str> {
        None
    }

    /// Converts a literal.
    ///
    /// # Errors
    ///
    /// The text is none of the kind.
    fn from_text(text: &str) -> Result<Self, Unfit>;

    /// Marks a value that is secret, so that it is not shown.
    #[must_use]
    fn secret(self) -> Self {
        self
    }

    /// Converts the result of an expression. `null` arrives here only if
    /// [`Convert::TAKES_NULL`].
    ///
    /// # Errors
    ///
    /// The value is none of the kind.
    fn from_value(value: Value) -> Result<Self, Unfit> {
        Self::from_text(&value.to_text())
    }
}

impl Convert for String {
    const TAKES_NULL: bool = true;
    const NULL_IS_EMPTY: bool = true;

    fn from_text(text: &str) -> Result<String, Unfit> {
        Ok(text.to_owned())
    }

    fn from_value(value: Value) -> Result<String, Unfit> {
        Ok(value.to_text().into_owned())
    }
}

/// `null` is nothing: for values that are left out then.
impl<T: Convert> Convert for Option<T> {
    const TAKES_NULL: bool = true;
    const TYPE: ValueType = T::TYPE;

    fn from_text(text: &str) -> Result<Option<T>, Unfit> {
        T::from_text(text).map(Some)
    }

    fn from_value(value: Value) -> Result<Option<T>, Unfit> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

/// The result as it is; a literal is a string.
impl Convert for Value {
    const TAKES_NULL: bool = true;

    fn from_text(text: &str) -> Result<Value, Unfit> {
        Ok(Value::from(text))
    }

    fn from_value(value: Value) -> Result<Value, Unfit> {
        Ok(value)
    }
}

impl Convert for bool {
    const TYPE: ValueType = ValueType::Boolean;

    fn refuses(found: &Type) -> Option<&'static str> {
        is_number_or_date(found).then_some("`true` or `false`")
    }

    fn from_text(text: &str) -> Result<bool, Unfit> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("true") {
            Ok(true)
        } else if text.eq_ignore_ascii_case("false") {
            Ok(false)
        } else {
            Err(Unfit::wanted("`true` or `false`").got(text))
        }
    }

    fn from_value(value: Value) -> Result<bool, Unfit> {
        match value.as_bool() {
            Some(it) => Ok(it),
            None if value.as_str().is_some() => bool::from_text(&value.to_text()),
            None => Err(Unfit::wanted("`true` or `false`").got(&value.type_name())),
        }
    }
}

macro_rules! integers {
    ($($type:ident),*) => {$(
        impl Convert for $type {
            const TYPE: ValueType = ValueType::Integer;

            fn refuses(found: &Type) -> Option<&'static str> {
                is_never_an_integer(found).then_some("an integer")
            }

            fn from_text(text: &str) -> Result<$type, Unfit> {
                let text = text.trim();
                text.parse().map_err(|_| unfit_integer($type::MIN, $type::MAX).got(text))
            }

            fn from_value(value: Value) -> Result<$type, Unfit> {
                match value.as_i64() {
                    Some(it) => $type::try_from(it)
                        .map_err(|_| unfit_integer($type::MIN, $type::MAX).got(&it.to_string())),
                    None if value.as_str().is_some() => $type::from_text(&value.to_text()),
                    None => Err(Unfit::wanted("an integer").got(&value.type_name())),
                }
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, i32, i64);

fn is_number_or_date(found: &Type) -> bool {
    is_never_an_integer(found) && *found != Type::Bool
        || matches!(
            found,
            Type::SByte
                | Type::Byte
                | Type::Int16
                | Type::UInt16
                | Type::Int32
                | Type::UInt32
                | Type::Int64
                | Type::UInt64
        )
}

fn is_never_an_integer(found: &Type) -> bool {
    matches!(
        found,
        Type::Bool
            | Type::Single
            | Type::Double
            | Type::Decimal
            | Type::Guid
            | Type::DateTime
            | Type::DateTimeOffset
            | Type::TimeSpan
            | Type::Array(_)
    )
}

fn unfit_integer(min: impl fmt::Display, max: impl fmt::Display) -> Unfit {
    Unfit::wanted(format!("an integer from {min} to {max}"))
}

impl Convert for f64 {
    const TYPE: ValueType = ValueType::Number;

    fn refuses(found: &Type) -> Option<&'static str> {
        let is_number = matches!(found, Type::Single | Type::Double | Type::Decimal);
        (is_never_an_integer(found) && !is_number).then_some("a number")
    }

    fn from_text(text: &str) -> Result<f64, Unfit> {
        let text = text.trim();
        let number = text.parse().ok().filter(|it: &f64| it.is_finite());
        number.ok_or_else(|| Unfit::wanted("a number").got(text))
    }

    fn from_value(value: Value) -> Result<f64, Unfit> {
        match value.as_f64() {
            Some(it) if it.is_finite() => Ok(it),
            _ if value.as_str().is_some() => f64::from_text(&value.to_text()),
            _ => Err(Unfit::wanted("a number").got(&value.type_name())),
        }
    }
}

/// 200 to 599: what a policy may answer with.
impl Convert for StatusCode {
    const TYPE: ValueType = ValueType::Status;

    fn refuses(found: &Type) -> Option<&'static str> {
        is_never_an_integer(found).then_some("a status code")
    }

    fn from_text(text: &str) -> Result<StatusCode, Unfit> {
        let code: Option<u16> = text.trim().parse().ok();
        code.and_then(status).ok_or_else(|| Unfit::wanted(STATUS).got(text.trim()))
    }

    fn from_value(value: Value) -> Result<StatusCode, Unfit> {
        match value.as_i64() {
            Some(it) => u16::try_from(it)
                .ok()
                .and_then(status)
                .ok_or_else(|| Unfit::wanted(STATUS).got(&it.to_string())),
            None if value.as_str().is_some() => StatusCode::from_text(&value.to_text()),
            None => Err(Unfit::wanted(STATUS).got(&value.type_name())),
        }
    }
}

const STATUS: &str = "a status code from 200 to 599";

fn status(code: u16) -> Option<StatusCode> {
    (200..600).contains(&code).then(|| StatusCode::from_u16(code).ok()).flatten()
}

impl Convert for HeaderName {
    const TYPE: ValueType = ValueType::HeaderName;

    fn from_text(text: &str) -> Result<HeaderName, Unfit> {
        let text = text.trim();
        text.parse().map_err(|_| Unfit::wanted("a header name").got(text))
    }
}

/// An HTTP token, made upper case.
impl Convert for Method {
    const TYPE: ValueType = ValueType::Method;

    fn from_text(text: &str) -> Result<Method, Unfit> {
        const MAX_BYTES: usize = 32;
        let text = text.trim();
        let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes()).ok();
        method
            .filter(|_| (1..=MAX_BYTES).contains(&text.len()))
            .ok_or_else(|| Unfit::wanted("an HTTP method").got(text))
    }
}

impl Convert for Arc<BaseUrl> {
    const TYPE: ValueType = ValueType::Url;

    fn from_text(text: &str) -> Result<Arc<BaseUrl>, Unfit> {
        // The text may hold a key in its query, so it is not quoted.
        BaseUrl::parse(text)
            .map(Arc::new)
            .map_err(|error| Unfit::wanted(format!("an absolute http or https URL ({error})")))
    }
}

/// A duration that documents write as whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Duration);

impl Convert for Seconds {
    const TYPE: ValueType = ValueType::Seconds;

    fn refuses(found: &Type) -> Option<&'static str> {
        is_never_an_integer(found).then_some("a whole number of seconds")
    }

    fn from_text(text: &str) -> Result<Seconds, Unfit> {
        u32::from_text(text).map(|it| Seconds(Duration::from_secs(it.into())))
    }

    fn from_value(value: Value) -> Result<Seconds, Unfit> {
        u32::from_value(value).map(|it| Seconds(Duration::from_secs(it.into())))
    }
}

/// A duration that documents write as whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Milliseconds(pub Duration);

impl Convert for Milliseconds {
    const TYPE: ValueType = ValueType::Milliseconds;

    fn refuses(found: &Type) -> Option<&'static str> {
        is_never_an_integer(found).then_some("a whole number of milliseconds")
    }

    fn from_text(text: &str) -> Result<Milliseconds, Unfit> {
        u32::from_text(text).map(|it| Milliseconds(Duration::from_millis(it.into())))
    }

    fn from_value(value: Value) -> Result<Milliseconds, Unfit> {
        u32::from_value(value).map(|it| Milliseconds(Duration::from_millis(it.into())))
    }
}

/// Declares an enumeration whose variants documents write as words, compared without case.
///
/// ```
/// portcullis_pipeline::words! {
///     /// What happens if the header is there already.
///     pub(crate) enum ExistsAction {
///         /// The old values are replaced.
///         Override = "override",
///         /// Nothing happens.
///         Skip = "skip",
///     }
/// }
/// assert_eq!(ExistsAction::WORDS, ["override", "skip"]);
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$variant_meta])* $variant),*
        }

        impl $name {
            /// The words, in the order of the variants.
            $vis const WORDS: &'static [&'static str] = &[$($word),*];
        }

        impl $crate::Convert for $name {
            const TYPE: $crate::ValueType = $crate::ValueType::Word;

            fn from_text(text: &str) -> Result<$name, $crate::Unfit> {
                let text = text.trim();
                $(if text.eq_ignore_ascii_case($word) {
                    return Ok($name::$variant);
                })*
                Err($crate::Unfit::wanted($crate::list_of_words($name::WORDS)).got(text))
            }
        }
    };
}

/// "`a`, `b` or `c`".
#[must_use]
pub fn list_of_words(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|it| format!("`{it}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T: Convert>(text: &str) -> Result<T, String> {
        T::from_text(text).map_err(|it| it.to_string())
    }

    fn value<T: Convert>(value: impl Into<Value>) -> Result<T, String> {
        T::from_value(value.into()).map_err(|it| it.to_string())
    }

    #[test]
    fn booleans_are_written_in_any_case() {
        assert_eq!(text::<bool>(" True "), Ok(true));
        assert_eq!(text::<bool>("FALSE"), Ok(false));
        assert_eq!(text::<bool>("1").unwrap_err(), "expected `true` or `false`, found `1`");
        assert_eq!(value::<bool>(true), Ok(true));
        assert_eq!(value::<bool>("false"), Ok(false));
        assert!(value::<bool>(1).is_err());
    }

    #[test]
    fn integers_come_from_integral_types_and_numeric_text() {
        assert_eq!(text::<u32>(" 12 "), Ok(12));
        assert_eq!(value::<i32>(7_i64), Ok(7));
        assert_eq!(value::<u32>("300"), Ok(300));
        assert_eq!(value::<u8>(256).unwrap_err(), "expected an integer from 0 to 255, found `256`");
        assert!(value::<u32>(1.5).is_err());
        assert!(text::<u32>("").is_err());
    }

    #[test]
    fn a_status_is_from_200_to_599() {
        assert_eq!(value::<StatusCode>(401), Ok(StatusCode::UNAUTHORIZED));
        assert_eq!(value::<StatusCode>("403"), Ok(StatusCode::FORBIDDEN));
        for bad in ["100", "199", "600", "-1", "", "ok"] {
            assert!(text::<StatusCode>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn methods_become_upper_case_and_must_be_tokens() {
        assert_eq!(text::<Method>(" post\n"), Ok(Method::POST));
        assert!(text::<Method>("").is_err());
        assert!(text::<Method>("GET /x").is_err());
        assert!(text::<Method>(&"A".repeat(33)).is_err());
    }

    #[test]
    fn header_names_must_be_tokens() {
        assert_eq!(text::<HeaderName>("X-Tier").unwrap(), "x-tier");
        assert!(text::<HeaderName>("x tier").is_err());
        assert!(value::<HeaderName>("x\r\ny: z").is_err());
    }

    #[test]
    fn null_is_empty_text_or_nothing() {
        assert_eq!(String::from_value(Value::Null), Ok(String::new()));
        assert_eq!(Option::<String>::from_value(Value::Null), Ok(None));
        assert_eq!(value::<Option<u32>>(5), Ok(Some(5)));
    }

    #[test]
    fn a_url_is_not_quoted_when_it_is_refused() {
        assert!(!text::<Arc<BaseUrl>>("nonsense?key=s3cret").unwrap_err().contains("s3cret"));
    }

    #[test]
    fn durations_are_whole_and_not_negative() {
        assert_eq!(text::<Seconds>("2"), Ok(Seconds(Duration::from_secs(2))));
        assert_eq!(value::<Milliseconds>(250), Ok(Milliseconds(Duration::from_millis(250))));
        assert!(text::<Seconds>("-1").is_err());
    }

    #[test]
    fn words_are_compared_without_case() {
        words! {
            enum Fruit {
                Apple = "apple",
                RedPlum = "red-plum",
                Fig = "fig",
            }
        }

        assert_eq!(text::<Fruit>("Red-Plum"), Ok(Fruit::RedPlum));
        assert_eq!(value::<Fruit>("apple"), Ok(Fruit::Apple));
        assert_eq!(
            text::<Fruit>("pear").unwrap_err(),
            "expected `apple`, `red-plum` or `fig`, found `pear`"
        );
    }

    #[test]
    fn a_long_text_is_quoted_in_part() {
        let message = text::<bool>(&"é".repeat(100)).unwrap_err();
        assert!(message.ends_with("…`") && message.chars().count() < 100);
    }
}
