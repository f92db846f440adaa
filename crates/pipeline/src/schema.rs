//! What a policy looks like in XML: its attributes, children, sections and scopes.
//!
//! The constants are the schema and the accessor at once: the schema check reads them before
//! [`PolicyKind::compile`] runs, and `compile` reads the values through the same constants, so
//! neither can drift from the other.

use document::Diagnostic;

use crate::compile::{CompileCx, Element};
use crate::section::{Scopes, Sections};
use crate::step::Step;
use crate::value_type::ValueType;

/// Turns a checked element into a step.
pub type Compile = fn(Element<'_>, &mut CompileCx<'_>) -> Result<Step, Diagnostic>;

/// One policy: how it is written, where it may stand and how it is compiled.
#[derive(Clone, Copy, Debug)]
pub struct PolicyKind {
    /// The element name.
    pub name: &'static str,
    /// One sentence for lists and completion.
    pub summary: &'static str,
    /// Sections it is documented for; elsewhere it is a load error.
    pub sections: Sections,
    /// Scopes it is documented for; elsewhere it is a load warning.
    pub scopes: Scopes,
    /// Its attributes, `id` excepted, which every policy has.
    pub attrs: &'static [Attr],
    /// Its child elements and its own content.
    pub children: &'static [Child],
    /// Makes the step. Runs only if the schema check found no error in the element.
    pub compile: Compile,
}

impl PolicyKind {
    /// The page of Azure's documentation about it.
    #[must_use]
    pub fn documentation(&self) -> String {
        documentation(self.name)
    }

    /// What works here in another way than in Azure, or not at all: the place inside of the
    /// policy (`@attribute`, `child/@attribute`) and what differs. Empty: nothing.
    #[must_use]
    pub fn differences(&self) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        collect_differences("", self.attrs, self.children, &mut found);
        found
    }
}

/// The page of Azure's documentation about a policy; all their addresses are made alike.
#[must_use]
pub fn documentation(policy: &str) -> String {
    format!("https://learn.microsoft.com/azure/api-management/{policy}-policy")
}

fn collect_differences(
    path: &str,
    attrs: &[Attr],
    children: &[Child],
    found: &mut Vec<(String, &'static str)>,
) {
    for attr in attrs.iter().filter(|it| !it.differs.is_empty()) {
        found.push((format!("{path}@{}", attr.name), attr.differs));
    }
    for child in children {
        let own = format!("{path}{}", child.name);
        if !child.differs.is_empty() {
            found.push((own.clone(), child.differs));
        }
        let inner = if child.name.is_empty() { path.to_owned() } else { format!("{own}/") };
        collect_differences(&inner, child.attrs, child.children, found);
    }
}

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

/// How often a child element may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) min: u8,
    pub(crate) max: Option<u8>,
}

/// What stands between the tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing but white space and comments.
    Nothing,
    /// Text: a literal or one expression.
    Text,
    /// Only the child elements that the schema lists.
    Elements,
    /// Any policies that are allowed in the section.
    Policies,
    /// Source text, markup included.
    Markup,
    /// One element of another vocabulary, beside the child elements that the schema lists.
    Foreign,
    /// Text that may be a template; the policy checks it.
    Template,
    /// The child is itself the policy of that name, checked by its own schema.
    Policy,
}

/// One child element of a policy, or (without a name) the policy's own content.
#[derive(Clone, Copy, Debug)]
pub struct Child {
    pub(crate) name: &'static str,
    pub(crate) count: Count,
    pub(crate) content: Content,
    pub(crate) expressions: bool,
    pub(crate) attrs: &'static [Attr],
    pub(crate) children: &'static [Child],
    pub(crate) doc: &'static str,
    pub(crate) differs: &'static str,
}

impl Child {
    const fn new(name: &'static str, min: u8, max: Option<u8>) -> Child {
        Child {
            name,
            count: Count { min, max },
            content: Content::Text,
            expressions: false,
            attrs: &[],
            children: &[],
            doc: "",
            differs: "",
        }
    }

    /// Any number of these, none included.
    #[must_use]
    pub const fn repeated(name: &'static str) -> Child {
        Child::new(name, 0, None)
    }

    /// One or more of these.
    #[must_use]
    pub const fn one_or_more(name: &'static str) -> Child {
        Child::new(name, 1, None)
    }

    /// At most one.
    #[must_use]
    pub const fn optional(name: &'static str) -> Child {
        Child::new(name, 0, Some(1))
    }

    /// Exactly one.
    #[must_use]
    pub const fn required(name: &'static str) -> Child {
        Child::new(name, 1, Some(1))
    }

    /// The policy's own content is text; read it with [`CompileCx::text`].
    #[must_use]
    pub const fn text() -> Child {
        Child::new("", 1, Some(1))
    }

