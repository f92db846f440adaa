//! Labels and `goto`.
//!
//! Which variables have a value behind a label depends on every `goto` to it, also on those further
//! down. So a block with labels is bound in vain until what is known of them no longer changes.
//!
//! Source: C# specification, 13.5 and 13.10.4.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, Goto, Name, Span, StmtKind};

use super::flow::Flow;
use super::{Binder, codes};
use crate::ir::{Labels, Node, Stmt};

/// How often a block is bound until nothing changes.
const MAX_PASSES: usize = 8;

/// A label that can be gone to.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    name: String,
    id: u32,
    /// How many `finally` blocks stand around it.
    finally: usize,
    /// The state at the `goto`s to it.
    met: Option<Flow>,
}

/// What goes to the sections of a `switch`: the constant, or none for `default`, and its number.
#[derive(Clone, Debug)]
pub(crate) struct SectionGotos {
    pub(super) of: Type,
    pub(super) all: Vec<(Option<Value>, u32, Span)>,
}

impl Binder {
    /// The statements of a block that has labels.
    pub(super) fn labelled(&mut self, statements: &[ast::Stmt]) -> Vec<Stmt> {
        let mut known = Vec::new();
        for _ in 0..MAX_PASSES {
            let variables = self.variables.len();
            let inner = self.scopes.last().map_or(0, |it| it.inner.len());
            let (found, _) = self.speculate(|it| it.labelled_once(statements, &known).1);
            self.variables.truncate(variables);
            if let Some(scope) = self.scopes.last_mut() {
                scope.inner.truncate(inner);
            }
            if found == known {
                break;
            }
            known = found;
        }
        self.labelled_once(statements, &known).0
    }

