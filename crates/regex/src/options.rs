//! `System.Text.RegularExpressions.RegexOptions`.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.regexoptions>

use std::ops::BitOr;

/// A set of options, with .NET's bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options(pub i32);

impl Options {
    /// No option.
    pub const NONE: Self = Self(0);
    /// `i`: letters match in either case.
    pub const IGNORE_CASE: Self = Self(1);
    /// `m`: `^` and `$` match at line breaks.
    pub const MULTILINE: Self = Self(2);
    /// `n`: only named groups capture.
    pub const EXPLICIT_CAPTURE: Self = Self(4);
    /// Has no effect here.
    pub const COMPILED: Self = Self(8);
    /// `s`: `.` matches line breaks.
    pub const SINGLELINE: Self = Self(16);
    /// `x`: white space and comments in the pattern are skipped.
    pub const IGNORE_PATTERN_WHITESPACE: Self = Self(32);
    /// Matches go from the end to the beginning.
    pub const RIGHT_TO_LEFT: Self = Self(64);
    /// `\w`, `\d` and `\s` are ASCII.
    pub const ECMA_SCRIPT: Self = Self(256);
    /// The invariant culture is the only one.
    pub const CULTURE_INVARIANT: Self = Self(512);

    /// Names and bits of all members.
    pub const ALL: [(&'static str, Self); 10] = [
        ("None", Self::NONE),
        ("IgnoreCase", Self::IGNORE_CASE),
        ("Multiline", Self::MULTILINE),
        ("ExplicitCapture", Self::EXPLICIT_CAPTURE),
        ("Compiled", Self::COMPILED),
        ("Singleline", Self::SINGLELINE),
        ("IgnorePatternWhitespace", Self::IGNORE_PATTERN_WHITESPACE),
        ("RightToLeft", Self::RIGHT_TO_LEFT),
        ("ECMAScript", Self::ECMA_SCRIPT),
        ("CultureInvariant", Self::CULTURE_INVARIANT),
    ];

    /// Is any of the options of `other` set?
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The same with the options of `other` set or cleared.
    #[must_use]
    pub const fn with(self, other: Self, on: bool) -> Self {
        Self(if on { self.0 | other.0 } else { self.0 & !other.0 })
    }

    /// The option of an inline letter: `i`, `m`, `n`, `s`, `x`.
    pub(crate) const fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'i' | 'I' => Self::IGNORE_CASE,
            'm' | 'M' => Self::MULTILINE,
            'n' | 'N' => Self::EXPLICIT_CAPTURE,
            's' | 'S' => Self::SINGLELINE,
            'x' | 'X' => Self::IGNORE_PATTERN_WHITESPACE,
            _ => return None,
        })
    }
}

impl BitOr for Options {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_are_set_and_cleared() {
        let both = Options::IGNORE_CASE | Options::SINGLELINE;

        assert_eq!(both.0, 17);
        assert_eq!(both.with(Options::IGNORE_CASE, false), Options::SINGLELINE);
        assert!(both.has(Options::SINGLELINE) && !both.has(Options::MULTILINE));
        assert_eq!(Options::of_letter('m'), Some(Options::MULTILINE));
    }
}
