//! How expressions are compiled.

use clr::Limits;
use dotnet::Runtime;

/// How an expression is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which .NET to imitate.
    pub runtime: Runtime,
    /// Accept types and members that we have but Azure's allow-list has not.
    pub allow_unlisted: bool,
    /// How much one evaluation may do.
    pub limits: Limits,
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
