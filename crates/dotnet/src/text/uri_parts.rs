//! `Uri.GetComponents`: parts of an address put together.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.uri.getcomponents>

use super::uri::{Parts, Uri};
use super::web::{escape_uri, unescape, unescape_data};

const SCHEME: u32 = 1;
const USER: u32 = 2;
const HOST: u32 = 4;
const PORT: u32 = 8;
const PATH: u32 = 16;
const QUERY: u32 = 32;
const FRAGMENT: u32 = 64;
/// The port, even if it is the default.
const STRONG_PORT: u32 = 128;
/// The host in ASCII.
const NORMALIZED_HOST: u32 = 256;
/// `SerializationInfoString`: all of it, also of a relative address.
const WHOLE: u32 = 1 << 31;
/// All parts of an absolute address.
const ABSOLUTE: u32 = 127;

/// How escapes are written: `UriFormat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As the address has them.
    Escaped,
    /// None.
    Unescaped,
    /// Only those of characters with a meaning of their own.
    SafeUnescaped,
}

impl Format {
    /// The format of that number.
    pub fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Escaped,
            2 => Self::Unescaped,
            3 => Self::SafeUnescaped,
            _ => return None,
        })
    }

    fn apply(self, text: String) -> String {
        match self {
            Self::Escaped => text,
            Self::Unescaped => unescape_data(&text),
            Self::SafeUnescaped => {
                unescape(&text, |it| !it.is_control() && !":/?#[]@!$&'()*+,;=%\\".contains(it))
            }
        }
    }
}

impl Uri {
    /// The parts of those bits; nothing if it is relative and more than the whole is asked for.
    pub fn components(&self, wanted: u32, format: Format) -> Option<String> {
        let Some(parts) = &self.parts else {
            let text = match format {
                Format::Escaped => escape_uri(&self.original),
                other => other.apply(self.original.clone()),
            };
            return (wanted == WHOLE).then_some(text);
        };
        let wanted = if wanted == WHOLE { ABSOLUTE } else { wanted };
        Some(format.apply(parts.joined(wanted)))
    }
}

impl Parts {
    /// A part that is alone has no sign before or after it.
    fn joined(&self, wanted: u32) -> String {
        let mut out = String::new();
        let has = |bits: u32| wanted & bits != 0;
        if has(SCHEME) {
            out.push_str(&self.scheme);
            if wanted != SCHEME {
                out.push_str(if self.host.is_some() { "://" } else { ":" });
            }
        }
        if has(USER) && !self.user_info.is_empty() {
            out.push_str(&self.user_info);
            if wanted != USER {
                out.push('@');
            }
        }
        if has(NORMALIZED_HOST) {
            out.push_str(&self.idn_host());
        } else if has(HOST) {
            out.push_str(self.host.as_deref().unwrap_or_default());
        }
        if has(STRONG_PORT) || (has(PORT) && self.port.is_some()) {
            if wanted & !(PORT | STRONG_PORT) != 0 {
                out.push(':');
            }
            out.push_str(&self.port().to_string());
        }
        for (bit, text, sign) in
            [(PATH, &self.path, '/'), (QUERY, &self.query, '?'), (FRAGMENT, &self.fragment, '#')]
        {
            if has(bit) {
                out.push_str(if wanted == bit { text.trim_start_matches(sign) } else { text });
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Uri, WHOLE};

    #[test]
    fn parts_are_joined_with_their_signs() {
        let uri = Uri::absolute("http://u:p@E.com:8080/a%20b/c%2Fd?q=%26#f").unwrap();
        for (wanted, escaped, safe) in [
            (1, "http", "http"),
            (2, "u:p", "u:p"),
            (8, "8080", "8080"),
            (16, "a%20b/c%2Fd", "a b/c%2Fd"),
            (48, "/a%20b/c%2Fd?q=%26", "/a b/c%2Fd?q=%26"),
            (13, "http://e.com:8080", "http://e.com:8080"),
            (64 | 1 << 30, "#f", "#f"),
            (
                WHOLE,
                "http://u:p@e.com:8080/a%20b/c%2Fd?q=%26#f",
                "http://u:p@e.com:8080/a b/c%2Fd?q=%26#f",
            ),
        ] {
            assert_eq!(uri.components(wanted, Format::Escaped).as_deref(), Some(escaped));
            assert_eq!(uri.components(wanted, Format::SafeUnescaped).as_deref(), Some(safe));
        }
        assert_eq!(uri.components(16, Format::Unescaped).as_deref(), Some("a b/c/d"));
    }

    #[test]
    fn a_relative_address_has_only_the_whole() {
        let uri = Uri::relative("/a b").unwrap();
        assert_eq!(uri.components(WHOLE, Format::Escaped).as_deref(), Some("/a%20b"));
        assert_eq!(uri.components(16, Format::Escaped), None);
    }
}
