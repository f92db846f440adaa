//! `switch`.
//!
//! Source: C# specification, 13.8.3.

use clr::rows::is_reference_convertible;
use clr::types::Type;
use clr::value::Value;
use csharp::ast::{self, Span, SwitchLabel};

use super::{Binder, Expr, codes};
use crate::ir::{Node, Stmt, Switch};

/// What a label takes, if no `when` stands there.
#[derive(Clone, Debug)]
enum Taken {
    Everything,
    Null,
    Type(Type),
    Constant(Value),
}

/// What the labels so far take.
#[derive(Debug, Default)]
struct Labels(Vec<Taken>);

impl Labels {
    /// Is there nothing left of what the label would take?
    fn cover(&self, new: &Taken) -> bool {
        let converts = |from: Type, to: Type| {
            from == to || (!to.is_value_type() && is_reference_convertible(from, to))
        };
        self.0.iter().any(|own| match (own, new) {
            (Taken::Everything, _) | (Taken::Null, Taken::Null) => true,
            (Taken::Type(own), Taken::Type(new)) => converts(*new, *own),
            (Taken::Type(own), Taken::Constant(new)) => converts(new.runtime_type(), *own),
            (Taken::Constant(own), Taken::Constant(new)) => own.equals(new),
            _ => false,
        })
    }

    /// Do they take every value of a type?
    fn take_all(&self, of: Type) -> bool {
        self.0.iter().any(|it| matches!(it, Taken::Everything))
            || (self.take_values(of) && (self.take_null() || of.is_non_nullable_value()))
    }

    /// Does one of them take every value of a type but null?
    fn take_values(&self, of: Type) -> bool {
        let of = of.without_null();
        self.0.iter().any(|it| match it {
            Taken::Type(own) => {
                *own == of || (!own.is_value_type() && is_reference_convertible(of, *own))
            }
            _ => false,
        })
    }

    fn take_null(&self) -> bool {
        self.0.iter().any(|it| matches!(it, Taken::Null))
    }

    /// Is there nothing left of what the label of a switch over a type would take?
    ///
    /// `true` and `false` leave no `bool`; C# 7 does not take them for a switch that always runs a
    /// section, though.
    fn leave_nothing(&self, new: &Taken, of: Type) -> bool {
        let truth = |it: bool| self.take(&Value::Bool(it));
        let truths = truth(true) && truth(false);
        let values = truths && of.without_null() == Type::Bool;
        let typed = values || self.take_values(of);
        match new {
            _ if self.cover(new) => true,
            Taken::Type(Type::Bool) if truths => true,
            Taken::Type(_) | Taken::Constant(_) => typed,
            Taken::Everything => typed && (self.take_null() || of.is_non_nullable_value()),
            Taken::Null => false,
        }
    }

    /// Does one of them take the value?
    fn take(&self, value: &Value) -> bool {
        let own = if value.is_null() { Taken::Null } else { Taken::Constant(value.clone()) };
        self.cover(&own)
    }
}

impl Binder {
    pub(super) fn switch(&mut self, it: &ast::Switch) -> Stmt {
        let value = self.value(&it.value);
        self.require_value(&value);
        let slot = self.temporary();
        let start = self.flow.clone();
        let value = Self::undynamic(value);
        let (bound, mut own) =
            self.in_loop(Some(value.ty), |binder| binder.sections(it, slot, &value));
        let (cases, default, sections, cells, all) = bound;
        let gotos = self.resolve_gotos(own.gotos.take(), &cases, default);
        let mut end = if default.is_some() || all { start.unreachable() } else { start };
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
            gotos,
            sections: sections.into_boxed_slice(),
        }))
    }

    #[expect(clippy::type_complexity, reason = "parts of one switch, taken apart at once")]
    fn sections(
        &mut self,
        it: &ast::Switch,
        slot: u32,
        value: &Expr,
    ) -> (Vec<(Node, usize)>, Option<usize>, Vec<Box<[Stmt]>>, Box<[u32]>, bool) {
        let of = value.ty;
        let start = self.flow.clone();
        let (mut cases, mut sections, mut default) = (Vec::new(), Vec::new(), None);
        let mut seen = Labels::default();
        let taken = |seen: &Labels| value.constant.as_ref().is_some_and(|it| seen.take(it));
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
                        let before = taken(&seen);
                        let (test, own) =
                            self.case(slot, of, pattern, when.as_ref(), *span, &mut seen);
                        cases.push((test, at));
                        // The value is known: only its own section is reached.
                        let other = own.zip(value.constant.as_ref()).is_some_and(|(own, value)| {
                            matches!(own, Taken::Constant(_) | Taken::Null)
                                && !Labels(vec![own]).take(value)
                        });
                        if before || other {
                            self.flow = self.flow.unreachable();
                        }
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
        let all = seen.take_all(of) || taken(&seen);
        (cases, default, sections, cells, all)
    }

    fn case(
        &mut self,
        slot: u32,
        of: Type,
        pattern: &ast::Pattern,
        when: Option<&ast::Expr>,
        span: Span,
        seen: &mut Labels,
    ) -> (Node, Option<Taken>) {
        if of == Type::Error {
            return (Node::Const(Value::Bool(false)), None);
        }
        let errors = self.errors;
        let test = self.pattern(Node::Local(slot), of, pattern, span, false);
        let own = match &test {
            Node::IsConstant(it) => match &it.1 {
                Node::Const(value) => Some(Taken::Constant(value.clone())),
                _ => None,
            },
            Node::Same(..) => Some(Taken::Null),
            Node::Is(ty, _) | Node::IsDeclaration { ty: Some(ty), .. } => Some(Taken::Type(*ty)),
            Node::IsDeclaration { ty: None, .. } => Some(Taken::Everything),
            _ => None,
        };
        let own = own.filter(|_| self.errors == errors);
        if own.as_ref().is_some_and(|it| seen.leave_nothing(it, of)) {
            self.report(
                codes::DUPLICATE_NAME,
                span,
                "the switch takes this case already",
                "never gets anything",
                Some("put it before the more general one, or leave it out".to_owned()),
            );
        }
        let Some(when) = when else {
            seen.0.extend(own.clone());
            return (test, own);
        };
        let (condition, yes, _) = self.condition(when);
        self.flow = yes;
        if condition.constant.as_ref().and_then(Value::as_bool) == Some(true) {
            seen.0.extend(own.clone());
        }
        (Node::AndAlso(Box::new((test, condition.node))), own)
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
                ("switch (1) { case 1: return 5; case 2: break; }", "Int32: 5"),
                ("int i = 1; switch (i) { case int n: return n; }", "Int32: 1"),
                (
                    "object o = 1; switch (o) { case object x: return 1; case int n: return n; }",
                    "PC0323",
                ),
                ("switch (1) { case 1: int x = 1; } return 0;", "PC0342"),
                ("switch (1) { case 1: return 1; case 1: return 2; } return 0;", "PC0323"),
            ],
        );
    }
}
