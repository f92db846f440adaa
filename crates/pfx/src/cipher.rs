//! Decryption: AES in PBES2, and what older programs write (triple DES, RC2).
//!
//! Source: RFC 8018, section 6.2; RFC 7292, appendix C.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit};
use zeroize::Zeroizing;

use crate::PfxError;
use crate::der::{Reader, SEQUENCE, dotted};
use crate::key::{Digest, Password, Pbkdf2, Purpose, rounds};

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";

/// Opens what was encrypted with that algorithm. [`PfxError::Password`] if the padding is wrong.
pub(crate) fn decrypt(
    mut algorithm: Reader<'_>,
    encrypted: &[u8],
    password: &Password,
) -> Result<Zeroizing<Vec<u8>>, PfxError> {
    let oid = dotted(algorithm.oid().ok_or(PfxError::NotPfx)?);
    let mut parameters = algorithm.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    if oid == PBES2 {
        return pbes2(parameters, encrypted, password);
    }
    let (n_key_bytes, open): (usize, Open) = match oid.as_str() {
        "1.2.840.113549.1.12.1.3" => (24, open::<des::TdesEde3>),
        "1.2.840.113549.1.12.1.4" => (16, open::<des::TdesEde2>),
        "1.2.840.113549.1.12.1.5" => (16, open::<rc2::Rc2>),
        "1.2.840.113549.1.12.1.6" => (5, open::<rc2::Rc2>),
        _ => return Err(PfxError::Unsupported(oid)),
    };
    let salt = parameters.octets().ok_or(PfxError::NotPfx)?;
    let rounds = rounds(parameters.number())?;
    let derive = |purpose, n| Digest::sha1().derive(password, &salt, rounds, purpose, n);
    let key = derive(Purpose::Encryption, n_key_bytes);
    open(&key, &derive(Purpose::InitialVector, 8), encrypted)
}

fn pbes2(
    mut parameters: Reader<'_>,
    encrypted: &[u8],
    password: &Password,
) -> Result<Zeroizing<Vec<u8>>, PfxError> {
    let mut derivation = parameters.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    let mut scheme = parameters.within(SEQUENCE).ok_or(PfxError::NotPfx)?;
    let function = dotted(derivation.oid().ok_or(PfxError::NotPfx)?);
    if function != PBKDF2 {
        return Err(PfxError::Unsupported(function));
    }
    let derivation = Pbkdf2::read(derivation.within(SEQUENCE).ok_or(PfxError::NotPfx)?)?;
    let name = dotted(scheme.oid().ok_or(PfxError::NotPfx)?);
    let (n_key_bytes, open): (usize, Open) = match name.as_str() {
        "2.16.840.1.101.3.4.1.2" => (16, |key, iv, text| aes(&AES_128, key, iv, text)),
        "2.16.840.1.101.3.4.1.22" => (24, |key, iv, text| aes(&AES_192, key, iv, text)),
        "2.16.840.1.101.3.4.1.42" => (32, |key, iv, text| aes(&AES_256, key, iv, text)),
        "1.2.840.113549.3.7" => (24, open::<des::TdesEde3>),
        _ => return Err(PfxError::Unsupported(name)),
    };
    if derivation.key_bytes.is_some_and(|it| it != n_key_bytes) {
        return Err(PfxError::NotPfx);
    }
    let iv = scheme.octets().ok_or(PfxError::NotPfx)?;
    open(&derivation.derive(password, n_key_bytes), &iv, encrypted)
}

/// Opens with key and initial vector.
type Open = fn(&[u8], &[u8], &[u8]) -> Result<Zeroizing<Vec<u8>>, PfxError>;

fn aes(
    algorithm: &'static Algorithm,
    key: &[u8],
    iv: &[u8],
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PfxError> {
    let iv: [u8; 16] = iv.try_into().map_err(|_| PfxError::NotPfx)?;
    let key = UnboundCipherKey::new(algorithm, key).map_err(|_| PfxError::NotPfx)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| PfxError::NotPfx)?;
    let mut text = Zeroizing::new(encrypted.to_vec());
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let n = key.decrypt(&mut text, context).map_err(|_| PfxError::Password)?.len();
    text.truncate(n);
    Ok(text)
}

fn open<C>(key: &[u8], iv: &[u8], encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, PfxError>
where
    C: cbc::cipher::BlockCipherDecrypt + cbc::cipher::KeyInit,
{
    let cipher = Decryptor::<C>::new_from_slices(key, iv).map_err(|_| PfxError::NotPfx)?;
    let mut text = Zeroizing::new(encrypted.to_vec());
    let n = cipher.decrypt_padded::<Pkcs7>(&mut text).map_err(|_| PfxError::Password)?.len();
    text.truncate(n);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An algorithm identifier: `SEQUENCE { oid, SEQUENCE { content } }`.
    fn algorithm(oid: &[u8], content: &[u8]) -> Vec<u8> {
        let mut it = vec![6, u8::try_from(oid.len()).unwrap()];
        it.extend(oid);
        it.extend([0x30, u8::try_from(content.len()).unwrap()]);
        it.extend(content);
        it
    }

    #[test]
    fn an_unknown_algorithm_is_named() {
        // pbeWithSHAAnd128BitRC4.
        let rc4 = algorithm(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 12, 1, 1], &[]);
        let found = decrypt(Reader::new(&rc4), &[0; 16], &Password::new("x"));
        let expected = "1.2.840.113549.1.12.1.1".to_owned();
        assert_eq!(found, Err(PfxError::Unsupported(expected)));
    }

    #[test]
    fn text_that_does_not_fill_blocks_is_no_text() {
        let des = algorithm(
            &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 12, 1, 3],
            &[4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 1, 1],
        );
        for text in [&[][..], &[0; 7], &[0; 9]] {
            let found = decrypt(Reader::new(&des), text, &Password::new("x"));
            assert_eq!(found, Err(PfxError::Password));
        }
    }
}
