//! Digests and keyed digests.

use aws_lc_rs::{digest, hmac};

use super::md5;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the algorithms")]
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// All of them.
    pub const ALL: [Hash; 5] = [Hash::Md5, Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512];

    /// `SHA256`, as `HashAlgorithmName` says it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Hash::Md5 => "MD5",
            Hash::Sha1 => "SHA1",
            Hash::Sha256 => "SHA256",
            Hash::Sha384 => "SHA384",
            Hash::Sha512 => "SHA512",
        }
    }

    /// The algorithm of a name that `HashAlgorithm.Create` takes: `SHA256`, `SHA-256`,
    /// `System.Security.Cryptography.SHA256`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let short = name.rsplit('.').next().unwrap_or(name).replace('-', "").to_ascii_uppercase();
        let short = if short == "SHA" { "SHA1".to_owned() } else { short };
        Self::ALL.into_iter().find(|it| it.name() == short)
    }

    /// Bits of the digest.
    #[must_use]
    pub const fn bits(self) -> i32 {
        match self {
            Hash::Md5 => 128,
            Hash::Sha1 => 160,
            Hash::Sha256 => 256,
            Hash::Sha384 => 384,
            Hash::Sha512 => 512,
        }
    }

    /// Bytes of the key that an HMAC makes itself.
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Hash::Sha384 | Hash::Sha512 => 128,
            _ => 64,
        }
    }

    /// The digest of some bytes.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Md5 => return md5::digest(data).to_vec(),
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data).as_ref().to_vec()
    }

    /// The keyed digest of some bytes.
    ///
    /// Source: RFC 2104.
    #[must_use]
    pub fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Md5 => return self.hmac_of_block(64, key, data),
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref().to_vec()
    }

    /// The keyed digest with a block of another length than the algorithm's own.
    #[must_use]
    pub fn hmac_of_block(self, length: usize, key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut block = if key.len() > length { self.digest(key) } else { key.to_vec() };
        block.resize(length, 0);
        let padded = |with: u8, then: &[u8]| -> Vec<u8> {
            block.iter().map(|it| it ^ with).chain(then.iter().copied()).collect()
        };
        let inner = self.digest(&padded(0x36, data));
        self.digest(&padded(0x5c, &inner))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::Hash;

    #[test]
    fn digests_are_dotnets() {
        let cases = [
            (Hash::Md5, "kAFQmDzST7DWlj99KOF/cg=="),
            (Hash::Sha1, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
            (Hash::Sha384, "ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn"),
        ];
        for (hash, expected) in cases {
            assert_eq!(STANDARD.encode(hash.digest(b"abc")), expected);
            assert_eq!(hash.digest(b"").len() * 8, hash.bits() as usize);
        }
    }

    #[test]
    fn keyed_digests_are_dotnets() {
        let cases = [
            (Hash::Md5, "nVxz74VZTTTsRDi3yX5R2A=="),
            (Hash::Sha1, "EEFSxb/coHvGM+69RhmfAlXJ9J0="),
            (Hash::Sha256, "UDH+PZicbRU3oBP6bnOdojRj/a7DtwE32Cjjas4iG9A="),
        ];
        for (hash, expected) in cases {
            assert_eq!(STANDARD.encode(hash.hmac(b"key", b"data")), expected, "{hash:?}");
        }
        assert_eq!(Hash::Md5.hmac(&[1; 100], b"").len(), 16);
    }

    #[test]
    fn algorithms_are_known_by_several_names() {
        for name in ["SHA256", "SHA-256", "System.Security.Cryptography.SHA256", "sha256"] {
            assert_eq!(Hash::of_name(name), Some(Hash::Sha256), "{name}");
        }
        assert_eq!(Hash::of_name("SHA"), Some(Hash::Sha1));
        assert_eq!(Hash::of_name("SHA3"), None);
    }
}
