//! AES in the modes CBC and ECB with PKCS #7 padding, .NET's defaults.
//!
//! Other algorithms (Triple DES), modes and paddings are refused.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use super::{Fault, cryptographic};

/// A block cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES with keys of 128, 192 or 256 bits.
    Aes,
}

/// A mode of a block cipher: `System.Security.Cryptography.CipherMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Cipher block chaining.
    Cbc,
    /// Each block on its own.
    Ecb,
}

impl Cipher {
    /// Is it a name that .NET knows? Not all of those are supported.
    #[must_use]
    pub fn is_known(name: &str) -> bool {
        let short = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
        let short = short.trim_end_matches("CRYPTOSERVICEPROVIDER").trim_end_matches("MANAGED");
        matches!(short, "AES" | "RIJNDAEL" | "DES" | "3DES" | "TRIPLE DES" | "TRIPLEDES" | "RC2")
    }

    /// The cipher of a name that `SymmetricAlgorithm.Create` takes.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of an unknown or unsupported name.
    pub fn of_name(name: &str) -> Result<Self, Fault> {
        let short = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
        match short.as_str() {
            "AES" | "AESMANAGED" | "AESCRYPTOSERVICEPROVIDER" | "RIJNDAEL" | "RIJNDAELMANAGED" => {
                Ok(Cipher::Aes)
            }
            _ => Err(cryptographic(format!(
                "The symmetric algorithm '{name}' is not supported by this gateway; use AES."
            ))),
        }
    }
}

/// Encrypts and pads.
///
/// # Errors
///
/// `CryptographicException` if the key or the initialization vector has the wrong size.
pub fn encrypt(mode: Mode, data: &[u8], key: &[u8], iv: &[u8]) -> Result<Vec<u8>, Fault> {
    let failed = |_| cryptographic("The data could not be encrypted.");
    let unbound = unbound(key)?;
    let mut bytes = data.to_vec();
    match mode {
        Mode::Cbc => {
            let context = EncryptionContext::Iv128(vector(iv)?);
            let key = PaddedBlockEncryptingKey::cbc_pkcs7(unbound).map_err(failed)?;
            key.less_safe_encrypt(&mut bytes, context).map_err(failed)?;
        }
        Mode::Ecb => {
            let key = PaddedBlockEncryptingKey::ecb_pkcs7(unbound).map_err(failed)?;
            key.encrypt(&mut bytes).map_err(failed)?;
        }
    }
    Ok(bytes)
}

/// Decrypts and takes the padding off.
///
/// # Errors
///
/// `CryptographicException` of a wrong size or padding.
pub fn decrypt(mode: Mode, data: &[u8], key: &[u8], iv: &[u8]) -> Result<Vec<u8>, Fault> {
    let failed = |_| cryptographic("Padding is invalid and cannot be removed.");
    let unbound = unbound(key)?;
    let (vector, key) = match mode {
        Mode::Cbc => (
            DecryptionContext::Iv128(vector(iv)?),
            PaddedBlockDecryptingKey::cbc_pkcs7(unbound).map_err(failed)?,
        ),
        Mode::Ecb => {
            (DecryptionContext::None, PaddedBlockDecryptingKey::ecb_pkcs7(unbound).map_err(failed)?)
        }
    };
    if data.is_empty() || !data.len().is_multiple_of(16) {
        return Err(cryptographic("The input data is not a complete block."));
    }
    let mut bytes = data.to_vec();
    let plain = key.decrypt(&mut bytes, vector).map_err(failed)?;
    Ok(plain.to_vec())
}

fn unbound(key: &[u8]) -> Result<UnboundCipherKey, Fault> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        32 => &AES_256,
        _ => {
            return Err(cryptographic("Specified key is not a valid size for this algorithm."));
        }
    };
    UnboundCipherKey::new(algorithm, key)
        .map_err(|_| cryptographic("Specified key is not a valid size for this algorithm."))
}

fn vector(iv: &[u8]) -> Result<FixedLength<16>, Fault> {
    let bytes: [u8; 16] = iv.try_into().map_err(|_| {
        cryptographic("Specified initialization vector (IV) does not match the block size for this algorithm.")
    })?;
    Ok(FixedLength::from(bytes))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{Cipher, Mode, decrypt, encrypt};

    #[test]
    fn text_is_encrypted_as_dotnet_does() {
        let out = encrypt(Mode::Cbc, b"sixteen bytes!!!", &[0; 32], &[0; 16]).unwrap();
        assert_eq!(STANDARD.encode(out), "lYnirYkNyc1W7OJe1O+gEAvcSbIqIn4bPmA91gVfTV8=");
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(encrypt(Mode::Cbc, b"", &[0; 15], &[0; 16]).is_err());
        assert!(encrypt(Mode::Cbc, b"", &[0; 16], &[0; 15]).is_err());
        let message = decrypt(Mode::Cbc, &[1, 2, 3], &[0; 16], &[0; 16]).unwrap_err().message;
        assert_eq!(message, "The input data is not a complete block.");
        assert!(decrypt(Mode::Cbc, &[0; 16], &[0; 16], &[0; 16]).is_err());
        assert!(Cipher::of_name("TripleDES").is_err() && Cipher::is_known("TripleDES"));
        assert!(Cipher::is_known("AesManaged") && !Cipher::is_known("nothing"));
        assert_eq!(Cipher::of_name("Aes").unwrap(), Cipher::Aes);
    }

    proptest! {
        #[test]
        fn what_is_encrypted_is_decrypted(
            data in proptest::collection::vec(any::<u8>(), 0..100),
            key in any::<[u8; 32]>(),
            iv in any::<[u8; 16]>(),
            ecb in any::<bool>(),
        ) {
            let mode = if ecb { Mode::Ecb } else { Mode::Cbc };
            let secret = encrypt(mode, &data, &key, &iv).unwrap();
            prop_assert_eq!(decrypt(mode, &secret, &key, &iv).unwrap(), data);
        }
    }
}
