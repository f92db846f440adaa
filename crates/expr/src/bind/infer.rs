//! Inference of type arguments.
//!
//! Source: C# specification, 12.6.3.

use clr::rows;
use clr::types::Type;

use super::overload::{Argument, Given, Pair};
use super::{Binder, conversion};

/// What is known of one type parameter.
#[derive(Clone, Debug, Default)]
struct Bounds {
    exact: Vec<Type>,
    lower: Vec<Type>,
    upper: Vec<Type>,
    fixed: Option<Type>,
}

impl Bounds {
    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.lower.is_empty() && self.upper.is_empty()
    }

    /// Picks the type that satisfies all bounds (12.6.3.12).
    fn fix(&mut self) -> bool {
        if self.fixed.is_some() {
            return true;
        }
        let implicit = |from: Type, to: Type| conversion::standard_implicit(from, to).is_some();
        let mut candidates: Vec<Type> = Vec::new();
        for it in self.exact.iter().chain(&self.lower).chain(&self.upper) {
            if !candidates.contains(it) {
                candidates.push(*it);
            }
        }
        candidates.retain(|it| {
            self.exact.iter().all(|own| own == it)
                && self.lower.iter().all(|own| implicit(*own, *it))
                && self.upper.iter().all(|own| implicit(*it, *own))
        });
        // Among what is left, the one that all others convert to.
        let best = candidates.iter().find(|to| candidates.iter().all(|from| implicit(*from, **to)));
        self.fixed = best.copied();
        self.fixed.is_some()
    }
}

