//! Who may call: static tokens from a file, or tokens of an issuer with a role.
//!
//! Sources: RFC 6750; <https://learn.microsoft.com/azure/azure-resource-manager/management/authenticate-arm-apis>

use std::fmt;

use identity::{TokenError, Verifier};
use transport::Secret;

/// Shortest static token, in bytes.
const MIN_TOKEN_BYTES: usize = 24;
/// Most static tokens.
const MAX_TOKENS: usize = 100;

/// Says who is calling.
#[derive(Debug)]
pub struct Authority {
    tokens: StaticTokens,
    verifier: Option<Verifier>,
}

/// Tokens that a file lists, by the name of who has them.
#[derive(Clone, Default)]
pub struct StaticTokens(Vec<(String, Secret)>);

/// Why a file of tokens is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTokens(String);

/// Who was admitted, for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller(pub(crate) String);

/// Why nobody was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// There is no token.
    Missing,
    /// The token is not accepted; why, in words without the token.
    Invalid(String),
    /// The token is good, and lacks the role.
    Forbidden(String),
}

impl StaticTokens {
    /// Reads lines of `NAME TOKEN`; empty ones and those that start with `#` do not count.
    ///
    /// # Errors
    ///
    /// A line is something else, a token is shorter than 24 bytes, or there are more than 100.
    pub fn parse(text: &str) -> Result<Self, BadTokens> {
        let mut tokens = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| BadTokens(format!("line {}: {what}", n + 1));
            let mut parts = line.split_whitespace();
            let (Some(name), Some(token), None) = (parts.next(), parts.next(), parts.next()) else {
                return Err(wrong("a line is a name and a token"));
            };
            if token.len() < MIN_TOKEN_BYTES {
                return Err(wrong("a token has at least 24 characters"));
            }
            if tokens.len() >= MAX_TOKENS {
                return Err(wrong("there are more than 100 tokens"));
            }
            tokens.push((name.to_owned(), Secret::new(token)));
        }
        Ok(Self(tokens))
    }

    /// Whether it lists none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a token.
    pub fn add(&mut self, name: &str, token: Secret) {
        self.0.push((name.to_owned(), token));
    }

    /// The name of who has a token. Every entry is compared, each in constant time.
    fn name_of(&self, token: &str) -> Option<&str> {
        let mut found = None;
        for (name, secret) in &self.0 {
            if secret.is(token.as_bytes()) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

impl fmt::Debug for StaticTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|it| &it.0)).finish()
    }
}

impl fmt::Display for BadTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadTokens {}

impl Authority {
    /// Accepts static tokens, and those that the verifier does.
    pub fn new(tokens: StaticTokens, verifier: Option<Verifier>) -> Self {
        Self { tokens, verifier }
    }

    /// Reads `Authorization`.
    pub(crate) async fn admit(&self, authorization: Option<&str>) -> Result<Caller, Denied> {
        let token = authorization.ok_or(Denied::Missing)?;
        let (scheme, token) = token.split_once(' ').unwrap_or((token, ""));
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(Denied::Missing);
        }
        if let Some(name) = self.tokens.name_of(token) {
            return Ok(Caller(format!("token {name}")));
        }
        let Some(verifier) = &self.verifier else {
            return Err(Denied::Invalid("the token is not known".to_owned()));
        };
        match verifier.verify(token).await {
            Ok(jwt) => {
                let claim = |name: &str| jwt.claims().text(name).map(|it| format!("{name} {it}"));
                let who = claim("oid").or_else(|| claim("appid")).or_else(|| claim("azp"));
                Ok(Caller(who.or_else(|| claim("sub")).unwrap_or_else(|| "unnamed".to_owned())))
            }
            Err(
                error @ (TokenError::ClaimsMissing(_) | TokenError::ClaimValueNotAllowed { .. }),
            ) => Err(Denied::Forbidden(error.to_string())),
            Err(error) => Err(Denied::Invalid(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789012345678901234";

    async fn admit(header: Option<&str>) -> Result<Caller, Denied> {
        let tokens = StaticTokens::parse(&format!("# comment\n\nann {TOKEN}\n")).unwrap();
        Authority::new(tokens, None).admit(header).await
    }

    #[tokio::test]
    async fn a_listed_token_is_admitted_and_no_other() {
        let good = format!("Bearer {TOKEN}");
        let expected = Ok(Caller("token ann".to_owned()));
        assert_eq!(admit(Some(&good)).await, expected);
        assert_eq!(admit(Some(&good.replace("Bearer", "bEARER"))).await, expected);
        for missing in
            [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic YQ=="), Some(TOKEN)]
        {
            assert_eq!(admit(missing).await, Err(Denied::Missing), "{missing:?}");
        }
        for wrong in ["Bearer x".to_owned(), format!("{good}4"), good.replace('4', "5")] {
            assert!(matches!(admit(Some(&wrong)).await, Err(Denied::Invalid(_))), "{wrong}");
        }
    }

    #[test]
    fn a_file_of_tokens_is_checked() {
        for (text, expected) in [
            ("ann", "line 1: a line is a name and a token"),
            ("# x\nann short", "line 2: a token has at least 24 characters"),
            (&format!("a b {TOKEN}"), "line 1: a line is a name and a token"),
        ] {
            assert_eq!(StaticTokens::parse(text).unwrap_err().to_string(), expected);
        }
        let many = format!("a {TOKEN}\n").repeat(MAX_TOKENS + 1);
        assert_eq!(
            StaticTokens::parse(&many).unwrap_err().to_string(),
            "line 101: there are more than 100 tokens"
        );
    }

    #[test]
    fn tokens_are_not_shown() {
        let tokens = StaticTokens::parse(&format!("ann {TOKEN}")).unwrap();
        assert_eq!(format!("{tokens:?}"), "[\"ann\"]");
    }
}
