//! What is stored comes back with its type; what is no value is none.

use bytes::Bytes;
use clr::types::{Type, names};
use clr::value::{DateTime, DateTimeKind, DateTimeOffset, KeyValuePair, Value};
use dotnet::Str;
use proptest::prelude::*;
use tree::json::{DateKind, DateTime as JsonDate, ParseOptions, Root, Scalar, Token, parse};
use tree::xml;

use super::{MAX_DEPTH, NotStorable, restore, store};
use crate::json::{object, token_of};
use crate::test_support::with_cx;
use crate::xml::node_of;

const MAX_BYTES: usize = 1 << 20;

fn again(value: &Value) -> Value {
    with_cx(|_| restore(&store(value, MAX_BYTES).unwrap()).unwrap())
}

/// The type and the text of what comes back.
fn shown(value: &Value) -> String {
    let it = again(value);
    assert_eq!(it.type_name(), value.type_name());
    format!("{} {}", it.type_name(), it.to_text())
}

fn json(text: &str) -> Token {
    parse(text, Root::Any, &ParseOptions::default()).unwrap()
}

#[test]
fn simple_values_keep_type_and_value() {
    let decimal = rust_decimal::Decimal::new(1_2300, 4);
    let date = DateTime { ticks: 638_000_000_000_000_001, kind: DateTimeKind::Utc };
    let offset = DateTimeOffset { ticks: 638_000_000_000_000_000, offset_minutes: -90 };
    for (value, expected) in [
        (Value::Bool(true), "System.Boolean True"),
        (Value::Bool(false), "System.Boolean False"),
        (Value::Char(0x20ac), "System.Char €"),
        (Value::SByte(-1), "System.SByte -1"),
        (Value::Byte(255), "System.Byte 255"),
        (Value::Int16(-300), "System.Int16 -300"),
        (Value::UInt16(300), "System.UInt16 300"),
        (Value::Int(i32::MIN), "System.Int32 -2147483648"),
        (Value::UInt(u32::MAX), "System.UInt32 4294967295"),
        (Value::Long(i64::MIN), "System.Int64 -9223372036854775808"),
        (Value::ULong(u64::MAX), "System.UInt64 18446744073709551615"),
        (Value::Single(1.5), "System.Single 1.5"),
        (Value::Double(0.1), "System.Double 0.1"),
        (Value::Decimal(decimal), "System.Decimal 1.2300"),
        (Value::from(""), "System.String "),
        (Value::from("täxt\n"), "System.String täxt\n"),
        (Value::Guid([7; 16]), "System.Guid 07070707-0707-0707-0707-070707070707"),
        (Value::DateTime(date), "System.DateTime 09/28/2022 22:13:20"),
        (Value::DateTimeOffset(offset), "System.DateTimeOffset 09/28/2022 22:13:20 -01:30"),
        (Value::TimeSpan(-600_000_000), "System.TimeSpan -00:01:00"),
    ] {
        assert_eq!(shown(&value), expected);
    }
    assert!(again(&Value::Null).is_null());
    let Value::DateTime(same) = again(&Value::DateTime(date)) else { panic!() };
    assert_eq!(same, date);
}

#[test]
fn half_of_a_pair_of_units_survives() {
    let value = Value::String(Str::from_units(&[0x61, 0xd800, 0x62]));
    let units = again(&value).as_string().unwrap().units().to_vec();
    assert_eq!(units, [0x61, 0xd800, 0x62]);
}

