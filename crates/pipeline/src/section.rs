//! Sections and scopes: where in a document a policy stands, and where the document hangs.

use std::fmt;

/// One of the four sections of a `<policies>` document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// Runs on the request, before a backend is called.
    Inbound,
    /// Calls the backend.
    Backend,
    /// Runs on the response, before it is returned.
    Outbound,
    /// Runs only when an error jumped here.
    OnError,
}

impl Section {
    /// All sections, in the order of a document.
    pub const ALL: [Section; 4] =
        [Section::Inbound, Section::Backend, Section::Outbound, Section::OnError];

    /// The element name of the section.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Section::Inbound => "inbound",
            Section::Backend => "backend",
            Section::Outbound => "outbound",
            Section::OnError => "on-error",
        }
    }

    /// The section of that element name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|it| it.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The sections that a policy is documented for, and whether it may stand there once only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections(u8);

/// Beside the bits of the sections.
const ONCE: u8 = 1 << 7;

impl Sections {
    /// None: the policy stands inside of others only, or is a document of its own.
    pub const NONE: Sections = Sections(0);
    /// Only `inbound`.
    pub const INBOUND: Sections = Sections(Section::Inbound.bit());
    /// Only `backend`.
    pub const BACKEND: Sections = Sections(Section::Backend.bit());
    /// Only `outbound`.
    pub const OUTBOUND: Sections = Sections(Section::Outbound.bit());
    /// Only `on-error`.
    pub const ON_ERROR: Sections = Sections(Section::OnError.bit());
    /// All four.
    pub const ALL: Sections = Sections(0b1111);

    /// The policy is documented to stand once in each: standing there again is a load warning.
    #[must_use]
    pub const fn once(self) -> Sections {
        Sections(self.0 | ONCE)
    }

    /// Whether the policy is documented to stand once in each.
    #[must_use]
    pub const fn are_once(self) -> bool {
        self.0 & ONCE != 0
    }

    /// These sections and those.
    #[must_use]
    pub const fn and(self, other: Sections) -> Sections {
        Sections(self.0 | other.0)
    }

    /// Whether the section is one of these.
    #[must_use]
    pub const fn contains(self, section: Section) -> bool {
        self.0 & section.bit() != 0
    }

    /// The sections, in the order of a document.
    pub fn each(self) -> impl Iterator<Item = Section> {
        Section::ALL.into_iter().filter(move |it| self.contains(*it))
    }
}

/// Where a document hangs: broad to narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The whole gateway.
    Global,
    /// One workspace.
    Workspace,
    /// One product.
    Product,
    /// One API (and revision).
    Api,
    /// One operation of an API.
    Operation,
}

impl Scope {
    /// All scopes, broad to narrow.
    pub const ALL: [Scope; 5] =
        [Scope::Global, Scope::Workspace, Scope::Product, Scope::Api, Scope::Operation];

    /// The word that `context.LastError.Scope` has for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Global => "global",
            Scope::Workspace => "workspace",
            Scope::Product => "product",
            Scope::Api => "api",
            Scope::Operation => "operation",
        }
    }

    const fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The scopes that a policy is documented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Only the global scope.
    pub const GLOBAL: Scopes = Scopes(Scope::Global.bit());
    /// All five scopes.
    pub const ALL: Scopes = Scopes(0b1_1111);

    /// These scopes without that one.
    #[must_use]
    pub const fn without(self, scope: Scope) -> Scopes {
        Scopes(self.0 & !scope.bit())
    }

    /// Whether the scope is one of these.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// The scopes, broad to narrow.
    pub fn each(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |it| self.contains(*it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_sections_names_them_in_document_order() {
        let names: Vec<_> =
            Sections::ON_ERROR.and(Sections::INBOUND).each().map(Section::name).collect();

        assert_eq!(names, ["inbound", "on-error"]);
    }

    #[test]
    fn standing_once_is_no_section() {
        let once = Sections::INBOUND.once();

        assert!(once.are_once() && !Sections::ALL.are_once());
        assert_eq!(once.each().count(), 1);
        assert!(once.and(Sections::BACKEND).are_once());
    }

    #[test]
    fn a_section_is_found_by_its_element_name_only() {
        assert_eq!(Section::from_name("on-error"), Some(Section::OnError));
        assert_eq!(Section::from_name("On-Error"), None);
        assert_eq!(Section::from_name("base"), None);
    }

    #[test]
    fn scopes_can_leave_one_out() {
        let scopes = Scopes::ALL.without(Scope::Workspace);

        assert!(scopes.contains(Scope::Global) && scopes.contains(Scope::Operation));
        assert!(!scopes.contains(Scope::Workspace));
        assert_eq!(scopes.each().count(), 4);
    }

    #[test]
    fn scopes_are_ordered_from_broad_to_narrow() {
        assert!(Scope::ALL.is_sorted());
    }
}