    /// One pass, with the states at the labels that the last one found.
    fn labelled_once(
        &mut self,
        statements: &[ast::Stmt],
        known: &[Option<Flow>],
    ) -> (Vec<Stmt>, Vec<Option<Flow>>) {
        let first = self.function().labels.len();
        for name in statements.iter().flat_map(names) {
            self.declare_label(name);
        }
        self.declare_functions(statements);
        let (mut functions, mut all, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 0;
        for statement in statements {
            let mut inner = statement;
            while let StmtKind::Labelled(_, next) = &inner.kind {
                if let Some(Some(met)) = known.get(at) {
                    self.flow = self.flow.clone().join(met.clone());
                }
                let id = self.function().labels.get(first + at).map_or(0, |it| it.id);
                places.push((id, all.len()));
                at += 1;
                inner = next;
            }
            self.one_statement(inner, &mut functions, &mut all);
        }
        let met = self.function().labels.drain(first..).map(|it| it.met).collect();
        let before = functions.len();
        functions.append(&mut all);
        let labels = Labels {
            statements: functions.into_boxed_slice(),
            places: places.into_iter().map(|(id, place)| (id, place + before)).collect(),
        };
        (vec![Stmt::Labels(Box::new(labels))], met)
    }

    fn declare_label(&mut self, name: &Name) {
        if self.function().labels.iter().any(|it| *it.name == *name.text) {
            self.report(
                codes::DUPLICATE_NAME,
                name.span,
                format!("there is a label `{}` already", name.text),
                "second label of the name",
                None,
            );
        }
        let id = self.new_label();
        let finally = self.function().finally;
        let label = Label { name: name.text.to_string(), id, finally, met: None };
        self.function().labels.push(label);
    }

    fn new_label(&mut self) -> u32 {
        let function = self.function();
        function.label_count += 1;
        function.label_count
    }

    pub(super) fn goto(&mut self, target: &Goto, span: Span) -> Stmt {
        let stmt = match target {
            Goto::Label(name) => self.goto_label(name),
            Goto::Case(value) => self.goto_section(Some(value), span),
            Goto::Default => self.goto_section(None, span),
        };
        self.flow = self.flow.unreachable();
        stmt
    }

    fn goto_label(&mut self, name: &Name) -> Stmt {
        let (flow, finally) = (self.flow.clone(), self.function().finally);
        let found = self.function().labels.iter_mut().rev().find(|it| *it.name == *name.text);
        let Some(label) = found else {
            self.report(
                codes::UNKNOWN_NAME,
                name.span,
                format!("there is no label `{}` around this", name.text),
                "unknown label",
                None,
            );
            return Stmt::Block(Box::default());
        };
        let (id, leaves) = (label.id, label.finally < finally);
        label.met = Some(match label.met.take() {
            Some(met) => met.join(flow),
            None => flow,
        });
        if leaves {
            self.report_leaving_finally("goto", name.span);
        }
        Stmt::Goto(id)
    }

    pub(super) fn report_leaving_finally(&mut self, word: &str, span: Span) {
        self.report(
            codes::CONTROL_FLOW,
            span,
            format!("`{word}` cannot leave a `finally` block"),
            "in `finally`",
            None,
        );
    }

    fn goto_section(&mut self, value: Option<&ast::Expr>, span: Span) -> Stmt {
        let around = self.function().loops.iter().rev().find_map(|it| it.gotos.as_ref());
        let Some(of) = around.map(|it| it.of) else {
            self.report(
                codes::CONTROL_FLOW,
                span,
                "`goto case` and `goto default` stand inside of a `switch`",
                "no `switch` around it",
                None,
            );
            return Stmt::Block(Box::default());
        };
        let constant = value.map(|it| {
            let bound = self.value_as(it, of);
            match (&bound.constant, &bound.node) {
                (Some(it), _) | (None, Node::Const(it)) => it.clone(),
                _ => {
                    self.report(
                        codes::CONSTANT,
                        bound.span,
                        "`goto case` needs a constant",
                        "not a constant",
                        None,
                    );
                    Value::Null
                }
            }
        });
        let id = self.new_label();
        let around = self.function().loops.iter_mut().rev().find_map(|it| it.gotos.as_mut());
        if let Some(it) = around {
            it.all.push((constant, id, span));
        }
        Stmt::Goto(id)
    }

    /// Where the `goto`s of a `switch` go.
    pub(super) fn resolve_gotos(
        &mut self,
        gotos: Option<SectionGotos>,
        cases: &[(Node, usize)],
        default: Option<usize>,
    ) -> Box<[(u32, usize)]> {
        let mut places = Vec::new();
        for (constant, id, span) in gotos.map(|it| it.all).unwrap_or_default() {
            let section = match &constant {
                None => default,
                Some(value) => cases.iter().find(|(test, _)| tests_for(test, value)).map(|it| it.1),
            };
            match section {
                Some(section) => places.push((id, section)),
                None => self.report(
                    codes::UNKNOWN_NAME,
                    span,
                    "the switch has no such section",
                    "goes nowhere",
                    None,
                ),
            }
        }
        places.into_boxed_slice()
    }
}

/// Does the label of a section stand for the constant?
fn tests_for(test: &Node, value: &Value) -> bool {
    match test {
        Node::IsConstant(it) => matches!(&it.1, Node::Const(own) if own.equals(value)),
        Node::Same(..) => value.is_null(),
        _ => false,
    }
}

/// The labels before a statement.
fn names(statement: &ast::Stmt) -> Vec<&Name> {
    let mut all = Vec::new();
    let mut inner = statement;
    while let StmtKind::Labelled(name, next) = &inner.kind {
        all.push(name);
        inner = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::bind::tests::beyond;

    #[test]
    fn goto_goes_back_forth_and_out() {
        beyond(&[
            ("int i = 0; again: i++; if (i < 5) goto again; return i;", "Int32: 5"),
            (
                "for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) if (i * j == 2) goto done; done: return 7;",
                "Int32: 7",
            ),
            ("int x; goto b; a: return x; b: x = 4; goto a;", "Int32: 4"),
            ("int x; goto b; a: return x; b: goto a;", "PC0340"),
            ("var s = \"\"; try { goto end; } finally { s += \"f\"; } end: return s;", "String: f"),
            ("goto nowhere; return 1;", "PC0320"),
            ("a: a: return 1;", "PC0323"),
            ("{ a: ; } goto a; return 1;", "PC0320"),
            ("a: try { } finally { goto a; } return 1;", "PC0342"),
            ("a: goto a;", "steps"),
        ]);
    }

    #[test]
    fn goto_case_runs_another_section() {
        beyond(&[
            (
                "int x = 1; switch (x) { case 1: x = 2; goto case 2; case 2: x += 10; break; } return x;",
                "Int32: 12",
            ),
            (
                "int x = 1; switch (x) { case 1: goto default; default: x = 99; break; } return x;",
                "Int32: 99",
            ),
            (
                "switch (1) { case 1: goto case 2; case 2: return \"two\"; default: return \"d\"; }",
                "String: two",
            ),
            ("int x = 1; switch (x) { case 1: goto case 3; } return x;", "PC0320"),
            ("goto default; return 1;", "PC0342"),
        ]);
    }
}