#[test]
fn bytes_arrays_and_lists_keep_their_items() {
    let bytes = Value::from(vec![0_u8, 1, 255]);
    assert_eq!(again(&bytes).as_bytes(), Some(Bytes::from_static(&[0, 1, 255])));

    let texts = Value::list(Type::String, vec![Value::from("a"), Value::Null]);
    let Value::List(list) = again(&texts) else { panic!() };
    assert_eq!((list.element(), list.to_vec().len()), (Type::String, 2));
    let mixed = Value::array(Type::Object, vec![Value::Int(1), texts, bytes]);
    let Value::Array(array) = again(&mixed) else { panic!() };
    assert_eq!(array.element(), Type::Object);
    let names: Vec<String> = array.to_vec().iter().map(Value::type_name).collect();
    assert_eq!(names[0], "System.Int32");
    assert!(names[1].starts_with("System.Collections.Generic.List"), "{}", names[1]);
    assert_eq!(names[2], "System.Byte[]");
}

#[test]
fn json_keeps_its_order_its_kinds_and_its_classes() {
    for text in [
        r#"{"b":1,"a":[1.5,"x",null,true,{"c":{}},[]],"big":123456789012345678901234567890}"#,
        "[]",
        "{}",
        "[[[[1]]]]",
        r#"["2026-01-02T03:04:05Z"]"#,
        r#""text""#,
        "12",
        "null",
    ] {
        let token = json(text);
        let value = object(token.clone());
        let same = again(&value);
        assert_eq!(same.type_name(), value.type_name(), "{text}");
        let same = token_of(&same).unwrap();
        assert_eq!(same.to_text(), token.to_text());
        assert!(tree::json::deep_equals(same, &token), "{text}");
    }
    let property = Token::property("n", json("[1,{}]")).unwrap();
    let same = again(&object(property));
    assert_eq!(same.type_name(), "Newtonsoft.Json.Linq.JProperty");
    assert_eq!(token_of(&same).unwrap().property_value().unwrap().count(), 2);
}

#[test]
fn what_json_text_cannot_tell_apart_survives() {
    let date = JsonDate { ticks: 638_000_000_000_000_000, kind: DateKind::Local };
    for scalar in [
        Scalar::Undefined,
        Scalar::NullString,
        Scalar::Single(0.5),
        Scalar::Decimal(rust_decimal::Decimal::new(10, 1)),
        Scalar::String("2026-01-02T03:04:05Z".into()),
        Scalar::Date(date),
        Scalar::DateOffset(date, 60),
        Scalar::TimeSpan(5),
        Scalar::Guid(7),
        Scalar::Uri("https://a.example/".into()),
        Scalar::Bytes([1, 2].as_slice().into()),
        Scalar::Raw("{".into()),
    ] {
        let array = Token::array();
        array.add(scalar.clone()).unwrap();
        let same = again(&object(array));
        assert_eq!(token_of(&same).unwrap().first().unwrap().scalar(), Some(scalar));
    }
}

