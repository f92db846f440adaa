//! Handlers of exceptions under way, so that filters run before `finally` blocks do.
//!
//! .NET looks at an exception twice: first it goes outwards and asks the handlers, then it runs the
//! `finally` blocks on the way to the one that takes it. Source: ECMA-335, I.12.4.2.5.

use std::sync::Arc;

use crate::cx::EvalCx;
use crate::exception::Exception;
use crate::value::Value;

/// Asks the handlers of a `try` which of them takes an exception.
pub type Choose =
    Arc<dyn Fn(&Value, &mut EvalCx<'_>) -> Result<Option<usize>, Exception> + Send + Sync>;

/// Who takes an exception under way.
#[derive(Clone, Copy, Debug)]
pub struct Decided {
    /// The type of the exception: what is thrown in its place is decided anew.
    type_name: &'static str,
    /// Which `try`, counted from outside, and which of its handlers; none of those asked takes it.
    taken_by: Option<(usize, usize)>,
}

/// The `try` statements under way whose handlers are asked, outermost first.
#[derive(Default)]
pub(crate) struct Handlers {
    all: Vec<Choose>,
    decided: Option<Decided>,
}

impl EvalCx<'_> {
    /// Is a `try` under way whose handlers are asked?
    #[inline]
    #[must_use]
    pub fn has_handlers(&self) -> bool {
        self.handlers().is_some_and(|it| !it.all.is_empty())
    }

    /// A `try` begins.
    pub fn push_handler(&mut self, it: Choose) {
        self.handlers_mut().all.push(it);
    }

    /// The innermost `try` ends.
    pub fn pop_handler(&mut self) {
        self.handlers_mut().all.pop();
    }

    /// Asks the handlers around, from inside, unless that was done for the exception already.
    ///
    /// # Errors
    ///
    /// If the budget ends in a filter.
    pub fn decide(
        &mut self,
        error: &Exception,
        value: &Value,
    ) -> Result<Option<Decided>, Exception> {
        let known = self.handlers_mut().decided.take();
        if known.is_some_and(|it| it.type_name == error.type_name) {
            return Ok(known);
        }
        let mut taken_by = None;
        for at in (0..self.handlers_mut().all.len()).rev() {
            let Some(choose) = self.handlers_mut().all.get(at).map(Arc::clone) else { break };
            if let Some(handler) = choose(value, self)? {
                taken_by = Some((at, handler));
                break;
            }
        }
        Ok(Some(Decided { type_name: error.type_name, taken_by }))
    }

    /// Notes what was decided, behind a `finally` block.
    pub fn set_decided(&mut self, it: Option<Decided>) {
        if it.is_some() || self.handlers().is_some() {
            self.handlers_mut().decided = it;
        }
    }

    /// What was decided for the `try` that has just ended: one of its handlers, or none.
    #[must_use]
    pub fn decided(&self, error: &Exception) -> Option<Option<usize>> {
        let handlers = self.handlers()?;
        let decided = handlers.decided.filter(|it| it.type_name == error.type_name)?;
        let own = handlers.all.len();
        Some(decided.taken_by.filter(|(at, _)| *at == own).map(|(_, handler)| handler))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::with_cx;

    #[test]
    fn the_innermost_handler_that_takes_it_is_found_once() {
        with_cx(|cx| {
            let error = Exception::null_reference();
            cx.push_handler(Arc::new(|_, _| Ok(Some(1))));
            cx.push_handler(Arc::new(|_, _| Ok(None)));
            let decided = cx.decide(&error, &Value::Null).unwrap();
            cx.set_decided(decided);
            cx.pop_handler();
            assert_eq!(cx.decided(&error), Some(None));
            cx.pop_handler();
            assert_eq!(cx.decided(&error), Some(Some(1)));
            assert_eq!(cx.decided(&Exception::index_out_of_range()), None);
        });
    }
}
