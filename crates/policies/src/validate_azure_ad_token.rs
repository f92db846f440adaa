//! `<validate-azure-ad-token>`: lets a request pass only with a valid token of Entra ID.
//!
//! Keys and issuers are those of the tenant, in the forms of version 1.0 and 2.0 of its tokens.
//! The keys are fetched when the configuration loads.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/validate-azure-ad-token-policy>

use http::header::AUTHORIZATION;
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Diagnostic, Element, Flow, PolicyError, PolicyKind,
    Scopes, Sections, Step, Waiting, codes,
};

use crate::token::{
    AUDIENCES, DECRYPTION_KEYS, FAILED_CODE, FAILED_MESSAGE, Failure, HEADER_NAME, OUTPUT,
    QUERY_NAME, REQUIRED_CLAIMS, RuleSource, Scheme, TOKEN_VALUE, TokenCheck, TokenPolicy,
    TokenSource, Trust, computed_texts, decryption_keys,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "validate-azure-ad-token",
    summary: "Lets a request pass only with a valid token of Entra ID.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[
        TENANT_ID,
        HEADER_NAME,
        QUERY_NAME,
        TOKEN_VALUE,
        AUTHENTICATION_ENDPOINT,
        FAILED_CODE,
        FAILED_MESSAGE,
        OUTPUT,
    ],
    children: &[
        BACKEND_APPLICATIONS,
        CLIENT_APPLICATIONS,
        AUDIENCES,
        REQUIRED_CLAIMS,
        DECRYPTION_KEYS,
    ],
    compile,
};

const TENANT_ID: Attr = Attr::required("tenant-id")
    .expressions()
    .doc("Tenant: ID, domain or its URL, `organizations` or `common`.");
const AUTHENTICATION_ENDPOINT: Attr = Attr::absent_by_default("authentication-endpoint")
    .doc("Token service of another cloud, as `login.microsoftonline.us`.");
const CLIENT_APPLICATIONS: Child = Child::optional("client-application-ids")
    .children(&[APPLICATION_ID])
    .doc("Client applications that may call.");
const BACKEND_APPLICATIONS: Child = Child::optional("backend-application-ids")
    .children(&[APPLICATION_ID])
    .doc("Backend applications that tokens may be for.");
const APPLICATION_ID: Child = Child::one_or_more("application-id").doc("ID of an application.");

#[derive(Debug)]
struct ValidateAzureAdToken(TokenCheck);

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let rules = RuleSource {
        client_applications: computed_texts(cx, element, &CLIENT_APPLICATIONS, &APPLICATION_ID)?,
        backend_applications: computed_texts(cx, element, &BACKEND_APPLICATIONS, &APPLICATION_ID)?,
        ..RuleSource::compile(cx, element)?
    };
    let bearer = Scheme::Required(Computed::literal("Bearer".to_owned()));
    let policy = TokenPolicy {
        source: TokenSource::compile(cx, element, bearer, Some(AUTHORIZATION))?,
        failure: Failure::compile(cx, element)?,
        output: cx.literal_if(element, &OUTPUT)?,
        trust: Trust::Entra {
            tenant: cx.attr(element, &TENANT_ID)?,
            endpoint: cx.literal_if(element, &AUTHENTICATION_ENDPOINT)?,
        },
        rules,
        keys: Vec::new(),
        decryption_keys: decryption_keys(cx, element)?,
    };
    if let Some(message) = permissive(&policy) {
        cx.report(Diagnostic::warning(codes::TOO_PERMISSIVE, element.span(), message));
    }
    Ok(Step::waiting(ValidateAzureAdToken(TokenCheck::new(cx, element, policy))))
}

/// What a policy lets pass that its author probably did not mean to.
fn permissive(policy: &TokenPolicy) -> Option<&'static str> {
    let TokenPolicy { rules, trust, .. } = policy;
    let has_lists = rules.client_applications.is_some()
        || rules.backend_applications.is_some()
        || rules.audiences.is_some();
    let asks_for_who = rules.looks_at(&["tid", "iss", "appid", "azp", "aud"]);
    if trust.is_multi_tenant() && !has_lists && !asks_for_who {
        return Some(
            "`validate-azure-ad-token` names neither applications nor audiences: any token of any tenant passes",
        );
    }
    (!has_lists && rules.required_claims.is_empty()).then_some(
        "`validate-azure-ad-token` names neither applications, audiences nor claims: any token of the tenant passes",
    )
}

impl Waiting for ValidateAzureAdToken {
    async fn run(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        self.0.check(context).await
    }

    fn try_now(&self, context: &mut Context) -> Result<Option<Flow>, PolicyError> {
        Ok(self.0.recall(context))
    }
}
