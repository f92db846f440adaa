//! Distinguished names as people write them, compared as names.
//!
//! `CN=a, O="Contoso, Inc."`: parts may stand in either order, as programs differ on which end
//! comes first; several attributes of one part (`+`) in any order; letter case and repeated spaces
//! do not count.
//!
//! Source: RFC 4514; RFC 5280, section 7.1.

use x509_parser::x509::X509Name;

/// Attributes with a name; others are written as `OID.1.2.3` or `1.2.3`.
const NAMES: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("SN", "2.5.4.4"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("S", "2.5.4.8"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("T", "2.5.4.12"),
    ("TITLE", "2.5.4.12"),
    ("G", "2.5.4.42"),
    ("GN", "2.5.4.42"),
    ("GIVENNAME", "2.5.4.42"),
    ("I", "2.5.4.43"),
    ("INITIALS", "2.5.4.43"),
    ("E", "1.2.840.113549.1.9.1"),
    ("EMAIL", "1.2.840.113549.1.9.1"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
];

/// A distinguished name that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName(Vec<Part>);

/// The attributes of one part, sorted: identifier and folded value.
type Part = Vec<(String, String)>;

impl DistinguishedName {
    /// Reads a name. `None` if a part is no `attribute=value`, an attribute is unknown, or a quote
    /// does not end.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut part = Part::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let (value, end, after) = value(after)?;
            part.push((identifier(name)?, folded(&value)));
            if end != Some('+') {
                part.sort();
                parts.push(std::mem::take(&mut part));
            }
            let is_cut_off = end.is_some() && after.trim().is_empty();
            if is_cut_off {
                return None;
            }
            rest = after.trim_start();
        }
        (!parts.is_empty()).then_some(Self(parts))
    }

    pub(super) fn of(name: &X509Name<'_>) -> Self {
        let part = |it: &x509_parser::x509::RelativeDistinguishedName<'_>| {
            let attribute = |it: &x509_parser::x509::AttributeTypeAndValue<'_>| {
                (it.attr_type().to_id_string(), folded(it.as_str().unwrap_or_default()))
            };
            let mut part: Part = it.iter().map(attribute).collect();
            part.sort();
            part
        };
        Self(name.iter_rdn().map(part).collect())
    }

    /// Whether both name the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0 == other.0 || self.0.iter().eq(other.0.iter().rev())
    }
}

/// A value, what ended it, and what follows: up to `,`, `;` or `+` outside of quotes.
fn value(text: &str) -> Option<(String, Option<char>, &str)> {
    let mut value = String::new();
    let mut is_quoted = false;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' if is_quoted && letters.next_if(|(_, it)| *it == '"').is_some() => value.push('"'),
            '"' => is_quoted = !is_quoted,
            '\\' => value.push(letters.next()?.1),
            ',' | ';' | '+' if !is_quoted => {
                return Some((value, Some(letter), text.get(at + 1..)?));
            }
            _ => value.push(letter),
        }
    }
    (!is_quoted).then_some((value, None, ""))
}

fn identifier(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_uppercase();
    let dotted = name.strip_prefix("OID.").unwrap_or(&name);
    let is_dotted =
        dotted.contains('.') && dotted.chars().all(|it| it.is_ascii_digit() || it == '.');
    if is_dotted {
        return Some(dotted.to_owned());
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, oid)| (*oid).to_owned())
}

/// Without case and repeated spaces.
fn folded(value: &str) -> String {
    let words: Vec<String> = value.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn names_are_the_same_however_they_are_written() {
        let one = parse(r#"CN=a.test, OU=Dev + L=Bern, O="Contoso, Inc.", C=CH"#);
        for other in [
            r#"c=ch,o=Contoso\, inc.,l=bern+ou=dev,cn=A.TEST"#,
            r#"CN=a.test; OU=Dev+L=Bern; O="Contoso,  Inc."; C=CH"#,
            r#"OID.2.5.4.3=a.test, 2.5.4.11=Dev + L=Bern, O="Contoso, Inc.", C=CH"#,
        ] {
            assert!(one.is(&parse(other)), "{other}");
        }
        for other in [
            "CN=a.test",
            r#"CN=a.test, O="Contoso, Inc.", C=CH"#,
            r#"CN=b.test, OU=Dev + L=Bern, O="Contoso, Inc.", C=CH"#,
            r#"O="Contoso, Inc.", CN=a.test, OU=Dev + L=Bern, C=CH"#,
        ] {
            assert!(!one.is(&parse(other)), "{other}");
        }
        assert!(parse(r#"CN="say ""x""""#).is(&parse(r#"CN=say \"x\""#)));
        assert!(parse("E=a@b.test, S=Bern").is(&parse("EMAIL=a@b.test, ST=Bern")));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", " ", "a", "CN", "XX=a", "CN=a,", "CN=a, b", r#"CN="a"#, r"CN=a\", "1.2x=a"]
        {
            assert_eq!(DistinguishedName::parse(text), None, "{text}");
        }
    }
}
