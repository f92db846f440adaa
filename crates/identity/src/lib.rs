//! Who is calling, and who the gateway is: tokens, keys, providers, client certificates, managed
//! identity, Key Vault.
//!
//! ```text
//! text -> Jwt (unverified) -> Verifier::verify -> VerifiedJwt (proof)
//!                                   ^
//!                     KeySet <- discovery <- HTTP
//! ```
//!
//! Start with [`Verifier::verify`] for callers, with [`ManagedIdentities::access_token`] and
//! [`SecretWatch::secret`] for the gateway itself. [`Providers`], [`ManagedIdentities`] and
//! [`SecretWatch`] are made once per gateway and outlive its configurations; a [`Verifier`]
//! belongs to one policy. Only this crate can make a [`VerifiedJwt`], so code that takes one
//! cannot be reached with an unchecked token.
//!
//! This crate never sees a policy, a route or a listener.

mod algorithm;
mod authorization;
mod base64url;
mod claims;
mod client_certificate;
mod discovery;
mod error;
mod fetch;
mod json;
mod jwe;
mod jwk;
mod jwt;
mod key;
mod key_vault;
mod managed_identity;
#[cfg(test)]
mod test_support;
mod verifier;
mod x509;

pub use algorithm::Algorithm;
pub use authorization::{
    AuthorizationProblem, AuthorizationTokens, Authorized, Grant, SecretIn, TokenRequest,
};
pub use claims::Claims;
pub use client_certificate::{
    CertificateChecks, CertificateIdentity, CertificateProblem, ClientTrust, DistinguishedName,
    IdentityPart,
};
pub use discovery::{Document, Provider, ProviderProblem, ProviderSettings, Providers};
pub use error::TokenError;
pub use fetch::FetchError;
pub use jwe::DecryptionKey;
pub use jwk::{KeySet, KeySetProblem, MAX_KEYS};
pub use jwt::{Header, Jwt, MAX_TOKEN_BYTES};
pub use key::{Key, KeyProblem};
pub use key_vault::{KeyVault, KeyVaultError, Round, SecretWatch, WatchSettings};
pub use managed_identity::{
    AccessToken, Environment, IdentitySource, ManagedIdentities, ManagedIdentityError,
    ManagedIdentitySettings, TokenOf, WorkloadIdentity,
};
pub use verifier::{
    EntraTenant, Matching, RequiredClaim, Rules, TenantProblem, VerifiedJwt, Verifier,
    VerifierSettings,
};
pub use x509::{certificate_der, thumbprint};
