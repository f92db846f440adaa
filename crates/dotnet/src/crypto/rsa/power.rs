//! Arithmetic with the numbers of a key, for what the cryptography library has no door to: keys of
//! fewer than 2048 bits, signatures over MD5 and SHA-1, sizes of new keys.
//!
//! Powers are taken in constant time, and what a private key gives is checked with the public one.
//!
//! Source: RFC 8017, sections 3 and 5; FIPS 186-5, appendix A.1.

use std::ops::Range;

use aws_lc_rs::rand;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, ConcatenatingMul as _, NonZero, Odd};
use crypto_primes::{Flavor, is_prime};
use zeroize::Zeroizing;

use super::numbers::{Digits, RsaNumbers, RsaSecret, padded, trimmed};

/// Bits of a modulus that are worked with.
pub(super) const BITS: Range<usize> = 512..8193;
/// The longest public exponent, in bytes: with a longer one checking would take as long as signing.
const MAX_EXPONENT_BYTES: usize = 4;

/// The public exponent of new keys: 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// Candidates for a prime. One in some hundreds is one, so this is never met.
const MAX_CANDIDATES: usize = 1_000_000;

/// `base ^ exponent mod modulus`, as long as the modulus. `None` if the numbers are no key's.
fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Digits> {
    let n_bits = bits(modulus)?;
    let modulus_number = number(modulus, n_bits)?;
    let base = number(trimmed(base), n_bits)?;
    if base >= modulus_number {
        return None;
    }
    let parameters = BoxedMontyParams::new_vartime(odd(modulus_number)?);
    let exponent = number(exponent, bits(exponent)?)?;
    let result = BoxedMontyForm::new(base, &parameters).pow(&exponent).retrieve();
    Some(padded(&Zeroizing::new(result.to_be_bytes().into_vec()), modulus.len()))
}

/// `RSAEP`, `RSAVP1`: what the public key makes of a number.
pub(super) fn public(key: &RsaNumbers, data: &[u8]) -> Option<Digits> {
    let fits = BITS.contains(&(key.n_bytes() * 8)) && key.exponent.len() <= MAX_EXPONENT_BYTES;
    if !fits || matches!(*key.exponent, [] | [1]) {
        return None;
    }
    power(data, &key.exponent, &key.modulus)
}

/// `RSADP`, `RSASP1`: what the private key makes of a number.
pub(super) fn private(key: &RsaNumbers, data: &[u8]) -> Option<Digits> {
    let secret = key.secret.as_ref()?;
    if !BITS.contains(&(key.n_bytes() * 8)) {
        return None;
    }
    let made = power(data, &secret.d, &key.modulus)?;
    // A fault on the way would give the key away.
    (trimmed(&public(key, &made)?) == trimmed(data)).then_some(made)
}

/// Do the numbers of a private key belong together? Primes are not tested.
pub(super) fn belongs_together(key: &RsaNumbers) -> bool {
    let Some(it) = key.secret.as_ref() else { return false };
    let check = || {
        if key.n_bytes() > BITS.end / 8 {
            return None;
        }
        let n_bits = bits(&key.modulus)?;
        let of = |it: &[u8]| number(trimmed(it), n_bits);
        let (n, e, d) = (of(&key.modulus)?, of(&key.exponent)?, of(&it.d)?);
        let (p, q, inverse) = (of(&it.p)?, of(&it.q)?, of(&it.inverse_q)?);
        let (p_less, q_less) = (less_one(&p)?, less_one(&q)?);
        let one = BoxedUint::one_with_precision(n_bits);
        let is_one_by = |a: &BoxedUint, b: &BoxedUint, by: &NonZero<BoxedUint>| {
            a.concatenating_mul(b).rem(by).cmp_vartime(&one).is_eq()
        };
        let whole = p.concatenating_mul(&q).cmp_vartime(&n).is_eq();
        let parts = d.rem(&p_less) == of(&it.dp)? && d.rem(&q_less) == of(&it.dq)?;
        let inverses = is_one_by(&e, &d, &p_less)
            && is_one_by(&e, &d, &q_less)
            && is_one_by(&q, &inverse, &non_zero(p)?);
        Some(whole && parts && inverses)
    };
    check().unwrap_or(false)
}

/// A new key. `None` if the system gives no random numbers.
pub(super) fn generate(n_bits: usize) -> Option<RsaNumbers> {
    let precision = u32::try_from(n_bits).ok()?.next_multiple_of(64);
    let e = number(&EXPONENT, precision)?;
    loop {
        let (p, q) = (prime(n_bits.div_ceil(2))?, prime(n_bits / 2)?);
        let (p, q) = if *p < *q { (q, p) } else { (p, q) };
        let of = |it: &[u8]| number(it, precision);
        let (p_number, q_number) = (of(&p)?, of(&q)?);
        // Primes that are too near one another can be found from their product.
        if p_number.wrapping_sub(&q_number).bit_width() + 100 < precision / 2 {
            continue;
        }
        let (p_less, q_less) = (less_one(&p_number)?, less_one(&q_number)?);
        let n = p_number.wrapping_mul(&q_number);
        let all = non_zero(p_less.as_ref().wrapping_mul(q_less.as_ref()))?;
        let Some(d) = Option::<BoxedUint>::from(e.invert_mod(&all)) else { continue };
        let bytes = |it: &BoxedUint| {
            let all = Zeroizing::new(it.to_be_bytes().into_vec());
            Zeroizing::new(trimmed(&all).to_vec())
        };
        let inverse: Option<BoxedUint> = q_number.invert_mod(&non_zero(p_number.clone())?).into();
        let mut key = RsaNumbers::public(&bytes(&n), &EXPONENT);
        key.secret = Some(RsaSecret {
            dp: bytes(&d.rem(&p_less)),
            dq: bytes(&d.rem(&q_less)),
            inverse_q: bytes(&inverse?),
            d: bytes(&d),
            p,
            q,
        });
        return Some(key);
    }
}

