//! A value of a policy: a literal that was read at load, or an expression evaluated per request.

use std::borrow::Cow;
use std::fmt;

use expr::{Exception, Program, Uses};
use http::StatusCode;

use crate::context::Context;
use crate::convert::Convert;
use crate::error::PolicyError;
use crate::origin::Origin;
use crate::schema::Attr;

/// What an attribute or a text gives.
#[derive(Clone)]
pub struct Computed<T>(Inner<T>);

#[derive(Clone)]
enum Inner<T> {
    Literal(T),
    Expression(Box<Expression<T>>),
    /// The document was refused (or a named value is not at hand), so this is never asked.
    Refused,
}

#[derive(Clone)]
struct Expression<T> {
    program: Program,
    on_null: OnNull<T>,
    /// The attribute's or element's name, for messages.
    subject: Box<str>,
    /// A secret named value is a part of the code.
    is_secret: bool,
    /// Where the code stands.
    origin: Option<Origin>,
}

/// What `null` means.
#[derive(Clone, Debug)]
pub(crate) enum OnNull<T> {
    /// What the type makes of it; a failure if that is nothing.
    Convert,
    /// The default of an optional attribute.
    Default(T),
    /// A required attribute has no value.
    Fails,
}

impl<T: Convert> OnNull<T> {
    /// For an attribute: `null` in a required one is a failure, in an optional one as if it were
    /// absent. A text is empty only where the attribute says so.
    pub(crate) fn of(attr: &Attr) -> OnNull<T> {
        let is_text = T::NULL_IS_EMPTY && !attr.null_is_empty;
        match attr.default_text().and_then(|it| T::from_text(it).ok()) {
            Some(default) if is_text || !T::TAKES_NULL => OnNull::Default(default),
            None if is_text && attr.is_required() => OnNull::Fails,
            _ => OnNull::Convert,
        }
    }
}

impl<T: Convert> Computed<T> {
    /// A value that is known at load.
    pub fn literal(value: T) -> Computed<T> {
        Computed(Inner::Literal(value))
    }

    pub(crate) fn expression(
        program: Program,
        on_null: OnNull<T>,
        subject: &str,
        is_secret: bool,
    ) -> Computed<T> {
        let subject = subject.into();
        let expression = Expression { program, on_null, subject, is_secret, origin: None };
        Computed(Inner::Expression(Box::new(expression)))
    }

    /// The same, with the place of its code.
    pub(crate) fn at(mut self, origin: Origin) -> Computed<T> {
        if let Inner::Expression(it) = &mut self.0 {
            it.origin = Some(origin);
        }
        self
    }

    pub(crate) fn refused() -> Computed<T> {
        Computed(Inner::Refused)
    }

    /// The value, if it is known at load.
    #[must_use]
    pub fn as_literal(&self) -> Option<&T> {
        match &self.0 {
            Inner::Literal(value) => Some(value),
            Inner::Expression(_) | Inner::Refused => None,
        }
    }

    /// Whether it is evaluated per request.
    #[must_use]
    pub fn is_expression(&self) -> bool {
        matches!(self.0, Inner::Expression(_))
    }

    /// Which bodies it reads; a policy that evaluates it late buffers them just before
    /// ([`Context::buffer`]).
    #[must_use]
    pub fn uses(&self) -> Uses {
        match &self.0 {
            Inner::Expression(it) => it.program.uses(),
            Inner::Literal(_) | Inner::Refused => Uses::default(),
        }
    }

    /// The value for this request.
    ///
    /// # Errors
    ///
    /// `ExpressionValueEvaluationFailure` if the expression throws, gives `null` where that is
    /// no value, or gives something of another kind.
    pub fn get(&self, context: &Context) -> Result<T, PolicyError> {
        match &self.0 {
            Inner::Literal(value) => Ok(value.clone()),
            Inner::Expression(it) => it.evaluate(context),
            Inner::Refused => Err(refused()),
        }
    }

    /// The value for this request, borrowed if it is known at load.
    ///
    /// # Errors
    ///
    /// Those of [`Computed::get`].
    pub fn borrow(&self, context: &Context) -> Result<Cow<'_, T>, PolicyError> {
        match &self.0 {
            Inner::Literal(value) => Ok(Cow::Borrowed(value)),
            Inner::Expression(it) => it.evaluate(context).map(Cow::Owned),
            Inner::Refused => Err(refused()),
        }
    }
}

