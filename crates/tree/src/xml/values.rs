//! Reading values: quoted attributes, references, line breaks.

use std::sync::Arc;

use super::Fault;
use super::markup::is_allowed;
use super::name::{Name, XML_NAMESPACE, XMLNS_NAMESPACE, is_part, is_start};
use super::parser::Parser;

impl Parser<'_> {
    /// The name of a prefix and a local name.
    pub(super) fn resolve(&self, raw: &str, is_element: bool, at: usize) -> Result<Name, Fault> {
        let Some((prefix, local)) = raw.split_once(':') else {
            let namespace = if is_element { self.namespace("") } else { None };
            let namespace = namespace.unwrap_or_else(|| Arc::from(""));
            return Ok(Name { namespace, local: Arc::from(raw) });
        };
        let namespace = match prefix {
            "xml" => Arc::from(XML_NAMESPACE),
            "xmlns" => Arc::from(XMLNS_NAMESPACE),
            _ => match self.namespace(prefix) {
                Some(namespace) => namespace,
                None => return self.error_at(at, format!("'{prefix}' is an undeclared prefix.")),
            },
        };
        Ok(Name { namespace, local: Arc::from(local) })
    }

    /// `= "value"`.
    pub(super) fn quoted_value(&mut self) -> Result<Arc<str>, Fault> {
        self.space();
        if !self.take("=") {
            return self.unexpected("'='");
        }
        self.space();
        let start = self.at + 1;
        let raw = self.quoted()?;
        if let Some(at) = raw.find('<') {
            return self.error_at(
                start + at,
                "'<', hexadecimal value 0x3C, is an invalid attribute character.",
            );
        }
        let mut value = String::with_capacity(raw.len());
        self.decode(
            raw,
            start,
            |it| match it {
                '\t' | '\n' => ' ',
                other => other,
            },
            &mut value,
        )?;
        Ok(Arc::from(value))
    }

    /// Decodes references; `map` changes characters that stand for themselves.
    pub(super) fn decode(
        &self,
        raw: &str,
        start: usize,
        map: impl Fn(char) -> char,
        out: &mut String,
    ) -> Result<(), Fault> {
        let mut rest = raw;
        while let Some(it) = rest.chars().next() {
            let at = start + raw.len() - rest.len();
            if it != '&' {
                rest = rest.get(it.len_utf8()..).unwrap_or("");
                if it == '\r' {
                    rest = rest.strip_prefix('\n').unwrap_or(rest);
                    out.push(map('\n'));
                } else {
                    out.push(map(it));
                }
                continue;
            }
            let Some((entity, after)) = rest.get(1..).and_then(|it| it.split_once(';')) else {
                return self.error_at(at + 1, "An error occurred while parsing EntityName.");
            };
            out.push(match entity {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                _ => match entity.strip_prefix('#') {
                    Some(number) => match character(number) {
                        Some(it) => it,
                        None => {
                            return self.error_at(at, "Invalid character in the given encoding or invalid character reference.");
                        }
                    },
                    None if entity.starts_with(is_start) && entity.chars().all(is_part) => {
                        return self.error_at(
                            at + 1,
                            format!("Reference to undeclared entity '{entity}'."),
                        );
                    }
                    None => {
                        return self.error_at(at + 1, "An error occurred while parsing EntityName.");
                    }
                },
            });
            rest = after;
        }
        Ok(())
    }
}

/// The character of a reference, given without `&#` and `;`.
fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix('x') {
        Some(hex) if hex.bytes().all(|it| it.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
        None if number.bytes().all(|it| it.is_ascii_digit()) => number.parse(),
        _ => return None,
    };
    code.ok().and_then(char::from_u32).filter(|it| is_allowed(*it))
}

/// Line breaks as XML reads them.
pub(super) fn normal(text: &str) -> Arc<str> {
    if text.contains('\r') {
        Arc::from(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Arc::from(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{character, normal};

    #[test]
    fn references_name_allowed_characters_only() {
        let cases =
            [("65", Some('A')), ("x42", Some('B')), ("0", None), ("xd800", None), ("", None)];
        for (number, expected) in cases {
            assert_eq!(character(number), expected, "{number}");
        }
        assert_eq!(&*normal("a\r\nb\rc"), "a\nb\nc");
    }
}