    /// The policy's own content may be text, beside or instead of its elements; read it with
    /// [`CompileCx::text`] if [`Element::has_text`].
    #[must_use]
    pub const fn optional_text() -> Child {
        Child::new("", 0, Some(1))
    }

    /// The policy's own content is source text with its tags; read it with
    /// [`CompileCx::text`].
    #[must_use]
    pub const fn markup() -> Child {
        let mut child = Child::new("", 0, Some(1));
        child.content = Content::Markup;
        child
    }

    /// The policy's own content is one element of another vocabulary, beside those that the schema
    /// lists; read it with [`CompileCx::foreign`].
    #[must_use]
    pub const fn foreign() -> Child {
        let mut child = Child::new("", 1, Some(1));
        child.content = Content::Foreign;
        child
    }

    /// The policy's own content is policies; read it with [`CompileCx::steps`].
    #[must_use]
    pub const fn content() -> Child {
        let mut child = Child::new("", 0, Some(1));
        child.content = Content::Policies;
        child
    }

    /// This child is itself a policy, compiled by [`CompileCx::steps`].
    #[must_use]
    pub const fn as_policy(mut self) -> Child {
        self.content = Content::Policy;
        self
    }

    /// The element holds policies; read it with [`CompileCx::steps`].
    #[must_use]
    pub const fn policies(mut self) -> Child {
        self.content = Content::Policies;
        self
    }

    /// The element holds text that may be a template; read it with [`CompileCx::template`], or with
    /// [`CompileCx::markup`] if it is none.
    #[must_use]
    pub const fn template(mut self) -> Child {
        self.content = Content::Template;
        self
    }

    /// The element holds nothing.
    #[must_use]
    pub const fn empty(mut self) -> Child {
        self.content = Content::Nothing;
        self
    }

    /// The element's attributes.
    #[must_use]
    pub const fn attrs(mut self, attrs: &'static [Attr]) -> Child {
        self.attrs = attrs;
        self
    }

    /// The element holds these elements instead of text.
    #[must_use]
    pub const fn children(mut self, children: &'static [Child]) -> Child {
        self.children = children;
        self.content = Content::Elements;
        self
    }

    /// Policy expressions are allowed in the text.
    #[must_use]
    pub const fn expressions(mut self) -> Child {
        self.expressions = true;
        self
    }

    /// One phrase for reference and completion.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Child {
        self.doc = doc;
        self
    }

    /// What works here in another way than in Azure, or not at all; see [`Attr::differs`].
    #[must_use]
    pub const fn differs(mut self, differs: &'static str) -> Child {
        self.differs = differs;
        self
    }

    /// The element's name; empty for a policy's own content.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The phrase given to [`Child::doc`].
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.doc
    }

    /// The phrase given to [`Child::differs`].
    #[must_use]
    pub const fn difference(&self) -> &'static str {
        self.differs
    }

    /// What stands between its tags.
    #[must_use]
    pub const fn holds(&self) -> Content {
        self.content
    }

    /// Its attributes.
    #[must_use]
    pub const fn attributes(&self) -> &'static [Attr] {
        self.attrs
    }

    /// The elements it may hold.
    #[must_use]
    pub const fn elements(&self) -> &'static [Child] {
        self.children
    }

    /// Whether policy expressions are allowed in its text.
    #[must_use]
    pub const fn takes_expressions(&self) -> bool {
        self.expressions
    }

    /// How often it stands: at least, and at most if there is a bound.
    #[must_use]
    pub const fn count(&self) -> (u8, Option<u8>) {
        (self.count.min, self.count.max)
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

    #[test]
    fn what_differs_is_collected_with_its_place() {
        const DEEP: &[Child] = &[Child::repeated("claim").attrs(&[
            Attr::required("name"),
            Attr::absent_by_default("separator").differs("One character only."),
        ])];
        const KIND: PolicyKind = PolicyKind {
            name: "check",
            summary: "",
            sections: Sections::ALL,
            scopes: Scopes::ALL,
            attrs: &[Attr::absent_by_default("body").differs("No PFX.")],
            children: &[
                Child::text().differs("No Liquid."),
                Child::optional("claims").children(DEEP),
            ],
            compile: |_, _| Ok(Step::inline(crate::Steps::default())),
        };

        let found: Vec<_> =
            KIND.differences().into_iter().map(|(at, what)| format!("{at}: {what}")).collect();
        assert_eq!(
            found,
            ["@body: No PFX.", ": No Liquid.", "claims/claim/@separator: One character only."]
        );
        assert!(KIND.documentation().ends_with("/api-management/check-policy"));
    }

    #[test]
    fn children_count_what_their_names_say() {
        let count = |child: Child| (child.count.min, child.count.max);

        assert_eq!(count(Child::repeated("value")), (0, None));
        assert_eq!(count(Child::one_or_more("when")), (1, None));
        assert_eq!(count(Child::optional("otherwise")), (0, Some(1)));
        assert_eq!(count(Child::required("resource")), (1, Some(1)));
    }
}