#[test]
fn a_copy_has_nothing_to_do_with_its_original() {
    let token = json(r#"{"a":1}"#);
    let same = again(&object(token.clone()));
    token_of(&same).unwrap().set("a", Some(&json("2"))).unwrap();
    assert_eq!(&*token.get("a").unwrap().to_text(), "1");
}

#[test]
fn xml_keeps_white_space_namespaces_and_its_declaration() {
    let options = xml::ParseOptions { preserve_whitespace: true, ..xml::ParseOptions::default() };
    let text = "<a xmlns:p=\"urn:p\">\n <p:b c=\"1\">x<![CDATA[<]]></p:b><!-- d --></a>";
    for (text, root, class) in [
        (text.to_owned(), xml::Root::Element, "System.Xml.Linq.XElement"),
        (text.to_owned(), xml::Root::Document, "System.Xml.Linq.XDocument"),
        (
            format!("<?xml version=\"1.0\" standalone=\"yes\"?>{text}"),
            xml::Root::Document,
            "System.Xml.Linq.XDocument",
        ),
    ] {
        let node = xml::parse(&text, root, &options).unwrap();
        let same = again(&crate::xml::object(node.clone()));
        assert_eq!(same.type_name(), class);
        let same = node_of(&same).unwrap();
        assert_eq!(same.to_xml(false).unwrap(), node.to_xml(false).unwrap());
        assert_eq!(same.declaration(), node.declaration());
    }
}

#[test]
fn what_is_no_data_is_not_stored_and_told_by_its_type() {
    let refused = |value: &Value| match with_cx(|_| store(value, MAX_BYTES)) {
        Err(NotStorable::Type(name)) => name,
        other => format!("{other:?}"),
    };
    let pair = KeyValuePair::new([Type::String, Type::Int32], Value::from("a"), Value::Int(1));
    let pair = Value::object(pair);
    assert!(refused(&pair).starts_with("System.Collections.Generic.KeyValuePair"));
    let text = Value::Object(std::sync::Arc::new(clr::JwtValue::default()));
    assert_eq!(refused(&text), "Apim.Jwt");
    let lists = Value::list(Type::named(names::IENUMERABLE_PLAIN), Vec::new());
    assert!(refused(&lists).starts_with("System.Collections.Generic.List"));
    let inside = Value::list(Type::Object, vec![pair]);
    assert!(refused(&inside).starts_with("System.Collections.Generic.KeyValuePair"));
    let attribute = xml::Node::attribute(xml::Name::new("", "a").unwrap(), "1");
    assert_eq!(refused(&crate::xml::object(attribute)), "System.Xml.Linq.XAttribute");
}

#[test]
fn size_and_depth_are_bounded() {
    assert_eq!(store(&Value::from("12345"), 10), Err(NotStorable::TooLarge));
    assert_eq!(store(&Value::from("12345"), 11).unwrap().len(), 11);
    assert_eq!(store(&object(json("[1,2,3,4,5,6,7,8]")), 50), Err(NotStorable::TooLarge));

    let nested =
        |depth: usize| (0..depth).fold(Value::Int(1), |it, _| Value::list(Type::Object, vec![it]));
    let deepest = nested(MAX_DEPTH);
    assert_eq!(again(&deepest).type_name(), deepest.type_name());
    assert_eq!(store(&nested(MAX_DEPTH + 1), MAX_BYTES), Err(NotStorable::TooDeep));
}

#[test]
fn bytes_that_are_cut_or_longer_are_no_value() {
    let value = object(json(r#"{"a":[1,"x",{"b":null}],"c":2.5}"#));
    let bytes = store(&value, MAX_BYTES).unwrap();
    for length in 0..bytes.len() {
        assert!(restore(&bytes[..length]).is_none(), "{length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(restore(&longer).is_none());
    let other_version = [&[bytes[0] + 1], &bytes[1..]].concat();
    assert!(restore(&other_version).is_none());
}

#[test]
fn nothing_that_is_claimed_is_believed() {
    for bytes in [
        vec![1, 15, 255, 255, 255, 255, 0],
        vec![1, 22, 1, 255, 255, 255, 255],
        vec![1, 23, 200, 0, 0, 0, 0],
        // A list of strings with a number in it.
        vec![1, 23, 1, 1, 0, 0, 0, 8, 1, 0, 0, 0],
        // Properties in properties.
        [vec![1], [42, 1, 0, 0, 0, b'a'].repeat(100_000)].concat(),
        // Arrays in arrays.
        [vec![1], [41, 1, 0, 0, 0].repeat(100_000)].concat(),
        [vec![1], [23, 0, 1, 0, 0, 0].repeat(100_000)].concat(),
    ] {
        assert!(with_cx(|_| restore(&bytes)).is_none());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = restore(&[&[1], bytes.as_slice()].concat());
    }

    #[test]
    fn what_is_read_can_be_stored_again(
        tags in prop::collection::vec(prop::sample::select(vec![
            0_u8, 1, 2, 7, 8, 15, 22, 23, 40, 41, 42, 43, 9, 3, 50,
        ]), 0..60),
    ) {
        if let Some(value) = restore(&[&[1], tags.as_slice()].concat()) {
            let bytes = store(&value, MAX_BYTES).unwrap();
            prop_assert!(restore(&bytes).is_some());
        }
    }
}
