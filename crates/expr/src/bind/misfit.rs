//! Why no overload fits: with one candidate, at the argument that is wrong.

use clr::rows::MemberKind;
use clr::types::Type;
use csharp::ast::Span;

use super::overload::{Argument, Given, Misfit, Resolution, Signature};
use super::{Binder, codes, message};

impl Binder {
    /// Says why nothing fits: with one candidate, at the argument that is wrong.
    pub(super) fn report_no_overload(
        &mut self,
        name: &str,
        signatures: &[Signature],
        arguments: &[Argument<'_>],
        why: &Resolution,
        span: Span,
    ) {
        let list = |texts: &[String]| {
            let shown: Vec<String> = texts.iter().take(6).map(|it| format!("`{it}`")).collect();
            shown.join(", ")
        };
        match why {
            Resolution::Ambiguous(texts) => self.report(
                codes::AMBIGUOUS,
                span,
                format!("the call of `{name}` is ambiguous"),
                "several overloads fit",
                Some(format!("cast an argument to choose among {}", list(texts))),
            ),
            Resolution::None(misfits) => {
                let is_extension = signatures
                    .iter()
                    .any(|it| it.found.is_some_and(|it| it.member.kind == MemberKind::Extension));
                let best = misfits.iter().zip(signatures).min_by_key(|(why, _)| match why {
                    // Extension methods of other types are not meant.
                    Misfit::Type(0, _) if is_extension => 500,
                    Misfit::Type(at, _) => 100 - (*at).min(50),
                    Misfit::Inference => 200,
                    Misfit::Name(_) => 300,
                    Misfit::Count => 400,
                });
                let texts: Vec<String> = signatures.iter().map(|it| it.text.clone()).collect();
                let overloads = || Some(format!("there is {}", list(&texts)));
                match best {
                    Some((Misfit::Type(at, to), _)) => {
                        self.report_argument(*at, *to, arguments, overloads())
                    }
                    Some((Misfit::Inference, _)) => self.report_no_inference(name, span),
                    Some((Misfit::Name(at), signature)) => {
                        let argument = arguments.get(*at);
                        let written = argument.and_then(|it| it.name).map_or("", |it| &it.text);
                        let names = signature.params.iter().map(|it| it.name.as_str());
                        let help = message::nearest(written, names)
                            .map(|it| format!("did you mean `{it}`?"));
                        let at = argument.and_then(|it| it.name).map_or(span, |it| it.span);
                        self.report(
                            codes::NO_OVERLOAD,
                            at,
                            format!("`{name}` has no such parameter `{written}`"),
                            "unknown parameter, or given twice",
                            help.or_else(overloads),
                        );
                    }
                    _ => self.report(
                        codes::NO_OVERLOAD,
                        span,
                        format!("`{name}` does not take {} arguments like these", arguments.len()),
                        "wrong number of arguments",
                        overloads(),
                    ),
                }
            }
        }
    }

    /// Most often the body of a lambda is wrong: then that is the problem.
    pub(super) fn report_no_inference(&mut self, name: &str, span: Span) {
        if let Some(problem) = self.failed.take() {
            self.errors += 1;
            self.problems.push(problem);
            return;
        }
        self.report(
            codes::NO_INFERENCE,
            span,
            format!("the type arguments of `{name}` cannot be inferred"),
            "type arguments are missing",
            Some(format!("write them: `{name}<...>(...)`")),
        );
    }

    pub(super) fn report_argument(
        &mut self,
        at: usize,
        to: Type,
        arguments: &[Argument<'_>],
        help: Option<String>,
    ) {
        let Some(argument) = arguments.get(at) else { return };
        let before = self.problems.len();
        match (&argument.value, to) {
            (Given::Lambda(it), Type::Func(_)) => {
                // Binding it for good reports what is wrong inside.
                self.lambda_as(it, to);
            }
            (Given::Expr(it), _) if !matches!(to, Type::Out(_)) => {
                self.report_no_conversion(it, to)
            }
            _ => {}
        }
        if self.problems.len() == before {
            let needs = if matches!(to, Type::Out(_)) {
                "write `out` before it".to_owned()
            } else {
                format!("expected `{to}`")
            };
            self.report(
                codes::NO_OVERLOAD,
                argument.span,
                format!("the argument does not fit `{to}`"),
                needs,
                help,
            );
        } else if let (Some(problem), Some(help)) = (self.problems.last_mut(), help) {
            problem.help.get_or_insert(help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use crate::bind::tests::check;

    #[test]
    fn a_call_that_does_not_fit_says_why() {
        check(
            Form::Expression,
            &[
                ("int.Parse(5.5)", "PC0330"),
                ("\"a\".Substring()", "PC0332"),
                ("\"a\".Substring(from: 1)", "PC0332"),
                ("new[] {1}.Select(x => x.Foo)", "PC0321"),
            ],
        );
    }
}
