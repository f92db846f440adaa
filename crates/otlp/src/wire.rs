//! Protobuf's wire format: as much of it as OTLP needs.
//!
//! Fields that have their default value are left out, as proto3 does.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>

/// A message that is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message(Vec<u8>);

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;
const FIXED32: u32 = 5;

impl Message {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn int(&mut self, field: u32, value: u64) -> &mut Self {
        if value != 0 {
            self.int_always(field, value);
        }
        self
    }

    /// Also a zero: of a choice.
    pub(crate) fn int_always(&mut self, field: u32, value: u64) -> &mut Self {
        self.key(field, VARINT);
        self.varint(value);
        self
    }

    pub(crate) fn fixed64(&mut self, field: u32, value: u64) -> &mut Self {
        if value != 0 {
            self.fixed64_always(field, value);
        }
        self
    }

    /// Also a zero: of a value that may be absent.
    pub(crate) fn fixed64_always(&mut self, field: u32, value: u64) -> &mut Self {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn fixed32(&mut self, field: u32, value: u32) -> &mut Self {
        if value != 0 {
            self.key(field, FIXED32);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
        self
    }

    /// Also a zero: doubles of OTLP are values that may be absent.
    pub(crate) fn double(&mut self, field: u32, value: f64) -> &mut Self {
        self.fixed64_always(field, value.to_bits())
    }

    pub(crate) fn bytes(&mut self, field: u32, value: &[u8]) -> &mut Self {
        if !value.is_empty() {
            self.bytes_always(field, value);
        }
        self
    }

    /// Also an empty one: of a choice, or in a list.
    pub(crate) fn bytes_always(&mut self, field: u32, value: &[u8]) -> &mut Self {
        self.key(field, LENGTH);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn text(&mut self, field: u32, value: &str) -> &mut Self {
        self.bytes(field, value.as_bytes())
    }

    pub(crate) fn message(&mut self, field: u32, write: impl FnOnce(&mut Message)) -> &mut Self {
        let mut inner = Message::default();
        write(&mut inner);
        self.bytes_always(field, &inner.0)
    }

    /// A list of numbers of eight bytes each.
    pub(crate) fn packed(&mut self, field: u32, values: impl Iterator<Item = u64>) -> &mut Self {
        let bytes: Vec<u8> = values.flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &bytes)
    }

    fn key(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }
}

/// What a message holds in a field: the last one counts. None if there is none or the message is
/// broken.
pub(crate) fn find(mut message: &[u8], wanted: u32) -> Option<Field<'_>> {
    let mut found = None;
    while !message.is_empty() {
        let key = read_varint(&mut message)?;
        let field = match u32::try_from(key & 7).ok()? {
            VARINT => Field::Number(read_varint(&mut message)?),
            FIXED64 => Field::Bytes(take(&mut message, 8)?),
            FIXED32 => Field::Bytes(take(&mut message, 4)?),
            LENGTH => {
                let len = usize::try_from(read_varint(&mut message)?).ok()?;
                Field::Bytes(take(&mut message, len)?)
            }
            _ => return None,
        };
        if key >> 3 == u64::from(wanted) {
            found = Some(field);
        }
    }
    found
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn take<'a>(from: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(taken)
}

fn read_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = *take(from, 1)? else { return None };
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_written_as_the_specification_shows() {
        let mut it = Message::default();
        it.int(1, 150).text(2, "testing").message(3, |it| {
            it.int(1, 150);
        });
        let expected =
            [&[0x08, 0x96, 0x01, 0x12, 0x07][..], b"testing", &[0x1a, 3, 8, 0x96, 1]].concat();
        assert_eq!(it.into_bytes(), expected);
    }

    #[test]
    fn defaults_are_left_out_unless_absence_means_something() {
        let mut it = Message::default();
        it.int(1, 0).fixed64(2, 0).fixed32(3, 0).text(4, "").packed(5, [].into_iter());
        assert_eq!(it, Message::default());
        it.double(1, 0.0).bytes_always(2, b"");
        assert_eq!(it.into_bytes(), [9, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0]);
    }

    #[test]
    fn what_was_written_is_found() {
        let mut it = Message::default();
        it.int(1, u64::MAX).double(2, 1.5).fixed32(3, 7).text(4, "a").text(4, "b");
        let bytes = it.into_bytes();
        assert_eq!(find(&bytes, 1), Some(Field::Number(u64::MAX)));
        assert_eq!(find(&bytes, 4), Some(Field::Bytes(b"b")));
        assert_eq!(find(&bytes, 9), None);
        for len in 1..bytes.len() {
            // Nothing that is cut off makes it panic.
            let _ = find(&bytes[..len], 4);
        }
        assert_eq!(find(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], 1), None);
    }
}
