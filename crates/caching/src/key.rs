//! Keys of entries: a SHA-256 over parts that each begin with their length, so that no two lists of
//! parts make one key, and no key shows what it was made of.

use aws_lc_rs::digest::{Context, SHA256};
use state::CacheKey;

/// What values are found by.
const VALUE: &str = "value";

/// A key in the making.
pub(crate) struct KeyParts(Context);

impl KeyParts {
    /// A key of that kind; kinds never share an entry.
    pub(crate) fn of(kind: &str) -> KeyParts {
        let mut parts = KeyParts(Context::new(&SHA256));
        parts.add(kind);
        parts
    }

    /// One part more.
    pub(crate) fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// So many parts follow: what they are does not run into what comes after them.
    pub(crate) fn add_count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    /// A part that may be missing, which is another thing than empty.
    pub(crate) fn add_if(&mut self, part: Option<impl AsRef<[u8]>>) {
        self.add_count(usize::from(part.is_some()));
        if let Some(part) = part {
            self.add(part);
        }
    }

    pub(crate) fn finish(self) -> CacheKey {
        let mut key = CacheKey([0; 32]);
        // A SHA-256 has 32 bytes.
        for (to, from) in key.0.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        key
    }
}

/// The key of a value.
pub(crate) fn of_value(name: &str) -> CacheKey {
    let mut parts = KeyParts::of(VALUE);
    parts.add(name);
    parts.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> CacheKey {
        let mut key = KeyParts::of("test");
        parts.iter().for_each(|it| key.add(it));
        key.finish()
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let keys = [
            key(&["ab", "c"]),
            key(&["a", "bc"]),
            key(&["abc"]),
            key(&["abc", ""]),
            key(&["", "abc"]),
            key(&[]),
            of_value("abc"),
        ];
        for (at, it) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(it), "{at}");
        }
        assert_eq!(key(&["a"]), key(&["a"]));
    }

    #[test]
    fn a_missing_part_is_not_an_empty_one() {
        let with = |part: Option<&str>| {
            let mut key = KeyParts::of("test");
            key.add_if(part);
            key.finish()
        };
        assert_ne!(with(None), with(Some("")));
        assert_ne!(with(Some("a")), with(Some("b")));
    }

    #[test]
    fn a_key_is_a_sha_256() {
        // printf '\5\0\0\0\0\0\0\0value\1\0\0\0\0\0\0\0a' | sha256sum
        let expected =
            aws_lc_rs::digest::digest(&SHA256, b"\x05\0\0\0\0\0\0\0value\x01\0\0\0\0\0\0\0a");
        assert_eq!(of_value("a").0, expected.as_ref());
    }
}
