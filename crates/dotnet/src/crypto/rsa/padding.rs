//! The paddings of RSA over any digest: PKCS #1 v1.5, OAEP, PSS.
//!
//! For what the cryptography library has no door to; see `power`. Reading a padding takes the same
//! way whatever stands in it, so that the time tells nothing of it.
//!
//! Source: RFC 8017, sections 7.1, 7.2, 8.1, 9.1 and 9.2.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::super::Hash;
use super::numbers::Digits;

/// `DigestInfo` up to the digest.
fn prefix(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Md5 => b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10",
        Hash::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
        Hash::Sha256 => {
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
        }
        Hash::Sha384 => {
            b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
        }
        Hash::Sha512 => {
            b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
        }
    }
}

/// Bytes of a digest.
pub(super) fn n_bytes(hash: Hash) -> usize {
    usize::try_from(hash.bits() / 8).unwrap_or(0)
}

/// A digest as it is signed with PKCS #1 v1.5. `None` if the key is too short.
pub(super) fn signed_digest(digest: &[u8], hash: Hash, length: usize) -> Option<Vec<u8>> {
    let info = [prefix(hash), digest].concat();
    let n_fill = length.checked_sub(info.len() + 3).filter(|it| *it >= 8)?;
    Some([&[0, 1][..], &vec![0xFF; n_fill], &[0], &info].concat())
}

/// Data as it is encrypted with PKCS #1 v1.5. `None` if it is too long.
pub(super) fn filled(data: &[u8], length: usize) -> Option<Digits> {
    let n_fill = length.checked_sub(data.len() + 3).filter(|it| *it >= 8)?;
    let mut out = Zeroizing::new(vec![0; length]);
    let fill = out.get_mut(2..2 + n_fill)?;
    rand::fill(fill).ok()?;
    for byte in fill.iter_mut() {
        while *byte == 0 {
            rand::fill(std::slice::from_mut(byte)).ok()?;
        }
    }
    *out.get_mut(1)? = 2;
    out.get_mut(3 + n_fill..)?.copy_from_slice(data);
    Some(out)
}

/// What [`filled`] hides. `None` if the padding is none.
pub(super) fn unfilled(padded: &[u8]) -> Option<Digits> {
    let mut wrong = padded.first()? | (padded.get(1)? ^ 2);
    // Where the first zero stands.
    let (mut start, mut found) = (0_usize, 0_usize);
    for (at, byte) in padded.iter().enumerate().skip(2) {
        let is_zero = usize::from(*byte == 0);
        start += (at + 1) * (is_zero & (1 - found));
        found |= is_zero;
    }
    wrong |= u8::from(found == 0) | u8::from(start < 11);
    if wrong != 0 {
        return None;
    }
    Some(Zeroizing::new(padded.get(start..)?.to_vec()))
}

/// `EME-OAEP`. `None` if the data is too long.
pub(super) fn oaep(data: &[u8], hash: Hash, length: usize) -> Option<Digits> {
    let n = n_bytes(hash);
    let n_zeros = length.checked_sub(data.len() + 2 * n + 2)?;
    let mut block = Zeroizing::new(Vec::with_capacity(length - n - 1));
    block.extend_from_slice(&hash.digest(&[]));
    block.resize(n + n_zeros, 0);
    block.push(1);
    block.extend_from_slice(data);
    let mut seed = Zeroizing::new(vec![0; n]);
    rand::fill(&mut seed).ok()?;
    mask(&mut block, &seed, hash);
    mask(&mut seed, &block, hash);
    let mut out = Zeroizing::new(vec![0; length]);
    out.get_mut(1..=n)?.copy_from_slice(&seed);
    out.get_mut(n + 1..)?.copy_from_slice(&block);
    Some(out)
}

/// What [`oaep`] hides. `None` if the padding is none.
pub(super) fn unoaep(padded: &[u8], hash: Hash) -> Option<Digits> {
    let n = n_bytes(hash);
    if padded.len() < 2 * n + 2 {
        return None;
    }
    let (first, rest) = padded.split_first()?;
    let (seed, block) = rest.split_at_checked(n)?;
    let (mut seed, mut block) = (Zeroizing::new(seed.to_vec()), Zeroizing::new(block.to_vec()));
    mask(&mut seed, &block, hash);
    mask(&mut block, &seed, hash);
    let (label, message) = block.split_at_checked(n)?;
    let mut wrong = *first;
    for (own, other) in label.iter().zip(hash.digest(&[])) {
        wrong |= own ^ other;
    }
    // Zeros, then a one.
    let (mut start, mut found) = (0_usize, 0_u8);
    for (at, byte) in message.iter().enumerate() {
        let (is_one, is_zero) = (u8::from(*byte == 1), u8::from(*byte == 0));
        wrong |= (1 - found) & (1 - is_one) & (1 - is_zero);
        start += (at + 1) * usize::from(is_one & (1 - found));
        found |= is_one;
    }
    wrong |= 1 - found;
    if wrong != 0 {
        return None;
    }
    Some(Zeroizing::new(message.get(start..)?.to_vec()))
}

