//! Loops, `break` and `continue`.
//!
//! Source: C# specification, 13.9 and 13.10.

use clr::rows::Member;
use clr::types::Type;
use csharp::ast::{self, Span};

use super::flow::Flow;
use super::labels::SectionGotos;
use super::member::item_type;
use super::statement::scoped;
use super::{Binder, Expr, codes};
use crate::ir::{Access, Call, Foreach, Node, Stmt};

/// A loop or a switch that `break` and `continue` refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loop {
    pub(super) is_switch: bool,
    /// How many `finally` blocks stand around it.
    pub(super) finally: usize,
    /// What goes to its sections, of a `switch`.
    pub(super) gotos: Option<SectionGotos>,
    pub(super) breaks: Option<Flow>,
    pub(super) continues: Option<Flow>,
}

impl Binder {
    pub(super) fn in_loop<R>(
        &mut self,
        switched: Option<Type>,
        f: impl FnOnce(&mut Self) -> R,
    ) -> (R, Loop) {
        let finally = self.function().finally;
        let gotos = switched.map(|of| SectionGotos { of, all: Vec::new() });
        let is_switch = gotos.is_some();
        self.function().loops.push(Loop { is_switch, finally, gotos, ..Loop::default() });
        let result = f(self);
        let own = self.function().loops.pop().unwrap_or_default();
        (result, own)
    }

    pub(super) fn while_loop(&mut self, condition: &ast::Expr, body: &ast::Stmt) -> Stmt {
        self.enter();
        let (condition, yes, no) = self.condition(condition);
        self.flow = yes;
        let (body, own) = self.in_loop(None, |it| it.body(body));
        let cells = self.leave();
        self.flow = join(no, own.breaks);
        scoped(cells, Stmt::While(condition.node, Box::new(body)))
    }

    pub(super) fn do_loop(&mut self, body: &ast::Stmt, condition: &ast::Expr) -> Stmt {
        let (body, own) = self.in_loop(None, |it| it.body(body));
        self.flow = join(self.flow.clone(), own.continues);
        let (condition, _, no) = self.condition(condition);
        self.flow = join(no, own.breaks);
        Stmt::Do(Box::new(body), condition.node)
    }

    pub(super) fn for_loop(&mut self, it: &ast::For) -> Stmt {
        self.enter();
        let mut init = match &it.declaration {
            Some(local) => self.local(local, None),
            None => Vec::new(),
        };
        init.extend(it.init.iter().map(|it| Stmt::Expression(self.value(it).node)));
        let (condition, yes, no) = match &it.condition {
            Some(condition) => {
                let (bound, yes, no) = self.condition(condition);
                (Some(bound.node), yes, no)
            }
            None => (None, self.flow.clone(), self.flow.unreachable()),
        };
        self.flow = yes;
        let (body, own) = self.in_loop(None, |binder| binder.body(&it.body));
        self.flow = join(self.flow.clone(), own.continues);
        let step: Vec<Node> = it.step.iter().map(|it| self.value(it).node).collect();
        let cells = self.leave();
        self.flow = join(no, own.breaks);
        let all = Stmt::For {
            init: init.into_boxed_slice(),
            condition,
            step: step.into_boxed_slice(),
            body: Box::new(body),
        };
        scoped(cells, all)
    }

