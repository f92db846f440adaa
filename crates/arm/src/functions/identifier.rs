//! Texts that are made of other texts by a hash, always the same ones.

use aws_lc_rs::digest;
use serde_json::Value;

use super::{Arguments, Function, MANY, row};
use crate::fault::Fault;

pub(super) const ALL: &[Function] =
    &[row("guid", 1, MANY, guid), row("uniqueString", 1, MANY, unique)];

/// The name space of `guid`.
const NAMESPACE: [u8; 16] = [
    0x11, 0xfb, 0x06, 0xfb, 0x71, 0x2d, 0x4d, 0xdd, 0x98, 0xc7, 0xe7, 0x1b, 0xbd, 0x58, 0x88, 0x30,
];
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

fn joined(it: &Arguments<'_>) -> Result<String, Fault> {
    let texts: Result<Vec<&str>, Fault> = (0..it.values.len()).map(|at| it.text(at)).collect();
    Ok(texts?.join("-"))
}

/// A UUID of version 5 (RFC 9562, section 5.5).
fn guid(it: &Arguments<'_>) -> Result<Value, Fault> {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(&NAMESPACE);
    hash.update(joined(it)?.as_bytes());
    let digest = hash.finish();
    let mut text = String::new();
    for (at, byte) in digest.as_ref().iter().take(16).enumerate() {
        let byte = match at {
            6 => byte & 0x0f | 0x50,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    Ok(text.into())
}

/// Thirteen letters and digits of a hash of 64 bits.
fn unique(it: &Arguments<'_>) -> Result<Value, Fault> {
    let mut hash = murmur(joined(it)?.as_bytes());
    let mut text = String::new();
    for _ in 0..13 {
        let letter = usize::try_from(hash >> 59).ok().and_then(|at| LETTERS.get(at));
        text.push(char::from(*letter.unwrap_or(&b'a')));
        hash <<= 5;
    }
    Ok(text.into())
}

const FIRST: u32 = 0x239b_961b;
const SECOND: u32 = 0xab0e_9789;

/// MurmurHash3 for 32-bit machines with two lanes, as Azure has it: 64 bits.
fn murmur(data: &[u8]) -> u64 {
    let (mut low, mut high) = (0_u32, 0_u32);
    let blocks = data.chunks_exact(8);
    let tail = blocks.remainder();
    for block in blocks {
        let (first, second) = block.split_at(4);
        low ^= scrambled(word(first), FIRST, 15, SECOND);
        low = low.rotate_left(19).wrapping_add(high).wrapping_mul(5).wrapping_add(0x561c_cd1b);
        high ^= scrambled(word(second), SECOND, 17, FIRST);
        high = high.rotate_left(13).wrapping_add(low).wrapping_mul(5).wrapping_add(0x0bca_a747);
    }
    let (first, second) = tail.split_at(tail.len().min(4));
    low ^= scrambled(word(first), FIRST, 15, SECOND);
    high ^= scrambled(word(second), SECOND, 17, FIRST);
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    low ^= length;
    high ^= length;
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    low = finished(low);
    high = finished(high);
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    u64::from(high) << 32 | u64::from(low)
}

/// Up to four bytes, the least first. None at all is 0, which leaves a lane as it is.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

const fn scrambled(word: u32, before: u32, by: u32, after: u32) -> u32 {
    word.wrapping_mul(before).rotate_left(by).wrapping_mul(after)
}

const fn finished(mut lane: u32) -> u32 {
    lane ^= lane >> 16;
    lane = lane.wrapping_mul(0x85eb_ca6b);
    lane ^= lane >> 13;
    lane = lane.wrapping_mul(0xc2b2_ae35);
    lane ^ lane >> 16
}
