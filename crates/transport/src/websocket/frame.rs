//! Frames: the units on the wire.
//!
//! Source: RFC 6455, section 5.2

use bytes::{Buf, BytesMut};

use super::WebSocketError;

pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// Longest payload of a control frame, in bytes (section 5.5).
const MAX_CONTROL_BYTES: u64 = 125;

/// One frame, unmasked.
pub(super) struct Frame {
    /// Whether it ends its message.
    pub(super) is_last: bool,
    pub(super) opcode: u8,
    pub(super) payload: Vec<u8>,
}

/// Takes the first frame out of a buffer; `None` if it is not all there. The payload of a data frame
/// is at most `room` bytes.
pub(super) fn take(
    buffer: &mut BytesMut,
    is_masked: bool,
    room: usize,
) -> Result<Option<Frame>, WebSocketError> {
    let Some(head) = Head::parse(buffer)? else { return Ok(None) };
    if head.is_masked != is_masked {
        return Err(WebSocketError::Protocol(match is_masked {
            true => "a client's frame must be masked",
            false => "a server's frame must not be masked",
        }));
    }
    let is_control = head.opcode >= CLOSE;
    if !is_control && head.length > room as u64 {
        return Err(WebSocketError::TooLong(room));
    }
    // At most `room`, so it is a length here, too.
    let length = usize::try_from(head.length).unwrap_or(usize::MAX);
    let mask_bytes = if head.is_masked { 4 } else { 0 };
    if buffer.len() < head.n_bytes + mask_bytes + length {
        return Ok(None);
    }
    buffer.advance(head.n_bytes);
    let mask = match head.is_masked {
        true => buffer.get_u32().to_be_bytes(),
        false => [0; 4],
    };
    let mut payload = buffer.split_to(length).to_vec();
    apply(mask, &mut payload);
    Ok(Some(Frame { is_last: head.is_last, opcode: head.opcode, payload }))
}

/// What stands before mask and payload.
struct Head {
    is_last: bool,
    opcode: u8,
    is_masked: bool,
    length: u64,
    n_bytes: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<Head>, WebSocketError> {
        let Some(([first, second], rest)) = bytes.split_first_chunk::<2>() else {
            return Ok(None);
        };
        let (is_last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(WebSocketError::Protocol("a frame of an extension"));
        }
        if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
            return Err(WebSocketError::Protocol("a frame of no known kind"));
        }
        if opcode >= CLOSE && !is_last {
            return Err(WebSocketError::Protocol("a control frame in pieces"));
        }
        let (length, n_bytes) = match second & 0x7f {
            126 => match rest.first_chunk() {
                Some(it) => (u64::from(u16::from_be_bytes(*it)), 4),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(it) => (u64::from_be_bytes(*it), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        if opcode >= CLOSE && length > MAX_CONTROL_BYTES {
            return Err(WebSocketError::Protocol("a control frame that is too long"));
        }
        Ok(Some(Head { is_last, opcode, is_masked: second & 0x80 != 0, length, n_bytes }))
    }
}

/// A whole frame as bytes; its length takes as few as it can.
pub(super) fn encode(opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | opcode);
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(n @ 0..126), _) => frame.push(masked | n),
        (_, Ok(n)) => {
            frame.push(masked | 126);
            frame.extend_from_slice(&n.to_be_bytes());
        }
        _ => {
            frame.push(masked | 127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    if let Some(mask) = mask {
        frame.extend_from_slice(&mask);
    }
    let at = frame.len();
    frame.extend_from_slice(payload);
    if let Some(payload) = frame.get_mut(at..) {
        apply(mask.unwrap_or_default(), payload);
    }
    frame
}

fn apply(mask: [u8; 4], payload: &mut [u8]) {
    if mask != [0; 4] {
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_as_few_bytes_as_it_can() {
        for (n, expected) in [
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 255, 255]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = encode(TEXT, &vec![b'x'; n], None);
            assert_eq!(frame[..expected.len()], expected);
            assert_eq!(frame.len(), expected.len() + n);
        }
    }

    proptest::proptest! {
        #[test]
        fn frames_come_back_as_they_went_however_they_are_cut(
            payload in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            mask: Option<[u8; 4]>,
            cut in 0_usize..320,
        ) {
            let bytes = encode(BINARY, &payload, mask);
            let (first, rest) = bytes.split_at(cut.min(bytes.len()));
            let mut buffer = BytesMut::from(first);
            let early = take(&mut buffer, mask.is_some(), 300).unwrap();
            proptest::prop_assert_eq!(early.is_some(), rest.is_empty());
            buffer.extend_from_slice(rest);
            if let Some(frame) = early.or_else(|| take(&mut buffer, mask.is_some(), 300).unwrap()) {
                proptest::prop_assert_eq!(frame.payload, payload);
            }
            proptest::prop_assert!(buffer.is_empty());
        }

        #[test]
        fn no_bytes_bring_the_reader_down(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40), masked: bool,
        ) {
            let mut buffer = BytesMut::from(bytes.as_slice());
            while let Ok(Some(_)) = take(&mut buffer, masked, 100) {}
        }
    }
}
