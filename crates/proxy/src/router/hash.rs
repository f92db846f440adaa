//! A hasher for the router's larger tables, several times faster on short texts than the standard one.
//!
//! The tables hold what the configuration says; requests are only looked up in them. So nobody can
//! fill a table with texts of the same hash from outside.
//!
//! Source: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv> (FNV-1a, 64 bits).

use std::hash::Hasher;

/// FNV-1a.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use super::Fnv;

    #[test]
    fn it_gives_the_published_values() {
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            let mut hasher = Fnv::default();
            hasher.write(text.as_bytes());
            assert_eq!(hasher.finish(), expected, "{text}");
        }
    }
}
