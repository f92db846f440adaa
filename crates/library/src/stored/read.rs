//! From bytes to values. The bytes may come from elsewhere, so that nothing about them is believed.

use clr::types::Type;
use clr::value::{DateTime, DateTimeKind, DateTimeOffset, Value};
use dotnet::Str;
use rust_decimal::Decimal;
use tree::json::{DateKind, DateTime as JsonDate, MAX_TREE_DEPTH, Scalar, Token};
use tree::xml::{self, Declaration, ParseOptions, Root};

use super::{
    ARRAY, BYTE, BYTES, CHAR, DATE, DATE_OFFSET, DECIMAL, DOCUMENT, DOUBLE, ELEMENT, FALSE, GUID,
    INT, INT16, ITEM_TYPES, JARRAY, LIST, LONG, NULL, OBJECT, PROPERTY, SBYTE, SCALAR, SINGLE,
    STRING, TIME_SPAN, TRUE, UINT, UINT16, ULONG, UNITS,
};

/// What is left of the bytes.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.raw(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.fixed::<1>().map(|[it]| it)
    }

    /// A length. What is so long has a byte for each at least, so that no more than is there is
    /// ever made room for.
    fn length(&mut self) -> Option<usize> {
        let length = usize::try_from(u32::from_le_bytes(self.fixed()?)).ok()?;
        (length <= self.0.len()).then_some(length)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.raw(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.counted()?).ok()
    }

    fn long(&mut self) -> Option<i64> {
        self.fixed().map(i64::from_le_bytes)
    }

    fn double(&mut self) -> Option<f64> {
        self.fixed().map(|it| f64::from_bits(u64::from_le_bytes(it)))
    }

    fn single(&mut self) -> Option<f32> {
        self.fixed().map(|it| f32::from_bits(u32::from_le_bytes(it)))
    }

    fn decimal(&mut self) -> Option<Decimal> {
        self.fixed().map(Decimal::deserialize)
    }

    pub(super) fn value(&mut self, depth: usize) -> Option<Value> {
        let tag = self.byte()?;
        Some(match tag {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            CHAR => Value::Char(u16::from_le_bytes(self.fixed()?)),
            SBYTE => Value::SByte(i8::from_le_bytes(self.fixed()?)),
            BYTE => Value::Byte(self.byte()?),
            INT16 => Value::Int16(i16::from_le_bytes(self.fixed()?)),
            UINT16 => Value::UInt16(u16::from_le_bytes(self.fixed()?)),
            INT => Value::Int(i32::from_le_bytes(self.fixed()?)),
            UINT => Value::UInt(u32::from_le_bytes(self.fixed()?)),
            LONG => Value::Long(self.long()?),
            ULONG => Value::ULong(u64::from_le_bytes(self.fixed()?)),
            SINGLE => Value::Single(self.single()?),
            DOUBLE => Value::Double(self.double()?),
            DECIMAL => Value::Decimal(self.decimal()?),
            STRING => Value::String(Str::from(self.text()?)),
            UNITS => {
                let (units, rest) = self.counted()?.as_chunks::<2>();
                if !rest.is_empty() {
                    return None;
                }
                let units: Vec<u16> = units.iter().map(|it| u16::from_le_bytes(*it)).collect();
                Value::String(Str::from_units(&units))
            }
            GUID => Value::Guid(self.fixed()?),
            DATE => {
                let (ticks, kind) = (self.long()?, self.byte()?);
                let kind = match kind {
                    0 => DateTimeKind::Unspecified,
                    1 => DateTimeKind::Utc,
                    2 => DateTimeKind::Local,
                    _ => return None,
                };
                Value::DateTime(DateTime { ticks, kind })
            }
            DATE_OFFSET => {
                let ticks = self.long()?;
                let offset_minutes = i16::from_le_bytes(self.fixed()?);
                Value::DateTimeOffset(DateTimeOffset { ticks, offset_minutes })
            }
            TIME_SPAN => Value::TimeSpan(self.long()?),
            BYTES => Value::from(self.counted()?.to_vec()),
            ARRAY => {
                let (element, items) = self.items(depth)?;
                Value::array(element, items)
            }
            LIST => {
                let (element, items) = self.items(depth)?;
                Value::list(element, items)
            }
            OBJECT | JARRAY | PROPERTY | SCALAR => crate::json::object(self.root_token(tag)?),
            ELEMENT => crate::xml::object(parsed(self.text()?, Root::Element)?),
            DOCUMENT => self.document()?,
            _ => return None,
        })
    }

    fn items(&mut self, depth: usize) -> Option<(Type, Vec<Value>)> {
        let depth = depth.checked_sub(1)?;
        let element = *ITEM_TYPES.get(usize::from(self.byte()?))?;
        let n_items = self.length()?;
        let mut items = Vec::with_capacity(n_items.min(1024));
        for _ in 0..n_items {
            let item = self.value(depth)?;
            if !item.is_null() && !item.is_instance(element) {
                return None;
            }
            items.push(item);
        }
        Some((element, items))
    }

    /// A token that hangs on no other.
    fn root_token(&mut self, tag: u8) -> Option<Token> {
        match tag {
            OBJECT | JARRAY => {
                let token = if tag == OBJECT { Token::object() } else { Token::array() };
                self.fill(&token, MAX_TREE_DEPTH)?;
                Some(token)
            }
            PROPERTY => {
                let name = self.text()?;
                let property = Token::property(name, Scalar::Null).ok()?;
                let tag = self.byte().filter(|it| *it != PROPERTY)?;
                let value = self.root_token(tag)?;
                property.set_property_value(Some(&value)).ok()?;
                Some(property)
            }
            SCALAR => Some(Token::value(self.scalar()?)),
            _ => None,
        }
    }

    /// What is in a container. Containers are hung up before they are filled, so that nothing is
    /// moved twice.
    fn fill(&mut self, container: &Token, depth: u16) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        for _ in 0..self.length()? {
            let mut tag = self.byte()?;
            let name = if tag == PROPERTY { Some(self.text()?) } else { None };
            if name.is_some() {
                tag = self.byte()?;
            }
            let child = match tag {
                OBJECT => Token::object(),
                JARRAY => Token::array(),
                SCALAR => Token::value(self.scalar()?),
                _ => return None,
            };
            match name {
                Some(name) => container.add(Token::property(name, child.clone()).ok()?).ok()?,
                None => container.add(child.clone()).ok()?,
            }
            if tag != SCALAR {
                self.fill(&child, depth)?;
            }
        }
        Some(())
    }

    fn scalar(&mut self) -> Option<Scalar> {
        Some(match self.byte()? {
            0 => Scalar::Null,
            1 => Scalar::Undefined,
            2 => Scalar::NullString,
            3 => Scalar::Bool(self.byte()? != 0),
            4 => Scalar::Int(self.long()?),
            5 => Scalar::Big(self.text()?.into()),
            6 => Scalar::Float(self.double()?),
            7 => Scalar::Single(self.single()?),
            8 => Scalar::Decimal(self.decimal()?),
            9 => Scalar::String(self.text()?.into()),
            10 => Scalar::Date(self.date()?),
            11 => Scalar::DateOffset(self.date()?, i16::from_le_bytes(self.fixed()?)),
            12 => Scalar::TimeSpan(self.long()?),
            13 => Scalar::Guid(u128::from_le_bytes(self.fixed()?)),
            14 => Scalar::Uri(self.text()?.into()),
            15 => Scalar::Bytes(self.counted()?.into()),
            16 => Scalar::Comment(self.text()?.into()),
            17 => Scalar::Raw(self.text()?.into()),
            _ => return None,
        })
    }

    fn date(&mut self) -> Option<JsonDate> {
        let ticks = self.long()?;
        let kind = match self.byte()? {
            0 => DateKind::Unspecified,
            1 => DateKind::Utc,
            2 => DateKind::Local,
            _ => return None,
        };
        Some(JsonDate { ticks, kind })
    }

    fn document(&mut self) -> Option<Value> {
        let declaration = if self.byte()? == 0 {
            None
        } else {
            let mut part = || {
                let (is_there, text) = (self.byte()? != 0, self.text()?);
                Some(is_there.then(|| text.to_owned()))
            };
            Some(Declaration { version: part()?, encoding: part()?, standalone: part()? })
        };
        let node = parsed(self.text()?, Root::Document)?;
        node.set_declaration(declaration);
        Some(crate::xml::object(node))
    }
}

fn parsed(text: &str, root: Root) -> Option<xml::Node> {
    let options = ParseOptions { preserve_whitespace: true, ..ParseOptions::default() };
    xml::parse(text, root, &options).ok()
}
