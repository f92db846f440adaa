//! From values to bytes.

use clr::types::Type;
use clr::value::{DateTimeKind, Value};
use tree::json::{DateKind, DateTime, Kind as JsonKind, Scalar, Token};
use tree::xml::{Kind as XmlKind, Node};

use super::NotStorable;
use super::{
    ARRAY, BYTE, BYTES, CHAR, DATE, DATE_OFFSET, DECIMAL, DOCUMENT, DOUBLE, ELEMENT, FALSE, GUID,
    INT, INT16, ITEM_TYPES, JARRAY, LIST, LONG, NULL, OBJECT, PROPERTY, SBYTE, SCALAR, SINGLE,
    STRING, TIME_SPAN, TRUE, UINT, UINT16, ULONG, UNITS,
};

type Done = Result<(), NotStorable>;

/// Bytes so far, at most so many.
pub(super) struct Writer {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl Writer {
    pub(super) fn new(max_bytes: usize) -> Writer {
        Writer { bytes: Vec::new(), max_bytes }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn raw(&mut self, bytes: &[u8]) -> Done {
        if self.max_bytes.saturating_sub(self.bytes.len()) < bytes.len() {
            return Err(NotStorable::TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn byte(&mut self, byte: u8) -> Done {
        self.raw(&[byte])
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) -> Done {
        self.byte(tag)?;
        self.raw(bytes)
    }

    fn length(&mut self, length: usize) -> Done {
        let length = u32::try_from(length).map_err(|_| NotStorable::TooLarge)?;
        self.raw(&length.to_le_bytes())
    }

    fn counted(&mut self, bytes: &[u8]) -> Done {
        self.length(bytes.len())?;
        self.raw(bytes)
    }

    fn text(&mut self, tag: u8, text: &str) -> Done {
        self.byte(tag)?;
        self.counted(text.as_bytes())
    }

    /// A value; lists in it nest `depth` deep at most.
    pub(super) fn value(&mut self, value: &Value, depth: usize) -> Done {
        match value {
            Value::Null => self.byte(NULL),
            Value::Bool(it) => self.byte(if *it { TRUE } else { FALSE }),
            Value::Char(it) => self.tagged(CHAR, &it.to_le_bytes()),
            Value::SByte(it) => self.tagged(SBYTE, &it.to_le_bytes()),
            Value::Byte(it) => self.tagged(BYTE, &[*it]),
            Value::Int16(it) => self.tagged(INT16, &it.to_le_bytes()),
            Value::UInt16(it) => self.tagged(UINT16, &it.to_le_bytes()),
            Value::Int(it) => self.tagged(INT, &it.to_le_bytes()),
            Value::UInt(it) => self.tagged(UINT, &it.to_le_bytes()),
            Value::Long(it) => self.tagged(LONG, &it.to_le_bytes()),
            Value::ULong(it) => self.tagged(ULONG, &it.to_le_bytes()),
            Value::Single(it) => self.tagged(SINGLE, &it.to_bits().to_le_bytes()),
            Value::Double(it) => self.tagged(DOUBLE, &it.to_bits().to_le_bytes()),
            Value::Decimal(it) => self.tagged(DECIMAL, &it.serialize()),
            Value::String(it) if it.is_well_formed() => self.text(STRING, it.as_str()),
            Value::String(it) => {
                let units: Vec<u8> = it.units().iter().flat_map(|it| it.to_le_bytes()).collect();
                self.byte(UNITS)?;
                self.counted(&units)
            }
            Value::Guid(it) => self.tagged(GUID, it),
            Value::DateTime(it) => {
                self.tagged(DATE, &it.ticks.to_le_bytes())?;
                self.byte(match it.kind {
                    DateTimeKind::Unspecified => 0,
                    DateTimeKind::Utc => 1,
                    DateTimeKind::Local => 2,
                })
            }
            Value::DateTimeOffset(it) => {
                self.tagged(DATE_OFFSET, &it.ticks.to_le_bytes())?;
                self.raw(&it.offset_minutes.to_le_bytes())
            }
            Value::TimeSpan(it) => self.tagged(TIME_SPAN, &it.to_le_bytes()),
            Value::Bytes(it) => {
                self.byte(BYTES)?;
                self.counted(&it.to_bytes())
            }
            Value::Array(it) => self.items(ARRAY, (it.element(), it.to_vec()), (value, depth)),
            Value::List(it) => self.items(LIST, (it.element(), it.to_vec()), (value, depth)),
            _ => self.object(value),
        }
    }

    fn items(
        &mut self,
        tag: u8,
        (element, items): (Type, Vec<Value>),
        (whole, depth): (&Value, usize),
    ) -> Done {
        let depth = depth.checked_sub(1).ok_or(NotStorable::TooDeep)?;
        let place = ITEM_TYPES.iter().position(|it| *it == element);
        let place = place.and_then(|it| u8::try_from(it).ok());
        let place = place.ok_or_else(|| NotStorable::Type(whole.type_name()))?;
        self.tagged(tag, &[place])?;
        self.length(items.len())?;
        items.iter().try_for_each(|it| self.value(it, depth))
    }

    fn object(&mut self, value: &Value) -> Done {
        let unfit = || NotStorable::Type(value.type_name());
        if let Some(token) = crate::json::token_of(value) {
            return self.token(token, &unfit);
        }
        let node = crate::xml::node_of(value).ok_or_else(unfit)?;
        self.node(node, &unfit)
    }

    /// A token and what is in it; trees of tokens bound their depth themselves.
    fn token(&mut self, token: &Token, unfit: &dyn Fn() -> NotStorable) -> Done {
        match token.kind() {
            JsonKind::Object | JsonKind::Array => {
                let is_object = token.kind() == JsonKind::Object;
                let children = token.child_list();
                self.byte(if is_object { OBJECT } else { JARRAY })?;
                self.length(children.len())?;
                children.iter().try_for_each(|it| self.token(it, unfit))
            }
            JsonKind::Property => {
                self.text(PROPERTY, &token.name().unwrap_or_default())?;
                match token.property_value() {
                    Some(value) => self.token(&value, unfit),
                    None => self.scalar(&Scalar::Null),
                }
            }
            _ => self.scalar(&token.scalar().ok_or_else(unfit)?),
        }
    }

    fn scalar(&mut self, scalar: &Scalar) -> Done {
        self.byte(SCALAR)?;
        match scalar {
            Scalar::Null => self.byte(0),
            Scalar::Undefined => self.byte(1),
            Scalar::NullString => self.byte(2),
            Scalar::Bool(it) => self.tagged(3, &[u8::from(*it)]),
            Scalar::Int(it) => self.tagged(4, &it.to_le_bytes()),
            Scalar::Big(it) => self.text(5, it),
            Scalar::Float(it) => self.tagged(6, &it.to_bits().to_le_bytes()),
            Scalar::Single(it) => self.tagged(7, &it.to_bits().to_le_bytes()),
            Scalar::Decimal(it) => self.tagged(8, &it.serialize()),
            Scalar::String(it) => self.text(9, it),
            Scalar::Date(it) => {
                self.byte(10)?;
                self.date(*it)
            }
            Scalar::DateOffset(it, minutes) => {
                self.byte(11)?;
                self.date(*it)?;
                self.raw(&minutes.to_le_bytes())
            }
            Scalar::TimeSpan(it) => self.tagged(12, &it.to_le_bytes()),
            Scalar::Guid(it) => self.tagged(13, &it.to_le_bytes()),
            Scalar::Uri(it) => self.text(14, it),
            Scalar::Bytes(it) => {
                self.byte(15)?;
                self.counted(it)
            }
            Scalar::Comment(it) => self.text(16, it),
            Scalar::Raw(it) => self.text(17, it),
        }
    }

    fn date(&mut self, date: DateTime) -> Done {
        self.raw(&date.ticks.to_le_bytes())?;
        self.byte(match date.kind {
            DateKind::Unspecified => 0,
            DateKind::Utc => 1,
            DateKind::Local => 2,
        })
    }

    fn node(&mut self, node: &Node, unfit: &dyn Fn() -> NotStorable) -> Done {
        let text = node.to_xml(false).map_err(|_| unfit())?;
        match node.kind() {
            XmlKind::Element => self.text(ELEMENT, &text),
            XmlKind::Document => {
                self.byte(DOCUMENT)?;
                let declaration = node.declaration();
                self.byte(u8::from(declaration.is_some()))?;
                if let Some(it) = declaration {
                    for part in [&it.version, &it.encoding, &it.standalone] {
                        self.byte(u8::from(part.is_some()))?;
                        self.counted(part.as_deref().unwrap_or_default().as_bytes())?;
                    }
                }
                self.counted(text.as_bytes())
            }
            _ => Err(unfit()),
        }
    }
}
