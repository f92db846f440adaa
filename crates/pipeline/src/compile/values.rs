//! Typed values of attributes and texts: literals, or what expressions give.

use document::{Diagnostic, Mode, Resolved, Severity, SourceText, Value};

use super::cx::CompileCx;
use super::element::Element;
use crate::codes;
use crate::computed::{Computed, OnNull};
use crate::convert::{Convert, Unfit};
use crate::origin::Origin;
use crate::schema::Attr;

/// Whether `null` has a meaning of its own, and how literals are trimmed.
pub(super) struct Reading<T> {
    pub(super) on_null: OnNull<T>,
    pub(super) trim: bool,
    pub(super) subject: String,
}

impl CompileCx<'_> {
    /// The value of an attribute that is required or has a default. A value that cannot be
    /// used is reported here; compiling goes on so that all problems are found.
    ///
    /// # Errors
    ///
    /// None today; the signature leaves room for values that stop the compilation.
    pub fn attr<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<Computed<T>, Diagnostic> {
        debug_assert!(attr.fits(T::TYPE), "`{}` is not declared as what is read", attr.name());
        let default = attr.default_text();
        match element.node().attribute(attr.name()) {
            Some(attribute) => Ok(self.computed(
                &attribute.value,
                Mode::Policy,
                Reading { on_null: OnNull::of(attr), trim: false, subject: attr.name().to_owned() },
            )),
            None => match default.map(T::from_text) {
                Some(Ok(value)) => Ok(Computed::literal(value)),
                _ => Ok(Computed::refused()),
            },
        }
    }

    /// The value of an attribute, if it is written.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn attr_if<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<Option<Computed<T>>, Diagnostic> {
        if element.has(attr) { self.attr(element, attr).map(Some) } else { Ok(None) }
    }

    /// The value of an attribute that takes no expression.
    ///
    /// # Errors
    ///
    /// The value cannot be used.
    pub fn literal<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<T, Diagnostic> {
        let computed: Computed<T> = self.attr(element, attr)?;
        match computed.as_literal() {
            Some(value) => Ok(value.clone()),
            None => Err(self.already_reported(element)),
        }
    }

    /// The value of an attribute that takes no expression, if it is written.
    ///
    /// # Errors
    ///
    /// The value cannot be used.
    pub fn literal_if<T: Convert>(
        &mut self,
        element: Element<'_>,
        attr: &Attr,
    ) -> Result<Option<T>, Diagnostic> {
        if element.has(attr) { self.literal(element, attr).map(Some) } else { Ok(None) }
    }

    /// The text of an element, without white space at its ends.
    ///
    /// # Errors
    ///
    /// As [`CompileCx::attr`].
    pub fn text<T: Convert>(&mut self, element: Element<'_>) -> Result<Computed<T>, Diagnostic> {
        let subject = element.name().to_owned();
        let reading = Reading { on_null: OnNull::Convert, trim: true, subject };
        Ok(self.computed(&element.text(), Mode::Policy, reading))
    }

    /// The text of an element that takes no expression, without white space at its ends.
    ///
    /// # Errors
    ///
    /// The value cannot be used.
    pub fn literal_text<T: Convert>(&mut self, element: Element<'_>) -> Result<T, Diagnostic> {
        let computed: Computed<T> = self.text(element)?;
        match computed.as_literal() {
            Some(value) => Ok(value.clone()),
            None => Err(self.already_reported(element)),
        }
    }

    /// A problem that stops the policy but was reported before.
    fn already_reported(&self, element: Element<'_>) -> Diagnostic {
        let last = self.diagnostics.last().cloned();
        last.unwrap_or_else(|| {
            self.refuse(element, codes::BAD_VALUE, format!("`{}` has a bad value", element.name()))
        })
    }

    pub(super) fn computed<T: Convert>(
        &mut self,
        text: &SourceText,
        mode: Mode,
        reading: Reading<T>,
    ) -> Computed<T> {
        // Problems of named values and of the expression's end were reported by the check.
        let (resolved, _) = self.surroundings.named_values.resolve(text, mode);
        if resolved.is_missing() {
            self.is_incomplete = true;
            return Computed::refused();
        }
        match resolved.kind() {
            Err(problem) => {
                self.report(problem);
                Computed::refused()
            }
            Ok(Value::Literal(literal)) => {
                let text = literal.as_str();
                match T::from_text(if reading.trim { text.trim() } else { text }) {
                    Ok(value) if resolved.is_secret() => Computed::literal(value.secret()),
                    Ok(value) => Computed::literal(value),
                    Err(unfit) => {
                        self.report_unfit(&resolved, &literal, &reading.subject, &unfit);
                        Computed::refused()
                    }
                }
            }
            Ok(Value::Expression { form, code }) => {
                self.n_expressions += 1;
                match self.expression(&resolved, form, &code) {
                    Some(program) => {
                        self.uses = self.uses.union(program.uses());
                        self.body_reads(&resolved, &code, &program);
                        self.check_type::<T>(&code, &program, &reading.subject);
                        let is_secret = resolved.is_secret();
                        let constant = program.constant().filter(|it| !it.is_null()).cloned();
                        match constant.map(T::from_value) {
                            Some(Ok(value)) if !is_secret => Computed::literal(value),
                            // What cannot be used fails when it is asked for, as elsewhere.
                            _ => {
                                let (file, source) = (self.file.clone(), self.source.clone());
                                let subject = &reading.subject;
                                Computed::expression(program, reading.on_null, subject, is_secret)
                                    .at(Origin::new(file, source, code))
                            }
                        }
                    }
                    None => Computed::refused(),
                }
            }
        }
    }

    fn report_unfit(
        &mut self,
        resolved: &Resolved,
        literal: &SourceText,
        subject: &str,
        unfit: &Unfit,
    ) {
        let message = if resolved.is_secret() {
            format!("`{subject}`: expected {}", unfit.what())
        } else {
            format!("`{subject}`: {unfit}")
        };
        let label = format!("expected {}", unfit.what());
        let literal = literal.trimmed();
        let end = literal.as_str().len();
        let problem =
            resolved.diagnostic(Severity::Error, codes::BAD_VALUE, &literal, 0..end, &message);
        self.report(problem.label(label));
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{codes_of, inbound_problems as problems};

    #[test]
    fn named_values_are_put_in_before_a_value_is_read() {
        assert_eq!(codes_of(&problems("<word>{{seven}}</word>")), "fine");
        assert_eq!(codes_of(&problems("<word>{{eight}}</word>")), "PC0204");
        assert_eq!(codes_of(&problems("<mark name='{{eight}}' />")), "PC0204");
    }

    #[test]
    fn a_problem_with_a_secret_does_not_show_it() {
        for policy in ["<word>{{key}}</word>", "<word>{{key-words}}</word>"] {
            let problems = problems(policy);
            assert_eq!(codes_of(&problems), "PC0409");
            let shown = format!("{:?}", problems[0]);
            assert!(!shown.contains("hunter2") && !shown.contains("x x"), "{shown}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_is_shown_at_its_place() {
        let problem = problems("<word> seven </word>").remove(0);

        assert_eq!(
            problem.message,
            "`word`: expected an integer from 0 to 4294967295, found `seven`"
        );
        assert_eq!(problem.span.len(), 5);
    }
}
