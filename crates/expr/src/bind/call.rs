//! Calls.

use clr::rows::{Member, MemberKind};
use clr::types::{self, Type};
use csharp::ast::{self, ExprKind, Span};

use super::member::Found;
use super::names::Head;
use super::overload::{Argument, Fit, Resolution, Signature};
use super::{Binder, Expr, codes, late};
use crate::ir::{Access, Call, Node};

impl Binder {
    /// `target(arguments)`.
    pub(super) fn call(
        &mut self,
        target: &ast::Expr,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Expr {
        match &target.kind {
            ExprKind::Member { target: object, name } => match self.head(object) {
                Head::Value(object) => self.method(object, name, arguments, span),
                Head::Type(of) => self.static_method(of, target, name, arguments, span),
                Head::Namespace(namespace) => {
                    self.report_unknown_type(
                        &format!("{namespace}.{}", name.name.text),
                        name.name.span,
                    );
                    Expr::error(span)
                }
                Head::Error => {
                    self.arguments(arguments);
                    Expr::error(span)
                }
            },
            ExprKind::Name(name) => {
                let text = &*name.name.text;
                match self.find_variable(text) {
                    Some(id) => self.call_variable(id, name, arguments, span),
                    None => {
                        self.arguments(arguments);
                        self.report_unknown_function(text, name.name.span);
                        Expr::error(span)
                    }
                }
            }
            _ => {
                let target = self.value(target);
                let arguments = self.arguments(arguments);
                self.invoke(target, &arguments, span)
            }
        }
    }

    fn report_called_property(&mut self, name: &str, span: Span) {
        self.report(
            codes::NOT_A_VALUE,
            span,
            format!("`{name}` is a property and is not called"),
            "not a method",
            Some(format!("leave out the `()`: `.{name}`")),
        );
    }

    fn report_unknown_function(&mut self, name: &str, span: Span) {
        if self.probed_name(name, false) {
            return;
        }
        let help = if name.chars().next().is_some_and(char::is_uppercase) {
            Some(format!("methods belong to a type or a value: `x.{name}(...)`"))
        } else {
            None
        };
        self.report(
            codes::UNKNOWN_NAME,
            span,
            format!("there is no function `{name}`"),
            "unknown name",
            help,
        );
    }

    /// Calls a value.
    pub(super) fn invoke(&mut self, target: Expr, arguments: &[Argument<'_>], span: Span) -> Expr {
        if target.ty == Type::Dynamic {
            let mut operands = late::Operands::default();
            let target = operands.add(target);
            return self.late_call(target, operands, arguments, span);
        }
        let Type::Func(signature) = target.ty else {
            if target.ty != Type::Error {
                self.report(
                    codes::NOT_A_VALUE,
                    target.span,
                    format!("`{}` cannot be called", target.ty),
                    "not a method",
                    None,
                );
            }
            return Expr::error(span);
        };
        let Some((result, parameters)) = signature.split_last() else { return Expr::error(span) };
        let several = parameters.len() > 1;
        let params = (1..).zip(parameters).map(|(at, ty)| super::overload::Param {
            // The names that `Func` and `Action` give their parameters.
            name: match *result {
                _ if several => format!("arg{at}"),
                Type::Void => "obj".to_owned(),
                _ => "arg".to_owned(),
            },
            ty: *ty,
            default: None,
        });
        let signature = Signature {
            params: params.collect(),
            returns: *result,
            generics: 0,
            depth: 0,
            found: None,
            text: target.ty.to_string(),
        };
        let signatures = [signature];
        match self.resolve(&signatures, &[], arguments) {
            Ok(fit) => {
                let mut passed = self.pass(&fit, &signatures, arguments);
                passed.settle();
                Expr::new(Node::Invoke(Box::new(target.node), passed.args, span), *result, span)
            }
            Err(why) => {
                self.report_no_overload("the delegate", &signatures, arguments, &why, span);
                Expr::error(span)
            }
        }
    }

    fn method(
        &mut self,
        object: Expr,
        name: &ast::SimpleName,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Expr {
        let type_arguments: Vec<Type> =
            name.type_arguments.iter().map(|it| self.type_of(it)).collect();
        let arguments = self.arguments(arguments);
        if object.ty == Type::Dynamic || late::has_dynamic(&arguments) {
            return self.late_method(object, name.clone(), &arguments, span);
        }
        self.method_with(object, &name.name.text, name.name.span, &type_arguments, &arguments, span)
    }

    /// `object.text(arguments)` with bound arguments.
    pub(super) fn method_with(
        &mut self,
        object: Expr,
        text: &str,
        at: Span,
        type_arguments: &[Type],
        arguments: &[Argument<'_>],
        span: Span,
    ) -> Expr {
        if object.ty == Type::Error
            || arguments.iter().any(Argument::is_error)
            || type_arguments.contains(&Type::Error)
        {
            return Expr::error(span);
        }
        if object.ty == Type::Void || object.ty == Type::Null {
            self.report(
                codes::NOT_A_VALUE,
                object.span,
                format!("`{}` has no members", object.ty),
                "has no members",
                None,
            );
            return Expr::error(span);
        }
        if let (Type::Func(_), "Invoke") = (object.ty, text) {
            return self.invoke(object, arguments, span);
        }
        let rows = self.rows(object.ty, |it| it.name == text && it.kind == MemberKind::Method);
        let signatures: Vec<Signature> = rows.iter().map(|it| Signature::of(*it)).collect();
        let own = match self.resolve(&signatures, type_arguments, arguments) {
            Ok(fit) => return self.emit(&fit, &signatures, Some(object), arguments, at.to(span)),
            Err(why) => why,
        };
        let extensions = self.extensions(text);
        if !extensions.is_empty() {
            let extended: Vec<Signature> = extensions.iter().map(|it| Signature::of(*it)).collect();
            let mut with_object = vec![Argument::plain(object.clone())];
            with_object.extend(arguments.iter().cloned());
            let mut chosen = self.resolve(&extended, type_arguments, &with_object);
            let mut extended = extended;
            if let Err(Resolution::Ambiguous(_)) = chosen {
                // The methods of policy expressions stand in a nearer namespace than .NET's for any
                // type: those that extend one type only come first.
                let of_one_type =
                    |it: &Signature| it.params.first().is_some_and(|it| !it.ty.is_open());
                extended.retain(of_one_type);
                chosen = self.resolve(&extended, type_arguments, &with_object);
            }
            match chosen {
                Ok(fit) => return self.emit(&fit, &extended, None, &with_object, at.to(span)),
                Err(why) if signatures.is_empty() && self.extends(&extended, &object) => {
                    self.report_no_overload(text, &extended, &with_object, &why, at);
                    return Expr::error(span);
                }
                Err(_) => {}
            }
        }
        if !signatures.is_empty() {
            self.report_no_overload(text, &signatures, arguments, &own, at);
            return Expr::error(span);
        }
        let properties =
            self.rows(object.ty, |it| it.name == text && it.kind == MemberKind::Property);
        let is_field = matches!(object.ty, Type::Anonymous(of) if of.fields.iter().any(|(own, _)| own == text));
        if !properties.is_empty() || is_field {
            let name = ast::Name { text: text.into(), span: at };
            let name = ast::SimpleName { name, type_arguments: Vec::new() };
            let value = self.member_value(object, &name, at);
            if matches!(value.ty, Type::Func(_)) {
                return self.invoke(value, arguments, span);
            }
            self.report_called_property(text, at);
        } else if !self.report_unlisted(object.ty, text, at) {
            self.report_unknown_member(object.ty, text, at, false);
        }
        Expr::error(span)
    }

    /// Does any of the extension methods take such an object at all?
    fn extends(&self, signatures: &[Signature], object: &Expr) -> bool {
        signatures.iter().any(|it| {
            it.params.first().is_some_and(|first| match first.ty {
                Type::Named(name, _) => {
                    super::member::hierarchy(object.ty).iter().any(|(it, _)| it.is_named(name))
                }
                other => self.implicit_way(object, other).is_some(),
            })
        })
    }

    fn static_method(
        &mut self,
        of: Type,
        target: &ast::Expr,
        name: &ast::SimpleName,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Expr {
        let (text, at) = (&*name.name.text, name.name.span);
        let type_arguments: Vec<Type> =
            name.type_arguments.iter().map(|it| self.type_of(it)).collect();
        let arguments = self.arguments(arguments);
        if arguments.iter().any(Argument::is_error) || type_arguments.contains(&Type::Error) {
            return Expr::error(span);
        }
        if late::has_dynamic(&arguments) {
            return self.late_call(target.clone(), late::Operands::default(), &arguments, span);
        }
        let is_static =
            |kind: MemberKind| matches!(kind, MemberKind::StaticMethod | MemberKind::Extension);
        let rows = self.rows(of, |it| it.name == text && is_static(it.kind));
        if !rows.is_empty() {
            return self.call_rows(&rows, None, &type_arguments, &arguments, text, span);
        }
        let value = self.rows(of, |it| it.name == text && it.kind == MemberKind::StaticProperty);
        if !value.is_empty() {
            let value = self.static_value(of, name, at);
            if matches!(value.ty, Type::Func(_) | Type::Error) {
                return self.invoke(value, &arguments, span);
            }
            self.report_called_property(text, at);
            return Expr::error(span);
        }
        let instance = self.rows(of, |it| it.name == text && it.kind == MemberKind::Method);
        if !instance.is_empty() {
            self.report(
                codes::NOT_A_VALUE,
                at,
                format!("`{of}.{text}` needs an object"),
                "not a static method",
                Some(format!("call it on a value of type `{of}`")),
            );
        } else if !self.report_unlisted(of, text, at) {
            self.report_unknown_member(of, text, at, true);
        }
        Expr::error(span)
    }

    /// Chooses among rows and calls the best one.
    pub(super) fn call_rows(
        &mut self,
        rows: &[Found],
        object: Option<Expr>,
        type_arguments: &[Type],
        arguments: &[Argument<'_>],
        name: &str,
        span: Span,
    ) -> Expr {
        let signatures: Vec<Signature> = rows.iter().map(|it| Signature::of(*it)).collect();
        match self.resolve(&signatures, type_arguments, arguments) {
            Ok(fit) => self.emit(&fit, &signatures, object, arguments, span),
            Err(why) => {
                self.report_no_overload(name, &signatures, arguments, &why, span);
                Expr::error(span)
            }
        }
    }

    /// Whether the type arguments of a method are such as it asks for; reports if not.
    fn keeps_constraints(&mut self, member: &Member, of: &[Type], span: Span) -> bool {
        let (wanted, label, help) = match () {
            () if member.of_classes => (
                "a reference type",
                "not a reference type",
                "name a class, an interface or `object`",
            ),
            () if member.of_structs => (
                "a value type other than a nullable one",
                "not a value type",
                "name a number, an enum or another struct",
            ),
            () => return true,
        };
        let is_struct = |it: &Type| it.is_value_type() && !matches!(it, Type::Nullable(_));
        let keeps = |it: &Type| if member.of_classes { !it.is_value_type() } else { is_struct(it) };
        let Some(other) = of.iter().find(|it| !keeps(it)) else { return true };
        let text = format!("`{other}` must be {wanted} as the type argument of `{}`", member.name);
        self.report(codes::NO_OVERLOAD, span, text, label, Some(help.to_owned()));
        false
    }

    /// The call of what was chosen.
    fn emit(
        &mut self,
        fit: &Fit,
        signatures: &[Signature],
        object: Option<Expr>,
        arguments: &[Argument<'_>],
        span: Span,
    ) -> Expr {
        let Some(signature) = signatures.get(fit.index) else { return Expr::error(span) };
        let Some(found) = signature.found else { return Expr::error(span) };
        if !self.keeps_constraints(found.member, &fit.of_method, span) {
            return Expr::error(span);
        }
        self.uses = self.uses.union(found.member.uses);
        let mut passed = self.pass(fit, signatures, arguments);
        passed.settle();
        let of: Vec<Option<Type>> = fit.of_method.iter().copied().map(Some).collect();
        let returns = signature.returns.substitute(&[], &of);
        let check_null = object
            .as_ref()
            .is_some_and(|it| it.ty.accepts_null() && !matches!(it.ty, Type::Nullable(_)));
        let shift = usize::from(object.is_some());
        let args: Vec<Node> = object.into_iter().map(|it| it.node).chain(passed.args).collect();
        let outs =
            passed.outs.into_iter().map(|(at, node, slot)| (at + shift, node, slot)).collect();
        let call = Call {
            member: found.member,
            access: Access::Read,
            find: crate::ir::find_of(found.member, &args),
            args: args.into_boxed_slice(),
            check_null,
            of_type: super::member::erased(found.of_type),
            of_method: super::member::erased(types::list(&fit.of_method)),
            returns: returns.erased(),
            outs,
            span,
        };
        let node = Node::Call(Box::new(call));
        let node = if self.settles { Node::Settle(Box::new(node)) } else { node };
        Expr::new(node, returns, span)
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn calls_pass_what_their_rows_expect() {
        check(
            Form::Statements,
            &[
                ("int n; return int.TryParse(\"5\", out n) ? n : -1;", "Int32: 5"),
                ("return string.Join(\",\", 1, \"a\", true);", "String: 1,a,True"),
                ("return \"a\".Substring(length: 1, startIndex: 0);", "String: a"),
                ("string s = null; return s.Length;", "System.NullReferenceException"),
                ("return \"a\".Length();", "PC0335"),
            ],
        );
    }
}
