//! Replacement texts: `$1`, `${name}`, `$$`, `$&`, `` $` ``, `$'`, `$+`, `$_`.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/substitutions-in-regular-expressions>

use crate::error::Error;
use crate::scan::Scan;
use crate::{Options, Regex};

/// A part of a replacement text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(Vec<u16>),
    /// What a group has caught, by place in the list of groups.
    Group(usize),
    /// The text before the match.
    Before,
    /// The text after the match.
    After,
    /// What the last group has caught.
    Last,
    /// The whole text.
    Whole,
}

impl Regex {
    /// Reads a replacement text. What is no substitution stays as it is.
    ///
    /// # Errors
    ///
    /// A number that is too large.
    pub fn replacement(&self, text: &[u16]) -> Result<Vec<Piece>, Error> {
        let mut scan = Scan::new(text, self.options());
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        while let Some(unit) = scan.next_unit() {
            let dollar = unit == u16::from(b'$');
            let piece = if dollar { self.substitution(&mut scan)? } else { None };
            match piece {
                Some(Piece::Text(text)) => plain.extend(text),
                Some(piece) => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(piece);
                }
                None => plain.push(unit),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(pieces)
    }

    /// What stands after a `$`; the place stays if it is no substitution.
    fn substitution(&self, scan: &mut Scan<'_>) -> Result<Option<Piece>, Error> {
        let start = scan.at;
        let piece = match scan.peek() {
            Some(b'{') if scan.left() > 1 => {
                scan.at += 1;
                self.in_braces(scan)?.map(Piece::Group)
            }
            Some(b'0'..=b'9') if scan.has(Options::ECMA_SCRIPT) => self.shortest(scan)?,
            Some(b'0'..=b'9') => self.group_by_number(scan.decimal()?).map(Piece::Group),
            Some(other) => {
                scan.at += 1;
                match other {
                    b'$' => Some(Piece::Text(vec![u16::from(b'$')])),
                    b'&' => Some(Piece::Group(0)),
                    b'`' => Some(Piece::Before),
                    b'\'' => Some(Piece::After),
                    b'+' => Some(Piece::Last),
                    b'_' => Some(Piece::Whole),
                    _ => None,
                }
            }
            None => None,
        };
        if piece.is_none() {
            scan.at = start;
        }
        Ok(piece)
    }

    fn in_braces(&self, scan: &mut Scan<'_>) -> Result<Option<usize>, Error> {
        if scan.peek().is_some_and(|it| it.is_ascii_digit()) {
            let number = scan.decimal()?;
            return Ok(self.group_by_number(number).filter(|_| scan.take(b'}')));
        }
        let name = scan.name();
        Ok(self.group_by_name(&name).filter(|_| !name.is_empty() && scan.take(b'}')))
    }

    /// `ECMAScript`: as many digits as make the number of a group.
    fn shortest(&self, scan: &mut Scan<'_>) -> Result<Option<Piece>, Error> {
        let start = scan.at;
        let number = scan.decimal()?;
        let mut digits = scan.at - start;
        let mut value = number;
        while digits > 0 {
            if let Some(found) = self.group_by_number(value) {
                scan.at = start + digits;
                return Ok(Some(Piece::Group(found)));
            }
            (value, digits) = (value / 10, digits - 1);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::Piece;
    use crate::{Options, Regex};

    fn pieces(pattern: &str, replacement: &str, options: Options) -> String {
        let units = |it: &str| it.encode_utf16().collect::<Vec<u16>>();
        let regex = Regex::new(&units(pattern), options).unwrap();
        let show = |it: &Piece| match it {
            Piece::Text(text) => String::from_utf16_lossy(text),
            other => format!("<{other:?}>"),
        };
        regex.replacement(&units(replacement)).unwrap().iter().map(show).collect()
    }

    #[test]
    fn substitutions_are_dotnets() {
        let cases = [
            ("(b)", "a$1c", "a<Group(1)>c"),
            ("(b)", "$10", "$10"),
            ("(b)", "${1}0", "<Group(1)>0"),
            ("(?<n>b)", "${n}${1}${no}", "<Group(1)><Group(1)>${no}"),
            ("b", "$&$$$`$'$+$_", "<Group(0)>$<Before><After><Last><Whole>"),
            ("b", "$x$ ${ $", "$x$ ${ $"),
            ("(?<5>b)", "$5$1", "<Group(1)>$1"),
        ];
        for (pattern, replacement, expected) in cases {
            assert_eq!(pieces(pattern, replacement, Options::NONE), expected, "{replacement}");
        }
        assert_eq!(pieces("(b)", "$10", Options::ECMA_SCRIPT), "<Group(1)>0");
    }
}
