//! What `validate-jwt` and `validate-azure-ad-token` share: finding the token, the rules of
//! both, keys, and the words for failures. The checks themselves are in crate `identity`.

mod claims;
mod failure;
mod keys;
mod skew;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use expr::JwtValue;
use expr::Value;
use identity::{
    DecryptionKey, EntraTenant, Key, Provider, Providers, Rules, VerifiedJwt, Verifier,
    VerifierSettings,
};
use pipeline::{Attr, CompileCx, Computed, Context, Diagnostic, Element, Flow, PolicyError, codes};

pub(crate) use claims::{AUDIENCES, REQUIRED_CLAIMS, RuleSource, computed_texts};
pub(crate) use failure::{FAILED_CODE, FAILED_MESSAGE, Failure, Rejection};
pub(crate) use keys::{DECRYPTION_KEYS, ISSUER_SIGNING_KEYS, decryption_keys, signing_keys};
pub(crate) use skew::Skew;
pub(crate) use source::{HEADER_NAME, QUERY_NAME, Scheme, TOKEN_VALUE, TokenSource};

pub(crate) const OUTPUT: Attr = Attr::absent_by_default("output-token-variable-name")
    .doc("Variable that receives the token, as `Jwt`, if it is valid.");

/// Where keys and issuers come from.
#[derive(Debug)]
pub(crate) enum Trust {
    /// The metadata documents at these addresses.
    OpenId(Vec<Computed<String>>),
    /// A tenant of Entra ID, at this token service if it is not that of the public cloud.
    Entra { tenant: Computed<String>, endpoint: Option<String> },
}

/// What a policy was compiled to, before it meets the services.
#[derive(Debug)]
pub(crate) struct TokenPolicy {
    pub(crate) source: TokenSource,
    pub(crate) failure: Failure,
    pub(crate) output: Option<String>,
    pub(crate) trust: Trust,
    pub(crate) rules: RuleSource,
    pub(crate) keys: Vec<Key>,
    pub(crate) decryption_keys: Vec<DecryptionKey>,
}

/// A policy that checks a token.
#[derive(Debug)]
pub(crate) struct TokenCheck {
    source: TokenSource,
    failure: Failure,
    output: Option<Arc<str>>,
    trust: Trust,
    rules: RuleSource,
    /// None if the document is only checked and never run.
    verifier: Option<Verifier>,
    /// True if the verifier's own providers and rules hold for every request.
    is_fixed: bool,
}

/// When values are read: at load only literals have one.
#[derive(Clone, Copy)]
pub(crate) enum Reading<'a> {
    AtLoad,
    Now(&'a Context),
}

impl Reading<'_> {
    pub(crate) fn get<T: pipeline::Convert>(self, value: &Computed<T>) -> Result<T, PolicyError> {
        match self {
            Reading::Now(context) => value.get(context),
            Reading::AtLoad => {
                let missing = || PolicyError::evaluation("The value is computed per request.");
                value.as_literal().cloned().ok_or_else(missing)
            }
        }
    }
}

impl TokenCheck {
    /// Starts to fetch the keys, if the services are at hand.
    pub(crate) fn new(cx: &mut CompileCx<'_>, element: Element<'_>, policy: TokenPolicy) -> Self {
        let TokenPolicy { source, failure, output, trust, rules, keys, decryption_keys } = policy;
        let shared: Option<Arc<Providers>> = cx.extension();
        for problem in trust.problems(shared.as_deref()) {
            cx.report(cx.refuse(element, codes::BAD_VALUE, problem));
        }
        let mut is_fixed = false;
        let verifier = shared.map(|shared| {
            let fixed_rules = rules.rules(Reading::AtLoad).ok();
            let fixed = trust.resolve(&shared, Reading::AtLoad).ok().and_then(Result::ok);
            let mut settings = VerifierSettings { keys, decryption_keys, ..Default::default() };
            if let (Some(rules), Some((providers, tenant))) = (fixed_rules, fixed) {
                is_fixed = true;
                settings.providers = providers;
                settings.rules = Rules { tenant, ..rules };
            }
            Verifier::new(&shared, settings)
        });
        let output = output.map(Into::into);
        Self { source, failure, output, trust, rules, verifier, is_fixed }
    }

    /// Lets a request pass whose token was accepted before and would be again; `None` says
    /// nothing about the token. Only for rules that are the same for every request.
    pub(crate) fn recall(&self, context: &mut Context) -> Option<Flow> {
        let verifier = self.verifier.as_ref().filter(|_| self.is_fixed)?;
        let jwt = verifier.recall(self.source.glance(context)?)?;
        Some(self.pass(&jwt, context))
    }

    fn pass(&self, jwt: &VerifiedJwt, context: &mut Context) -> Flow {
        if let Some(name) = &self.output {
            let members = jwt.claims().members();
            let value = JwtValue::from_json(&jwt.header().members, members);
            context.variables.set(Arc::clone(name), Value::jwt(value));
        }
        Flow::Next
    }