/// A prime of so many bits, the two highest of them set.
fn prime(n_bits: usize) -> Option<Digits> {
    let n_bytes = n_bits.div_ceil(8);
    let spare = n_bytes * 8 - n_bits;
    let mut bytes = Zeroizing::new(vec![0; n_bytes]);
    let precision = u32::try_from(n_bits).ok()?.next_multiple_of(64);
    for _ in 0..MAX_CANDIDATES {
        rand::fill(&mut bytes).ok()?;
        let first = bytes.first_mut()?;
        *first &= 0xFF >> spare;
        *first |= 0x80 >> spare;
        let second = if spare == 7 { bytes.get_mut(1)? } else { first };
        *second |= if spare == 7 { 0x80 } else { 0x40 >> spare };
        *bytes.last_mut()? |= 1;
        let has_small_factor = || SMALL_PRIMES.iter().any(|it| remainder(&bytes, *it) == 0);
        // One less than the prime must not divide by the public exponent, which is a prime.
        if has_small_factor() || remainder(&bytes, 65_537) == 1 {
            continue;
        }
        if is_prime(Flavor::Any, &number(&bytes, precision)?) {
            return Some(bytes);
        }
    }
    None
}

const SMALL_PRIMES: [u32; 53] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
    197, 199, 211, 223, 227, 229, 233, 239, 241, 251,
];

fn remainder(bytes: &[u8], by: u32) -> u32 {
    let by = u64::from(by);
    let rest = bytes.iter().fold(0, |rest, it| ((rest << 8) | u64::from(*it)) % by);
    u32::try_from(rest).unwrap_or(0)
}

/// Bits that hold some bytes, in whole words.
fn bits(bytes: &[u8]) -> Option<u32> {
    u32::try_from(bytes.len() * 8).ok().map(|it| it.max(64).next_multiple_of(64))
}

fn number(bytes: &[u8], n_bits: u32) -> Option<BoxedUint> {
    BoxedUint::from_be_slice(bytes, n_bits).ok()
}

fn non_zero(it: BoxedUint) -> Option<NonZero<BoxedUint>> {
    Option::from(it.into_nz())
}

fn odd(it: BoxedUint) -> Option<Odd<BoxedUint>> {
    Option::from(it.into_odd())
}

fn less_one(it: &BoxedUint) -> Option<NonZero<BoxedUint>> {
    let one = BoxedUint::one_with_precision(it.bits_precision());
    if bool::from(it.is_zero()) {
        return None;
    }
    non_zero(it.wrapping_sub(&one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_the_textbook() {
        // p = 61, q = 53, e = 17, d = 2753.
        let modulus = [0x0C, 0xA1];
        assert_eq!(*power(&[65], &[17], &modulus).unwrap(), [0x0A, 0xE6]);
        assert_eq!(*power(&[0x0A, 0xE6], &[0x0A, 0xC1], &modulus).unwrap(), [0, 65]);
        assert!(power(&[0x0C, 0xA1], &[17], &modulus).is_none(), "not below the modulus");
        assert!(power(&[1], &[17], &[0x0C, 0xA0]).is_none(), "an even modulus");
        assert!(power(&[1], &[17], &[]).is_none());
    }

    #[test]
    fn new_keys_of_any_size_belong_together() {
        for n_bits in [512, 520, 1000] {
            let mut key = generate(n_bits).unwrap();
            assert_eq!(key.n_bytes(), n_bits / 8);
            assert!(key.modulus[0] >= 0x80 && belongs_together(&key), "{n_bits}");
            let made = private(&key, b"data").unwrap();
            assert_eq!(trimmed(&public(&key, &made).unwrap()), b"data");
            *key.secret.as_mut().unwrap().dp.last_mut().unwrap() ^= 2;
            assert!(!belongs_together(&key));
        }
    }

    #[test]
    fn numbers_of_no_use_are_refused() {
        let refused = |modulus: &[u8], exponent: &[u8]| {
            public(&RsaNumbers::public(modulus, exponent), &[2]).is_none()
        };
        assert!(refused(&[0xC5; 8], &[3]), "too short");
        assert!(refused(&[0xC5; 1025], &[3]), "too long");
        assert!(refused(&[0xC5; 128], &[3; 5]), "a long exponent");
        assert!(refused(&[0xC5; 128], &[1]) && refused(&[0xC5; 128], &[]));
        assert!(!refused(&[0xC5; 128], &[1, 0, 1]));
        assert!(!belongs_together(&RsaNumbers::public(&[0xC5; 128], &[3])));
    }
}
