//! Variables, scopes and functions while binding.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{Name, Span};

use super::{Binder, Expr, codes};
use crate::ir::{Capture, Node};

/// A local variable, parameter or local function.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Index of the function that declares it.
    pub(crate) function: usize,
    pub(crate) slot: u32,
    pub(crate) captured: bool,
    pub(crate) constant: Option<Value>,
    /// Cannot be assigned to: `foreach` and `using` variables.
    pub(crate) read_only: Option<&'static str>,
    /// Index into the local functions of the binder.
    pub(crate) local_function: Option<usize>,
}

/// Names of a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) variables: Vec<usize>,
    /// Names declared in scopes within, which are closed again.
    pub(crate) inner: Vec<String>,
}

/// A function being bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function {
    pub(crate) slots: u32,
    /// Variable, slot outside, slot inside.
    pub(crate) captures: Vec<(usize, Capture)>,
    /// The result as the body must return it; `None`: to be inferred.
    pub(crate) result: Option<Type>,
    /// Any value may be returned: the outermost function.
    pub(crate) returns_object: bool,
    /// Types of the values returned.
    pub(crate) returned: Vec<Type>,
    /// `return;` was seen.
    pub(crate) returns_nothing: bool,
    /// Enclosing loops and switches.
    pub(crate) loops: Vec<super::loops::Loop>,
    /// Slots of exceptions that `throw;` would throw again.
    pub(crate) caught: Vec<u32>,
    /// How many `finally` blocks are around.
    pub(crate) finally: usize,
    /// How deep its expressions and statements nest.
    pub(crate) height: u32,
    /// Labels of the blocks under way.
    pub(crate) labels: Vec<super::labels::Label>,
    pub(crate) label_count: u32,
    /// What it yields, if it has a `yield`.
    pub(crate) yields: Option<super::iterator::Yields>,
    /// How many `try` blocks with `catch`, and `catch` blocks, stand around this.
    pub(crate) catching: usize,
    /// Of a local function: what it does with the variables around it.
    pub(crate) noted: Option<super::captured::Noted>,
    /// Its `out` parameters.
    pub(crate) outs: Vec<usize>,
}

impl Binder {
    pub(super) fn function(&mut self) -> &mut Function {
        if self.functions.is_empty() {
            self.functions.push(Function::default());
        }
        let last = self.functions.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "there is always a function")]
        &mut self.functions[last]
    }

    /// A slot without a name.
    pub(super) fn temporary(&mut self) -> u32 {
        let function = self.function();
        function.slots += 1;
        function.slots - 1
    }

    pub(super) fn enter(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// Leaves a scope; gives the slots of its captured variables.
    pub(super) fn leave(&mut self) -> Box<[u32]> {
        let scope = self.scopes.pop().unwrap_or_default();
        let own = scope.variables.iter().filter_map(|it| self.variables.get(*it));
        let names = own.map(|it| it.name.clone()).filter(|it| !it.starts_with('<'));
        let mut names: Vec<String> = names.chain(scope.inner.iter().cloned()).collect();
        if let Some(outer) = self.scopes.last_mut() {
            names.retain(|it| !outer.inner.contains(it));
            outer.inner.append(&mut names);
        }
        let captured = scope.variables.iter().filter_map(|it| self.variables.get(*it));
        captured.filter(|it| it.captured).map(|it| it.slot).collect()
    }

    /// Declares a variable in the innermost scope.
    pub(super) fn declare(&mut self, name: &Name, ty: Type) -> usize {
        let within =
            self.scopes.last().is_some_and(|it| it.inner.iter().any(|it| *it == *name.text));
        if within || self.find_variable(&name.text).is_some() {
            self.report(
                codes::DUPLICATE_NAME,
                name.span,
                format!("`{}` is declared already", name.text),
                "second declaration",
                Some("choose another name".to_owned()),
            );
        }
        self.declare_quietly(&name.text, ty)
    }

    /// `_` throws a value away here, so that it cannot be a variable of this block further down.
    pub(super) fn discard(&mut self) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.inner.push("_".to_owned());
        }
    }

    pub(super) fn declare_quietly(&mut self, name: &str, ty: Type) -> usize {
        let slot = self.temporary();
        let function = self.functions.len() - 1;
        self.variables.push(Variable {
            name: name.to_owned(),
            ty,
            function,
            slot,
            captured: false,
            constant: None,
            read_only: None,
            local_function: None,
        });
        let id = self.variables.len() - 1;
        if let Some(scope) = self.scopes.last_mut() {
            scope.variables.push(id);
        }
        id
    }

    pub(super) fn find_variable(&self, name: &str) -> Option<usize> {
        self.scopes.iter().rev().find_map(|scope| {
            let named = |it: &&usize| self.variables.get(**it).is_some_and(|it| it.name == name);
            scope.variables.iter().rev().find(named).copied()
        })
    }

    /// The slot of a variable in the function being bound; captures it if it is another's.
    pub(super) fn slot_of(&mut self, variable: usize) -> u32 {
        let here = self.functions.len() - 1;
        self.slot_in(here, variable)
    }

    fn slot_in(&mut self, function: usize, variable: usize) -> u32 {
        let Some(it) = self.variables.get_mut(variable) else { return 0 };
        if it.function >= function {
            return it.slot;
        }
        it.captured = true;
        let known = self
            .functions
            .get(function)
            .and_then(|it| it.captures.iter().find(|(own, _)| *own == variable))
            .map(|(_, capture)| capture.inner);
        if let Some(inner) = known {
            return inner;
        }
        let outer = self.slot_in(function - 1, variable);
        let Some(own) = self.functions.get_mut(function) else { return 0 };
        let inner = own.slots;
        own.slots += 1;
        own.captures.push((variable, Capture { outer, inner }));
        inner
    }

    /// The value of a variable.
    pub(super) fn read_variable(&mut self, id: usize, span: Span) -> Expr {
        let Some(variable) = self.variables.get(id) else { return Expr::error(span) };
        let (ty, name) = (variable.ty, variable.name.clone());
        if let Some(value) = &variable.constant {
            return Expr::constant(value.clone(), ty, span);
        }
        if let Some(function) = variable.local_function {
            let effect = self.effect_of(function, span);
            self.check_reads(&effect, &name, span);
        } else if !self.flow.is_assigned(id) && ty != Type::Error && !self.note_read(id) {
            self.report(
                codes::UNASSIGNED,
                span,
                format!("`{name}` may have no value here"),
                "read before every path has assigned it",
                Some(format!("give `{name}` a value where it is declared")),
            );
            self.flow.assign(id);
        }
        let slot = self.slot_of(id);
        Expr::new(Node::Local(slot), ty, span)
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn a_variable_is_declared_once_and_read_when_assigned() {
        check(
            Form::Statements,
            &[
                ("int x = 1; { int x = 2; } return x;", "PC0323"),
                ("{ int x = 1; } { int x = 2; return x; }", "Int32: 2"),
                ("int x; Func<int> f = () => x; return f();", "PC0340"),
                ("{ int y = 1; } return y;", "PC0320"),
            ],
        );
    }
}
