//! Messages that need some thought: near misses and failed conversions.

use clr::types::Type;
use csharp::ast::Span;

use super::probe::Site;
use super::{Binder, Expr, advice, codes};

impl Binder {
    pub(super) fn report_no_conversion(&mut self, from: &Expr, to: Type) {
        if from.ty == Type::Error || to == Type::Error {
            return;
        }
        if from.ty == Type::Void {
            self.report(
                codes::NOT_A_VALUE,
                from.span,
                "the expression has no value",
                "returns nothing (`void`)",
                None,
            );
            return;
        }
        if from.ty == Type::Null {
            self.report(
                codes::NO_CONVERSION,
                from.span,
                format!("`null` is no value of type `{to}`"),
                format!("expected `{to}`"),
                Some(format!("`{to}?` can be null")),
            );
            return;
        }
        let help = advice::conversion(from, to);
        let message = format!("cannot convert `{}` to `{to}`", from.ty);
        self.report(codes::NO_CONVERSION, from.span, message, format!("expected `{to}`"), help);
    }

    pub(super) fn report_unknown_member(
        &mut self,
        of: Type,
        name: &str,
        span: Span,
        is_static: bool,
    ) {
        if self.probed(name, |_| Site::Member { of, is_static }) {
            return;
        }
        let nearest = nearest(name, self.member_names(of, is_static));
        let kind = if is_static { "no static member" } else { "no member" };
        self.report(
            codes::UNKNOWN_MEMBER,
            span,
            format!("`{of}` has {kind} `{name}` that policy expressions may use"),
            "unknown member",
            super::advice::uncallable_member(of, name)
                .map(str::to_owned)
                .or_else(|| nearest.map(|it| format!("did you mean `{it}`?")))
                .or_else(|| self.missing_member(of, name, is_static)),
        );
    }
}

/// The name that was probably meant.
pub(super) fn nearest<S: AsRef<str>>(
    wanted: &str,
    names: impl IntoIterator<Item = S>,
) -> Option<String> {
    let limit = (wanted.chars().count() / 3).max(1) + 1;
    names
        .into_iter()
        .map(|it| (distance(wanted, it.as_ref()), it))
        .filter(|(distance, _)| *distance <= limit)
        .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.as_ref().cmp(b.1.as_ref())))
        .map(|(_, it)| it.as_ref().to_owned())
}

/// How many letters must be added, dropped, changed or swapped; letter case costs nothing much.
fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return usize::from(a != b);
    }
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = (0..=b.len()).collect();
    let mut last = before.clone();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cost = usize::from(!x.eq_ignore_ascii_case(y));
            let mut best = (last.get(j).copied().unwrap_or(0) + cost)
                .min(last.get(j + 1).copied().unwrap_or(0) + 1)
                .min(row.last().copied().unwrap_or(0) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(before.get(j - 1).copied().unwrap_or(0) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found() {
        let names = ["GetValueOrDefault", "ContainsKey", "Length", "Count"];
        let cases = [
            ("GetValueOrDefalt", Some("GetValueOrDefault")),
            ("length", Some("Length")),
            ("Lenght", Some("Length")),
            ("Frobnicate", None),
        ];
        for (wanted, expected) in cases {
            assert_eq!(nearest(wanted, names).as_deref(), expected, "{wanted}");
        }
    }
}
