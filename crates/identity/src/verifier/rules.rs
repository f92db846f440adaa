//! What the claims of an authentic token must say.
//!
//! Order: time, audience, issuer, client application, required claims.
//!
//! Sources: <https://learn.microsoft.com/azure/api-management/validate-jwt-policy>;
//! RFC 7519, section 4.1.

use std::time::{Duration, SystemTime};

use super::cache::Valid;
use super::tenant::{self, EntraTenant};
use crate::claims::Claims;
use crate::error::{TokenError, quoted};

/// The rules of one policy. Every field is public: a policy fills them, per request if some
/// value is computed.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Accepted audiences; `None`: the audience is not checked.
    pub audiences: Option<Vec<String>>,
    /// Accepted issuers besides those of the providers; `None`: the policy lists none.
    pub issuers: Option<Vec<String>>,
    /// Widens both time checks.
    pub clock_skew: Duration,
    /// The token must have `exp`.
    pub require_expiration_time: bool,
    /// The token must be signed.
    pub require_signed_tokens: bool,
    /// Claims that must be there.
    pub required_claims: Vec<RequiredClaim>,
    /// The Entra ID tenant whose tokens are accepted.
    pub tenant: Option<EntraTenant>,
    /// Client applications that may call (`azp` or `appid`); `None`: not checked.
    pub client_applications: Option<Vec<String>>,
}

/// A claim that must be there, with values if any are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredClaim {
    /// The name as in the token.
    pub name: String,
    /// Whether one of the values is enough.
    pub matching: Matching,
    /// Splits a claim that is one text into several values.
    pub separator: Option<String>,
    /// The values; none: the claim only has to be there.
    pub values: Vec<String>,
}

/// How many of the listed values the token must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Every one.
    #[default]
    All,
    /// At least one.
    Any,
}

/// What the issuer of a token is compared with.
pub(crate) struct Issuers<'a> {
    /// The issuers that the metadata of the providers name.
    pub(crate) published: Vec<&'a str>,
    /// True if the policy names providers, whether or not they could be asked.
    pub(crate) has_providers: bool,
    /// The issuer that the signing key belongs to.
    pub(crate) of_key: Option<&'a str>,
}

impl Default for Rules {
    /// The defaults of `validate-jwt`: signed, with an expiration time, no clock skew.
    fn default() -> Self {
        Self {
            audiences: None,
            issuers: None,
            clock_skew: Duration::ZERO,
            require_expiration_time: true,
            require_signed_tokens: true,
            required_claims: Vec::new(),
            tenant: None,
            client_applications: None,
        }
    }
}

impl Rules {
    /// Accepts tokens for this backend application: its identifier and `api://` with it.
    pub fn accept_backend_application(&mut self, id: &str) {
        let audiences = self.audiences.get_or_insert_default();
        audiences.push(id.to_owned());
        audiences.push(format!("api://{id}"));
    }

    pub(crate) fn check(
        &self,
        claims: &Claims,
        issuers: &Issuers<'_>,
        now: SystemTime,
    ) -> Result<(), TokenError> {
        self.check_time(claims, now)?;
        self.check_audience(claims)?;
        self.check_issuer(claims, issuers)?;
        self.check_client_application(claims)?;
        self.check_required_claims(claims)
    }

    /// When a token with these claims passes the checks of time; `None` if that cannot be said.
    pub(crate) fn valid(&self, claims: &Claims) -> Option<Valid> {
        let until = match claims.expires().ok()? {
            // A sum beyond what the clock can say is never reached.
            Some(expires) => expires.checked_add(self.clock_skew),
            None => None,
        };
        let from = match claims.not_before().ok()? {
            Some(start) => Some(start.checked_sub(self.clock_skew)?),
            None => None,
        };
        Some(Valid { from, until })
    }

    fn check_time(&self, claims: &Claims, now: SystemTime) -> Result<(), TokenError> {
        match claims.expires()? {
            None if self.require_expiration_time => return Err(TokenError::ExpirationMissing),
            None => {}
            Some(expires) => {
                // A sum beyond what the clock can say is never reached.
                if let Some(end) = expires.checked_add(self.clock_skew)
                    && let Ok(past) = now.duration_since(end)
                {
                    return Err(TokenError::Expired(past));
                }
            }
        }
        if let Some(start) = claims.not_before()?
            && let Ok(ahead) = start.duration_since(now)
            && ahead > self.clock_skew
        {
            return Err(TokenError::NotYetValid(ahead.saturating_sub(self.clock_skew)));
        }
        Ok(())
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        let Some(accepted) = &self.audiences else { return Ok(()) };
        let audiences =
            claims.audiences().ok_or(TokenError::Malformed("`aud` is no text or list of texts"))?;
        if audiences.iter().any(|it| accepted.iter().any(|other| other == it)) {
            return Ok(());
        }
        Err(TokenError::AudienceNotAllowed(quoted(&audiences.join(", "))))
    }

