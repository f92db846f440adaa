//! Keys that documents compute: of any length, from anybody.

use aws_lc_rs::digest::{SHA256, digest};

/// Longer keys are counted under their hash: what strangers send must not fill the store, nor
/// may tokens that serve as keys lie in it.
const MAX_BYTES: usize = 128;

/// The group of counters of a key.
#[must_use]
pub fn group(key: &str) -> String {
    if key.len() <= MAX_BYTES {
        return format!("key/{key}");
    }
    let hash = digest(&SHA256, key.as_bytes());
    let mut text = String::with_capacity(5 + 64);
    text.push_str("hash/");
    for byte in hash.as_ref() {
        let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or('0');
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_are_hashed_and_stay_apart() {
        assert_eq!(group(""), "key/");
        assert_eq!(group("10.0.0.1"), "key/10.0.0.1");
        let long = "a".repeat(129);
        assert_eq!(group(&long).len(), 69);
        assert_ne!(group(&long), group(&"a".repeat(130)));
        assert!(!group(&long).contains("aaaaaaaaa"));
    }
}
