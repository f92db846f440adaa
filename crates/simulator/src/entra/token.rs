//! Access tokens: minted as Entra mints them, or forged by name; and the stand-ins' own check.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/access-tokens>

use aws_lc_rs::{digest, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::entra::keys::{KeyRing, SigningKey};
use crate::world::Seed;

/// Which shape of access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `ver` 1.0: issuer `sts.windows.net`, client in `appid`.
    V1,
    /// `ver` 2.0: issuer `login.microsoftonline.com`, client in `azp`.
    V2,
}

/// What a token says.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Shape.
    pub version: Version,
    /// Tenant identifier.
    pub tenant_id: String,
    /// `aud`.
    pub audience: Option<String>,
    /// Client application: `appid` or `azp`.
    pub client_id: String,
    /// `oid` and `sub`: the object that signed in.
    pub object_id: String,
    /// `roles`; left out when empty.
    pub roles: Vec<String>,
    /// `scp`, joined by spaces; left out when empty. A token with scopes is a user's.
    pub scopes: Vec<String>,
    /// `groups`; left out when empty.
    pub groups: Vec<String>,
    /// Seconds since 1970 of `iat` and `nbf`.
    pub issued_at: i64,
    /// Seconds from `iat` to `exp`; negative for a token that has already expired.
    pub lifetime: i64,
    /// Overrides `iss`.
    pub issuer: Option<String>,
    /// Further claims; they replace those of the same name, and null removes one.
    pub extra: Map<String, Value>,
}

impl Grant {
    /// A token of an application for a resource, good for an hour.
    pub fn app(seed: &Seed, client_id: &str, resource: &str, issued_at: i64) -> Self {
        Self {
            version: Version::V1,
            tenant_id: seed.tenant_id.clone(),
            audience: Some(resource.to_owned()),
            client_id: client_id.to_owned(),
            object_id: object_id(client_id),
            roles: seed.roles.clone(),
            scopes: Vec::new(),
            groups: Vec::new(),
            issued_at,
            lifetime: 3600,
            issuer: None,
            extra: Map::new(),
        }
    }

    /// The payload.
    pub fn claims(&self) -> Map<String, Value> {
        let issuer = self.issuer.clone().unwrap_or_else(|| match self.version {
            Version::V1 => format!("https://sts.windows.net/{}/", self.tenant_id),
            Version::V2 => format!("https://login.microsoftonline.com/{}/v2.0", self.tenant_id),
        });
        let (client_claim, how_claim, version) = match self.version {
            Version::V1 => ("appid", "appidacr", "1.0"),
            Version::V2 => ("azp", "azpacr", "2.0"),
        };
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        if let Some(audience) = &self.audience {
            put("aud", json!(audience));
        }
        put("iss", json!(issuer));
        put("iat", json!(self.issued_at));
        put("nbf", json!(self.issued_at.min(self.issued_at.saturating_add(self.lifetime))));
        put("exp", json!(self.issued_at.saturating_add(self.lifetime)));
        put(client_claim, json!(self.client_id));
        put(how_claim, json!("1"));
        put("oid", json!(self.object_id));
        put("sub", json!(self.object_id));
        put("tid", json!(self.tenant_id));
        put("ver", json!(version));
        put("uti", json!(uuid::Uuid::new_v4().simple().to_string()));
        if self.scopes.is_empty() {
            put("idtyp", json!("app"));
        } else {
            put("scp", json!(self.scopes.join(" ")));
        }
        if !self.roles.is_empty() {
            put("roles", json!(self.roles));
        }
        if !self.groups.is_empty() {
            put("groups", json!(self.groups));
        }
        for (name, value) in &self.extra {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        claims
    }

    /// The token, signed by the key that signs now. Without any key it has no signature.
    pub fn sign(&self, keys: &KeyRing) -> String {
        let payload = Value::Object(self.claims()).to_string();
        match keys.current() {
            Some(key) => compact(&header(key), &payload, |message| key.sign(message)),
            None => compact(&json!({ "alg": "none" }), &payload, |_| Vec::new()),
        }
    }
}

/// A stable object identifier for an application, so that logs of two runs agree.
fn object_id(client_id: &str) -> String {
    let hash = digest::digest(&digest::SHA256, client_id.as_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The header of an ordinary token.
pub(crate) fn header(key: &SigningKey) -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "x5t": key.key_id, "kid": key.key_id })
}

