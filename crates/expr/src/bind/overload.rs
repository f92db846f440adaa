//! Overload resolution.
//!
//! Source: C# specification, 12.6.4.

use clr::rows::Constant;
use clr::types::Type;
use csharp::ast::{self, ArgumentMode, ExprKind, Span};

use super::assign::Place;
use super::member::Found;
use super::{Binder, Expr};

/// An argument of a call.
#[derive(Clone, Debug)]
pub(super) struct Argument<'a> {
    pub(super) name: Option<&'a ast::Name>,
    pub(super) value: Given<'a>,
    pub(super) span: Span,
}

/// What was given for a parameter.
#[derive(Clone, Debug)]
pub(super) enum Given<'a> {
    Expr(Expr),
    /// Gets its type from the parameter.
    Lambda(&'a ast::Expr),
    /// A method without call: gets its type from the parameter.
    Group(&'a ast::Expr),
    Default,
    /// `out` or `ref`: the variable, and its type if it is known.
    Variable {
        id: Option<usize>,
        ty: Option<Type>,
        is_ref: bool,
    },
    /// `out` or `ref`: an element of an array or a member of a struct.
    Place {
        place: Place,
        is_ref: bool,
    },
}

impl Argument<'_> {
    pub(super) fn plain(value: Expr) -> Self {
        let span = value.span;
        Self { name: None, value: Given::Expr(value), span }
    }

    pub(super) fn is_error(&self) -> bool {
        matches!(&self.value, Given::Expr(it) if it.ty == Type::Error)
    }
}

/// What a call may choose from.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) params: Vec<Param>,
    pub(super) returns: Type,
    /// How many type parameters are to be inferred.
    pub(super) generics: usize,
    pub(super) depth: usize,
    pub(super) found: Option<Found>,
    /// As C# would write it.
    pub(super) text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) default: Option<Constant>,
}

/// A signature that fits, and how.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    pub(super) index: usize,
    /// Which argument goes to which parameter, as which type.
    pub(super) pairs: Vec<Pair>,
    /// `params` arguments are put into an array.
    pub(super) expanded: bool,
    pub(super) of_method: Vec<Type>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) argument: usize,
    pub(super) parameter: usize,
    pub(super) ty: Type,
}

/// Why a signature does not fit.
#[derive(Clone, Debug)]
pub(super) enum Misfit {
    /// Number of arguments.
    Count,
    /// No parameter of that name.
    Name(usize),
    /// An argument does not convert to the type.
    Type(usize, Type),
    /// Type arguments cannot be inferred.
    Inference,
}

impl Signature {
    pub(super) fn of(found: Found) -> Self {
        let member = found.member;
        let first_default = member.params.len() - member.defaults.len().min(member.params.len());
        let params = member.params.iter().enumerate().map(|(at, ty)| Param {
            name: member.parameter_name(at).to_owned(),
            ty: ty.substitute(found.of_type, &[]),
            default: at.checked_sub(first_default).and_then(|it| member.defaults.get(it)).copied(),
        });
        Self {
            params: params.collect(),
            returns: member.returns.substitute(found.of_type, &[]),
            generics: member.generic_arity(),
            depth: found.depth,
            found: Some(found),
            text: member.to_string(),
        }
    }
}

