//! `ICryptoTransform`: blocks in the modes CBC and ECB, with every padding of .NET.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.icryptotransform>

use std::fmt;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use super::cipher::weak;
use super::{Cipher, Fault, cryptographic, des};

/// A mode of a block cipher: `System.Security.Cryptography.CipherMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Cipher block chaining.
    Cbc,
    /// Each block on its own.
    Ecb,
}

/// `System.Security.Cryptography.PaddingMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// None: what is encrypted must be whole blocks.
    None,
    /// Each byte says how many there are.
    Pkcs7,
    /// Zeros, which stay when it is decrypted.
    Zeros,
    /// Zeros, then how many bytes there are.
    AnsiX923,
    /// Random bytes, then how many bytes there are.
    Iso10126,
}

impl Padding {
    /// The padding of that number.
    #[must_use]
    pub const fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::None,
            2 => Self::Pkcs7,
            3 => Self::Zeros,
            4 => Self::AnsiX923,
            5 => Self::Iso10126,
            _ => return None,
        })
    }

    /// Fills the last block up.
    fn add(self, block: usize, data: &mut Vec<u8>) -> Result<(), Fault> {
        let over = data.len() % block;
        let missing = block - over;
        let count = u8::try_from(missing).unwrap_or(0);
        match self {
            Self::None if over != 0 => return Err(incomplete()),
            Self::None => {}
            Self::Zeros if over == 0 => {}
            Self::Zeros => data.resize(data.len() + missing, 0),
            Self::Pkcs7 => data.resize(data.len() + missing, count),
            Self::AnsiX923 | Self::Iso10126 => {
                let mut fill = vec![0; missing - 1];
                if self == Self::Iso10126 {
                    aws_lc_rs::rand::fill(&mut fill)
                        .map_err(|_| cryptographic("No random bytes could be had."))?;
                }
                data.extend(fill);
                data.push(count);
            }
        }
        Ok(())
    }

    /// Takes it off.
    fn remove(self, block: usize, data: &mut Vec<u8>) -> Result<(), Fault> {
        if !self.is_removed() || data.is_empty() {
            return Ok(());
        }
        let count = usize::from(data.last().copied().unwrap_or(0));
        let rest = data.len().checked_sub(count).filter(|_| (1..=block).contains(&count));
        let wrong = || cryptographic("Padding is invalid and cannot be removed.");
        let rest = rest.ok_or_else(wrong)?;
        let fill = data.get(rest..data.len() - 1).unwrap_or(&[]);
        let fits = match self {
            Self::Pkcs7 => fill.iter().all(|it| usize::from(*it) == count),
            Self::AnsiX923 => fill.iter().all(|it| *it == 0),
            _ => true,
        };
        data.truncate(rest);
        if fits { Ok(()) } else { Err(wrong()) }
    }

    /// Is it taken off when something is decrypted?
    const fn is_removed(self) -> bool {
        !matches!(self, Self::None | Self::Zeros)
    }
}

/// An encryption or decryption under way.
pub struct Transform {
    cipher: Cipher,
    encrypts: bool,
    mode: Mode,
    padding: Padding,
    key: Vec<u8>,
    vector: Vec<u8>,
    /// The block that the next one is chained to.
    chained: Vec<u8>,
    /// The last block so far, while it may hold padding.
    held: Vec<u8>,
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the key nor the data is shown.
        f.debug_struct("Transform").field("encrypts", &self.encrypts).finish_non_exhaustive()
    }
}

fn incomplete() -> Fault {
    cryptographic("The input data is not a complete block.")
}

