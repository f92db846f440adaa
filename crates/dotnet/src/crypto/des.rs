//! Triple DES over whole blocks, in the modes CBC and ECB.
//!
//! Source: FIPS 46-3; NIST SP 800-38A, sections 6.1 and 6.2.

use cbc::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::TdesEde3;

use super::{Fault, cryptographic};

/// Bytes of a block.
const BLOCK: usize = 8;

/// Encrypts or decrypts whole blocks in place. `chained` is the block before the first; none: each
/// block stands on its own.
pub(super) fn run(
    encrypts: bool,
    key: &[u8],
    mut chained: Option<[u8; BLOCK]>,
    data: &mut [u8],
) -> Result<(), Fault> {
    let mut whole = key.to_vec();
    if let Some(first) = key.get(..BLOCK).filter(|_| key.len() == 2 * BLOCK) {
        whole.extend_from_slice(first);
    }
    let cipher = TdesEde3::new_from_slice(&whole)
        .map_err(|_| cryptographic("The data could not be transformed."))?;
    let (blocks, _) = data.as_chunks_mut::<BLOCK>();
    for bytes in blocks {
        let given = *bytes;
        let mut block = Array::from(given);
        if let Some(before) = chained.filter(|_| encrypts) {
            mix(&mut block.0, before);
        }
        if encrypts {
            cipher.encrypt_block(&mut block);
        } else {
            cipher.decrypt_block(&mut block);
        }
        if let Some(before) = chained.filter(|_| !encrypts) {
            mix(&mut block.0, before);
        }
        *bytes = block.0;
        chained = chained.map(|_| if encrypts { block.0 } else { given });
    }
    Ok(())
}

fn mix(block: &mut [u8; BLOCK], with: [u8; BLOCK]) {
    for (byte, with) in block.iter_mut().zip(with) {
        *byte ^= with;
    }
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn two_keys_are_three_of_which_the_last_is_the_first() {
        let two: Vec<u8> = (1..=16).collect();
        let three: Vec<u8> = (1..=16).chain(1..=8).collect();
        let of = |key: &[u8]| {
            let mut data = *b"two blocks here!";
            run(true, key, Some([3; 8]), &mut data).unwrap();
            data
        };
        assert_eq!(of(&two), of(&three));
        assert_ne!(of(&two), *b"two blocks here!");
        assert!(run(true, &[0; 7], None, &mut [0; 8]).is_err());
    }
}
