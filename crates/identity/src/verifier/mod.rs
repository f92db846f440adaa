//! From the text of a token to a proof.
//!
//! A [`Verifier`] first finds out whether the token is authentic (the key ring, with a memory of
//! tokens seen before), then whether its claims obey the [`Rules`]. Rules that are the same for
//! every request are asked once per token, but for the time.

pub(crate) mod cache;
mod keyring;
mod rules;
mod tenant;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use transport::Clock;

pub use rules::{Matching, RequiredClaim, Rules};
pub use tenant::{EntraTenant, TenantProblem};

use self::cache::Valid;
use self::keyring::{Authentic, Authenticated, Keyring};
use self::rules::Issuers;
use crate::claims::Claims;
use crate::discovery::{Provider, Providers};
use crate::error::TokenError;
use crate::jwe::DecryptionKey;
use crate::jwt::Header;
use crate::key::Key;

/// What a verifier is made of.
#[derive(Debug, Default)]
pub struct VerifierSettings {
    /// Providers whose keys and issuers are accepted.
    pub providers: Vec<Arc<Provider>>,
    /// Keys that the policy lists itself.
    pub keys: Vec<Key>,
    /// Keys for encrypted tokens.
    pub decryption_keys: Vec<DecryptionKey>,
    /// What the claims must say.
    pub rules: Rules,
}

/// Checks tokens. Made once per policy when the configuration loads.
#[derive(Debug)]
pub struct Verifier {
    keyring: Keyring,
    providers: Vec<Arc<Provider>>,
    rules: Rules,
    clock: Arc<dyn Clock>,
}

/// A token that was checked: whoever holds one knows that it is authentic and obeys the rules.
///
/// Only [`Verifier`] makes one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct VerifiedJwt {
    authentic: Arc<Authentic>,
}

impl Verifier {
    /// A verifier that shares providers, clock and memory with others.
    pub fn new(shared: &Providers, settings: VerifierSettings) -> Self {
        let VerifierSettings { providers, keys, decryption_keys, rules } = settings;
        let keyring = Keyring::new(keys, decryption_keys, Arc::clone(shared.cache()));
        Self { keyring, providers, rules, clock: Arc::clone(shared.clock()) }
    }

    /// Checks the signature, then time, audience, issuer, client application and required
    /// claims, in that order.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub async fn verify(&self, token: &str) -> Result<VerifiedJwt, TokenError> {
        let (authenticated, valid) = self.verified(token, &self.providers, &self.rules).await?;
        if let (Some(entry), Some(valid)) = (authenticated.entry, valid) {
            // Whoever was quicker has found the same.
            let _ = entry.valid.set(valid);
        }
        Ok(VerifiedJwt { authentic: authenticated.authentic })
    }

    /// The token, if [`Verifier::verify`] has accepted it before and it would again: keys and
    /// issuers are the same, and the time is right. `None` says nothing about the token.
    ///
    /// Never waits. `token` is what `verify` would get, as bytes.
    #[must_use]
    pub fn recall(&self, token: &[u8]) -> Option<VerifiedJwt> {
        let entry = self.keyring.recall(token, &self.providers)?;
        let is_valid = entry.valid.get()?.holds(self.clock.now());
        is_valid.then(|| VerifiedJwt { authentic: Arc::clone(&entry.authentic) })
    }

    /// As [`Verifier::verify`], with providers and rules that were computed for this request.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub async fn verify_with(
        &self,
        token: &str,
        providers: &[Arc<Provider>],
        rules: &Rules,
    ) -> Result<VerifiedJwt, TokenError> {
        let (authenticated, _) = self.verified(token, providers, rules).await?;
        Ok(VerifiedJwt { authentic: authenticated.authentic })
    }

    async fn verified(
        &self,
        token: &str,
        providers: &[Arc<Provider>],
        rules: &Rules,
    ) -> Result<(Authenticated, Option<Valid>), TokenError> {
        let authenticated =
            self.keyring.authenticate(token, providers, rules.require_signed_tokens).await?;
        let Authenticated { authentic, documents, .. } = &authenticated;
        let issuers = Issuers {
            published: documents.iter().flatten().map(|it| it.issuer()).collect(),
            has_providers: !providers.is_empty(),
            of_key: authentic.key_issuer.as_deref(),
        };
        let claims = authentic.jwt.claims();
        rules.check(claims, &issuers, self.clock.now())?;
        let valid = rules.valid(claims);
        Ok((authenticated, valid))
    }

    /// The rules it was made with.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The providers it was made with.
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// How many signatures have been computed; far fewer than tokens checked.
    pub fn n_signatures_checked(&self) -> u64 {
        self.keyring.n_checked()
    }
}

impl VerifiedJwt {
    /// The header.
    pub fn header(&self) -> &Header {
        self.authentic.jwt.header()
    }

    /// The claims.
    pub fn claims(&self) -> &Claims {
        self.authentic.jwt.claims()
    }
}
