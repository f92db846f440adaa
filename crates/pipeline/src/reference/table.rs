//! The support table: every policy that Azure documents, and how far it works here.

use std::fmt::Write as _;

use crate::known::POLICY_NAMES;
use crate::registry::Registry;
use crate::schema::{PolicyKind, documentation};
use crate::section::{Scope, Scopes, Section};

/// How far a policy works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As Azure documents it.
    Supported,
    /// Something differs, and it is said what.
    Partial,
    /// A document that uses it does not load.
    Refused,
}

impl Status {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Status::Supported => "supported",
            Status::Partial => "partial",
            Status::Refused => "refused",
        }
    }
}

/// One policy of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The element's name.
    pub name: &'static str,
    /// How far it works.
    pub status: Status,
    /// Its schema; none if it is refused.
    pub kind: Option<&'static PolicyKind>,
    /// Where in the element what differs.
    pub differences: Vec<(String, &'static str)>,
}

impl Row {
    /// The page of Azure's documentation.
    #[must_use]
    pub fn documentation(&self) -> String {
        documentation(self.name)
    }

    /// The sections that it may stand in; none if it is refused.
    pub fn sections(&self) -> Vec<&'static str> {
        self.kind.map(|it| it.sections.each().map(Section::name).collect()).unwrap_or_default()
    }

    /// The scopes that it is documented for, in words.
    #[must_use]
    pub fn scopes(&self) -> String {
        self.kind.map(|it| scopes(it.scopes)).unwrap_or_default()
    }
}

/// "all", "all but workspace", or the names.
pub(super) fn scopes(of: Scopes) -> String {
    let names = |all: Vec<Scope>| all.into_iter().map(Scope::name).collect::<Vec<_>>().join(", ");
    let missing: Vec<Scope> = Scope::ALL.into_iter().filter(|it| !of.contains(*it)).collect();
    match missing.len() {
        0 => "all".to_owned(),
        1 | 2 => format!("all but {}", names(missing)),
        _ => names(of.each().collect()),
    }
}

/// Every policy that Azure documents or the registry has, by name.
#[must_use]
pub fn rows(registry: &Registry) -> Vec<Row> {
    let own = registry.kinds().into_iter().map(|it| it.name);
    let mut names: Vec<&'static str> = POLICY_NAMES.iter().copied().chain(own).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|it| row(it, registry.get(it))).collect()
}

fn row(name: &'static str, kind: Option<&'static PolicyKind>) -> Row {
    let differences = kind.map(PolicyKind::differences).unwrap_or_default();
    let status = match kind {
        None => Status::Refused,
        Some(_) if differences.is_empty() => Status::Supported,
        Some(_) => Status::Partial,
    };
    Row { name, status, kind, differences }
}

/// The table for a terminal; what differs stands below its policy.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let width = |of: &dyn Fn(&Row) -> usize, head: &str| {
        rows.iter().map(of).max().unwrap_or(0).max(head.len())
    };
    let name = width(&|it| it.name.len(), "policy");
    let sections = width(&|it| it.sections().join(" ").len(), "sections");
    let mut out = format!("{:name$}  status     {:sections$}  scopes\n", "policy", "sections");
    for row in rows {
        let line = format!(
            "{:name$}  {:9}  {:sections$}  {}",
            row.name,
            row.status.name(),
            row.sections().join(" "),
            row.scopes(),
        );
        let _ = writeln!(out, "{}", line.trim_end());
        for (at, what) in &row.differences {
            let _ = writeln!(out, "    {}{what}", place(at));
        }
    }
    out
}

fn place(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!("{at}: ") }
}

/// The table in Markdown; `link` makes the address of a policy's page.
#[must_use]
pub fn markdown_table(rows: &[Row], link: impl Fn(&Row) -> String) -> String {
    let mut out = String::from("| policy | status | sections | scopes | what differs |\n");
    out.push_str("|---|---|---|---|---|\n");
    for row in rows {
        let differences: Vec<String> =
            row.differences.iter().map(|(at, what)| difference(at, what)).collect();
        let _ = writeln!(
            out,
            "| [`{}`]({}) | {} | {} | {} | {} |",
            row.name,
            link(row),
            row.status.name(),
            row.sections().join(", "),
            row.scopes(),
            differences.join(" "),
        );
    }
    out
}

/// What differs, with its place, in Markdown.
pub(super) fn difference(at: &str, what: &str) -> String {
    if at.is_empty() { what.to_owned() } else { format!("`{at}`: {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::KINDS;

    #[test]
    fn what_azure_has_and_the_registry_lacks_is_refused() {
        let rows = rows(&Registry::new(KINDS));
        let status = |name: &str| rows.iter().find(|it| it.name == name).map(|it| it.status);

        assert_eq!(status("rate-limit"), Some(Status::Refused));
        assert_eq!(status("mark"), Some(Status::Supported));
        assert_eq!(status("nothing"), None);
        assert!(rows.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn scopes_are_told_shortly() {
        assert_eq!(scopes(Scopes::ALL), "all");
        assert_eq!(scopes(Scopes::ALL.without(Scope::Workspace)), "all but workspace");
        assert_eq!(scopes(Scopes::GLOBAL), "global");
    }

    #[test]
    fn what_differs_stands_below_the_policy() {
        let mut rows = rows(&Registry::new(KINDS));
        rows.retain(|it| it.name == "mark");
        rows[0].differences = vec![("@name".to_owned(), "Refused."), (String::new(), "Slow.")];

        let table = table(&rows);
        assert!(table.ends_with("\n    @name: Refused.\n    Slow.\n"), "{table}");
        let markdown = markdown_table(&rows, |it| format!("{}.md", it.name));
        assert!(markdown.contains("| [`mark`](mark.md) | supported |"), "{markdown}");
        assert!(markdown.ends_with("| `@name`: Refused. Slow. |\n"), "{markdown}");
    }
}
