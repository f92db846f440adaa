//! What one rendering may cost.

use crate::error::Stop;

/// The bounds of one rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: nodes, rounds of loops, filters, and what they look at. About 100 ns each.
    pub steps: u64,
    /// Longest result, in bytes.
    pub output_bytes: usize,
    /// Texts and lists made on the way, in bytes.
    pub work_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: 1_000_000, output_bytes: 4 << 20, work_bytes: 64 << 20 }
    }
}

/// What is left of the bounds.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    work_bytes: usize,
    pub(crate) output_bytes: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Budget {
        Budget {
            steps: limits.steps,
            work_bytes: limits.work_bytes,
            output_bytes: limits.output_bytes,
        }
    }

    /// Takes steps.
    pub(crate) fn steps(&mut self, n: u64) -> Result<(), Stop> {
        self.steps = self.steps.checked_sub(n).ok_or(Stop::Steps)?;
        Ok(())
    }

    /// Takes the steps of looking at a text of that many bytes.
    pub(crate) fn looks_at(&mut self, bytes: usize) -> Result<(), Stop> {
        self.steps(1 + (bytes / 256) as u64)
    }

    /// Takes bytes for a value that was made.
    pub(crate) fn makes(&mut self, bytes: usize) -> Result<(), Stop> {
        self.work_bytes = self.work_bytes.checked_sub(bytes).ok_or(Stop::Work)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_stops_on_its_own() {
        let limits = Limits { steps: 3, output_bytes: 10, work_bytes: 5 };
        let mut budget = Budget::new(&limits);
        assert!(budget.steps(3).is_ok());
        assert!(matches!(budget.steps(1), Err(Stop::Steps)));
        assert!(budget.makes(5).is_ok());
        assert!(matches!(budget.makes(1), Err(Stop::Work)));
        assert!(matches!(Budget::new(&limits).looks_at(1024), Err(Stop::Steps)));
    }
}
