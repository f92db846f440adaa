//! `yield` in local functions.
//!
//! Source: C# specification, 13.15 and 15.15.

use clr::types::{Type, names};
use csharp::ast::{self, ArgumentMode, LambdaBody, Span, Stmt as Syntax, StmtKind};

use super::{Binder, codes};
use crate::ir::{Body, Stmt};
use crate::steps::lay_out;

/// What a function with `yield` gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Yields {
    pub(super) element: Type,
    pub(super) is_enumerator: bool,
}

impl Binder {
    /// What the function yields, if it has a `yield` of its own.
    pub(super) fn yields(&mut self, it: &ast::LocalFunction, result: Type) -> Option<Yields> {
        let LambdaBody::Block(block) = &it.body else { return None };
        if !has_yield(&block.statements) {
            return None;
        }
        self.settles |= has_try(&block.statements);
        let yields = |element, is_enumerator| Some(Yields { element, is_enumerator });
        let by_reference =
            |it: &&ast::Parameter| matches!(it.mode, ArgumentMode::Ref | ArgumentMode::Out);
        if let Some(parameter) = it.parameters.iter().find(by_reference) {
            self.report(
                codes::CONTROL_FLOW,
                parameter.name.span,
                "a function with `yield` has no `ref` or `out` parameters",
                "passed by reference",
                None,
            );
        }
        match result {
            Type::Named(names::IENUMERABLE, [element]) => yields(*element, false),
            Type::Named(names::IENUMERATOR, [element]) => yields(*element, true),
            Type::Named(names::IENUMERABLE_PLAIN, _) => yields(Type::Object, false),
            Type::Error => yields(Type::Error, false),
            other => {
                self.report(
                    codes::CONTROL_FLOW,
                    it.name.span,
                    format!("a function with `yield` cannot return `{other}`"),
                    "returns no sequence",
                    Some("let it return `IEnumerable<T>`".to_owned()),
                );
                yields(Type::Error, false)
            }
        }
    }

    /// `yield return value;` or `yield break;`.
    pub(super) fn yield_statement(&mut self, value: Option<&ast::Expr>, span: Span) -> Stmt {
        let Some(yields) = self.function().yields else {
            self.report(
                codes::CONTROL_FLOW,
                span,
                "`yield` stands in a local function that returns `IEnumerable<T>`",
                "not in such a function",
                None,
            );
            return Stmt::Block(Box::default());
        };
        if self.function().finally > 0 || (value.is_some() && self.function().catching > 0) {
            self.report(
                codes::CONTROL_FLOW,
                span,
                "`yield` cannot stand in a `finally` block, nor within `try` and `catch`",
                "cannot wait here",
                Some("collect the items first, then yield them".to_owned()),
            );
        }
        match value {
            Some(value) => Stmt::Yield(Some(self.value_as(value, yields.element).node)),
            None => {
                self.flow = self.flow.unreachable();
                Stmt::Yield(None)
            }
        }
    }

    /// The body of a function with `yield`.
    pub(super) fn iterator_body(yields: Yields, body: Body) -> Body {
        match body {
            Body::Block(all) => {
                Body::Iterator(lay_out(&all, yields.element.erased(), yields.is_enumerator))
            }
            other => other,
        }
    }
}

/// Is there a `yield` among the statements, those of other functions left aside?
fn has_yield(all: &[Syntax]) -> bool {
    any(all, &|it| matches!(it.kind, StmtKind::Yield(_)))
}

/// Is there something that must run at the end of an enumeration?
fn has_try(all: &[Syntax]) -> bool {
    any(all, &|it| matches!(it.kind, StmtKind::Try(_) | StmtKind::Using { .. }))
}

fn any(all: &[Syntax], found: &dyn Fn(&Syntax) -> bool) -> bool {
    all.iter().any(|it| found(it) || inner(it).into_iter().any(|it| any(it, found)))
}

/// The statements within a statement.
fn inner(it: &Syntax) -> Vec<&[Syntax]> {
    use std::slice::from_ref;
    match &it.kind {
        StmtKind::Block(block) | StmtKind::Checked { body: block, .. } => vec![&block.statements],
        StmtKind::If { then, otherwise, .. } => {
            let otherwise = otherwise.as_deref().map(from_ref);
            std::iter::once(from_ref(&**then)).chain(otherwise).collect()
        }
        StmtKind::While { body, .. }
        | StmtKind::Do { body, .. }
        | StmtKind::Using { body, .. }
        | StmtKind::Labelled(_, body) => vec![from_ref(body)],
        StmtKind::For(it) => vec![from_ref(&it.body)],
        StmtKind::Foreach(it) => vec![from_ref(&it.body)],
        StmtKind::Switch(it) => it.sections.iter().map(|it| it.statements.as_slice()).collect(),
        StmtKind::Try(it) => {
            let catches = it.catches.iter().map(|it| it.body.statements.as_slice());
            let finally = it.finally.as_ref().map(|it| it.statements.as_slice());
            std::iter::once(it.body.statements.as_slice()).chain(catches).chain(finally).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::bind::tests::beyond;

    #[test]
    fn yield_stands_where_a_function_can_wait() {
        beyond(&[
            ("yield return 1; return 2;", "PC0342"),
            ("int F() { yield return 1; } return F();", "PC0342"),
            ("IEnumerable<int> F(ref int x) { yield return 1; } return 1;", "PC0342"),
            ("IEnumerable<int> F() { yield return \"a\"; } return F();", "PC0330"),
            ("IEnumerable<int> F() { try { yield return 1; } catch { } } return F();", "PC0342"),
            ("IEnumerable<int> F() { yield return 1; return null; } return F();", "PC0342"),
            (
                "IEnumerable<int> F() { if (true) yield break; yield return 1; } return F().Count();",
                "Int32: 0",
            ),
            (
                "IEnumerator<int> F() { yield return 4; } var e = F(); e.MoveNext(); return e.Current;",
                "Int32: 4",
            ),
        ]);
    }
}
