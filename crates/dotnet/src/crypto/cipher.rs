//! The block ciphers of .NET that are supported, by name: AES and Triple DES.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.symmetricalgorithm.create>

use super::{Fault, Mode, Padding, Transform, cryptographic};

/// A block cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES with keys of 128, 192 or 256 bits.
    Aes,
    /// DES three times, with two or three keys of 64 bits; old, and slow.
    TripleDes,
}

impl Cipher {
    /// Is it a name that .NET knows? Not all of those are supported.
    #[must_use]
    pub fn is_known(name: &str) -> bool {
        Cipher::supported(name).is_some() || matches!(short(name).as_str(), "DES" | "RC2")
    }

    /// The cipher of a name that `SymmetricAlgorithm.Create` takes.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of an unknown or unsupported name.
    pub fn of_name(name: &str) -> Result<Self, Fault> {
        Cipher::supported(name).ok_or_else(|| {
            cryptographic(format!(
                "The symmetric algorithm '{name}' is not supported by this gateway; use AES."
            ))
        })
    }

    fn supported(name: &str) -> Option<Self> {
        Some(match short(name).as_str() {
            "AES" | "RIJNDAEL" => Cipher::Aes,
            "3DES" | "TRIPLE DES" | "TRIPLEDES" => Cipher::TripleDes,
            _ => return None,
        })
    }

    /// Bytes of a block.
    #[must_use]
    pub const fn block(self) -> usize {
        match self {
            Cipher::Aes => 16,
            Cipher::TripleDes => 8,
        }
    }

    /// Bytes of a new key.
    #[must_use]
    pub const fn usual_key(self) -> usize {
        match self {
            Cipher::Aes => 32,
            Cipher::TripleDes => 24,
        }
    }

    /// May a key have so many bytes?
    #[must_use]
    pub const fn takes_key(self, length: usize) -> bool {
        match self {
            Cipher::Aes => matches!(length, 16 | 24 | 32),
            Cipher::TripleDes => matches!(length, 16 | 24),
        }
    }

    /// Checks a key that is set.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of a wrong size, and of keys of Triple DES that make it DES.
    pub fn check_key(self, key: &[u8]) -> Result<(), Fault> {
        if !self.takes_key(key.len()) {
            return Err(cryptographic("Specified key is not a valid size for this algorithm."));
        }
        if self.is_weak(key) {
            return Err(weak());
        }
        Ok(())
    }

    /// Checks an initialization vector that is set.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of a wrong size.
    pub fn check_vector(self, iv: &[u8]) -> Result<(), Fault> {
        if iv.len() == self.block() {
            return Ok(());
        }
        Err(cryptographic(
            "Specified initialization vector (IV) does not match the block size for this algorithm.",
        ))
    }

    /// Are two neighbours of its keys the same? The lowest bit of a byte is no part of a key.
    #[must_use]
    pub fn is_weak(self, key: &[u8]) -> bool {
        let same = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a | 1 == b | 1);
        let mut parts = key.chunks_exact(8).zip(key.chunks_exact(8).skip(1));
        self == Cipher::TripleDes && parts.any(|(a, b)| same(a, b))
    }
}

pub(super) fn weak() -> Fault {
    cryptographic("Specified key is a known weak key for 'TripleDES' and cannot be used.")
}

/// The name without namespace and kind of implementation.
fn short(name: &str) -> String {
    let short = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
    let short = short.trim_end_matches("CRYPTOSERVICEPROVIDER").trim_end_matches("MANAGED");
    short.to_owned()
}

/// Encrypts, with PKCS #7 padding.
///
/// # Errors
///
/// `CryptographicException` if the key or the initialization vector cannot be used.
pub fn encrypt(
    cipher: Cipher,
    mode: Mode,
    data: &[u8],
    key: &[u8],
    iv: &[u8],
) -> Result<Vec<u8>, Fault> {
    start(cipher, true, mode, key, iv)?.last(data)
}

