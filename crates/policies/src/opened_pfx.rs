//! PFX files that a policy was given, opened once each.
//!
//! Turning a password into a key costs thousands of digests, so the last few files are remembered,
//! by a digest of file and password.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use expr::Value;
use pfx::Pfx;
use transport::{ClientIdentity, Secret};

/// Files that one policy remembers.
const MAX_REMEMBERED: usize = 8;

/// The files that were opened last.
#[derive(Default)]
pub(crate) struct OpenedPfx(Mutex<VecDeque<([u8; 32], ClientIdentity)>>);

impl OpenedPfx {
    /// The certificate and key of a file: bytes, or their Base64 text. The error says why not, in
    /// words that hold no secret.
    pub(crate) fn open(&self, file: &Value, password: &str) -> Result<ClientIdentity, String> {
        let file = bytes(file).ok_or("it is neither bytes nor Base64 text")?;
        let digest = digest(&file, password);
        if let Some(known) = self.find(&digest) {
            return Ok(known);
        }
        let opened = Pfx::open(&file, password).map_err(|it| it.to_string())?;
        let key = opened.private_key_pem().ok_or("the PFX file holds no private key")?;
        let identity = ClientIdentity::from_pem(&opened.chain_pem(), &Secret::new(key.as_str()))
            .map_err(|it| it.to_string())?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.truncate(MAX_REMEMBERED - 1);
        all.push_front((digest, identity.clone()));
        Ok(identity)
    }

    fn find(&self, digest: &[u8; 32]) -> Option<ClientIdentity> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(it, _)| it == digest).map(|(_, it)| it.clone())
    }
}

fn bytes(file: &Value) -> Option<Bytes> {
    if let Some(bytes) = file.as_bytes() {
        return Some(bytes);
    }
    let text: String = file.to_text().chars().filter(|it| !it.is_whitespace()).collect();
    STANDARD.decode(text).ok().filter(|it| !it.is_empty()).map(Bytes::from)
}

fn digest(file: &[u8], password: &str) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(&file.len().to_be_bytes());
    context.update(file);
    context.update(password.as_bytes());
    let mut digest = [0; 32];
    digest.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    digest
}

impl fmt::Debug for OpenedPfx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenedPfx(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = include_bytes!("../../pfx/tests/data/modern.pfx");

    #[test]
    fn a_file_is_opened_once() {
        let it = OpenedPfx::default();
        let first = it.open(&Value::from(FILE.to_vec()), "s3cret").unwrap();
        let again = it.open(&STANDARD.encode(FILE).as_str().into(), "s3cret").unwrap();
        assert_eq!(first, again);
        assert_eq!(it.0.lock().unwrap().len(), 1);
        // Another password is another file, and a wrong one is not remembered.
        assert_eq!(it.open(&Value::from(FILE.to_vec()), "x").unwrap_err(), "the password is wrong");
        assert_eq!(it.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn few_files_are_remembered() {
        let it = OpenedPfx::default();
        let identity = it.open(&Value::from(FILE.to_vec()), "s3cret").unwrap();
        it.0.lock().unwrap().extend((1..=20).map(|n| ([n; 32], identity.clone())));
        let other: &[u8] = include_bytes!("../../pfx/tests/data/aes.pfx");
        it.open(&Value::from(other.to_vec()), "s3cret").unwrap();
        assert_eq!(it.0.lock().unwrap().len(), MAX_REMEMBERED);
    }

    #[test]
    fn what_cannot_be_presented_says_why() {
        let open = |file: Value| OpenedPfx::default().open(&file, "s3cret").unwrap_err();
        let no_key: &[u8] = include_bytes!("../../pfx/tests/data/cert-only.pfx");
        assert_eq!(open(Value::from(no_key.to_vec())), "the PFX file holds no private key");
        assert_eq!(open("?".into()), "it is neither bytes nor Base64 text");
        assert_eq!(open(Value::Null), "it is neither bytes nor Base64 text");
        assert!(open("BODY".into()).contains("no PFX file"));
    }
}
