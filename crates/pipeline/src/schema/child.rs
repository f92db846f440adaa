//! Child elements: how often they stand, and what they hold.

use super::Attr;

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
    fn children_count_what_their_names_say() {
        let count = |child: Child| (child.count.min, child.count.max);

        assert_eq!(count(Child::repeated("value")), (0, None));
        assert_eq!(count(Child::one_or_more("when")), (1, None));
        assert_eq!(count(Child::optional("otherwise")), (0, Some(1)));
        assert_eq!(count(Child::required("resource")), (1, Some(1)));
    }
}