    pub(super) fn foreach(&mut self, it: &ast::Foreach, span: Span) -> Stmt {
        let source = self.value(&it.source);
        self.require_value(&source);
        if matches!(source.node, Node::Const(crate::value::Value::Null)) && source.ty != Type::Error
        {
            self.report(
                codes::NO_CONVERSION,
                source.span,
                "`foreach` cannot go through `null`",
                "always fails",
                None,
            );
        }
        let (source, items) = match source.ty {
            Type::Dynamic => (source, Some(Type::Dynamic)),
            _ => own_enumerator(source),
        };
        let item = match items {
            Some(item) => item,
            None => {
                if source.ty != Type::Error && source.ty != Type::Void {
                    self.report(
                        codes::NO_CONVERSION,
                        source.span,
                        format!("`foreach` cannot go through a value of type `{}`", source.ty),
                        "not enumerable",
                        None,
                    );
                }
                Type::Error
            }
        };
        let ty = it.ty.as_ref().map_or(item, |it| self.type_of(it));
        let conversion = if item == Type::Error || ty == Type::Error {
            None
        } else {
            match super::conversion::explicit(item, ty, false) {
                Some(way) => Self::conversion_of(way),
                None => {
                    let at = it.ty.as_ref().map_or(it.name.span, |it| it.span);
                    self.report(
                        codes::NO_CONVERSION,
                        at,
                        format!("the items are `{item}`, which do not convert to `{ty}`"),
                        format!("expected `{item}`"),
                        Some("write `var`".to_owned()),
                    );
                    None
                }
            }
        };
        self.enter();
        let id = self.declare(&it.name, ty);
        if let Some(own) = self.variables.get_mut(id) {
            own.read_only = Some("a `foreach` variable");
        }
        let before = self.flow.clone();
        self.flow.assign(id);
        let (body, own) = self.in_loop(None, |binder| binder.body(&it.body));
        self.flow = join(before, own.breaks);
        let slot = self.slot_of(id);
        let captured = !self.leave().is_empty();
        let item = item.erased();
        let source = source.node;
        let all = Stmt::Foreach(Box::new(Foreach {
            slot,
            captured,
            source,
            item,
            conversion,
            body,
            span,
        }));
        if self.settles { Stmt::Settled(Box::new(all)) } else { all }
    }

    pub(super) fn jump(&mut self, span: Span, is_break: bool) -> Stmt {
        let (flow, finally) = (self.flow.clone(), self.function().finally);
        let target = self.function().loops.iter_mut().rev().find(|it| is_break || !it.is_switch);
        match target {
            Some(own) if own.finally < finally => {
                self.report_leaving_finally(if is_break { "break" } else { "continue" }, span);
            }
            Some(own) => {
                let met = if is_break { &mut own.breaks } else { &mut own.continues };
                *met = Some(match met.take() {
                    Some(other) => other.join(flow),
                    None => flow,
                });
            }
            None => {
                let word = if is_break { "break" } else { "continue" };
                self.report(
                    codes::CONTROL_FLOW,
                    span,
                    format!("`{word}` stands outside of a loop"),
                    "nothing to leave",
                    None,
                );
            }
        }
        self.flow = self.flow.unreachable();
        if is_break { Stmt::Break } else { Stmt::Continue }
    }
}

fn join(a: Flow, b: Option<Flow>) -> Flow {
    match b {
        Some(b) => a.join(b),
        None => a,
    }
}

/// A class with a `GetEnumerator` of its own is enumerated by it, as C# prefers: a `JObject` gives
/// pairs, though it is a sequence of tokens as well.
fn own_enumerator(source: Expr) -> (Expr, Option<Type>) {
    // An array is enumerated by its elements, although `Array` has a `GetEnumerator` of objects.
    let name = source.ty.definition_name().filter(|_| source.ty.element().is_none());
    let def = name.and_then(clr::rows::definition);
    let row = def.and_then(|it| {
        it.members.iter().find(|it| it.name == "GetEnumerator" && it.params.is_empty())
    });
    let items = item_type(source.ty);
    let is_own = |it: &&Member| !it.returns.is_open() && it.returns.argument(0) != items;
    let Some(row) = row.filter(is_own) else { return (source, items) };
    let span = source.span;
    let call = Call {
        member: row,
        access: Access::Read,
        find: None,
        args: Box::new([source.node]),
        check_null: true,
        of_type: &[],
        of_method: &[],
        returns: row.returns,
        outs: Box::default(),
        span,
    };
    (Expr::new(Node::Call(Box::new(call)), row.returns, span), row.returns.argument(0))
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn loops_share_or_renew_their_variables() {
        check(
            Form::Statements,
            &[
                (
                    "var fs = new List<Func<int>>(); for (int i = 0; i < 3; i++) fs.Add(() => i); return fs.Sum(f => f());",
                    "Int32: 9",
                ),
                (
                    "var fs = new List<Func<int>>(); foreach (var i in new[] {0, 1, 2}) fs.Add(() => i); return fs.Sum(f => f());",
                    "Int32: 3",
                ),
                (
                    "int i = 0; do { i++; if (i == 2) continue; } while (i < 4); return i;",
                    "Int32: 4",
                ),
                ("break; return 1;", "PC0342"),
                ("foreach (var x in 5) { } return 1;", "PC0330"),
            ],
        );
    }
}
