//! Taking known secrets out of texts that people wrote: prompts and completions.
//!
//! A text is searched once for all secrets of a configuration, then for what looks like a signed
//! token (JWT), which is a secret wherever it stands.

use std::borrow::Cow;
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::redact::HIDDEN;

/// Shortest text that is taken out; shorter ones are words, not secrets.
pub const MIN_SECRET_BYTES: usize = 4;
/// How every JWT begins: `{"` in base64url.
const JWT: &str = "eyJ";
/// Shortest part of a JWT: a header with an algorithm has more.
const MIN_JWT_PART: usize = 8;

/// Secrets that no record may show. `Debug` does not show them either.
#[derive(Clone, Default)]
pub struct Secrets {
    /// None: there are no secrets.
    all: Option<AhoCorasick>,
    n_secrets: usize,
}

impl Secrets {
    /// Of these texts, as they are and as they stand in JSON. Shorter ones than
    /// [`MIN_SECRET_BYTES`] are left out, white space around them does not count.
    ///
    /// # Errors
    ///
    /// There are too many to be searched for at once (more than 2 GiB of text).
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Secrets, TooManySecrets> {
        let mut all: Vec<String> = Vec::new();
        for text in texts.into_iter().map(str::trim).filter(|it| it.len() >= MIN_SECRET_BYTES) {
            all.extend(escaped(text));
            all.push(text.to_owned());
        }
        all.sort();
        all.dedup();
        if all.is_empty() {
            return Ok(Secrets::default());
        }
        let n_secrets = all.len();
        // Of two secrets that begin at one place the longer goes, or its rest would be shown.
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(all);
        Ok(Secrets { all: Some(built.map_err(|_| TooManySecrets)?), n_secrets })
    }

    /// The text with secrets hidden; not copied if there are none. `also` are those of one request.
    #[must_use]
    pub fn hide<'t>(&self, text: &'t str, also: &[impl AsRef<str>]) -> Cow<'t, str> {
        let mut shown = Cow::Borrowed(text);
        for secret in also.iter().map(|it| it.as_ref().trim()) {
            if secret.len() < MIN_SECRET_BYTES {
                continue;
            }
            for form in escaped(secret).as_deref().into_iter().chain([secret]) {
                if shown.contains(form) {
                    shown = Cow::Owned(shown.replace(form, HIDDEN));
                }
            }
        }
        if let Some(all) = &self.all
            && all.is_match(&*shown)
        {
            let mut hidden = String::with_capacity(shown.len());
            all.replace_all_with(&shown, &mut hidden, |_, _, out| {
                out.push_str(HIDDEN);
                true
            });
            shown = Cow::Owned(hidden);
        }
        match hide_tokens(&shown) {
            Some(hidden) => Cow::Owned(hidden),
            None => shown,
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.n_secrets)
    }
}

/// More secrets than can be searched for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManySecrets;

impl fmt::Display for TooManySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are too many secrets to take out of records")
    }
}

impl std::error::Error for TooManySecrets {}

/// The text as it stands in JSON, if that is another one.
fn escaped(text: &str) -> Option<String> {
    let json = serde_json::to_string(text).ok()?;
    let inner = json.get(1..json.len().saturating_sub(1))?;
    (inner != text).then(|| inner.to_owned())
}

/// The text without its JWTs; none if it has none.
fn hide_tokens(text: &str) -> Option<String> {
    let mut hidden: Option<String> = None;
    let (mut from, mut look) = (0, 0);
    while let Some(at) = text.get(look..).and_then(|it| it.find(JWT)).map(|it| look + it) {
        let rest = text.get(at..).unwrap_or_default();
        match token_len(rest) {
            Some(len) => {
                let out = hidden.get_or_insert_default();
                out.push_str(text.get(from..at).unwrap_or_default());
                out.push_str(HIDDEN);
                (from, look) = (at + len, at + len);
            }
            None => look = at + JWT.len(),
        }
    }
    let mut hidden = hidden?;
    hidden.push_str(text.get(from..).unwrap_or_default());
    Some(hidden)
}

/// The length of the JWT that a text begins with. Of an encrypted one (five parts) the first three
/// go, and the rest with them.
fn token_len(text: &str) -> Option<usize> {
    let is_part = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
    let end = text.bytes().position(|it| !is_part(it) && it != b'.').unwrap_or(text.len());
    let mut parts = text.get(..end)?.split('.');
    let is_long = |it: Option<&str>| it.is_some_and(|it| it.len() >= MIN_JWT_PART);
    let (header, claims, signature) = (parts.next(), parts.next(), parts.next());
    // An encrypted key may be empty, a signature of an unsigned token is.
    (is_long(header) && claims.is_some_and(|it| it.is_empty() || is_long(Some(it))))
        .then_some(())
        .and(signature)
        .map(|_| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::new(texts.iter().copied()).unwrap()
    }

    const NONE: &[&str] = &[];

    #[test]
    fn known_secrets_are_hidden_wherever_they_stand() {
        let it = secrets(&["hunter2", "hunter2-and-more", " key with \"quotes\" ", "abc", ""]);
        for (text, expected) in [
            ("my password is hunter2!", "my password is ***!"),
            ("hunter2hunter2", "******"),
            ("hunter2-and-more", "***"),
            ("key with \"quotes\"", "***"),
            (r#"{"k":"key with \"quotes\""}"#, r#"{"k":"***"}"#),
            ("abc and Hunter2", "abc and Hunter2"),
        ] {
            assert_eq!(it.hide(text, NONE), expected);
        }
        assert_eq!(format!("{it:?}"), "Secrets(4)");
    }

    #[test]
    fn those_of_the_request_are_hidden_too() {
        let it = secrets(&[]);
        assert_eq!(it.hide("Bearer t0ken, a\\\"b", &["t0ken", "a\"b", "Be"]), "Bearer ***, a\\\"b");
        assert_eq!(it.hide("say a\\\"bc", &["a\"bc"]), "say ***");
    }

    #[test]
    fn what_looks_like_a_signed_token_is_hidden() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl-_";
        let it = secrets(&[]);
        for (text, expected) in [
            (format!("use {token}, please"), "use ***, please"),
            (format!("{token} {token}"), "*** ***"),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.".to_owned(), "***"),
            ("eyJhbGciOiJkaXIifQ..aXZpdml2.Y2lwaGVy.dGFn".to_owned(), "***"),
            (
                "eyJ, eyJhbGci, eyJhbGciOiJSUzI1NiJ9.x.y".to_owned(),
                "eyJ, eyJhbGci, eyJhbGciOiJSUzI1NiJ9.x.y",
            ),
        ] {
            assert_eq!(it.hide(&text, NONE), expected, "{text}");
        }
    }

    #[test]
    fn a_text_without_secrets_is_not_copied() {
        let it = secrets(&["hunter2"]);
        assert!(matches!(it.hide("nothing here", &["other"]), Cow::Borrowed(_)));
    }
}
