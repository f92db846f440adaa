//! Forged tokens, by name: what an attacker would try, for tests of whoever checks tokens.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::entra::keys::{KeyRing, SigningKey};
use crate::entra::token::{Grant, compact, header};

/// A way to forge a token.
#[derive(Clone, Copy, Debug)]
pub struct Forgery {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What the token pretends.
    pub summary: &'static str,
    make: fn(&Grant, &SigningKey, &SigningKey) -> String,
}

/// All forgeries. `key` is the key that the tenant publishes, `stray` one that it does not.
pub const FORGERIES: &[Forgery] = &[
    Forgery::new("alg-none", "header says `none`, no signature", |grant, key, _| {
        compact(&with(key, "alg", json!("none")), &payload(grant), |_| Vec::new())
    }),
    Forgery::new("alg-none-mixed-case", "header says `nOnE`, no signature", |grant, key, _| {
        compact(&with(key, "alg", json!("nOnE")), &payload(grant), |_| Vec::new())
    }),
    Forgery::new("no-signature", "header says RS256, the signature is empty", |grant, key, _| {
        compact(&header(key), &payload(grant), |_| Vec::new())
    }),
    Forgery::new(
        "wrong-key",
        "signed by another key under a published `kid`",
        |grant, key, stray| compact(&header(key), &payload(grant), |message| stray.sign(message)),
    ),
    Forgery::new("unknown-kid", "signed by a key that nobody publishes", |grant, _, stray| {
        compact(&header(stray), &payload(grant), |message| stray.sign(message))
    }),
    Forgery::new("hs256-public-key", "HS256 with the public key as the secret", |grant, key, _| {
        compact(&with(key, "alg", json!("HS256")), &payload(grant), |message| {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public_pem().as_bytes());
            hmac::sign(&secret, message).as_ref().to_vec()
        })
    }),
    Forgery::new("changed-payload", "a good signature over other claims", |grant, key, _| {
        let genuine = compact(&header(key), &payload(grant), |message| key.sign(message));
        let mut other = grant.clone();
        other.roles.push("Admin".into());
        replace_payload(&genuine, &payload(&other))
    }),
    Forgery::new("changed-signature", "one bit of the signature is flipped", |grant, key, _| {
        compact(&header(key), &payload(grant), |message| {
            let mut signature = key.sign(message);
            if let Some(last) = signature.last_mut() {
                *last ^= 1;
            }
            signature
        })
    }),
    Forgery::new("embedded-jwk", "brings its own key in the header", |grant, key, stray| {
        let header = with(key, "jwk", stray.jwk());
        compact(&header, &payload(grant), |message| stray.sign(message))
    }),
    Forgery::new("jku", "points at a key set of its own", |grant, key, stray| {
        let header = with(key, "jku", json!("https://attacker.example/keys"));
        compact(&header, &payload(grant), |message| stray.sign(message))
    }),
    Forgery::new("kid-path", "the key identifier is a path", |grant, key, stray| {
        let header = with(key, "kid", json!("../../../../dev/null"));
        compact(&header, &payload(grant), |message| stray.sign(message))
    }),
    Forgery::new("crit", "demands an extension that nobody knows", |grant, key, _| {
        let header = with(key, "crit", json!(["x-unknown"]));
        compact(&header, &payload(grant), |message| key.sign(message))
    }),
    Forgery::new("duplicate-claims", "names its audience twice", |grant, key, _| {
        let payload = payload(grant).replacen('{', r#"{"aud":"https://attacker.example","#, 1);
        compact(&header(key), &payload, |message| key.sign(message))
    }),
    Forgery::new("no-exp", "never expires", |grant, key, _| {
        let mut grant = grant.clone();
        grant.extra.insert("exp".into(), Value::Null);
        compact(&header(key), &payload(&grant), |message| key.sign(message))
    }),
    Forgery::new("no-aud", "is for nobody", |grant, key, _| {
        let mut grant = grant.clone();
        grant.audience = None;
        compact(&header(key), &payload(&grant), |message| key.sign(message))
    }),
    Forgery::new("wrong-issuer", "issued by another tenant", |grant, key, _| {
        let mut grant = grant.clone();
        grant.tenant_id = "99999999-9999-9999-9999-999999999999".into();
        compact(&header(key), &payload(&grant), |message| key.sign(message))
    }),
    Forgery::new("bad-base64", "has a character that Base64url has not", |grant, key, _| {
        let genuine = compact(&header(key), &payload(grant), |message| key.sign(message));
        format!("{genuine}+")
    }),
    Forgery::new("oversized", "is a megabyte long", |grant, key, _| {
        let mut grant = grant.clone();
        grant.extra.insert("padding".into(), json!("x".repeat(1 << 20)));
        compact(&header(key), &payload(&grant), |message| key.sign(message))
    }),
];

impl Forgery {
    const fn new(
        name: &'static str,
        summary: &'static str,
        make: fn(&Grant, &SigningKey, &SigningKey) -> String,
    ) -> Self {
        Self { name, summary, make }
    }

    /// The forgery of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORGERIES.iter().find(|it| it.name == name)
    }

    /// A token forged that way.
    ///
    /// # Errors
    ///
    /// If a stray key is needed and cannot be made.
    pub fn token(&self, grant: &Grant, keys: &KeyRing) -> std::io::Result<String> {
        let stray = SigningKey::generate()?;
        let key = keys.current().unwrap_or(&stray);
        Ok((self.make)(grant, key, &stray))
    }
}

fn payload(grant: &Grant) -> String {
    Value::Object(grant.claims()).to_string()
}

fn with(key: &SigningKey, name: &str, value: Value) -> Value {
    let mut header = header(key);
    if let Some(members) = header.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    header
}

fn replace_payload(token: &str, payload: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    if let Some(part) = parts.get_mut(1) {
        *part = URL_SAFE_NO_PAD.encode(payload);
    }
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::token::check;
    use crate::world::Seed;

    /// Forgeries whose signature is good: what is wrong with them is for the claim rules to find.
    const WELL_SIGNED: &[&str] = &["crit", "no-exp", "wrong-issuer", "oversized", "no-aud"];

    #[test]
    fn no_stand_in_believes_a_forged_signature() {
        const RESOURCE: &str = "https://cognitiveservices.azure.com";
        let keys = KeyRing::built_in().unwrap();
        let grant = Grant::app(&Seed::default(), "c", RESOURCE, 1000);
        for forgery in FORGERIES.iter().filter(|it| !WELL_SIGNED.contains(&it.name)) {
            if forgery.name == "duplicate-claims" {
                continue; // Its signature is good, too; JSON readers differ on which one counts.
            }
            let token = forgery.token(&grant, &keys).unwrap();
            assert!(check(&keys, &token, &[RESOURCE], 1000).is_err(), "{}", forgery.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = FORGERIES.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), FORGERIES.len());
        assert!(Forgery::named("alg-none").is_some());
    }
}
