//! How much one evaluation may do.

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

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn every_bound_is_there_by_default() {
        let it = Limits::default();
        assert!(it.steps > 0 && it.bytes > 0 && it.depth > 0);
    }
}
