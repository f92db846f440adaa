//! Audiences, issuers and claims that a policy asks for: literals, or computed per request.

use identity::{Matching, RequiredClaim, Rules};
use pipeline::{Attr, Child, CompileCx, Computed, Diagnostic, Element, PolicyError};

use super::{Reading, Skew};

pub(crate) const AUDIENCES: Child = Child::optional("audiences")
    .children(&[AUDIENCE])
    .doc("Accepted audiences; one of them is enough.");
pub(crate) const REQUIRED_CLAIMS: Child =
    Child::optional("required-claims").children(&[CLAIM]).doc("Claims that must be there.");

const AUDIENCE: Child = Child::one_or_more("audience").expressions().doc("Accepted `aud`.");
const CLAIM: Child = Child::repeated("claim")
    .attrs(&[NAME, MATCH, SEPARATOR])
    .children(&[VALUE])
    .doc("A claim; without values it only has to be there.");
const VALUE: Child = Child::repeated("value").expressions().doc("A value it must have.");
const NAME: Attr = Attr::required("name").expressions().doc("Name as in the token.");
const MATCH: Attr = Attr::optional("match", "all")
    .expressions()
    .one_of(Match::WORDS)
    .doc("Whether every value must be there or one is enough.");
const SEPARATOR: Attr = Attr::absent_by_default("separator")
    .expressions()
    .doc("Splits a claim that is one text into several values.");

pipeline::words! {
    /// How many of the listed values a token must have.
    pub(crate) enum Match {
        /// Every one.
        All = "all",
        /// At least one.
        Any = "any",
    }
}

/// What the claims must say, as far as both policies know it.
#[derive(Debug)]
pub(crate) struct RuleSource {
    pub(crate) audiences: Option<Vec<Computed<String>>>,
    pub(crate) backend_applications: Option<Vec<Computed<String>>>,
    pub(crate) client_applications: Option<Vec<Computed<String>>>,
    pub(crate) issuers: Option<Vec<Computed<String>>>,
    pub(crate) clock_skew: Computed<Skew>,
    pub(crate) require_expiration_time: Computed<bool>,
    pub(crate) require_signed_tokens: Computed<bool>,
    pub(crate) required_claims: Vec<ClaimSource>,
}

/// One `claim`.
#[derive(Debug)]
pub(crate) struct ClaimSource {
    name: Computed<String>,
    matching: Computed<Match>,
    separator: Option<Computed<String>>,
    values: Vec<Computed<String>>,
}

impl RuleSource {
    /// Reads `audiences` and `required-claims`; the rest is strict: signed, with an expiration
    /// time, no clock skew, nothing else accepted or asked for.
    pub(crate) fn compile(
        cx: &mut CompileCx<'_>,
        element: Element<'_>,
    ) -> Result<Self, Diagnostic> {
        let claims = element.child(&REQUIRED_CLAIMS).into_iter().flat_map(|it| it.children(&CLAIM));
        Ok(Self {
            audiences: computed_texts(cx, element, &AUDIENCES, &AUDIENCE)?,
            backend_applications: None,
            client_applications: None,
            issuers: None,
            clock_skew: Computed::literal(Skew(std::time::Duration::ZERO)),
            require_expiration_time: Computed::literal(true),
            require_signed_tokens: Computed::literal(true),
            required_claims: claims
                .map(|it| ClaimSource::compile(cx, it))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The rules, without a tenant.
    pub(super) fn rules(&self, reading: Reading<'_>) -> Result<Rules, PolicyError> {
        let mut rules = Rules {
            audiences: texts(self.audiences.as_deref(), reading)?,
            issuers: texts(self.issuers.as_deref(), reading)?,
            clock_skew: reading.get(&self.clock_skew)?.0,
            require_expiration_time: reading.get(&self.require_expiration_time)?,
            require_signed_tokens: reading.get(&self.require_signed_tokens)?,
            required_claims: Vec::with_capacity(self.required_claims.len()),
            tenant: None,
            client_applications: texts(self.client_applications.as_deref(), reading)?,
        };
        if let Some(applications) = texts(self.backend_applications.as_deref(), reading)? {
            // From here on the audience is checked, even if no application has a name.
            rules.audiences.get_or_insert_default();
            applications.iter().for_each(|it| rules.accept_backend_application(it));
        }
        for claim in &self.required_claims {
            rules.required_claims.push(claim.required(reading)?);
        }
        Ok(rules)
    }

    /// True if one of the required claims has one of these names.
    pub(crate) fn looks_at(&self, names: &[&str]) -> bool {
        let mut claims = self.required_claims.iter();
        // A computed name may be any of them.
        claims.any(|it| it.name.as_literal().is_none_or(|it| names.contains(&it.as_str())))
    }
}

impl ClaimSource {
    fn compile(cx: &mut CompileCx<'_>, element: Element<'_>) -> Result<Self, Diagnostic> {
        Ok(Self {
            name: cx.attr(element, &NAME)?,
            matching: cx.attr(element, &MATCH)?,
            separator: cx.attr_if(element, &SEPARATOR)?,
            values: element.children(&VALUE).map(|it| cx.text(it)).collect::<Result<_, _>>()?,
        })
    }

    fn required(&self, reading: Reading<'_>) -> Result<RequiredClaim, PolicyError> {
        Ok(RequiredClaim {
            name: reading.get(&self.name)?,
            matching: match reading.get(&self.matching)? {
                Match::All => Matching::All,
                Match::Any => Matching::Any,
            },
            separator: self.separator.as_ref().map(|it| reading.get(it)).transpose()?,
            values: self.values.iter().map(|it| reading.get(it)).collect::<Result<_, _>>()?,
        })
    }
}

/// The texts of a list, if there is one. A text that is empty, such as an expression without a
/// result, names nothing that could be accepted; an empty list accepts nothing.
fn texts(
    list: Option<&[Computed<String>]>,
    reading: Reading<'_>,
) -> Result<Option<Vec<String>>, PolicyError> {
    let Some(list) = list else { return Ok(None) };
    let mut texts = Vec::with_capacity(list.len());
    for item in list {
        texts.push(reading.get(item)?);
    }
    texts.retain(|it| !it.is_empty());
    Ok(Some(texts))
}

/// The texts of the `inner` elements in the `outer` element, if that is there.
pub(crate) fn computed_texts(
    cx: &mut CompileCx<'_>,
    element: Element<'_>,
    outer: &Child,
    inner: &Child,
) -> Result<Option<Vec<Computed<String>>>, Diagnostic> {
    let Some(list) = element.child(outer) else { return Ok(None) };
    list.children(inner).map(|it| cx.text(it)).collect::<Result<_, _>>().map(Some)
}
