//! How much a request counts, and when that is known.
//!
//! Numbers and words in the document count when the policy runs. An expression is evaluated when
//! the response is final, so that it can look at it; the limit is not checked again then.

use document::Diagnostic;
use expr::Uses;
use pipeline::{Attr, CompileCx, Computed, Context, Element};

use crate::numbers::Calls;

pub(crate) const CONDITION: Attr = Attr::absent_by_default("increment-condition")
    .expressions()
    .of(pipeline::ValueType::Boolean)
    .doc("Whether the request counts; an expression is evaluated at the end.");
pub(crate) const COUNT: Attr = Attr::optional("increment-count", "1")
    .expressions()
    .of(pipeline::ValueType::Integer)
    .doc("What the request counts as; an expression is evaluated at the end.");

/// How much a request counts.
#[derive(Debug)]
pub(crate) struct Increment {
    condition: Option<Computed<bool>>,
    count: Computed<Calls>,
}

impl Increment {
    pub(crate) fn compile(
        element: Element<'_>,
        cx: &mut CompileCx<'_>,
    ) -> Result<Increment, Diagnostic> {
        Ok(Increment {
            condition: cx.attr_if(element, &CONDITION)?,
            count: cx.attr(element, &COUNT)?,
        })
    }

    /// What is known to be counted when the policy runs; none if that is known at the end.
    pub(crate) fn now(&self) -> Option<u32> {
        let is_counted = match &self.condition {
            None => true,
            Some(condition) => *condition.as_literal()?,
        };
        let Calls(count) = *self.count.as_literal()?;
        Some(if is_counted { count } else { 0 })
    }

    /// Whether the request counts at all, as far as that is known when the policy runs.
    pub(crate) fn is_never(&self) -> bool {
        self.condition.as_ref().and_then(Computed::as_literal) == Some(&false)
    }

    /// What has to be in memory before the request leaves: it cannot be read at the end.
    pub(crate) fn reads(&self) -> Uses {
        let mut uses = self.uses();
        uses.response_body = false;
        uses.response = false;
        uses
    }

    fn uses(&self) -> Uses {
        let condition = self.condition.as_ref().map_or(Uses::NONE, Computed::uses);
        condition.union(self.count.uses())
    }

    /// What the request counts as, now that the response is final; none if it does not count.
    ///
    /// A request whose condition or count cannot be evaluated counts once, so that no limit is
    /// passed by making expressions fail; the log tells.
    pub(crate) async fn at_end(&self, context: &mut Context) -> Option<u32> {
        let evaluated = match context.buffer(self.uses().settled()).await {
            Ok(()) => self.evaluate(context),
            Err(error) => Err(error),
        };
        evaluated.unwrap_or_else(|error| {
            tracing::warn!(
                request_id = %context.request_id,
                %error,
                "what a request counts as cannot be evaluated; it counts once"
            );
            Some(1)
        })
    }

    fn evaluate(&self, context: &Context) -> Result<Option<u32>, pipeline::PolicyError> {
        if let Some(condition) = &self.condition
            && !condition.get(context)?
        {
            return Ok(None);
        }
        self.count.get(context).map(|Calls(count)| Some(count))
    }
}
