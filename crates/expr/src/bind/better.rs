//! Which of two overloads that fit is better.
//!
//! Source: C# specification, 12.6.4.3 to 12.6.4.6.

use clr::types::Type;

use super::Binder;
use super::conversion::standard_implicit;
use super::overload::{Argument, Fit, Given, Signature};

impl Binder {
    /// Is the first fit better than the second (12.6.4.3)?
    pub(super) fn is_better(
        &mut self,
        a: &Fit,
        b: &Fit,
        signatures: &[Signature],
        arguments: &[Argument<'_>],
    ) -> bool {
        let mut better = false;
        for x in &a.pairs {
            let Some(y) = b.pairs.iter().find(|it| it.argument == x.argument) else { continue };
            let Some(argument) = arguments.get(x.argument) else { continue };
            if self.is_better_conversion(argument, y.ty, x.ty) {
                return false;
            }
            better |= self.is_better_conversion(argument, x.ty, y.ty);
        }
        if better {
            return true;
        }
        let (Some(s), Some(t)) = (signatures.get(a.index), signatures.get(b.index)) else {
            return false;
        };
        let missing = |fit: &Fit, it: &Signature| it.params.len().saturating_sub(fit.pairs.len());
        let same = a.pairs.iter().zip(&b.pairs).all(|(x, y)| x.ty == y.ty);
        if !same {
            // Neither is better by its arguments: one that needs no default values is.
            let worse = b.pairs.iter().any(|y| {
                let x = a.pairs.iter().find(|it| it.argument == y.argument);
                let argument = arguments.get(y.argument);
                x.zip(argument).is_some_and(|(x, it)| self.is_better_conversion(it, y.ty, x.ty))
            });
            let plain = !a.expanded && !b.expanded;
            return plain && !worse && missing(a, s) == 0 && missing(b, t) > 0;
        }
        if (s.generics == 0) != (t.generics == 0) {
            return s.generics == 0;
        }
        if a.expanded != b.expanded {
            return !a.expanded;
        }
        let (x, y) = (missing(a, s), missing(b, t));
        if x != y && !a.expanded {
            return x < y;
        }
        if a.expanded && s.params.len() != t.params.len() {
            return s.params.len() > t.params.len();
        }
        let specific = |it: &Signature| it.params.iter().map(|it| openness(it.ty)).sum::<u32>();
        // Rows of the same shape cannot be told apart any further: the first one wins.
        specific(s) < specific(t) || (specific(s) == specific(t) && a.index < b.index)
    }

    /// Is converting the argument to `x` better than to `y` (12.6.4.4)?
    fn is_better_conversion(&mut self, argument: &Argument<'_>, x: Type, y: Type) -> bool {
        if x == y {
            return false;
        }
        match &argument.value {
            Given::Expr(it) if it.ty == x => true,
            Given::Expr(it) if it.ty == y => false,
            Given::Expr(_) => is_better_target(x, y) || is_better_delegate(x, y),
            Given::Lambda(_) | Given::Group(_) => {
                let (Type::Func(a), Type::Func(b)) = (x, y) else { return false };
                let (Some((p, q)), Some((r, s))) = (a.split_last(), b.split_last()) else {
                    return false;
                };
                if q != s || p == r {
                    return false;
                }
                if *r == Type::Void {
                    return true;
                }
                if *p == Type::Void {
                    return false;
                }
                let inferred = match argument.value {
                    Given::Lambda(it) => self.lambda_result(it, q),
                    Given::Group(it) => self.group_result(it, q),
                    _ => None,
                };
                match inferred {
                    Some(it) if it == *p => true,
                    Some(it) if it == *r => false,
                    _ => is_better_target(*p, *r),
                }
            }
            _ => false,
        }
    }
}

/// Is `x` the better target (12.6.4.6)?
fn is_better_target(x: Type, y: Type) -> bool {
    let (to_y, to_x) = (standard_implicit(x, y).is_some(), standard_implicit(y, x).is_some());
    if to_y != to_x {
        return to_y;
    }
    let signed = |it: Type| {
        matches!(it.without_null(), Type::SByte | Type::Int16 | Type::Int32 | Type::Int64)
    };
    let unsigned = |it: Type| {
        matches!(it.without_null(), Type::Byte | Type::UInt16 | Type::UInt32 | Type::UInt64)
    };
    !to_y && signed(x) && unsigned(y)
}

/// Are both delegates with the same parameters, and the result of `x` the better target?
fn is_better_delegate(x: Type, y: Type) -> bool {
    let (Type::Func(a), Type::Func(b)) = (x, y) else { return false };
    let (Some((p, q)), Some((r, s))) = (a.split_last(), b.split_last()) else { return false };
    q == s && (is_better_target(*p, *r) || (*p != Type::Void && *r == Type::Void))
}

fn openness(of: Type) -> u32 {
    match of {
        Type::MethodArg(_) | Type::TypeArg(_) => 8,
        Type::Nullable(it) | Type::Array(it) | Type::Params(it) | Type::Out(it) => openness(*it),
        Type::Named(_, all) | Type::Func(all) | Type::Tuple(all, _) => {
            all.iter().map(|it| openness(*it).min(4)).sum()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn the_closer_overload_wins() {
        check(
            Form::Expression,
            &[
                ("Math.Max(1, 2L)", "Int64: 2"),
                ("Math.Abs(-1.5m)", "Decimal: 1.5"),
                ("new int[0].Sum(null)", "System.ArgumentNullException"),
                ("string.Concat(\"a\", 1)", "String: a1"),
                ("Convert.ToString((object)5)", "String: 5"),
            ],
        );
    }
}