    fn check_issuer(&self, claims: &Claims, issuers: &Issuers<'_>) -> Result<(), TokenError> {
        let issuer = claims.text("iss");
        let tenant_id = tenant::tenant_id(claims);
        if let Some(key_issuer) = issuers.of_key
            && !issuer.is_some_and(|it| tenant::key_agrees(key_issuer, it, tenant_id))
        {
            return Err(not_allowed(issuer));
        }
        if let Some(tenant) = &self.tenant {
            let published = issuers.published.first().copied();
            return match issuer {
                Some(text) if tenant.accepts(text, tenant_id, published) => Ok(()),
                _ => Err(not_allowed(issuer)),
            };
        }
        if self.issuers.is_none() && !issuers.has_providers {
            return Ok(());
        }
        let is_accepted = issuer.is_some_and(|issuer| {
            self.issuers.iter().flatten().any(|it| it == issuer)
                || issuers.published.iter().any(|it| self.is_published(it, issuer, tenant_id))
        });
        if is_accepted { Ok(()) } else { Err(not_allowed(issuer)) }
    }

    /// A published issuer may be a template for every tenant. A policy that lists issuers
    /// wants fewer than that, so the template then counts for nothing.
    fn is_published(&self, published: &str, issuer: &str, tenant_id: Option<&str>) -> bool {
        match tenant::is_template(published) {
            false => published == issuer,
            true => {
                self.issuers.is_none()
                    && tenant_id.is_some_and(|it| tenant::fill(published, it) == issuer)
            }
        }
    }

    fn check_client_application(&self, claims: &Claims) -> Result<(), TokenError> {
        let Some(accepted) = &self.client_applications else { return Ok(()) };
        let mut found = false;
        for name in ["azp", "appid"] {
            let Some(value) = claims.members().get(name).filter(|it| !it.is_null()) else {
                continue;
            };
            found = true;
            let text = value.as_str().unwrap_or("");
            if !accepted.iter().any(|it| it.eq_ignore_ascii_case(text)) {
                return Err(TokenError::ClaimValueNotAllowed {
                    claim: name.to_owned(),
                    value: quoted(text),
                });
            }
        }
        if found { Ok(()) } else { Err(TokenError::ClaimsMissing(vec!["azp".to_owned()])) }
    }

    fn check_required_claims(&self, claims: &Claims) -> Result<(), TokenError> {
        let mut missing = Vec::new();
        let mut wrong = None;
        for required in &self.required_claims {
            match claims.values(&required.name, required.separator.as_deref()) {
                None => missing.push(required.name.clone()),
                Some(values) if !required.is_satisfied_by(&values) => {
                    wrong = wrong.or_else(|| {
                        Some(TokenError::ClaimValueNotAllowed {
                            claim: required.name.clone(),
                            value: quoted(&values.join(", ")),
                        })
                    });
                }
                Some(_) => {}
            }
        }
        match (missing.is_empty(), wrong) {
            (false, _) => Err(TokenError::ClaimsMissing(missing)),
            (true, Some(wrong)) => Err(wrong),
            (true, None) => Ok(()),
        }
    }
}

impl RequiredClaim {
    fn is_satisfied_by(&self, values: &[String]) -> bool {
        match self.matching {
            _ if self.values.is_empty() => true,
            Matching::All => self.values.iter().all(|it| values.contains(it)),
            Matching::Any => self.values.iter().any(|it| values.contains(it)),
        }
    }
}

