//! Replacement texts: `$1`, `${name}`, `$$`, `$&`, `` $` ``, `$'`, `$+`, `$_`.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/substitutions-in-regular-expressions>

use super::cursor::Cursor;
use super::engine::{Match, Regex};

/// A replacement text that has been read.
#[derive(Clone, Debug)]
pub struct Replacement {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// By place in the regular expression's list of groups.
    Group(usize),
    Before,
    After,
    Last,
    Whole,
}

impl Replacement {
    /// Reads a replacement for matches of `regex`. What is no substitution stays as it is.
    #[must_use]
    pub fn parse(text: &str, regex: &Regex) -> Self {
        let mut cursor = Cursor::new(text);
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some(it) = cursor.next() {
            let part = if it == '$' { substitution(&mut cursor, regex) } else { None };
            match part {
                Some(Part::Text(text)) => plain.push_str(&text),
                Some(part) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(part);
                }
                None => plain.push(it),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self { parts }
    }

    /// How many bytes a match is replaced with.
    pub fn size(&self, found: &Match) -> usize {
        let size = |part: &Part| match part {
            Part::Text(text) => text.len(),
            Part::Group(at) => found.text_at(*at).len(),
            Part::Before => found.before().len(),
            Part::After => found.after().len(),
            Part::Last => found.text_at(found.group_count().saturating_sub(1)).len(),
            Part::Whole => found.input().as_str().len(),
        };
        self.parts.iter().map(size).fold(0, usize::saturating_add)
    }

    /// Adds what replaces the match to `out`.
    pub fn expand(&self, found: &Match, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(at) => out.push_str(found.text_at(*at)),
                Part::Before => out.push_str(found.before()),
                Part::After => out.push_str(found.after()),
                Part::Last => out.push_str(found.text_at(found.group_count().saturating_sub(1))),
                Part::Whole => out.push_str(found.input().as_str()),
            }
        }
    }
}

/// What stands after a `$`; the cursor stays if it is no substitution.
fn substitution(cursor: &mut Cursor<'_>, regex: &Regex) -> Option<Part> {
    let start = cursor.position();
    let part = match cursor.peek()? {
        '{' => {
            cursor.next();
            let name = cursor.word();
            let closed = cursor.take('}');
            regex.group_by_name(name).filter(|_| closed).map(Part::Group)
        }
        '0'..='9' => cursor.number().and_then(|it| regex.group_by_number(it)).map(Part::Group),
        other => {
            cursor.next();
            match other {
                '$' => Some(Part::Text("$".to_owned())),
                '&' => Some(Part::Group(0)),
                '`' => Some(Part::Before),
                '\'' => Some(Part::After),
                '+' => Some(Part::Last),
                '_' => Some(Part::Whole),
                _ => None,
            }
        }
    };
    if part.is_none() {
        cursor.seek(start);
    }
    part
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::regex::{Options, Regex};
    use crate::string::Str;

    fn replace(text: &str, pattern: &str, replacement: &str) -> String {
        let regex = Arc::new(Regex::new(pattern, Options::NONE).unwrap());
        regex
            .replace(&Str::from(text), replacement, None, 0, 1 << 20)
            .unwrap()
            .unwrap()
            .as_str()
            .to_owned()
    }

    #[test]
    fn substitutions_are_dotnets() {
        let cases = [
            ("abc", "z", "y", "abc"),
            ("abc", "", "-", "-a-b-c-"),
            ("x", "x*", "-", "--"),
            ("2024-02-03", r"(?<y>\d+)-(?<m>\d+)-(?<d>\d+)", "${d}.${m}.${y}", "03.02.2024"),
            ("abc", "b", "[$0]", "a[b]c"),
            ("abc", "b", "[$&]", "a[b]c"),
            ("abc", "(b)", "$10", "a$10c"),
            ("abc", "(b)", "${1}0", "ab0c"),
            ("abc", "(a)(b)?", "$+", "bc"),
            ("abc", "b", "$`|$'|$_|$$|$x|${no}", "aa|c|abc|$|$x|${no}c"),
        ];
        for (text, pattern, replacement, expected) in cases {
            assert_eq!(replace(text, pattern, replacement), expected, "{pattern} {replacement}");
        }
    }
}
