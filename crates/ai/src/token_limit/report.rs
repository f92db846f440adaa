//! What a token limit tells of itself: headers of the response, variables for later policies.

use std::time::Duration;

use document::Diagnostic;
use expr::Value;
use http::{HeaderName, HeaderValue, header};
use limits::whole_seconds;
use pipeline::{Attr, CompileCx, Context, Element, PolicyError, ValueType, codes};
use state::TokenStanding;

use super::refusal;

pub(super) const RETRY_AFTER_HEADER: Attr =
    Attr::optional("retry-after-header-name", "Retry-After")
        .of(ValueType::HeaderName)
        .doc("Header with the seconds to wait after a refusal.");
pub(super) const RETRY_AFTER_VARIABLE: Attr = Attr::absent_by_default("retry-after-variable-name")
    .doc("Variable with the seconds to wait after a refusal.");
pub(super) const REMAINING_QUOTA_HEADER: Attr =
    Attr::absent_by_default("remaining-quota-tokens-header-name")
        .of(ValueType::HeaderName)
        .doc("Header of the response with the tokens that are left of the quota.");
pub(super) const REMAINING_QUOTA_VARIABLE: Attr =
    Attr::absent_by_default("remaining-quota-tokens-variable-name")
        .doc("Variable with the tokens that are left of the quota.");
pub(super) const REMAINING_HEADER: Attr = Attr::absent_by_default("remaining-tokens-header-name")
    .of(ValueType::HeaderName)
    .doc("Header of the response with the tokens that are left of the minute.");
pub(super) const REMAINING_VARIABLE: Attr =
    Attr::absent_by_default("remaining-tokens-variable-name")
        .doc("Variable with the tokens that are left of the minute.");
pub(super) const CONSUMED_HEADER: Attr = Attr::absent_by_default("tokens-consumed-header-name")
    .of(ValueType::HeaderName)
    .doc("Header of the response with the tokens of prompt and completion; not for streams.");
pub(super) const CONSUMED_VARIABLE: Attr = Attr::absent_by_default("tokens-consumed-variable-name")
    .doc("Variable with the estimated tokens of the prompt, and once answered with all tokens.");
pub(super) const OLD_CONSUMED_HEADER: Attr = Attr::absent_by_default("consumed-tokens-header-name")
    .excludes(&["tokens-consumed-header-name"])
    .of(ValueType::HeaderName)
    .doc("Former name of `tokens-consumed-header-name`.");
pub(super) const OLD_CONSUMED_VARIABLE: Attr =
    Attr::absent_by_default("consumed-tokens-variable-name")
        .excludes(&["tokens-consumed-variable-name"])
        .doc("Former name of `tokens-consumed-variable-name`.");

/// Where a token limit tells what.
#[derive(Debug)]
pub(super) struct Report {
    retry_after: Place,
    remaining: Place,
    remaining_quota: Place,
    consumed: Place,
}

/// A header, a variable, both or none.
#[derive(Debug, Default)]
struct Place {
    header: Option<HeaderName>,
    variable: Option<String>,
}

impl Report {
    pub(super) fn compile(
        element: Element<'_>,
        cx: &mut CompileCx<'_>,
    ) -> Result<Report, Diagnostic> {
        let mut place = |header: &Attr, variable: &Attr| {
            Ok(Place {
                header: cx.literal_if(element, header)?,
                variable: cx.literal_if(element, variable)?,
            })
        };
        let retry_after = place(&RETRY_AFTER_HEADER, &RETRY_AFTER_VARIABLE)?;
        let remaining = place(&REMAINING_HEADER, &REMAINING_VARIABLE)?;
        let remaining_quota = place(&REMAINING_QUOTA_HEADER, &REMAINING_QUOTA_VARIABLE)?;
        let consumed = place(&CONSUMED_HEADER, &CONSUMED_VARIABLE)?;
        let old = place(&OLD_CONSUMED_HEADER, &OLD_CONSUMED_VARIABLE)?;
        for (attr, new) in
            [(&OLD_CONSUMED_HEADER, &CONSUMED_HEADER), (&OLD_CONSUMED_VARIABLE, &CONSUMED_VARIABLE)]
        {
            if element.has(attr) {
                let message = format!("`{}` is now called `{}`", attr.name(), new.name());
                let span = element.attr_span(attr);
                cx.report(Diagnostic::warning(codes::NOT_PORTABLE, span, message));
            }
        }
        let consumed = Place {
            header: consumed.header.or(old.header),
            variable: consumed.variable.or(old.variable),
        };
        Ok(Report { retry_after, remaining, remaining_quota, consumed })
    }

    /// Tells how the limit stands before the call.
    ///
    /// # Errors
    ///
    /// It has no room. Of both, the quota refuses: it lasts longer.
    pub(super) fn tell(
        &self,
        context: &mut Context,
        standing: &TokenStanding,
        quota_wait: Option<Duration>,
    ) -> Result<(), PolicyError> {
        self.remaining(context, standing);
        let header = self.retry_after.header.as_ref().unwrap_or(&header::RETRY_AFTER);
        if let (Some(quota), Some(wait)) = (standing.quota, quota_wait)
            && !quota.has_room
        {
            self.wait(context, wait);
            return Err(refusal::quota(wait, header));
        }
        match standing.rate {
            Some(rate) if !rate.has_room && rate.never_fits => Err(refusal::rate(None, header)),
            Some(rate) if !rate.has_room => {
                self.wait(context, rate.wait);
                Err(refusal::rate(Some(rate.wait), header))
            }
            _ => Ok(()),
        }
    }

    fn wait(&self, context: &mut Context, wait: Duration) {
        if let Some(name) = &self.retry_after.variable {
            context.variables.set(name.as_str(), int(whole_seconds(wait)));
        }
    }

    /// What is left: after the reservation, and again when the call has settled.
    pub(super) fn remaining(&self, context: &mut Context, standing: &TokenStanding) {
        if let Some(rate) = standing.rate {
            self.remaining.tell(context, rate.remaining, int(rate.remaining));
        }
        if let Some(quota) = standing.quota {
            self.remaining_quota.tell(context, quota.remaining, long(quota.remaining));
        }
    }

    /// Tokens of the prompt, before the call.
    pub(super) fn estimated(&self, context: &mut Context, prompt_tokens: u64) {
        if let Some(name) = &self.consumed.variable {
            context.variables.set(name.as_str(), int(prompt_tokens));
        }
    }

    /// All tokens, after it.
    pub(super) fn consumed(&self, context: &mut Context, tokens: u64) {
        self.consumed.tell(context, tokens, int(tokens));
    }
}

impl Place {
    fn tell(&self, context: &mut Context, number: u64, value: Value) {
        if let Some(name) = &self.header {
            context.stamp_header(name.clone(), HeaderValue::from(number));
        }
        if let Some(name) = &self.variable {
            context.variables.set(name.as_str(), value);
        }
    }
}

/// An `Int32`, as documents expect of tokens and seconds.
fn int(it: u64) -> Value {
    Value::from(i32::try_from(it).unwrap_or(i32::MAX))
}

/// An `Int64`, which quotas need.
fn long(it: u64) -> Value {
    Value::from(i64::try_from(it).unwrap_or(i64::MAX))
}