fn not_allowed(issuer: Option<&str>) -> TokenError {
    TokenError::IssuerNotAllowed(quoted(issuer.unwrap_or("")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_000;

    fn claims(value: &Value) -> Claims {
        Claims::new(value.as_object().unwrap().clone())
    }

    fn issuers(published: &'static [&'static str]) -> Issuers<'static> {
        let has_providers = !published.is_empty();
        Issuers { published: published.to_vec(), has_providers, of_key: None }
    }

    fn check(rules: &Rules, value: &Value) -> Result<(), TokenError> {
        check_with(rules, value, &issuers(&[]))
    }

    fn check_with(rules: &Rules, value: &Value, issuers: &Issuers<'_>) -> Result<(), TokenError> {
        let mut value = value.clone();
        if value.get("exp").is_none() {
            value["exp"] = json!(NOW + 1);
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        rules.check(&claims(&value), issuers, now)
    }

    #[test]
    fn a_token_is_refused_from_the_second_it_expires() {
        let at = |exp: u64, skew: u64| {
            let rules = Rules { clock_skew: Duration::from_secs(skew), ..Rules::default() };
            check(&rules, &json!({ "exp": exp }))
        };

        assert_eq!(at(NOW + 1, 0), Ok(()));
        assert_eq!(at(NOW, 0), Err(TokenError::Expired(Duration::ZERO)));
        assert_eq!(at(NOW - 4, 5), Ok(()));
        assert_eq!(at(NOW - 5, 5), Err(TokenError::Expired(Duration::ZERO)));
        assert_eq!(at(NOW - 7, 5), Err(TokenError::Expired(Duration::from_secs(2))));
        assert_eq!(at(i64::MAX as u64 / 4, 5), Ok(()));
    }

    #[test]
    fn a_token_is_valid_from_the_second_it_says() {
        let at = |nbf: u64, skew: u64| {
            let rules = Rules { clock_skew: Duration::from_secs(skew), ..Rules::default() };
            check(&rules, &json!({ "nbf": nbf }))
        };

        assert_eq!(at(NOW, 0), Ok(()));
        assert_eq!(at(NOW + 1, 0), Err(TokenError::NotYetValid(Duration::from_secs(1))));
        assert_eq!(at(NOW + 5, 5), Ok(()));
        assert_eq!(at(NOW + 6, 5), Err(TokenError::NotYetValid(Duration::from_secs(1))));
    }

    #[test]
    fn an_expiration_time_may_be_missing_only_if_the_policy_says_so() {
        let claims = claims(&json!({}));
        let check = |required| {
            let rules = Rules { require_expiration_time: required, ..Rules::default() };
            rules.check(&claims, &issuers(&[]), SystemTime::UNIX_EPOCH)
        };

        assert_eq!(check(true), Err(TokenError::ExpirationMissing));
        assert_eq!(check(false), Ok(()));
        let lenient = Rules { require_expiration_time: false, ..Rules::default() };
        assert!(matches!(
            super::tests::check(&lenient, &json!({ "exp": 1 })),
            Err(TokenError::Expired(_))
        ));
    }

    #[test]
    fn one_of_the_audiences_is_enough() {
        let rules = Rules { audiences: Some(vec!["a".into(), "b".into()]), ..Rules::default() };

        for good in [json!("a"), json!(["x", "b"])] {
            assert_eq!(check(&rules, &json!({ "aud": good })), Ok(()));
        }
        for (bad, text) in [(json!("A"), "A"), (json!(["x", "y"]), "x, y"), (json!(null), "")] {
            let expected = Err(TokenError::AudienceNotAllowed(text.to_owned()));
            assert_eq!(check(&rules, &json!({ "aud": bad })), expected);
        }
        assert!(matches!(check(&rules, &json!({ "aud": 7 })), Err(TokenError::Malformed(_))));
        assert_eq!(check(&Rules::default(), &json!({ "aud": 7 })), Ok(()));
    }

    #[test]
    fn a_backend_application_is_an_audience_in_two_forms() {
        let mut rules = Rules::default();
        rules.accept_backend_application("app");

        for (audience, is_accepted) in [("app", true), ("api://app", true), ("api://app/", false)] {
            assert_eq!(check(&rules, &json!({ "aud": audience })).is_ok(), is_accepted);
        }
    }

    #[test]
    fn issuers_are_those_listed_and_those_published() {
        let listed = Rules { issuers: Some(vec!["l".into()]), ..Rules::default() };
        let with = |rules: &Rules, published, issuer: &str| {
            check_with(rules, &json!({ "iss": issuer }), &issuers(published)).is_ok()
        };

        assert!(with(&listed, &["p"], "l") && with(&listed, &["p"], "p"));
        assert!(!with(&listed, &["p"], "x") && !with(&listed, &["p"], "p/"));
        assert!(with(&Rules::default(), &["p"], "p") && !with(&Rules::default(), &["p"], "x"));
        assert!(with(&Rules::default(), &[], "anything"));
        assert!(!with(&listed, &[], "p"));
    }

    #[test]
    fn an_empty_list_accepts_nothing() {
        let nobody = Some(Vec::new());
        let issuers = Rules { issuers: nobody.clone(), ..Rules::default() };
        let clients = Rules { client_applications: nobody.clone(), ..Rules::default() };
        let audiences = Rules { audiences: nobody, ..Rules::default() };
        let claims = json!({ "iss": "", "azp": "", "aud": "" });
        for rules in [issuers, clients, audiences] {
            assert!(check(&rules, &claims).is_err(), "{rules:?}");
        }
    }

    #[test]
    fn a_provider_without_a_document_accepts_no_issuer() {
        let unavailable = Issuers { published: vec![], has_providers: true, of_key: None };
        let outcome = check_with(&Rules::default(), &json!({ "iss": "x" }), &unavailable);
        assert_eq!(outcome, Err(TokenError::IssuerNotAllowed("x".to_owned())));
        let outcome = check_with(&Rules::default(), &json!({ "iss": 7 }), &unavailable);
        assert_eq!(outcome, Err(TokenError::IssuerNotAllowed(String::new())));
    }

    #[test]
    fn a_template_is_filled_with_the_tenant_of_the_token() {
        const TEMPLATE: &[&str] = &["https://login.test/{tenantid}/v2.0"];
        const TENANT: &str = "11111111-1111-1111-1111-111111111111";
        let issuer = format!("https://login.test/{TENANT}/v2.0");
        let with =
            |rules: &Rules, value: Value| check_with(rules, &value, &issuers(TEMPLATE)).is_ok();
        let open = Rules::default();

        assert!(with(&open, json!({ "iss": issuer, "tid": TENANT })));
        assert!(!with(&open, json!({ "iss": issuer })));
        assert!(!with(&open, json!({ "iss": TEMPLATE[0], "tid": "{tenantid}" })));
        let odd = json!({ "iss": "https://login.test/a/b/v2.0", "tid": "a/b" });
        assert!(!with(&open, odd));
        let listed = Rules { issuers: Some(vec!["l".into()]), ..Rules::default() };
        assert!(!with(&listed, json!({ "iss": issuer, "tid": TENANT })));
    }

    #[test]
    fn only_listed_client_applications_may_call() {
        let rules = Rules { client_applications: Some(vec!["ABC-1".into()]), ..Rules::default() };

        for good in [json!({ "azp": "abc-1" }), json!({ "appid": "ABC-1" })] {
            assert_eq!(check(&rules, &good), Ok(()));
        }
        for (bad, claim) in [
            (json!({ "azp": "x" }), "azp"),
            (json!({ "appid": "abc-1 " }), "appid"),
            (json!({ "azp": "abc-1", "appid": "x" }), "appid"),
            (json!({ "azp": ["abc-1"] }), "azp"),
        ] {
            let error = check(&rules, &bad).unwrap_err();
            assert!(
                matches!(error, TokenError::ClaimValueNotAllowed { claim: it, .. } if it == claim)
            );
        }
        let missing = TokenError::ClaimsMissing(vec!["azp".to_owned()]);
        assert_eq!(check(&rules, &json!({})), Err(missing));
    }

    fn requires(matching: Matching, separator: Option<&str>, values: &[&str]) -> Rules {
        let claim = RequiredClaim {
            name: "c".to_owned(),
            matching,
            separator: separator.map(str::to_owned),
            values: values.iter().map(|it| (*it).to_owned()).collect(),
        };
        Rules { required_claims: vec![claim], ..Rules::default() }
    }

    #[test]
    fn required_values_are_compared_exactly() {
        let all = |values| requires(Matching::All, None, values);
        let any = |values| requires(Matching::Any, None, values);
        let split = |values| requires(Matching::All, Some(" "), values);
        for (rules, claim, passes) in [
            (all(&["a"]), json!("a"), true),
            (all(&["a"]), json!("A"), false),
            (all(&["a"]), json!("a/"), false),
            (all(&["a"]), json!(["x", "a"]), true),
            (all(&["a", "b"]), json!(["b", "a", "c"]), true),
            (all(&["a", "b"]), json!("a"), false),
            (any(&["a", "b"]), json!("b"), true),
            (any(&["a", "b"]), json!(["c"]), false),
            (all(&["a"]), json!("a b"), false),
            (split(&["a", "b"]), json!("b  a"), true),
            (split(&["read"]), json!("read.all unread"), false),
            (all(&["1"]), json!(1), true),
            (all(&["true"]), json!(true), true),
            (all(&[]), json!("anything"), true),
            (all(&[]), json!(""), true),
        ] {
            assert_eq!(check(&rules, &json!({ "c": claim })).is_ok(), passes, "{rules:?} {claim}");
        }
    }

    #[test]
    fn all_missing_claims_are_named_before_any_wrong_value() {
        let mut rules = requires(Matching::All, None, &["a"]);
        for name in ["d", "e"] {
            let claim = RequiredClaim { name: name.to_owned(), ..rules.required_claims[0].clone() };
            rules.required_claims.push(claim);
        }

        let error = check(&rules, &json!({ "c": "wrong" })).unwrap_err();
        assert_eq!(error, TokenError::ClaimsMissing(vec!["d".to_owned(), "e".to_owned()]));
        let error = check(&rules, &json!({ "c": ["x", "y"], "d": "a", "e": "a" })).unwrap_err();
        assert_eq!(error.to_string(), "Claim c value of x, y is not allowed");
    }

    #[test]
    fn claims_are_required_one_by_one() {
        let rules = requires(Matching::All, None, &["a"]);
        let error = check(&rules, &json!({ "c": null })).unwrap_err();
        assert_eq!(error, TokenError::ClaimsMissing(vec!["c".to_owned()]));
    }
}
