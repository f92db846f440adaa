//! What a local function does with the variables around it.
//!
//! A local function may read variables that have no value yet where it stands, if they have one
//! wherever it is called; and what it assigns on every path has a value behind the call. So its body
//! is looked at before its first use.
//!
//! Source: C# specification, 9.4.4.33.

use csharp::ast::Span;

use super::flow::Flow;
use super::{Binder, codes};

/// Reads and assignments of a local function, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(crate) enum Effect {
    #[default]
    Unknown,
    /// Its body is being looked at: it calls itself.
    Underway,
    Known {
        /// Variables that must have a value before a call.
        reads: Vec<usize>,
        /// Variables that have a value after it; none if it never returns.
        writes: Option<Vec<usize>>,
    },
}

/// What is noted of a local function while it is bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    pub(super) reads: Vec<usize>,
    /// The state at every `return`.
    pub(super) exits: Option<Flow>,
}

impl Noted {
    pub(super) fn exit(&mut self, flow: Flow) {
        self.exits = Some(match self.exits.take() {
            Some(other) => other.join(flow),
            None => flow,
        });
    }
}

impl Binder {
    /// Notes that a local function under way reads a variable around it; false if there is none.
    pub(super) fn note_read(&mut self, variable: usize) -> bool {
        let Some(own) = self.variables.get(variable).map(|it| it.function) else { return false };
        let within = self.functions.iter_mut().skip(own + 1).rev();
        match within.filter_map(|it| it.noted.as_mut()).next() {
            Some(noted) => {
                noted.reads.push(variable);
                true
            }
            None => false,
        }
    }

    /// The effect of what was noted. `function` is the number of the local function.
    pub(super) fn effect(&self, noted: &Noted, function: usize) -> Effect {
        let exits = noted.exits.as_ref().filter(|it| it.reachable);
        let outer = |id: &usize| self.variables.get(*id).is_some_and(|it| it.function < function);
        let writes = exits.map(|it| {
            (0..self.variables.len()).filter(outer).filter(|id| it.is_assigned(*id)).collect()
        });
        let mut reads: Vec<usize> = noted.reads.iter().copied().filter(outer).collect();
        reads.dedup();
        Effect::Known { reads, writes }
    }

    /// What a call of a local function, or a delegate of it, reads.
    pub(super) fn check_reads(&mut self, effect: &Effect, function: &str, span: Span) {
        let Effect::Known { reads, .. } = effect else { return };
        for id in reads {
            if self.flow.is_assigned(*id) || self.note_read(*id) {
                continue;
            }
            let name = self.variables.get(*id).map_or(String::new(), |it| it.name.clone());
            self.report(
                codes::UNASSIGNED,
                span,
                format!("`{name}`, which `{function}` reads, may have no value here"),
                "called before every path has assigned it",
                Some(format!("give `{name}` a value where it is declared")),
            );
            self.flow.assign(*id);
        }
    }

    /// What has a value after a call of a local function.
    pub(super) fn after_call(&mut self, effect: &Effect) {
        match effect {
            Effect::Known { writes: Some(writes), .. } => {
                writes.iter().for_each(|it| self.flow.assign(*it));
            }
            // It does not come back, or it calls itself: then another path decides.
            Effect::Known { writes: None, .. } | Effect::Underway => {
                (0..self.variables.len()).for_each(|it| self.flow.assign(it));
            }
            Effect::Unknown => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn a_local_function_assigns_and_needs_variables_around_it() {
        check(
            Form::Statements,
            &[
                ("int x; void F() { x = 1; } F(); return x;", "Int32: 1"),
                ("int x; int F() => x; x = 1; return F();", "Int32: 1"),
                ("int x; int F() => x; return F();", "PC0340"),
                ("int x; int F() => x; int G() => F(); return G();", "PC0340"),
                ("int x; int F() => x; int G() => F(); x = 2; return G();", "Int32: 2"),
                ("int x; void F(bool b) { if (b) x = 1; } F(true); return x;", "PC0340"),
                (
                    "int x; void F(int n) { if (n > 0) F(n - 1); else x = n; } F(3); return x;",
                    "Int32: 0",
                ),
                ("int x; int F() => x; Func<int> f = F; x = 1; return f();", "PC0340"),
                ("int x; void F() { throw new Exception(); } F(); return x;", "System.Exception"),
            ],
        );
    }

    #[test]
    fn an_out_parameter_has_a_value_at_every_return() {
        check(
            Form::Statements,
            &[
                ("int F(out int x) { return 4; } int y; return F(out y) + y;", "PC0340"),
                (
                    "bool F(bool b, out int x) { if (b) { x = 1; return b; } x = 2; return b; } int y; F(false, out y); return y;",
                    "Int32: 2",
                ),
                ("void F(out int x) { x++; } int y; F(out y); return y;", "PC0340"),
            ],
        );
    }
}
