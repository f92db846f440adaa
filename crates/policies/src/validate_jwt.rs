//! `<validate-jwt>`: lets a request pass only with a valid token.
//!
//! Keys and issuers come from OpenID metadata documents, which are fetched when the
//! configuration loads, and from the policy itself. A refusal is an error: it goes through
//! `on-error` with the status and message that the policy names.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-jwt-policy>

use pipeline::{
    Attr, Child, CompileCx, Context, Diagnostic, Element, Flow, PolicyError, PolicyKind, Scopes,
    Sections, Step, ValueType, Waiting, codes,
};

use crate::token::{
    AUDIENCES, DECRYPTION_KEYS, FAILED_CODE, FAILED_MESSAGE, Failure, HEADER_NAME,
    ISSUER_SIGNING_KEYS, OUTPUT, QUERY_NAME, REQUIRED_CLAIMS, RuleSource, Scheme, TOKEN_VALUE,
    TokenCheck, TokenPolicy, TokenSource, Trust, computed_texts, decryption_keys, signing_keys,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-jwt",
    summary: "Lets a request pass only with a valid token.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[
        HEADER_NAME,
        QUERY_NAME,
        TOKEN_VALUE,
        FAILED_CODE,
        FAILED_MESSAGE,
        REQUIRE_EXPIRATION_TIME,
        REQUIRE_SCHEME,
        REQUIRE_SIGNED_TOKENS,
        CLOCK_SKEW,
        OUTPUT,
    ],
    children: &[
        OPENID_CONFIG,
        ISSUER_SIGNING_KEYS,
        DECRYPTION_KEYS,
        AUDIENCES,
        ISSUERS,
        REQUIRED_CLAIMS,
    ],
    compile,
};

const REQUIRE_EXPIRATION_TIME: Attr = Attr::optional("require-expiration-time", "true")
    .expressions()
    .doc("Whether the token must have `exp`.");
const REQUIRE_SCHEME: Attr = Attr::absent_by_default("require-scheme")
    .expressions()
    .doc("Scheme that must stand in `Authorization`, such as `Bearer`.");
const REQUIRE_SIGNED_TOKENS: Attr = Attr::optional("require-signed-tokens", "true")
    .expressions()
    .doc("Whether the token must be signed.");
const CLOCK_SKEW: Attr = Attr::optional("clock-skew", "0")
    .expressions()
    .doc("Tolerance for time checks: seconds or `hh:mm:ss`, at most a day.")
    .of(ValueType::Seconds);
const OPENID_CONFIG: Child = Child::repeated("openid-config")
    .attrs(&[URL, VALIDATE_CONNECTIVITY])
    .empty()
    .doc("Metadata document that names an issuer and its keys.");
const URL: Attr =
    Attr::required("url").expressions().doc("Address of the document.").of(ValueType::Url);
const VALIDATE_CONNECTIVITY: Attr = Attr::optional("validate-connectivity", "true")
    .one_of(&["true", "false"])
    .doc("Whether Azure tries the address when the policy is saved.")
    .differs("The address is tried when the configuration loads, whatever this says; a failure is logged and refuses nothing.");
const ISSUERS: Child = Child::optional("issuers")
    .children(&[ISSUER])
    .doc("Accepted issuers, besides those of `openid-config`.");
const ISSUER: Child = Child::repeated("issuer").expressions().doc("Accepted `iss`.");

#[derive(Debug)]
struct ValidateJwt(TokenCheck);

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let scheme = match cx.attr_if(element, &REQUIRE_SCHEME)? {
        Some(scheme) => Scheme::Required(scheme),
        None => Scheme::Any,
    };
    let mut urls = Vec::new();
    for config in element.children(&OPENID_CONFIG) {
        urls.push(cx.attr(config, &URL)?);
    }
    let rules = RuleSource {
        issuers: computed_texts(cx, element, &ISSUERS, &ISSUER)?,
        clock_skew: cx.attr(element, &CLOCK_SKEW)?,
        require_expiration_time: cx.attr(element, &REQUIRE_EXPIRATION_TIME)?,
        require_signed_tokens: cx.attr(element, &REQUIRE_SIGNED_TOKENS)?,
        ..RuleSource::compile(cx, element)?
    };
    let policy = TokenPolicy {
        source: TokenSource::compile(cx, element, scheme, None)?,
        failure: Failure::compile(cx, element)?,
        output: cx.literal_if(element, &OUTPUT)?,
        trust: Trust::OpenId(urls),
        rules,
        keys: signing_keys(cx, element)?,
        decryption_keys: decryption_keys(cx, element)?,
    };
    if let Some(message) = permissive(&policy) {
        cx.report(Diagnostic::warning(codes::TOO_PERMISSIVE, element.span(), message));
    }
    Ok(Step::waiting(ValidateJwt(TokenCheck::new(cx, element, policy))))
}

/// What a policy lets pass that its author probably did not mean to.
fn permissive(policy: &TokenPolicy) -> Option<&'static str> {
    let TokenPolicy { rules, trust, .. } = policy;
    if rules.audiences.is_some() || rules.issuers.is_some() {
        return None;
    }
    let asks_for_who = rules.looks_at(&["tid", "iss", "appid", "azp", "aud"]);
    if trust.is_multi_tenant() && !asks_for_who {
        return Some(
            "`validate-jwt` has neither audiences nor issuers: any token of any tenant passes",
        );
    }
    let has_providers = matches!(trust, Trust::OpenId(urls) if !urls.is_empty());
    (has_providers && rules.required_claims.is_empty()).then_some(
        "`validate-jwt` has neither audiences nor issuers: any token of the tenant passes",
    )
}

impl Waiting for ValidateJwt {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.0.check(context).await
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        Ok(self.0.recall(context))
    }
}
