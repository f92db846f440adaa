//! How expressions are compiled.

use clr::Limits;
use clr::rows::Member;
use csharp::parser::Dialect;
use dotnet::Runtime;

/// How an expression is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which .NET to imitate.
    pub runtime: Runtime,
    /// Accept what Azure refuses and we have: types and members off its allow-list, tuples,
    /// `dynamic`, `goto`, `yield`, `sizeof`.
    pub allow_unlisted: bool,
    /// The expression stands in a GraphQL resolver: `context.GraphQL` is there.
    pub in_resolver: bool,
    /// How much one evaluation may do.
    pub limits: Limits,
}

impl Options {
    /// May the member be used?
    #[must_use]
    pub(crate) const fn allows(&self, member: &Member) -> bool {
        (member.listed || member.rival || self.allow_unlisted)
            && (self.in_resolver || !member.in_resolvers)
    }

    /// How much of C# 7 is accepted.
    #[must_use]
    pub(crate) const fn dialect(&self) -> Dialect {
        if self.allow_unlisted { Dialect::Beyond } else { Dialect::Azure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_modern_and_strict() {
        let options = Options::default();
        assert_eq!(options.runtime, Runtime::Modern);
        assert!(!options.allow_unlisted);
    }
}