/// Decrypts, and takes PKCS #7 padding off.
///
/// # Errors
///
/// `CryptographicException` of a wrong size or padding.
pub fn decrypt(
    cipher: Cipher,
    mode: Mode,
    data: &[u8],
    key: &[u8],
    iv: &[u8],
) -> Result<Vec<u8>, Fault> {
    if data.is_empty() {
        return Err(cryptographic("The input data is not a complete block."));
    }
    start(cipher, false, mode, key, iv)?.last(data)
}

fn start(
    cipher: Cipher,
    encrypts: bool,
    mode: Mode,
    key: &[u8],
    iv: &[u8],
) -> Result<Transform, Fault> {
    cipher.check_key(key)?;
    if mode == Mode::Cbc {
        cipher.check_vector(iv)?;
    }
    Transform::new(cipher, encrypts, mode, Padding::Pkcs7, key, iv)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{Cipher, Mode, decrypt, encrypt};

    #[test]
    fn text_is_encrypted_as_dotnet_does() {
        let out = encrypt(Cipher::Aes, Mode::Cbc, b"sixteen bytes!!!", &[0; 32], &[0; 16]).unwrap();
        assert_eq!(STANDARD.encode(out), "lYnirYkNyc1W7OJe1O+gEAvcSbIqIn4bPmA91gVfTV8=");
        let key: Vec<u8> = (0..24).map(|it| it * 7).collect();
        let out = encrypt(Cipher::TripleDes, Mode::Cbc, b"hello world", &key, &[0; 8]).unwrap();
        assert_eq!(STANDARD.encode(out), "CksNpkjm1mqu/BA+8BXUcA==");
    }

    #[test]
    fn wrong_sizes_and_weak_keys_are_refused() {
        let encrypt = |cipher, key: &[u8], iv: &[u8]| encrypt(cipher, Mode::Cbc, b"", key, iv);
        assert!(encrypt(Cipher::Aes, &[0; 15], &[0; 16]).is_err());
        assert!(encrypt(Cipher::Aes, &[0; 16], &[0; 15]).is_err());
        assert!(encrypt(Cipher::TripleDes, &[1; 32], &[0; 8]).is_err());
        let message = encrypt(Cipher::TripleDes, &[0; 24], &[0; 8]).unwrap_err().message;
        assert!(message.contains("known weak key"), "{message}");
        let message =
            decrypt(Cipher::Aes, Mode::Cbc, &[1, 2, 3], &[0; 16], &[0; 16]).unwrap_err().message;
        assert_eq!(message, "The input data is not a complete block.");
        assert!(decrypt(Cipher::Aes, Mode::Cbc, &[0; 16], &[0; 16], &[0; 16]).is_err());
        assert!(decrypt(Cipher::Aes, Mode::Cbc, &[], &[0; 16], &[0; 16]).is_err());
    }

    #[test]
    fn names_are_those_of_dotnet() {
        for (name, cipher) in [
            ("Aes", Some(Cipher::Aes)),
            ("System.Security.Cryptography.AesManaged", Some(Cipher::Aes)),
            ("AesCryptoServiceProvider", Some(Cipher::Aes)),
            ("TripleDES", Some(Cipher::TripleDes)),
            ("3des", Some(Cipher::TripleDes)),
            ("DES", None),
            ("nothing", None),
        ] {
            assert_eq!(Cipher::of_name(name).ok(), cipher, "{name}");
        }
        assert!(Cipher::is_known("DES") && !Cipher::is_known("nothing"));
    }

    proptest! {
        #[test]
        fn what_is_encrypted_is_decrypted(
            data in proptest::collection::vec(any::<u8>(), 0..100),
            key in any::<[u8; 24]>(),
            iv in any::<[u8; 16]>(),
            ecb in any::<bool>(),
            is_old in any::<bool>(),
        ) {
            let cipher = if is_old { Cipher::TripleDes } else { Cipher::Aes };
            prop_assume!(!cipher.is_weak(&key));
            let (mode, iv) = (if ecb { Mode::Ecb } else { Mode::Cbc }, &iv[..cipher.block()]);
            let secret = encrypt(cipher, mode, &data, &key, iv).unwrap();
            prop_assert_eq!(decrypt(cipher, mode, &secret, &key, iv).unwrap(), data);
        }
    }
}
