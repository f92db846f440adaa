//! Random bytes without a system call for each.
//!
//! A request takes 16 bytes for its id. They come from a buffer that each thread fills from the
//! cryptography library's generator, 2 KiB at a time; what is handed out is erased there.

use std::cell::RefCell;

use rustls::crypto::SecureRandom;
use zeroize::Zeroize;

const BUFFER_BYTES: usize = 2048;

struct Buffer {
    bytes: [u8; BUFFER_BYTES],
    /// The first byte that was not handed out.
    next: usize,
}

thread_local! {
    static BUFFER: RefCell<Buffer> =
        const { RefCell::new(Buffer { bytes: [0; BUFFER_BYTES], next: BUFFER_BYTES }) };
}

/// Fills the bytes with randomness that is good enough for keys. Waits if the system has none.
pub fn fill_random(bytes: &mut [u8]) {
    let source = crate::tls::provider().secure_random;
    if bytes.len() > BUFFER_BYTES / 4 {
        return draw(source, bytes);
    }
    BUFFER.with_borrow_mut(|buffer| {
        if BUFFER_BYTES - buffer.next < bytes.len() {
            draw(source, &mut buffer.bytes);
            buffer.next = 0;
        }
        let end = buffer.next + bytes.len();
        if let Some(fresh) = buffer.bytes.get_mut(buffer.next..end) {
            bytes.copy_from_slice(fresh);
            fresh.zeroize();
        }
        buffer.next = end;
    });
}

/// The library fails only while the system has no randomness to give, early at boot.
fn draw(source: &dyn SecureRandom, bytes: &mut [u8]) {
    while source.fill(bytes).is_err() {
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{BUFFER_BYTES, fill_random};

    #[test]
    fn no_bytes_are_handed_out_twice() {
        let mut seen = HashSet::new();
        for _ in 0..BUFFER_BYTES {
            let mut bytes = [0; 16];
            fill_random(&mut bytes);
            assert!(seen.insert(bytes));
        }
    }

    #[test]
    fn every_length_is_filled() {
        for n_bytes in [1, 16, BUFFER_BYTES / 4, BUFFER_BYTES / 4 + 1, 3 * BUFFER_BYTES] {
            let mut bytes = vec![0; n_bytes + 64];
            fill_random(&mut bytes);
            assert!(bytes.iter().filter(|it| **it == 0).count() < bytes.len() / 8);
        }
    }
}