/// The compact form (RFC 7515, 7.1).
pub(crate) fn compact(
    header: &Value,
    payload: &str,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let message =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.as_bytes()));
    let signature = encode(&sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Why a stand-in does not accept a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// Not three Base64url parts of JSON.
    Malformed,
    /// Signed by no published key, or not RS256, or changed.
    Signature,
    /// For somebody else.
    Audience,
    /// Expired, or not good yet.
    Lifetime,
}

/// Checks signature, audience and lifetime of a token against the published keys; gives its claims.
///
/// # Errors
///
/// What is wrong with it.
pub fn check(
    keys: &KeyRing,
    text: &str,
    audiences: &[&str],
    now: u64,
) -> Result<Map<String, Value>, Rejected> {
    let (message, signature_text) = text.rsplit_once('.').ok_or(Rejected::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(Rejected::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Rejected::Malformed);
    let parse = |part: &str| -> Result<Value, Rejected> {
        serde_json::from_slice(&decode(part)?).map_err(|_| Rejected::Malformed)
    };
    let header = parse(header)?;
    let key = header
        .get("kid")
        .and_then(Value::as_str)
        .and_then(|key_id| keys.find(key_id))
        .filter(|_| header.get("alg") == Some(&json!("RS256")))
        .ok_or(Rejected::Signature)?;
    signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key.public_der())
        .verify(message.as_bytes(), &decode(signature_text)?)
        .map_err(|_| Rejected::Signature)?;
    let Value::Object(claims) = parse(payload)? else { return Err(Rejected::Malformed) };
    let audience = claims.get("aud").and_then(Value::as_str).unwrap_or_default();
    if !audiences.iter().any(|it| it.trim_end_matches('/') == audience.trim_end_matches('/')) {
        return Err(Rejected::Audience);
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let good =
        time("exp").is_some_and(|it| now < it) && time("nbf").is_none_or(|it| it <= now + 60);
    if good { Ok(claims) } else { Err(Rejected::Lifetime) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCE: &str = "https://cognitiveservices.azure.com";

    fn token(change: impl FnOnce(&mut Grant)) -> (KeyRing, String) {
        let keys = KeyRing::built_in().unwrap();
        let mut grant = Grant::app(&Seed::default(), "c", RESOURCE, 1000);
        change(&mut grant);
        let text = grant.sign(&keys);
        (keys, text)
    }

    #[test]
    fn a_token_is_good_for_its_audience_and_its_lifetime_only() {
        let (keys, text) = token(|_| {});
        let at = |audience, now| check(&keys, &text, &[audience], now).map(|_| ());
        assert_eq!(at(RESOURCE, 1000), Ok(()));
        assert_eq!(at(RESOURCE, 4600), Err(Rejected::Lifetime));
        assert_eq!(at(RESOURCE, 900), Err(Rejected::Lifetime));
        assert_eq!(at("https://vault.azure.net", 1000), Err(Rejected::Audience));
    }

    #[test]
    fn a_changed_token_is_refused() {
        let (keys, text) = token(|_| {});
        let changed = text.replacen(".ey", ".eY", 1);
        assert!(check(&keys, &changed, &[RESOURCE], 1000).is_err());
        assert_eq!(check(&keys, "a.b", &[RESOURCE], 1000), Err(Rejected::Malformed));
    }

    #[test]
    fn versions_differ_in_issuer_and_client_claim() {
        let seed = Seed::default();
        let mut grant = Grant::app(&seed, "c", RESOURCE, 0);
        let v1 = grant.claims();
        grant.version = Version::V2;
        let v2 = grant.claims();
        let tenant = seed.tenant_id;
        assert_eq!(v1["iss"], json!(format!("https://sts.windows.net/{tenant}/")));
        assert_eq!(v2["iss"], json!(format!("https://login.microsoftonline.com/{tenant}/v2.0")));
        assert!(v1.contains_key("appid") && v2.contains_key("azp"));
    }

    #[test]
    fn an_extra_claim_replaces_and_null_removes() {
        let mut grant = Grant::app(&Seed::default(), "c", RESOURCE, 0);
        grant.extra = serde_json::from_str(r#"{"exp":null,"ver":"9"}"#).unwrap();
        let claims = grant.claims();
        assert!(!claims.contains_key("exp"));
        assert_eq!(claims["ver"], json!("9"));
    }
}