    /// Checks the token of a request.
    pub(crate) async fn check(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let verified = match self.source.find(context)? {
            Ok(token) => self.verify(&token, context).await?,
            Err(rejection) => Err(rejection),
        };
        match verified {
            Ok(jwt) => Ok(self.pass(&jwt, context)),
            Err(rejection) => {
                tracing::debug!(reason = rejection.reason(), "{}", rejection.message());
                Err(self.failure.error(&rejection, context)?)
            }
        }
    }

    async fn verify(
        &self,
        token: &str,
        context: &Context,
    ) -> Result<Result<VerifiedJwt, Rejection>, PolicyError> {
        let Some(verifier) = &self.verifier else {
            return Err(PolicyError::new("Internal", "no identity providers are set up"));
        };
        let outcome = if self.is_fixed {
            verifier.verify(token).await
        } else {
            let shared: Option<Arc<Providers>> = context.services.extension();
            let Some(shared) = shared else {
                return Err(PolicyError::new("Internal", "no identity providers are set up"));
            };
            let now = Reading::Now(context);
            let rules = self.rules.rules(now)?;
            let (providers, tenant) = match self.trust.resolve(&shared, now)? {
                Ok(found) => found,
                Err(problem) => return Ok(Err(Rejection::Trust(problem))),
            };
            verifier.verify_with(token, &providers, &Rules { tenant, ..rules }).await
        };
        Ok(outcome.map_err(Rejection::Token))
    }
}

type Resolved = (Vec<Arc<Provider>>, Option<EntraTenant>);

impl Trust {
    /// What is wrong with the literals among its values.
    fn problems(&self, shared: Option<&Providers>) -> Vec<String> {
        match self {
            Trust::OpenId(urls) => urls
                .iter()
                .filter_map(Computed::as_literal)
                .filter_map(|it| url_problem(it, shared))
                .collect(),
            Trust::Entra { tenant, endpoint } => {
                let tenant =
                    tenant.as_literal().map(|it| EntraTenant::parse(it, endpoint.as_deref()));
                match tenant {
                    Some(Err(problem)) => vec![problem.to_string()],
                    Some(Ok(tenant)) => {
                        url_problem(&tenant.metadata_url(), shared).into_iter().collect()
                    }
                    None => Vec::new(),
                }
            }
        }
    }

    /// The providers; the inner error is a value that names none.
    fn resolve(
        &self,
        shared: &Providers,
        reading: Reading<'_>,
    ) -> Result<Result<Resolved, String>, PolicyError> {
        let provider = |url: &str| shared.provider(url).map_err(|it| it.to_string());
        match self {
            Trust::OpenId(urls) => {
                let urls: Vec<String> =
                    urls.iter().map(|it| reading.get(it)).collect::<Result<_, _>>()?;
                let providers = urls.iter().map(|it| provider(it)).collect::<Result<_, _>>();
                Ok(providers.map(|it| (it, None)))
            }
            Trust::Entra { tenant, endpoint } => {
                let text = reading.get(tenant)?;
                Ok(EntraTenant::parse(&text, endpoint.as_deref())
                    .map_err(|it| it.to_string())
                    .and_then(|it| Ok((vec![provider(&it.metadata_url())?], Some(it)))))
            }
        }
    }

    /// True if tokens of every tenant of Entra ID are accepted, as far as can be seen at load.
    pub(crate) fn is_multi_tenant(&self) -> bool {
        const ALL_TENANTS: [&str; 2] = ["common", "organizations"];
        match self {
            Trust::OpenId(urls) => urls.iter().filter_map(Computed::as_literal).any(|it| {
                let is_entra =
                    it.contains("://login.microsoftonline.") || it.contains("://sts.windows.net");
                is_entra && it.split('/').nth(3).is_some_and(|it| ALL_TENANTS.contains(&it))
            }),
            Trust::Entra { tenant, endpoint } => tenant
                .as_literal()
                .and_then(|it| EntraTenant::parse(it, endpoint.as_deref()).ok())
                .is_some_and(|it| it.is_multi_tenant()),
        }
    }
}

/// What is wrong with a literal address. Without services it is only looked at whether it is
/// one: which hosts may be asked over plain http is not known then.
fn url_problem(text: &str, shared: Option<&Providers>) -> Option<String> {
    match shared {
        Some(shared) => shared.check(text).err().map(|it| it.to_string()),
        None => {
            let is_web = |it: &url::Url| matches!(it.scheme(), "http" | "https");
            let is_good = url::Url::parse(text.trim()).is_ok_and(|it| is_web(&it));
            (!is_good).then(|| format!("`{text}` is not an http or https address"))
        }
    }
}

/// A problem of a key, at its element.
pub(crate) fn report_key(
    cx: &mut CompileCx<'_>,
    element: Element<'_>,
    problem: &identity::KeyProblem,
) {
    let diagnostic: Diagnostic =
        cx.refuse(element, codes::BAD_VALUE, problem.to_string()).label("cannot be used");
    cx.report(diagnostic);
}
