//! `try`, `throw` and `using`.
//!
//! Source: C# specification, 13.10.6, 13.11 and 13.14.

use clr::types::{Type, names};
use csharp::ast::{self, Resource, Span};

use super::flow::Flow;
use super::{Binder, codes};
use crate::ir::{Catch, Node, Stmt, Try};

impl Binder {
    pub(super) fn throw_statement(&mut self, value: Option<&ast::Expr>, span: Span) -> Stmt {
        let stmt = match value {
            Some(value) => {
                let bound = self.thrown(value);
                Stmt::Throw(bound.node, span)
            }
            None => match self.function().caught.last().copied() {
                Some(slot) => Stmt::Rethrow(slot),
                None => {
                    self.report(
                        codes::CONTROL_FLOW,
                        span,
                        "`throw;` throws again what a `catch` block caught",
                        "not in a `catch` block",
                        Some("say what to throw: `throw new Exception(...)`".to_owned()),
                    );
                    Stmt::Block(Box::default())
                }
            },
        };
        self.flow = self.flow.unreachable();
        stmt
    }

    pub(super) fn try_statement(&mut self, it: &ast::Try) -> Stmt {
        let start = self.flow.clone();
        let catching = usize::from(!it.catches.is_empty());
        self.function().catching += catching;
        let body = self.block(&it.body.statements);
        let mut end = self.flow.clone();
        let mut catches = Vec::new();
        let mut caught_types: Vec<Type> = Vec::new();
        for own in &it.catches {
            self.flow = start.clone();
            let handler = self.catch(own, &caught_types);
            if handler.filter.is_none() {
                caught_types.push(handler.ty);
            }
            catches.push(handler);
            end = end.join(self.flow.clone());
        }
        self.function().catching -= catching;
        let finally = it.finally.as_ref().map(|block| {
            self.flow = start.clone();
            self.function().finally += 1;
            let all = self.block(&block.statements);
            self.function().finally -= 1;
            let after: Flow = self.flow.clone();
            end = std::mem::replace(&mut end, Flow::start()).and(&after);
            all.into_boxed_slice()
        });
        self.flow = end;
        Stmt::Try(Box::new(Try {
            body: body.into_boxed_slice(),
            filters: catches.iter().any(|it| it.filter.is_some()),
            catches: catches.into(),
            finally,
        }))
    }

    fn catch(&mut self, it: &ast::Catch, earlier: &[Type]) -> Catch {
        let exception = Type::named(names::EXCEPTION);
        let ty = it.ty.as_ref().map_or(exception, |written| {
            let ty = self.type_of(written);
            let derives = ty == Type::Error || clr::rows::is_reference_convertible(ty, exception);
            if !derives {
                self.report(
                    codes::NO_CONVERSION,
                    written.span,
                    format!("`{ty}` is no exception"),
                    "does not derive from `Exception`",
                    None,
                );
            }
            if earlier
                .iter()
                .any(|own| ty != Type::Error && clr::rows::is_reference_convertible(ty, *own))
            {
                self.report(
                    codes::CONTROL_FLOW,
                    written.span,
                    format!("an earlier `catch` takes every `{ty}` already"),
                    "never gets anything",
                    Some("put it before the more general one".to_owned()),
                );
            }
            ty
        });
        self.enter();
        let slot = match &it.name {
            Some(name) => {
                let id = self.declare(name, ty);
                self.flow.assign(id);
                self.slot_of(id)
            }
            None => self.temporary(),
        };
        let filter = it.filter.as_ref().map(|filter| {
            let (condition, yes, _) = self.condition(filter);
            self.flow = yes;
            condition.node
        });
        self.function().caught.push(slot);
        let body = self.block(&it.body.statements);
        self.function().caught.pop();
        let captured = !self.leave().is_empty();
        Catch { ty, slot, captured, filter, body: body.into_boxed_slice() }
    }

    pub(super) fn using(&mut self, resource: &Resource, body: &ast::Stmt) -> Stmt {
        self.enter();
        let mut all = Vec::new();
        let mut slots = Vec::new();
        match resource {
            Resource::Local(local) => {
                let declared = self.local(local, Some("a `using` variable"));
                let first =
                    local.variables.first().and_then(|it| self.find_variable(&it.name.text));
                if let Some(own) = first.and_then(|it| self.variables.get(it)) {
                    let (ty, span) = (own.ty, local.variables.first().map(|it| it.name.span));
                    if let Some(span) = span {
                        self.check_disposable(ty, span);
                    }
                }
                for stmt in &declared {
                    if let Stmt::Expression(Node::SetLocal(slot, _)) = stmt {
                        slots.push(*slot);
                    }
                }
                all.extend(declared);
            }
            Resource::Expression(expr) => {
                let bound = self.value(expr);
                self.check_disposable(bound.ty, expr.span);
                let slot = self.temporary();
                slots.push(slot);
                all.push(Stmt::Expression(Node::SetLocal(slot, Box::new(bound.node))));
            }
        }
        let mut inner = self.body(body);
        for slot in slots.into_iter().rev() {
            inner = Stmt::Using(slot, Box::new(inner));
        }
        all.push(inner);
        let cells = self.leave();
        super::statement::scoped(cells, Stmt::Block(all.into_boxed_slice()))
    }

    fn check_disposable(&mut self, ty: Type, span: Span) {
        if ty.is_value_type() || matches!(ty, Type::String | Type::Void) {
            self.report(
                codes::NO_CONVERSION,
                span,
                format!("`{ty}` is nothing that `using` could dispose of"),
                "not disposable",
                None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn handlers_and_filters_see_the_exception() {
        check(
            Form::Statements,
            &[
                (
                    "var log = \"\"; try { try { throw new Exception(\"a\"); } finally { log += \"f\"; } } catch (Exception e) when (e.Message == \"a\") { log += \"c\"; } return log;",
                    "String: fc",
                ),
                (
                    "try { throw new FormatException(); } catch (ArgumentException) { return 1; }",
                    "System.FormatException",
                ),
                (
                    "try { int.Parse(\"x\"); return 1; } catch (FormatException) { throw; }",
                    "System.FormatException",
                ),
                (
                    "try { return 1; } catch (Exception) { return 2; } catch (FormatException) { return 3; }",
                    "PC0342",
                ),
                ("throw;", "PC0342"),
            ],
        );
    }
}