impl Transform {
    /// Begins.
    ///
    /// # Errors
    ///
    /// `ArgumentException` if the key or the initialization vector has the wrong size,
    /// `CryptographicException` if the key is weak.
    pub fn new(
        cipher: Cipher,
        encrypts: bool,
        mode: Mode,
        padding: Padding,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Self, Fault> {
        if !cipher.takes_key(key.len()) {
            return Err(Fault::argument(
                "Specified key is not a valid size for this algorithm. (Parameter 'rgbKey')",
            ));
        }
        if cipher.is_weak(key) {
            return Err(weak());
        }
        let vector = match mode {
            Mode::Ecb => vec![0; cipher.block()],
            Mode::Cbc if iv.len() == cipher.block() => iv.to_vec(),
            Mode::Cbc => {
                return Err(Fault::argument(
                    "Specified initialization vector (IV) does not match the block size for this \
                     algorithm. (Parameter 'rgbIV')",
                ));
            }
        };
        let (key, held) = (key.to_vec(), Vec::new());
        Ok(Self { cipher, encrypts, mode, padding, key, chained: vector.clone(), vector, held })
    }

    /// Bytes of a block.
    #[must_use]
    pub fn block(&self) -> usize {
        self.cipher.block()
    }

    /// `TransformBlock`: whole blocks; when decrypting, the last one is held back for its padding.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of a part of a block.
    pub fn blocks(&mut self, data: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(data);
        if !all.len().is_multiple_of(self.block()) {
            return Err(incomplete());
        }
        if !self.encrypts && self.padding.is_removed() {
            self.held = all.split_off(all.len().saturating_sub(self.block()));
        }
        self.run(&mut all)?;
        Ok(all)
    }

    /// `TransformFinalBlock`: what remains, with the padding; then it is as at the beginning.
    ///
    /// # Errors
    ///
    /// `CryptographicException` of a part of a block and of wrong padding.
    pub fn last(&mut self, data: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(data);
        if self.encrypts {
            self.padding.add(self.block(), &mut all)?;
        } else if !all.len().is_multiple_of(self.block()) {
            return Err(incomplete());
        }
        let done = self.run(&mut all);
        self.chained.clone_from(&self.vector);
        done?;
        if !self.encrypts {
            self.padding.remove(self.block(), &mut all)?;
        }
        Ok(all)
    }

    fn run(&mut self, data: &mut [u8]) -> Result<(), Fault> {
        let last_block = |data: &[u8]| {
            data.len().checked_sub(self.cipher.block()).and_then(|it| data.get(it..)).map(Vec::from)
        };
        let Some(last) = last_block(data) else { return Ok(()) };
        match self.cipher {
            Cipher::Aes => self.aes(data)?,
            Cipher::TripleDes => {
                let chained = self.chained.first_chunk().copied();
                let chained = chained.filter(|_| self.mode == Mode::Cbc);
                des::run(self.encrypts, &self.key, chained, data)?;
            }
        }
        let encrypted = if self.encrypts { last_block(data) } else { Some(last) };
        self.chained = encrypted.unwrap_or_else(|| self.vector.clone());
        Ok(())
    }

    fn aes(&self, data: &mut [u8]) -> Result<(), Fault> {
        let failed = |_| cryptographic("The data could not be transformed.");
        let algorithm = match self.key.len() {
            16 => &AES_128,
            24 => &AES_192,
            _ => &AES_256,
        };
        let key = UnboundCipherKey::new(algorithm, &self.key).map_err(failed)?;
        let vector = FixedLength::from(self.chained.first_chunk().copied().unwrap_or_default());
        match (self.encrypts, self.mode) {
            (true, Mode::Cbc) => {
                let key = EncryptingKey::cbc(key).map_err(failed)?;
                let context = EncryptionContext::Iv128(vector);
                key.less_safe_encrypt(data, context).map_err(failed)?;
            }
            (true, Mode::Ecb) => {
                EncryptingKey::ecb(key).and_then(|it| it.encrypt(data)).map_err(failed)?;
            }
            (false, Mode::Cbc) => {
                let key = DecryptingKey::cbc(key).map_err(failed)?;
                key.decrypt(data, DecryptionContext::Iv128(vector)).map_err(failed)?;
            }
            (false, Mode::Ecb) => {
                let key = DecryptingKey::ecb(key).map_err(failed)?;
                key.decrypt(data, DecryptionContext::None).map_err(failed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Mode, Padding, Transform};
    use crate::crypto::{Cipher, encrypt};

    const BLOCK: usize = 16;

    const PADDINGS: [Padding; 5] =
        [Padding::None, Padding::Pkcs7, Padding::Zeros, Padding::AnsiX923, Padding::Iso10126];

    fn transform(encrypts: bool, mode: Mode, padding: Padding) -> Transform {
        Transform::new(Cipher::Aes, encrypts, mode, padding, &[7; 32], &[9; 16]).unwrap()
    }

    #[test]
    fn one_step_is_as_several() {
        let whole = encrypt(Cipher::Aes, Mode::Cbc, &[5; 40], &[7; 32], &[9; 16]).unwrap();
        let mut steps = transform(true, Mode::Cbc, Padding::Pkcs7);
        let mut out = steps.blocks(&[5; 16]).unwrap();
        out.extend(steps.blocks(&[5; 16]).unwrap());
        out.extend(steps.last(&[5; 8]).unwrap());
        assert_eq!(out, whole);
        assert_eq!(steps.last(&[5; 40]).unwrap(), whole);

        let mut back = transform(false, Mode::Cbc, Padding::Pkcs7);
        assert_eq!(back.blocks(&whole).unwrap(), [5; 32]);
        assert_eq!(back.last(&[]).unwrap(), [5; 8]);
    }

    #[test]
    fn wrong_sizes_and_paddings_are_refused() {
        let new = |key: &[u8], iv: &[u8]| {
            Transform::new(Cipher::Aes, true, Mode::Cbc, Padding::None, key, iv)
        };
        assert!(new(&[0; 5], &[0; 16]).is_err() && new(&[0; 16], &[0; 5]).is_err());
        assert!(transform(true, Mode::Cbc, Padding::None).last(&[0; 5]).is_err());
        assert!(transform(false, Mode::Cbc, Padding::Pkcs7).last(&[0; 15]).is_err());
        let message = transform(false, Mode::Cbc, Padding::Pkcs7).last(&[0; 16]).unwrap_err();
        assert_eq!(message.message, "Padding is invalid and cannot be removed.");
    }

    proptest! {
        #[test]
        fn what_is_encrypted_is_decrypted(
            data in proptest::collection::vec(1u8.., 0..60),
            padding in 0usize..5,
            ecb in any::<bool>(),
        ) {
            let (padding, mode) = (PADDINGS[padding], if ecb { Mode::Ecb } else { Mode::Cbc });
            let whole = data.len().is_multiple_of(BLOCK);
            let secret = transform(true, mode, padding).last(&data);
            if padding == Padding::None && !whole {
                prop_assert!(secret.is_err());
                return Ok(());
            }
            let mut plain = transform(false, mode, padding).last(&secret.unwrap()).unwrap();
            if padding == Padding::Zeros {
                plain.retain(|it| *it != 0);
            }
            prop_assert_eq!(plain, data);
        }
    }
}
