//! Versions of the protocol.
//!
//! Source: OData Version 4.01, part 1, sections 8.1.5 and 8.2.7.

/// A version: 4.0 or 4.01 in practice; older ones are recognized to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u8,
    /// In hundredths: 0 for `4.0`, 1 for `4.01`.
    minor: u8,
}

impl Version {
    /// 4.0.
    pub const V4_0: Self = Self { major: 4, minor: 0 };
    /// 4.01.
    pub const V4_01: Self = Self { major: 4, minor: 1 };

    /// Reads a version that there is: 1.0, 2.0, 3.0, 4.0 or 4.01.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "1.0" => Self { major: 1, minor: 0 },
            "2.0" => Self { major: 2, minor: 0 },
            "3.0" => Self { major: 3, minor: 0 },
            "4.0" => Self::V4_0,
            "4.01" => Self::V4_01,
            _ => return None,
        })
    }

    /// Whether system query options need no `$`, and their names and words compare without case.
    #[must_use]
    pub fn is_relaxed(self) -> bool {
        self >= Self::V4_01
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let of = |text| Version::parse(text).unwrap();
        assert!(of("3.0") < of("4.0") && of("4.0") < of(" 4.01 ") && of("4.0") == Version::V4_0);
        assert!(of("4.01").is_relaxed() && !of("4.0").is_relaxed());
        for text in ["", "4", "4.1", "4.00", "5.0", "x"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
