//! A metadata document and the key set it leads to.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use crate::fetch::FetchError;
use crate::json;
use crate::jwk::KeySet;

/// What a provider publishes: its issuer and its keys.
#[derive(Debug)]
pub struct Document {
    issuer: String,
    keys: Arc<KeySet>,
    /// The text the keys were read from, to see whether they changed.
    key_text: Bytes,
    generation: u64,
}

/// The two members of a metadata document that are used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) key_set_url: Url,
}

impl Document {
    /// Reads a key set; keys that are the same as in `previous` keep its generation.
    pub(crate) fn read(
        issuer: String,
        key_text: Bytes,
        previous: Option<&Self>,
    ) -> Result<Self, FetchError> {
        if let Some(previous) = previous
            && previous.issuer == issuer
            && previous.key_text == key_text
        {
            let keys = Arc::clone(&previous.keys);
            return Ok(Self { issuer, keys, key_text, generation: previous.generation });
        }
        let keys = KeySet::parse(&key_text).map_err(|it| FetchError::Malformed(it.to_string()))?;
        for (id, problem) in &keys.skipped {
            tracing::debug!(key_id = %id.escape_debug(), %problem, "a published key is not used");
        }
        let generation = previous.map_or(1, |it| it.generation + 1);
        Ok(Self { issuer, keys: Arc::new(keys), key_text, generation })
    }

    /// The issuer, perhaps a template with `{tenantid}`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// A number that grows when issuer or keys change.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

impl Metadata {
    /// Reads a metadata document; `issuer` and `jwks_uri` must be there.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, FetchError> {
        let malformed = |it: &str| FetchError::Malformed(it.to_owned());
        let members = json::object(text)
            .ok_or_else(|| malformed("the metadata is not a JSON object with unique names"))?;
        let member = |name: &str| {
            let text = members.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
            text.ok_or_else(|| malformed(&format!("the metadata has no `{name}`")))
        };
        let key_set_url = Url::parse(member("jwks_uri")?)
            .map_err(|_| malformed("`jwks_uri` is not an absolute URL"))?;
        Ok(Self { issuer: member("issuer")?.to_owned(), key_set_url })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_support::{other_rsa, rsa};

    #[test]
    fn metadata_needs_an_issuer_and_an_address_of_keys() {
        let good = r#"{"issuer":"i","jwks_uri":"https://a.test/k","x":1}"#;
        assert_eq!(Metadata::parse(good.as_bytes()).unwrap().issuer, "i");
        for wrong in [
            "",
            "[]",
            r#"{"issuer":"i"}"#,
            r#"{"jwks_uri":"https://a.test/k"}"#,
            r#"{"issuer":"","jwks_uri":"https://a.test/k"}"#,
            r#"{"issuer":7,"jwks_uri":"https://a.test/k"}"#,
            r#"{"issuer":"i","jwks_uri":"/k"}"#,
            r#"{"issuer":"i","issuer":"j","jwks_uri":"https://a.test/k"}"#,
        ] {
            assert!(Metadata::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_generation_grows_only_when_something_changed() {
        let text = |key: Value| Bytes::from(json!({ "keys": [key] }).to_string());
        let one = text(rsa().jwk("1"));
        let read = |issuer: &str, keys: &Bytes, previous: Option<&Document>| {
            Document::read(issuer.to_owned(), keys.clone(), previous).unwrap()
        };

        let first = read("i", &one, None);
        let same = read("i", &one, Some(&first));
        let rotated = read("i", &text(other_rsa().jwk("2")), Some(&same));
        let renamed = read("j", &one, Some(&rotated));

        let generations = [&first, &same, &rotated, &renamed].map(|it| it.generation());
        assert_eq!(generations, [1, 1, 2, 3]);
        assert!(Arc::ptr_eq(&first.keys, &same.keys));
    }

    #[test]
    fn a_bad_key_set_is_an_error() {
        let outcome = Document::read("i".to_owned(), Bytes::from_static(b"{}"), None);
        assert!(matches!(outcome, Err(FetchError::Malformed(_))));
    }
}