impl<T: Convert> Expression<T> {
    #[cold]
    fn failure(&self, exception: &Exception, context: &Context) -> PolicyError {
        let mut error = PolicyError::evaluation(exception);
        if context.request.body.take_overflow() {
            error = error.respond(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.");
        }
        match &self.origin {
            Some(origin) => error.thrown(origin.thrown(exception)),
            None => error,
        }
    }

    fn evaluate(&self, context: &Context) -> Result<T, PolicyError> {
        let value = self.program.evaluate(context).map_err(|it| self.failure(&it, context))?;
        if value.is_null() {
            match &self.on_null {
                OnNull::Default(default) => return Ok(default.clone()),
                OnNull::Convert if T::TAKES_NULL => {}
                OnNull::Convert | OnNull::Fails => {
                    let message = format_args!("`{}` is null.", self.subject);
                    return Err(PolicyError::evaluation(message));
                }
            }
        }
        T::from_value(value).map(|it| if self.is_secret { it.secret() } else { it }).map_err(
            |unfit| {
                if self.is_secret {
                    let (subject, wanted) = (&self.subject, unfit.what());
                    return PolicyError::evaluation(format_args!(
                        "`{subject}`: expected {wanted}."
                    ));
                }
                PolicyError::evaluation(format_args!("`{}`: {unfit}.", self.subject))
            },
        )
    }
}

fn refused() -> PolicyError {
    PolicyError::new("Internal", "a value of a refused document was asked for")
}

impl<T: fmt::Debug> fmt::Debug for Computed<T> {
    /// Literals may be secret, so they are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Inner::Literal(_) => "Literal(..)",
            Inner::Expression(_) => "Expression(..)",
            Inner::Refused => "Refused",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::context;

    #[test]
    fn a_literal_is_known_at_load() {
        let it = Computed::literal(7_u32);

        assert_eq!(it.as_literal(), Some(&7));
        assert_eq!(it.get(&context()).unwrap(), 7);
        assert_eq!(*it.borrow(&context()).unwrap(), 7);
        assert!(!it.is_expression() && it.uses() == Uses::default());
    }

    #[test]
    fn a_value_of_a_refused_document_fails_closed() {
        let it: Computed<u32> = Computed::refused();

        assert!(it.get(&context()).is_err() && it.borrow(&context()).is_err());
        assert_eq!(it.as_literal(), None);
    }

    #[test]
    fn debug_does_not_show_literals() {
        assert_eq!(format!("{:?}", Computed::literal("hunter2".to_owned())), "Literal(..)");
    }

    fn computed<T: Convert>(source: &str, on_null: OnNull<T>) -> Computed<T> {
        let options = expr::Options::default();
        let program = expr::compile(source, expr::Form::Expression, &options).unwrap();
        Computed::expression(program, on_null, "count", false)
    }

    #[test]
    fn null_in_an_attribute_is_a_failure_its_default_or_an_empty_text() {
        let required = Attr::required("count").expressions();
        let text = |attr: Attr| {
            let it = computed::<String>("(string)null", OnNull::of(&attr));
            it.get(&context()).map_err(|error| error.message().to_owned())
        };

        let failed = "Expression evaluation failed. `count` is null.".to_owned();
        assert_eq!(text(required), Err(failed));
        assert_eq!(text(required.null_is_empty()), Ok(String::new()));
        assert_eq!(text(Attr::optional("count", "a").expressions()), Ok("a".to_owned()));
        assert_eq!(text(Attr::absent_by_default("count").expressions()), Ok(String::new()));
        let optional = Attr::optional("count", "3").expressions();
        let number = computed::<u32>("(string)null", OnNull::of(&optional));
        assert_eq!(number.get(&context()).unwrap(), 3);
        assert!(computed::<u32>("(string)null", OnNull::of(&required)).get(&context()).is_err());
    }

    fn failure<T: Convert>(it: &Computed<T>) -> String {
        it.get(&context()).unwrap_err().message().to_owned()
    }

    #[test]
    fn an_expression_is_evaluated_and_converted() {
        let it: Computed<u32> = computed("1 + 1", OnNull::Convert);

        assert_eq!(it.get(&context()).unwrap(), 2);
        assert!(it.is_expression() && it.as_literal().is_none());
        assert_eq!(
            *computed::<String>("2 > 1", OnNull::Convert).borrow(&context()).unwrap(),
            "True"
        );
    }

    #[test]
    fn null_is_a_failure_or_the_default_or_a_value_of_its_own() {
        assert_eq!(
            failure(&computed::<u32>("(string)null", OnNull::Convert)),
            "Expression evaluation failed. `count` is null."
        );
        assert_eq!(computed::<u32>("(string)null", OnNull::Default(3)).get(&context()).unwrap(), 3);
        assert_eq!(
            computed::<String>("(string)null", OnNull::Convert).get(&context()).unwrap(),
            ""
        );
        assert_eq!(
            computed::<Option<u32>>("(string)null", OnNull::Convert).get(&context()).unwrap(),
            None
        );
    }

    #[test]
    fn what_cannot_be_converted_is_a_failure_that_names_the_attribute() {
        assert_eq!(
            failure(&computed::<u32>("\"x\"", OnNull::Convert)),
            "Expression evaluation failed. `count`: expected an integer from 0 to 4294967295, found `x`."
        );
    }

    #[test]
    fn what_comes_of_a_secret_is_not_shown() {
        let options = expr::Options::default();
        let program = expr::compile("\"x\"", expr::Form::Expression, &options).unwrap();
        let it: Computed<bool> = Computed::expression(program, OnNull::Convert, "flag", true);

        assert_eq!(
            failure(&it),
            "Expression evaluation failed. `flag`: expected `true` or `false`."
        );
    }

    #[test]
    fn what_is_thrown_is_a_failure_with_its_text() {
        assert_eq!(
            failure(&computed::<u32>("1 / (\"\".Length)", OnNull::Convert)),
            "Expression evaluation failed. Attempted to divide by zero."
        );
    }
}
