//! What a policy looks like in XML: its attributes, children, sections and scopes.
//!
//! The constants are the schema and the accessor at once: the schema check reads them before
//! [`PolicyKind::compile`] runs, and `compile` reads the values through the same constants, so
//! neither can drift from the other.

mod attr;
mod child;

use document::Diagnostic;

pub use attr::Attr;
pub(crate) use attr::Need;
pub use child::{Child, Content};

use crate::compile::{CompileCx, Element};
use crate::section::{Scopes, Sections};
use crate::step::Step;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
