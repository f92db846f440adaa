//! How expressions are compiled and how much they may do.

use dotnet::Runtime;

/// How much one evaluation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: operations, calls, rounds of loops.
    pub steps: u64,
    /// Bytes allocated in total, freed or not.
    pub bytes: u64,
    /// Levels of nesting: calls within calls, each counted with the height of its code.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 5_000_000, bytes: 256 << 20, depth: 1_000 }
    }
}

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
