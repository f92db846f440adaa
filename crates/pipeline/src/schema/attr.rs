//! Attributes: what stands in a schema, and what the value is read by.

use crate::value_type::ValueType;

/// Whether an attribute has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A load error if absent.
    Required,
    /// A load warning if absent; then the default counts.
    Expected(&'static str),
    /// May be absent; then the default counts, if there is one.
    Optional(Option<&'static str>),
}

/// One attribute of a policy or of a child element.
#[derive(Clone, Copy, Debug)]
pub struct Attr {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) expressions: bool,
    pub(crate) words: &'static [&'static str],
    pub(crate) excludes: &'static [&'static str],
    pub(crate) doc: &'static str,
    pub(crate) declared: Option<ValueType>,
    pub(crate) differs: &'static str,
    pub(crate) null_is_empty: bool,
}

impl Attr {
    const fn new(name: &'static str, need: Need) -> Attr {
        Attr {
            name,
            need,
            expressions: false,
            words: &[],
            excludes: &[],
            doc: "",
            declared: None,
            differs: "",
            null_is_empty: false,
        }
    }

    /// An attribute that has to be there.
    #[must_use]
    pub const fn required(name: &'static str) -> Attr {
        Attr::new(name, Need::Required)
    }

    /// An attribute that may be absent and then has this value.
    #[must_use]
    pub const fn optional(name: &'static str, default: &'static str) -> Attr {
        Attr::new(name, Need::Optional(Some(default)))
    }

    /// An attribute that may be absent and has no default; read it with
    /// [`CompileCx::attr_if`].
    #[must_use]
    pub const fn absent_by_default(name: &'static str) -> Attr {
        Attr::new(name, Need::Optional(None))
    }

    /// The documents say it is required, yet published documents leave it out: absent is a
    /// warning, and the default counts.
    #[must_use]
    pub const fn expected(mut self) -> Attr {
        if let Need::Optional(Some(default)) = self.need {
            self.need = Need::Expected(default);
        }
        self
    }

    /// Policy expressions are allowed in the value.
    #[must_use]
    pub const fn expressions(mut self) -> Attr {
        self.expressions = true;
        self
    }

    /// A literal value must be one of these words, compared without case.
    #[must_use]
    pub const fn one_of(mut self, words: &'static [&'static str]) -> Attr {
        self.words = words;
        self
    }

    /// Attributes that must not stand beside this one.
    #[must_use]
    pub const fn excludes(mut self, names: &'static [&'static str]) -> Attr {
        self.excludes = names;
        self
    }

    /// An expression that gives `null` gives an empty text. Otherwise `null` in a required attribute
    /// is a failure, and in an optional one as if the attribute were absent.
    #[must_use]
    pub const fn null_is_empty(mut self) -> Attr {
        self.null_is_empty = true;
        self
    }

    /// One phrase for reference and completion.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Attr {
        self.doc = doc;
        self
    }

    /// What the value is, for reference and editors. Without it the words and the default tell;
    /// reading the attribute as something else is found by the first test that compiles it.
    #[must_use]
    pub const fn of(mut self, value_type: ValueType) -> Attr {
        self.declared = Some(value_type);
        self
    }

    /// What works here in another way than in Azure, or not at all. Makes the policy `partial` in
    /// the support table.
    #[must_use]
    pub const fn differs(mut self, differs: &'static str) -> Attr {
        self.differs = differs;
        self
    }

    /// The attribute's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The phrase given to [`Attr::doc`].
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.doc
    }

    /// Whether the element is refused without it.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        matches!(self.need, Need::Required)
    }

    /// Whether policy expressions are allowed.
    #[must_use]
    pub const fn takes_expressions(&self) -> bool {
        self.expressions
    }

    /// The value that counts when the attribute is absent.
    #[must_use]
    pub const fn default_text(&self) -> Option<&'static str> {
        match self.need {
            Need::Required => None,
            Need::Expected(text) => Some(text),
            Need::Optional(text) => text,
        }
    }

    /// The words a literal value may be; empty means any text.
    #[must_use]
    pub const fn words(&self) -> &'static [&'static str] {
        self.words
    }

    /// Attributes that must not stand beside this one.
    #[must_use]
    pub const fn excluded(&self) -> &'static [&'static str] {
        self.excludes
    }

    /// What the value is: as declared, else as the words or the default tell, else text.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        self.declared.unwrap_or_else(|| ValueType::guess(self.words, self.default_text()))
    }

    /// Whether the value may be read as one of that kind. A type with an own conversion that
    /// does not say its kind may be anything.
    pub(crate) fn fits(&self, read: ValueType) -> bool {
        read == ValueType::Text || self.declared.is_none_or(|it| it.may_be_read_as(read))
    }

    /// The phrase given to [`Attr::differs`].
    #[must_use]
    pub const fn difference(&self) -> &'static str {
        self.differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_attribute_has_its_default() {
        const CASE: Attr = Attr::optional("ignore-case", "false").expressions().doc("Ignore case.");

        assert_eq!(CASE.default_text(), Some("false"));
        assert!(!CASE.is_required() && CASE.takes_expressions());
        assert_eq!(CASE.description(), "Ignore case.");
        assert_eq!(CASE.expected().default_text(), Some("false"));
    }

    #[test]
    fn a_required_attribute_has_none() {
        assert_eq!(Attr::required("name").default_text(), None);
        assert!(Attr::required("name").is_required());
        assert_eq!(Attr::absent_by_default("timeout-ms").default_text(), None);
    }
}
