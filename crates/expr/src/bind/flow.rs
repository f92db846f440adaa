//! Definite assignment and reachability.
//!
//! Source: C# specification, 9.4.

/// Which variables surely have a value, and whether control gets here at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flow {
    pub(crate) reachable: bool,
    assigned: Vec<u64>,
}

impl Flow {
    /// The start of the expression.
    pub(crate) const fn start() -> Self {
        Self { reachable: true, assigned: Vec::new() }
    }

    /// The same place, but control does not get here.
    pub(crate) fn unreachable(&self) -> Self {
        Self { reachable: false, assigned: self.assigned.clone() }
    }

    /// The variable has a value from here on.
    pub(crate) fn assign(&mut self, variable: usize) {
        let word = variable / 64;
        if self.assigned.len() <= word {
            self.assigned.resize(word + 1, 0);
        }
        if let Some(it) = self.assigned.get_mut(word) {
            *it |= 1 << (variable % 64);
        }
    }

    /// Has the variable a value? In unreachable code every variable has.
    pub(crate) fn is_assigned(&self, variable: usize) -> bool {
        !self.reachable
            || self.assigned.get(variable / 64).is_some_and(|it| it & (1 << (variable % 64)) != 0)
    }

    /// Where two ways meet.
    pub(crate) fn join(self, other: Self) -> Self {
        match (self.reachable, other.reachable) {
            (false, _) => other,
            (_, false) => self,
            _ => Self {
                reachable: true,
                assigned: self.assigned.iter().zip(&other.assigned).map(|(a, b)| a & b).collect(),
            },
        }
    }

    /// What holds if both hold: after `try` with `finally`.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (at, word) in other.assigned.iter().enumerate() {
            match self.assigned.get_mut(at) {
                Some(own) => *own |= word,
                None => self.assigned.push(*word),
            }
        }
        self.reachable &= other.reachable;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_assigned_after_a_branch_only_if_both_ways_assign_it() {
        let mut a = Flow::start();
        a.assign(3);
        a.assign(70);
        let mut b = Flow::start();
        b.assign(3);
        let joined = a.clone().join(b.clone());
        assert!(joined.is_assigned(3) && !joined.is_assigned(70));
        let thrown = b.unreachable();
        assert!(a.clone().join(thrown.clone()).is_assigned(70) && thrown.is_assigned(5));
        assert!(b.and(&a).is_assigned(70));
    }
}