/// `EMSA-PSS` with a salt as long as the digest, for a modulus that fills its bytes but for so many
/// bits. `None` if the key is too short.
pub(super) fn pss(digest: &[u8], hash: Hash, n_modulus_bits: usize) -> Option<Vec<u8>> {
    let mut salt = vec![0; n_bytes(hash)];
    rand::fill(&mut salt).ok()?;
    pss_with(digest, &salt, hash, n_modulus_bits)
}

fn pss_with(digest: &[u8], salt: &[u8], hash: Hash, n_modulus_bits: usize) -> Option<Vec<u8>> {
    let n_bits = n_modulus_bits.checked_sub(1)?;
    let length = n_bits.div_ceil(8);
    let n_zeros = length.checked_sub(digest.len() + salt.len() + 2)?;
    let made = hash.digest(&[&[0; 8][..], digest, salt].concat());
    let mut block = [&vec![0; n_zeros][..], &[1], salt].concat();
    mask(&mut block, &made, hash);
    *block.first_mut()? &= 0xFF >> (8 * length - n_bits);
    let mut out = [&block[..], &made, &[0xBC]].concat();
    // As long as the modulus.
    if length < n_modulus_bits.div_ceil(8) {
        out.insert(0, 0);
    }
    Some(out)
}

/// Is it the padding of that digest?
pub(super) fn is_pss(padded: &[u8], digest: &[u8], hash: Hash, n_modulus_bits: usize) -> bool {
    let check = || {
        let n_bits = n_modulus_bits.checked_sub(1)?;
        let length = n_bits.div_ceil(8);
        let padded = padded.get(padded.len().checked_sub(length)?..)?;
        let n = n_bytes(hash);
        let (block, rest) = padded.split_at_checked(length.checked_sub(n + 1)?)?;
        let made = rest.get(..n)?;
        let mut block = block.to_vec();
        mask(&mut block, made, hash);
        *block.first_mut()? &= 0xFF >> (8 * length - n_bits);
        let salt = block.get(block.len().checked_sub(n)?..)?;
        Some(pss_with(digest, salt, hash, n_modulus_bits)?.ends_with(padded))
    };
    check().unwrap_or(false)
}

/// `MGF1`, put over the bytes.
fn mask(bytes: &mut [u8], seed: &[u8], hash: Hash) {
    for (counter, part) in (0_u32..).zip(bytes.chunks_mut(n_bytes(hash))) {
        let digest = hash.digest(&[seed, &counter.to_be_bytes()].concat());
        for (byte, other) in part.iter_mut().zip(digest) {
            *byte ^= other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_found_again() {
        for data in [&b""[..], b"x", b"some text"] {
            let it = filled(data, 64).unwrap();
            assert_eq!((it.len(), unfilled(&it).unwrap().as_slice()), (64, data));
            for hash in Hash::ALL {
                let it = oaep(data, hash, 256).unwrap();
                assert_eq!((it.len(), unoaep(&it, hash).unwrap().as_slice()), (256, data));
            }
        }
    }

    #[test]
    fn there_is_room_for_so_much() {
        assert!(filled(&[1; 53], 64).is_some() && filled(&[1; 54], 64).is_none());
        assert!(oaep(&[1; 86], Hash::Sha1, 128).is_some());
        assert!(oaep(&[1; 87], Hash::Sha1, 128).is_none());
        assert!(signed_digest(&[1; 20], Hash::Sha1, 46).is_some());
        assert!(signed_digest(&[1; 20], Hash::Sha1, 45).is_none());
        assert!(pss(&[1; 64], Hash::Sha512, 1024).is_none());
    }

    #[test]
    fn a_wrong_padding_is_none() {
        let good = filled(b"x", 64).unwrap();
        for at in [0, 1, 5] {
            let mut bad = good.to_vec();
            bad[at] = if at < 2 { 1 } else { 0 };
            assert!(unfilled(&bad).is_none(), "{at}");
        }
        assert!(unfilled(&[]).is_none() && unfilled(&[0, 2]).is_none());
        let good = oaep(b"x", Hash::Sha256, 128).unwrap();
        for at in [0, 1, 40, 127] {
            let mut bad = good.to_vec();
            bad[at] ^= 1;
            assert!(unoaep(&bad, Hash::Sha256).is_none(), "{at}");
        }
        assert!(unoaep(&[0; 20], Hash::Sha256).is_none());
    }

    #[test]
    fn a_padding_with_salt_is_that_of_its_digest() {
        let digest = Hash::Sha1.digest(b"data");
        for n_bits in [1024, 1025, 1030] {
            let it = pss(&digest, Hash::Sha1, n_bits).unwrap();
            assert_eq!(it.len(), n_bits.div_ceil(8));
            assert!(is_pss(&it, &digest, Hash::Sha1, n_bits));
            assert!(!is_pss(&it, &Hash::Sha1.digest(b"other"), Hash::Sha1, n_bits));
            let mut bad = it.clone();
            *bad.last_mut().unwrap() = 0xBB;
            assert!(!is_pss(&bad, &digest, Hash::Sha1, n_bits));
        }
        assert!(!is_pss(&[0; 4], &digest, Hash::Sha1, 1024));
    }
}
