//! Keys that a policy lists itself.

use identity::{DecryptionKey, Key};
use pipeline::{Attr, Child, CompileCx, Computed, Diagnostic, Element, codes};

use super::report_key;
use crate::certificate;

pub(crate) const ISSUER_SIGNING_KEYS: Child = Child::optional("issuer-signing-keys")
    .children(&[SIGNING_KEY])
    .doc("Keys that sign tokens, besides those of `openid-config`.");
pub(crate) const DECRYPTION_KEYS: Child = Child::optional("decryption-keys")
    .children(&[DECRYPTION_KEY])
    .doc("Keys for encrypted tokens.");

const SIGNING_KEY: Child = Child::repeated("key")
    .attrs(&[ID, CERTIFICATE_ID, MODULUS, EXPONENT])
    .doc("Base64 text of a symmetric key, or an RSA key by `n` and `e`.");
const DECRYPTION_KEY: Child =
    Child::repeated("key").attrs(&[ID, CERTIFICATE_ID]).doc("Base64 text of a symmetric key.");
const ID: Attr = Attr::absent_by_default("id").doc("What tokens call the key (`kid`).");
const CERTIFICATE_ID: Attr =
    Attr::absent_by_default("certificate-id").doc("Identifier of an uploaded certificate.");
const MODULUS: Attr = Attr::absent_by_default("n").doc("RSA modulus, Base64url.");
const EXPONENT: Attr = Attr::absent_by_default("e").doc("RSA exponent, Base64url.");

/// The keys in `issuer-signing-keys`. A key that cannot be used is reported.
pub(crate) fn signing_keys(
    cx: &mut CompileCx<'_>,
    element: Element<'_>,
) -> Result<Vec<Key>, Diagnostic> {
    let mut keys = Vec::new();
    let list = element.child(&ISSUER_SIGNING_KEYS);
    for item in list.into_iter().flat_map(|it| it.children(&SIGNING_KEY)) {
        let id: Option<Computed<String>> = cx.attr_if(item, &ID)?;
        let n: Option<Computed<String>> = cx.attr_if(item, &MODULUS)?;
        let e: Option<Computed<String>> = cx.attr_if(item, &EXPONENT)?;
        let certificate: Option<String> = cx.literal_if(item, &CERTIFICATE_ID)?;
        if let Some(name) = certificate {
            let entry = certificate::find(cx, item, &CERTIFICATE_ID, &name);
            let key = entry.map(|it| Key::from_certificate(it.chain_pem.as_bytes()));
            match key {
                Some(Ok(key)) => keys.push(key.with_id(id.and_then(|it| it.as_literal().cloned()))),
                Some(Err(problem)) => report_key(cx, item, &problem),
                None => {}
            }
            continue;
        }
        let key = match (n, e) {
            (None, None) => match key_text(cx, item)? {
                Some(text) => Key::from_secret_text(&text),
                None => continue,
            },
            (Some(n), Some(e)) => match (n.as_literal(), e.as_literal()) {
                (Some(n), Some(e)) => Key::from_rsa_text(n, e),
                _ => continue,
            },
            _ => {
                let message = "an RSA key needs both `n` and `e`";
                cx.report(cx.refuse(item, codes::MISSING_ATTRIBUTE, message));
                continue;
            }
        };
        match key {
            Ok(key) => keys.push(key.with_id(id.and_then(|it| it.as_literal().cloned()))),
            Err(problem) => report_key(cx, item, &problem),
        }
    }
    Ok(keys)
}

/// The keys in `decryption-keys`. A key that cannot be used is reported.
pub(crate) fn decryption_keys(
    cx: &mut CompileCx<'_>,
    element: Element<'_>,
) -> Result<Vec<DecryptionKey>, Diagnostic> {
    let mut keys = Vec::new();
    let list = element.child(&DECRYPTION_KEYS);
    for item in list.into_iter().flat_map(|it| it.children(&DECRYPTION_KEY)) {
        let id: Option<Computed<String>> = cx.attr_if(item, &ID)?;
        let certificate: Option<String> = cx.literal_if(item, &CERTIFICATE_ID)?;
        if let Some(name) = certificate {
            let entry = certificate::find(cx, item, &CERTIFICATE_ID, &name);
            let Some(entry) = entry else { continue };
            let Some(private_key) = &entry.private_key_pem else {
                let message = format!("certificate `{name}` has no private key");
                let code = codes::UNKNOWN_CERTIFICATE;
                cx.report(cx.refuse_attr(item, &CERTIFICATE_ID, code, message).label("named here"));
                continue;
            };
            match DecryptionKey::from_private_key(private_key.expose().as_bytes()) {
                Ok(key) => keys.push(key.with_id(id.and_then(|it| it.as_literal().cloned()))),
                Err(problem) => report_key(cx, item, &problem),
            }
            continue;
        }
        let Some(text) = key_text(cx, item)? else { continue };
        match DecryptionKey::from_secret_text(&text) {
            Ok(key) => keys.push(key.with_id(id.and_then(|it| it.as_literal().cloned()))),
            Err(problem) => report_key(cx, item, &problem),
        }
    }
    Ok(keys)
}

/// The text of a key; none if a named value is not at hand, which was reported.
fn key_text(cx: &mut CompileCx<'_>, item: Element<'_>) -> Result<Option<String>, Diagnostic> {
    if !item.has_text() {
        let message = "the key has neither a text nor `n` and `e`";
        cx.report(cx.refuse(item, codes::EMPTY_VALUE, message));
        return Ok(None);
    }
    let text: Computed<String> = cx.text(item)?;
    Ok(text.as_literal().cloned())
}