impl Binder {
    /// The type arguments of a generic method for the arguments of a call. A value says nothing of
    /// the type argument of a nullable parameter.
    pub(super) fn infer(
        &mut self,
        generics: usize,
        pairs: &[Pair],
        arguments: &[Argument<'_>],
    ) -> Option<Vec<Type>> {
        let mut all = vec![Bounds::default(); generics];
        let mut functions: Vec<(Pair, &Argument<'_>)> = Vec::new();
        for pair in pairs {
            let argument = arguments.get(pair.argument)?;
            match &argument.value {
                Given::Expr(it) if !matches!(it.ty, Type::Null | Type::Error | Type::Void) => {
                    lower(it.ty, pair.ty, &mut all);
                }
                Given::Variable { ty: Some(ty), .. } => {
                    if let Type::Out(of) = pair.ty {
                        exact(*ty, *of, &mut all);
                    }
                }
                Given::Place { place, .. } => {
                    if let Type::Out(of) = pair.ty {
                        exact(place.ty(), *of, &mut all);
                    }
                }
                Given::Lambda(lambda) => {
                    self.explicit_parameters(lambda, pair.ty, &mut all);
                    functions.push((*pair, argument));
                }
                Given::Group(_) => functions.push((*pair, argument)),
                _ => {}
            }
        }
        loop {
            if !self.infer_results(&mut functions, &mut all) && !fix_some(&mut all, &functions) {
                break;
            }
        }
        all.iter_mut().for_each(|it| {
            it.fix();
        });
        all.into_iter().map(|it| it.fixed).collect()
    }

    fn explicit_parameters(&mut self, lambda: &csharp::ast::Expr, to: Type, all: &mut [Bounds]) {
        let (Type::Func(signature), Some(types)) = (to, self.lambda_parameter_types(lambda)) else {
            return;
        };
        for (own, formal) in types.into_iter().zip(signature) {
            exact(own, *formal, all);
        }
    }

    /// Looks at the bodies of lambdas whose parameter types are known by now.
    fn infer_results(
        &mut self,
        functions: &mut Vec<(Pair, &Argument<'_>)>,
        all: &mut [Bounds],
    ) -> bool {
        let ready = functions.iter().position(|(pair, _)| match pair.ty {
            Type::Func(signature) => signature
                .split_last()
                .is_some_and(|(_, inputs)| inputs.iter().all(|it| !closed(*it, all).is_open())),
            _ => true,
        });
        let Some(at) = ready else { return false };
        let (pair, argument) = functions.remove(at);
        let Type::Func(signature) = pair.ty else { return true };
        let Some((result, inputs)) = signature.split_last() else { return true };
        if !result.is_open() {
            return true;
        }
        let inputs: Vec<Type> = inputs.iter().map(|it| closed(*it, all)).collect();
        let inferred = match argument.value {
            Given::Lambda(it) => self.lambda_result(it, &inputs),
            Given::Group(it) => self.group_result(it, &inputs),
            _ => None,
        };
        if let Some(ty) = inferred
            && !matches!(ty, Type::Null | Type::Void | Type::Error)
        {
            lower(ty, *result, all);
        }
        true
    }
}

fn closed(of: Type, all: &[Bounds]) -> Type {
    let fixed: Vec<Option<Type>> = all.iter().map(|it| it.fixed).collect();
    of.substitute(&[], &fixed)
}

/// Fixes the parameters that depend on nothing open; if there is none, those that have bounds.
fn fix_some(all: &mut [Bounds], functions: &[(Pair, &Argument<'_>)]) -> bool {
    let results: Vec<Type> = functions
        .iter()
        .filter_map(
            |(pair, _)| if let Type::Func(it) = pair.ty { it.last().copied() } else { None },
        )
        .collect();
    let mut done = false;
    for careful in [true, false] {
        for (at, bounds) in all.iter_mut().enumerate() {
            let waits = results.iter().any(|it| mentions(*it, at));
            if bounds.fixed.is_none() && !bounds.is_empty() && !(careful && waits) {
                done |= bounds.fix();
            }
        }
        if done {
            return true;
        }
    }
    false
}

fn mentions(of: Type, parameter: usize) -> bool {
    match of {
        Type::MethodArg(n) => usize::from(n) == parameter,
        Type::Nullable(it) | Type::Array(it) | Type::Out(it) | Type::Params(it) => {
            mentions(*it, parameter)
        }
        Type::Named(_, all) | Type::Func(all) | Type::Tuple(all, _) => {
            all.iter().any(|it| mentions(*it, parameter))
        }
        _ => false,
    }
}

/// `formal` is exactly `from` (12.6.3.9).
fn exact(from: Type, formal: Type, all: &mut [Bounds]) {
    match (from, formal) {
        (_, Type::MethodArg(n)) => {
            if let Some(it) = all.get_mut(usize::from(n)) {
                it.exact.push(from);
            }
        }
        (Type::Nullable(a), Type::Nullable(b)) | (Type::Array(a), Type::Array(b)) => {
            exact(*a, *b, all)
        }
        (Type::Named(x, a), Type::Named(y, b)) if x == y => {
            a.iter().zip(b).for_each(|(a, b)| exact(*a, *b, all));
        }
        (Type::Func(a), Type::Func(b)) | (Type::Tuple(a, _), Type::Tuple(b, _)) => {
            a.iter().zip(b).for_each(|(a, b)| exact(*a, *b, all));
        }
        _ => {}
    }
}

/// `from` converts to `formal` (12.6.3.10).
fn lower(from: Type, formal: Type, all: &mut [Bounds]) {
    match (from, formal) {
        (_, Type::MethodArg(n)) => {
            if let Some(it) = all.get_mut(usize::from(n)) {
                it.lower.push(from);
            }
        }
        (Type::Nullable(a), Type::Nullable(b)) => exact(*a, *b, all),
        (Type::Array(a), Type::Array(b)) => by_variance(*a, *b, all),
        (Type::Tuple(a, _), Type::Tuple(b, _)) => {
            a.iter().zip(b).for_each(|(a, b)| lower(*a, *b, all));
        }
        (Type::Func(a), Type::Func(b)) if a.len() == b.len() => {
            if let (Some((r, p)), Some((s, q))) = (a.split_last(), b.split_last()) {
                p.iter().zip(q).for_each(|(a, b)| upper(*a, *b, all));
                lower(*r, *s, all);
            }
        }
        (_, Type::Named(name, arguments)) if formal.is_open() => {
            let found = super::member::hierarchy(from).into_iter().find_map(|(it, _)| match it {
                Type::Named(own, list) if own == name && list.len() == arguments.len() => {
                    Some(list)
                }
                _ => None,
            });
            let covariant = rows::is_covariant(name);
            for (own, formal) in found.unwrap_or(&[]).iter().zip(arguments) {
                if covariant {
                    by_variance(*own, *formal, all);
                } else {
                    exact(*own, *formal, all);
                }
            }
        }
        _ => {}
    }
}

fn by_variance(from: Type, formal: Type, all: &mut [Bounds]) {
    if from.is_reference() { lower(from, formal, all) } else { exact(from, formal, all) }
}

/// `formal` converts to `from`.
fn upper(from: Type, formal: Type, all: &mut [Bounds]) {
    match formal {
        Type::MethodArg(n) => {
            if let Some(it) = all.get_mut(usize::from(n)) {
                it.upper.push(from);
            }
        }
        _ => exact(from, formal, all),
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn type_arguments_are_inferred_from_lambdas() {
        check(
            Form::Expression,
            &[
                ("new[] {1, 2}.Select(x => x * 1.5).Sum()", "Double: 4.5"),
                ("new[] {1, 2, 3}.Aggregate(\"\", (a, x) => a + x)", "String: 123"),
                ("new[] {\"a\", \"b\"}.ToDictionary(x => x, x => x.Length)[\"b\"]", "Int32: 1"),
                ("new[] {\"1\"}.Select(int.Parse).First()", "Int32: 1"),
                ("Enumerable.Empty()", "PC0334"),
                ("Nullable.Compare(1, 2)", "PC0334"),
                ("Nullable.Compare((int?)1, (int?)2)", "Int32: -1"),
                ("Nullable.Compare<int>(1, 2)", "Int32: -1"),
                ("Nullable.Compare<string>(\"a\", \"b\")", "PC0332"),
            ],
        );
    }
}
