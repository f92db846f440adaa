//! A hasher for the router's larger tables, and what else looks at short texts eight bytes at once.
//!
//! The tables hold what the configuration says; requests are only looked up in them. So nobody can
//! fill a table with texts of the same hash from outside.

use std::hash::Hasher;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// An odd number whose bits are as good as random: 2^64 divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes eight bytes with one multiplication.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WordHasher(u64);

impl WordHasher {
    /// Both halves of the product: the high one alone knows the last bytes of a word.
    fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        // The last words of texts whose bytes are all alike do not tell their length.
        self.0 = self.0.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        while let Some((word, after)) = rest.split_first_chunk() {
            self.add(u64::from_le_bytes(*word));
            rest = after;
        }
        self.add(tail(rest));
    }

    /// The end of a text.
    fn write_u8(&mut self, byte: u8) {
        self.0 = self.0.wrapping_add(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Up to seven bytes as a word. Texts of one length that differ have words that differ.
fn tail(rest: &[u8]) -> u64 {
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        _ => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Whether a text is ASCII without capitals and `%`.
pub(super) fn is_plain(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some((word, after)) = rest.split_first_chunk() {
        if !is_plain_word(u64::from_le_bytes(*word)) {
            return false;
        }
        rest = after;
    }
    is_plain_word(tail(rest))
}

/// The same of eight bytes at once.
fn is_plain_word(word: u64) -> bool {
    let percent = word ^ (ONES * u64::from(b'%'));
    let has_percent = percent.wrapping_sub(ONES) & !percent & HIGH;
    // The highest bit of a byte that is ASCII: from `A`, and beyond `Z`. No byte carries over.
    let ascii = word & !HIGH;
    let from_a = ascii + ONES * u64::from(0x80 - b'A');
    let beyond_z = ascii + ONES * u64::from(0x7f - b'Z');
    (word | has_percent | (from_a & !beyond_z)) & HIGH == 0
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    #[test]
    fn plain_is_what_it_says_at_every_place_of_a_text() {
        for n_before in 0..20 {
            for byte in 0..=127_u8 {
                let mut text = "a".repeat(n_before);
                text.push(char::from(byte));
                let expected = !byte.is_ascii_uppercase() && byte != b'%';
                for n_after in [0, 1, 3, 7, 8] {
                    let text = format!("{text}{}", "z".repeat(n_after));
                    assert_eq!(is_plain(&text), expected, "{text:?}");
                }
            }
            assert!(!is_plain(&format!("{}é", "a".repeat(n_before))));
        }
        assert!(is_plain(""));
    }

    #[test]
    fn names_that_are_alike_have_hashes_that_are_not() {
        let hasher = BuildHasherDefault::<WordHasher>::default();
        let names = (0..20_000)
            .flat_map(|it| [format!("api{it}"), format!("{it}"), format!("orders-of-region-{it}")]);
        let mut n_names = 0;
        let (mut whole, mut low, mut high) = (HashSet::new(), vec![0; 4096], vec![0; 128]);
        for name in names {
            let hash = hasher.hash_one(name.as_str());
            whole.insert(hash);
            // What a table takes of it: the bucket, and the seven bits that stand in it.
            low[usize::try_from(hash & 4095).unwrap()] += 1;
            high[usize::try_from(hash >> 57).unwrap()] += 1;
            n_names += 1;
        }
        assert_eq!(whole.len(), n_names);
        assert!(low.iter().all(|it| *it < 60), "{:?}", low.iter().max());
        assert!(high.iter().all(|it| (n_names / 256..n_names / 64).contains(it)), "{high:?}");
    }
}
