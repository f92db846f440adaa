//! `switch`.
//!
//! Source: C# specification, 13.8.3.

use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, Span, SwitchLabel};

use super::{Binder, codes};
use crate::ir::{Node, Stmt, Switch};

impl Binder {
    pub(super) fn switch(&mut self, it: &ast::Switch) -> Stmt {
        let value = self.value(&it.value);
        self.require_value(&value);
        let slot = self.temporary();
        let start = self.flow.clone();
        let (bound, own) = self.in_loop(true, |binder| binder.sections(it, slot, value.ty));
        let (cases, default, sections, cells) = bound;
        let mut end = if default.is_some() { start.unreachable() } else { start };
        if let Some(breaks) = own.breaks {
            end = end.join(breaks);
        }
        self.flow = end;
        Stmt::Switch(Box::new(Switch {
            slot,
            value: value.node,
            cells,
            cases: cases.into_boxed_slice(),
            default,
            sections: sections.into_boxed_slice(),
        }))
    }

    #[expect(clippy::type_complexity, reason = "parts of one switch, taken apart at once")]
    fn sections(
        &mut self,
        it: &ast::Switch,
        slot: u32,
        of: Type,
    ) -> (Vec<(Node, usize)>, Option<usize>, Vec<Box<[Stmt]>>, Box<[u32]>) {
        let start = self.flow.clone();
        let (mut cases, mut sections, mut default) = (Vec::new(), Vec::new(), None);
        let mut seen: Vec<Value> = Vec::new();
        self.enter();
        for (at, section) in it.sections.iter().enumerate() {
            self.flow = start.clone();
            self.enter();
            let mut into: Option<super::Flow> = None;
            for label in &section.labels {
                self.flow = start.clone();
                match label {
                    SwitchLabel::Default(span) => {
                        if default.replace(at).is_some() {
                            self.report(
                                codes::DUPLICATE_NAME,
                                *span,
                                "the switch has a `default` already",
                                "second `default`",
                                None,
                            );
                        }
                    }
                    SwitchLabel::Case { pattern, when, span } => {
                        let test = self.case(slot, of, pattern, when.as_ref(), *span, &mut seen);
                        cases.push((test, at));
                    }
                }
                let here = self.flow.clone();
                into = Some(match into {
                    Some(other) => other.join(here),
                    None => here,
                });
            }
            self.flow = into.unwrap_or_else(|| start.clone());
            let statements = self.block(&section.statements);
            if self.flow.reachable {
                let end = section.span.end;
                self.report(
                    codes::CONTROL_FLOW,
                    Span { start: end.saturating_sub(1), end },
                    "control falls out of the section of the switch",
                    "goes on here",
                    Some("end the section with `break;` or `return`".to_owned()),
                );
            }
            let cells = self.leave();
            if !cells.is_empty() {
                // Variables of the labels are captured: the outer list makes their cells.
                if let Some(scope) = self.scopes.last_mut() {
                    let ids = self
                        .variables
                        .iter()
                        .enumerate()
                        .filter(|(_, it)| cells.contains(&it.slot) && it.captured);
                    scope.variables.extend(ids.map(|(id, _)| id));
                }
            }
            sections.push(statements.into_boxed_slice());
        }
        let cells = self.leave();
        (cases, default, sections, cells)
    }

    fn case(
        &mut self,
        slot: u32,
        of: Type,
        pattern: &ast::Pattern,
        when: Option<&ast::Expr>,
        span: Span,
        seen: &mut Vec<Value>,
    ) -> Node {
        if of == Type::Error {
            return Node::Const(Value::Bool(false));
        }
        let test = self.pattern(Node::Local(slot), of, pattern, span, false);
        if let (Node::IsConstant(it), None) = (&test, when)
            && let Node::Const(value) = &it.1
        {
            if seen.iter().any(|own| own.equals(value)) {
                self.report(
                    codes::DUPLICATE_NAME,
                    span,
                    "the switch has this case already",
                    "second case of the value",
                    None,
                );
            }
            seen.push(value.clone());
        }
        let Some(when) = when else { return test };
        let (condition, yes, _) = self.condition(when);
        self.flow = yes;
        Node::AndAlso(Box::new((test, condition.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn a_switch_picks_its_section() {
        check(
            Form::Statements,
            &[
                (
                    "switch (\"b\") { case \"a\": case \"b\": return 1; default: return 2; }",
                    "Int32: 1",
                ),
                (
                    "object o = 5; switch (o) { case string s: return s; case int n when n > 3: return n; default: return 0; }",
                    "Int32: 5",
                ),
                ("switch (1) { case 1: int x = 1; } return 0;", "PC0342"),
                ("switch (1) { case 1: return 1; case 1: return 2; } return 0;", "PC0323"),
            ],
        );
    }
}
