//! Names: a namespace and a local name (`XName`, `XNamespace`).

use std::fmt;
use std::sync::Arc;

use super::{Fault, xml_exception};

/// The namespace of the prefix `xml`.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of namespace declarations.
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// A name in a namespace, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// `NamespaceName`.
    pub namespace: Arc<str>,
    /// `LocalName`.
    pub local: Arc<str>,
}

impl Name {
    /// A name that is known to be right.
    pub(super) fn of(namespace: &str, local: &str) -> Self {
        Self { namespace: Arc::from(namespace), local: Arc::from(local) }
    }

    /// `XName.Get(local, namespace)`.
    ///
    /// # Errors
    ///
    /// `XmlException` if the local name is none.
    pub fn new(namespace: &str, local: &str) -> Result<Self, Fault> {
        check(local)?;
        Ok(Self::of(namespace, local))
    }

    /// `XName.Get(text)`: `local` or `{namespace}local`.
    ///
    /// # Errors
    ///
    /// `XmlException`, `ArgumentException` if it is no name.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text.strip_prefix('{') {
            None if text.is_empty() => Err(Fault::argument(
                "The value cannot be an empty string. (Parameter 'expandedName')",
            )),
            None => Self::new("", text),
            Some(rest) => match rest.rsplit_once('}') {
                Some((namespace, local)) if !namespace.is_empty() && !local.is_empty() => {
                    Self::new(namespace, local)
                }
                _ => Err(Fault::argument(format!("'{text}' is an invalid expanded name."))),
            },
        }
    }

    /// Does it declare a namespace?
    #[must_use]
    pub fn is_declaration(&self) -> bool {
        &*self.namespace == XMLNS_NAMESPACE
            || (self.namespace.is_empty() && &*self.local == "xmlns")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.local)
        } else {
            write!(f, "{{{}}}{}", self.namespace, self.local)
        }
    }
}

/// May a name begin with it?
pub(super) fn is_start(it: char) -> bool {
    it == '_' || it.is_alphabetic()
}

/// May a name go on with it?
pub(super) fn is_part(it: char) -> bool {
    it.is_alphanumeric()
        || matches!(it, '_' | '-' | '.' | '\u{b7}')
        || ('\u{300}'..='\u{36f}').contains(&it)
        || matches!(it, '\u{203f}' | '\u{2040}')
}

/// Refuses what is no name without a colon.
pub(super) fn check(local: &str) -> Result<(), Fault> {
    let code = |it: char| format!("hexadecimal value 0x{:02X}", u32::from(it));
    let mut characters = local.chars();
    match characters.next() {
        None => Err(Fault::argument("The value cannot be an empty string. (Parameter 'name')")),
        Some(first) if !is_start(first) => Err(xml_exception(format!(
            "Name cannot begin with the '{first}' character, {}.",
            code(first)
        ))),
        Some(_) => match characters.find(|it| !is_part(*it)) {
            Some(it) => Err(xml_exception(format!(
                "The '{it}' character, {}, cannot be included in a name.",
                code(it)
            ))),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn expanded_names_are_read_and_written() {
        for text in ["a", "{urn:x}a", "a-b.c_1"] {
            assert_eq!(Name::parse(text).unwrap().to_string(), text);
        }
        let wrong = [
            (
                "bad name",
                "The ' ' character, hexadecimal value 0x20, cannot be included in a name.",
            ),
            ("1a", "Name cannot begin with the '1' character, hexadecimal value 0x31."),
            ("a:b", "The ':' character, hexadecimal value 0x3A, cannot be included in a name."),
            ("{urn}", "'{urn}' is an invalid expanded name."),
            ("", "The value cannot be an empty string. (Parameter 'expandedName')"),
        ];
        for (text, message) in wrong {
            assert_eq!(Name::parse(text).unwrap_err().message, message);
        }
    }
}