impl Binder {
    /// Binds the arguments of a call as far as their own types go.
    pub(super) fn arguments<'a>(&mut self, arguments: &'a [ast::Argument]) -> Vec<Argument<'a>> {
        arguments.iter().map(|it| self.argument(it)).collect()
    }

    fn argument<'a>(&mut self, argument: &'a ast::Argument) -> Argument<'a> {
        let expr = &argument.value;
        match argument.mode {
            ArgumentMode::Ref | ArgumentMode::Out => {
                let value = self.variable_argument(expr, argument.mode == ArgumentMode::Ref);
                Argument { name: argument.name.as_ref(), value, span: expr.span }
            }
            _ => Argument { name: argument.name.as_ref(), ..self.expression_argument(expr) },
        }
    }

    /// An expression as an argument.
    pub(super) fn expression_argument<'a>(&mut self, expr: &'a ast::Expr) -> Argument<'a> {
        let value = match &expr.kind {
            ExprKind::Lambda { .. } => Given::Lambda(expr),
            ExprKind::Default(None) => Given::Default,
            _ if self.is_method_group(expr) => Given::Group(expr),
            _ => {
                let bound = self.value(expr);
                self.require_value(&bound);
                Given::Expr(bound)
            }
        };
        Argument { name: None, value, span: expr.span }
    }

    fn variable_argument<'a>(&mut self, expr: &'a ast::Expr, is_ref: bool) -> Given<'a> {
        match &expr.kind {
            ExprKind::Declaration { ty: None, name: None } if is_underscore(expr) => {
                // A variable of the name, if there is one; else the value is thrown away.
                let id = self.find_variable("_");
                if id.is_none() {
                    self.discard();
                }
                let ty = id.and_then(|it| self.variables.get(it)).map(|it| it.ty);
                Given::Variable { id, ty, is_ref }
            }
            ExprKind::Declaration { ty, name } => {
                let ty = ty.as_ref().map(|it| self.type_of(it));
                let id = name.as_ref().map(|it| self.declare(it, ty.unwrap_or(Type::Error)));
                Given::Variable { id, ty, is_ref }
            }
            ExprKind::Name(name) if name.type_arguments.is_empty() => {
                let Some(id) = self.find_variable(&name.name.text) else {
                    if &*name.name.text == "_" {
                        self.discard();
                        return Given::Variable { id: None, ty: None, is_ref };
                    }
                    self.report_unknown_name(&name.name.text, name.name.span);
                    return Given::Expr(Expr::error(expr.span));
                };
                if self.variable_place(id, expr.span).is_none() {
                    return Given::Expr(Expr::error(expr.span));
                }
                if is_ref {
                    self.read_variable(id, expr.span);
                }
                let ty = self.variables.get(id).map(|it| it.ty);
                Given::Variable { id: Some(id), ty, is_ref }
            }
            ExprKind::Member { .. } | ExprKind::Index { .. } => match self.place(expr) {
                Some(place) if place.is_variable() => Given::Place { place, is_ref },
                Some(_) => {
                    self.report(
                        super::codes::NOT_A_VARIABLE,
                        expr.span,
                        "a property or indexer cannot be passed as `out` or `ref`",
                        "not a variable",
                        Some("declare a variable: `out var name`".to_owned()),
                    );
                    Given::Expr(Expr::error(expr.span))
                }
                None => Given::Expr(Expr::error(expr.span)),
            },
            _ => {
                self.report(
                    super::codes::NOT_A_VARIABLE,
                    expr.span,
                    "`out` and `ref` need a variable",
                    "not a variable",
                    Some("declare one: `out var name`".to_owned()),
                );
                Given::Expr(Expr::error(expr.span))
            }
        }
    }

    /// The best signature for the arguments; otherwise why each does not fit.
    pub(super) fn resolve(
        &mut self,
        signatures: &[Signature],
        type_arguments: &[Type],
        arguments: &[Argument<'_>],
    ) -> Result<Fit, Resolution> {
        self.failed = None;
        let mut fits: Vec<Fit> = Vec::new();
        let mut misfits = Vec::new();
        for (index, signature) in signatures.iter().enumerate() {
            match self.fit(index, signature, type_arguments, arguments) {
                Ok(fit) => fits.push(fit),
                Err(why) => misfits.push(why),
            }
        }
        let depth_of = |it: &Fit| signatures.get(it.index).map_or(0, |it| it.depth);
        if let Some(nearest) = fits.iter().map(depth_of).min() {
            fits.retain(|it| depth_of(it) == nearest);
        }
        let best: Vec<usize> = (0..fits.len())
            .filter(|at| {
                (0..fits.len()).all(|other| {
                    other == *at
                        || match (fits.get(*at), fits.get(other)) {
                            (Some(a), Some(b)) => self.is_better(a, b, signatures, arguments),
                            _ => false,
                        }
                })
            })
            .collect();
        match (best.first(), fits.len()) {
            (Some(at), _) => Ok(fits.swap_remove(*at)),
            (None, 0) => Err(Resolution::None(misfits)),
            (None, _) => {
                let text = |it: &Fit| signatures.get(it.index).map(|it| it.text.clone());
                Err(Resolution::Ambiguous(fits.iter().filter_map(text).collect()))
            }
        }
    }

    fn fit(
        &mut self,
        index: usize,
        signature: &Signature,
        type_arguments: &[Type],
        arguments: &[Argument<'_>],
    ) -> Result<Fit, Misfit> {
        let normal = self.fit_form(index, signature, type_arguments, arguments, false);
        let has_params = matches!(signature.params.last(), Some(Param { ty: Type::Params(_), .. }));
        match normal {
            Err(why) if has_params => self
                .fit_form(index, signature, type_arguments, arguments, true)
                .map_err(|other| if matches!(other, Misfit::Count) { why } else { other }),
            other => other,
        }
    }

    fn fit_form(
        &mut self,
        index: usize,
        signature: &Signature,
        type_arguments: &[Type],
        arguments: &[Argument<'_>],
        expanded: bool,
    ) -> Result<Fit, Misfit> {
        let mut pairs = assign_parameters(signature, arguments, expanded)?;
        let of_method = if signature.generics == 0 {
            if !type_arguments.is_empty() {
                return Err(Misfit::Inference);
            }
            Vec::new()
        } else if type_arguments.is_empty() {
            self.infer(signature.generics, &pairs, arguments).ok_or(Misfit::Inference)?
        } else if type_arguments.len() == signature.generics {
            type_arguments.to_vec()
        } else {
            return Err(Misfit::Inference);
        };
        let of: Vec<Option<Type>> = of_method.iter().copied().map(Some).collect();
        for pair in &mut pairs {
            pair.ty = pair.ty.substitute(&[], &of);
            let Some(argument) = arguments.get(pair.argument) else { return Err(Misfit::Count) };
            if !self.argument_fits(argument, pair.ty) {
                return Err(Misfit::Type(pair.argument, pair.ty));
            }
        }
        Ok(Fit { index, pairs, expanded, of_method })
    }

    fn argument_fits(&mut self, argument: &Argument<'_>, to: Type) -> bool {
        match (&argument.value, to) {
            (Given::Variable { ty, .. }, Type::Out(of)) => {
                ty.is_none_or(|it| it == *of || it == Type::Error)
            }
            (Given::Place { place, .. }, Type::Out(of)) => place.ty() == *of,
            (Given::Variable { .. } | Given::Place { .. }, _) | (_, Type::Out(_)) => false,
            (Given::Expr(it), _) => self.implicit_way(it, to).is_some(),
            (Given::Default, _) => true,
            (Given::Lambda(it), _) => self.lambda_fits(it, to),
            (Given::Group(it), _) => self.group_fits(it, to),
        }
    }
}

/// Is it the `_` of `out _`, not that of `out var _`?
fn is_underscore(it: &ast::Expr) -> bool {
    it.span.end == it.span.start + 1
}

/// Why no overload was chosen.
#[derive(Clone, Debug)]
pub(super) enum Resolution {
    None(Vec<Misfit>),
    Ambiguous(Vec<String>),
}

/// Which argument goes to which parameter.
fn assign_parameters(
    signature: &Signature,
    arguments: &[Argument<'_>],
    expanded: bool,
) -> Result<Vec<Pair>, Misfit> {
    let params = &signature.params;
    let mut pairs = Vec::with_capacity(arguments.len());
    let mut taken = vec![false; params.len()];
    for (argument, it) in arguments.iter().enumerate() {
        let parameter = match it.name {
            Some(name) => params
                .iter()
                .position(|own| own.name == *name.text && !own.name.is_empty())
                .ok_or(Misfit::Name(argument))?,
            None if expanded => argument.min(params.len().saturating_sub(1)),
            None => argument,
        };
        let Some(param) = params.get(parameter) else { return Err(Misfit::Count) };
        let is_last = parameter + 1 == params.len();
        let may_repeat = expanded && is_last && it.name.is_none();
        match taken.get_mut(parameter) {
            Some(taken) if *taken && !may_repeat => return Err(Misfit::Name(argument)),
            Some(taken) => *taken = true,
            None => return Err(Misfit::Count),
        }
        let ty = match param.ty {
            Type::Params(item) if expanded => *item,
            Type::Params(item) => Type::Array(item),
            other => other,
        };
        pairs.push(Pair { argument, parameter, ty });
    }
    for (param, taken) in params.iter().zip(taken) {
        let may_be_left_out =
            param.default.is_some() || (expanded && matches!(param.ty, Type::Params(_)));
        if !taken && !may_be_left_out {
            return Err(Misfit::Count);
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn parameters_may_be_named_optional_and_repeated() {
        check(
            Form::Statements,
            &[
                (
                    "int F(int a, int b = 2) => a * 10 + b; return F(b: 1, a: 3) + F(4);",
                    "Int32: 73",
                ),
                (
                    "int F(params int[] a) => a.Length; return F() + F(1, 2) + F(new[] {1});",
                    "Int32: 3",
                ),
                ("int F(int a) => a; return F(b: 1);", "PC0332"),
                ("int F(int a) => a; return F(\"x\");", "PC0330"),
            ],
        );
    }
}
