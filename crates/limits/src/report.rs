//! What a rate limit tells of itself: headers of the response, variables for later policies.

use std::time::Duration;

use document::Diagnostic;
use expr::Value;
use http::{HeaderName, HeaderValue, header};
use pipeline::{Attr, CompileCx, Context, Element, PolicyError};
use state::Standing;

use crate::refusal;

pub(crate) const RETRY_AFTER_HEADER: Attr =
    Attr::optional("retry-after-header-name", "Retry-After")
        .of(pipeline::ValueType::HeaderName)
        .doc("Header with the seconds to wait after a refusal.");
pub(crate) const RETRY_AFTER_VARIABLE: Attr = Attr::absent_by_default("retry-after-variable-name")
    .doc("Variable with the seconds to wait after a refusal.");
pub(crate) const REMAINING_HEADER: Attr = Attr::absent_by_default("remaining-calls-header-name")
    .of(pipeline::ValueType::HeaderName)
    .doc("Header of the response with the calls that are left.");
pub(crate) const REMAINING_VARIABLE: Attr =
    Attr::absent_by_default("remaining-calls-variable-name")
        .doc("Variable with the calls that are left.");
pub(crate) const TOTAL_HEADER: Attr = Attr::absent_by_default("total-calls-header-name")
    .of(pipeline::ValueType::HeaderName)
    .doc("Header of the response with the value of `calls`.");

/// Where a rate limit tells what.
#[derive(Debug)]
pub(crate) struct Report {
    retry_after_header: HeaderName,
    retry_after_variable: Option<String>,
    remaining_header: Option<HeaderName>,
    remaining_variable: Option<String>,
    total_header: Option<HeaderName>,
}

impl Report {
    pub(crate) fn compile(
        element: Element<'_>,
        cx: &mut CompileCx<'_>,
    ) -> Result<Report, Diagnostic> {
        let retry_after_header: Option<HeaderName> = cx.literal_if(element, &RETRY_AFTER_HEADER)?;
        Ok(Report {
            retry_after_header: retry_after_header.unwrap_or(header::RETRY_AFTER),
            retry_after_variable: cx.literal_if(element, &RETRY_AFTER_VARIABLE)?,
            remaining_header: cx.literal_if(element, &REMAINING_HEADER)?,
            remaining_variable: cx.literal_if(element, &REMAINING_VARIABLE)?,
            total_header: cx.literal_if(element, &TOTAL_HEADER)?,
        })
    }

    /// Tells how limits stand. The first is the policy's own, and `calls` its limit; the wait is
    /// the longest of those that have no room.
    ///
    /// # Errors
    ///
    /// One of them has no room.
    pub(crate) fn tell(
        &self,
        context: &mut Context,
        calls: u32,
        standings: &[Standing],
    ) -> Result<(), PolicyError> {
        let refused = standings.iter().filter(|it| !it.has_room).map(|it| it.wait).max();
        let own = standings.first().map_or(0, |it| it.remaining);
        let remaining = if refused.is_some() { 0 } else { own };
        if let Some(name) = &self.remaining_header {
            context.stamp_header(name.clone(), HeaderValue::from(remaining));
        }
        if let Some(name) = &self.total_header {
            context.stamp_header(name.clone(), HeaderValue::from(calls));
        }
        if let Some(name) = &self.remaining_variable {
            context.variables.set(name.as_str(), int(u64::from(remaining)));
        }
        match refused {
            Some(wait) => Err(self.refuse(context, wait)),
            None => Ok(()),
        }
    }

    fn refuse(&self, context: &mut Context, wait: Duration) -> PolicyError {
        if let Some(name) = &self.retry_after_variable {
            context.variables.set(name.as_str(), int(refusal::seconds(wait)));
        }
        refusal::rate(wait, &self.retry_after_header)
    }
}

/// An `Int32`, as documents expect of counts and seconds.
fn int(it: u64) -> Value {
    Value::from(i32::try_from(it).unwrap_or(i32::MAX))
}
