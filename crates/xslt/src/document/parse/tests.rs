//! What is read, and what is refused.

use std::collections::HashMap;

use super::{Keeps, Options, parse};
use crate::document::Kind;
use crate::names::{Atom, Key, Names};

fn outline(text: &str) -> Result<String, String> {
    let mut names = Names::new();
    let document = parse(text, &mut names, &Options::default()).map_err(|it| it.message)?;
    let mut out = String::new();
    for id in 1..document.len() {
        let name = names.written(document.name(id));
        let value = document.value(id);
        out += &match document.kind(id) {
            Kind::Element => format!("<{name}>"),
            Kind::Attribute => format!("@{name}={value} "),
            Kind::Text => format!("[{value}]"),
            Kind::Comment => format!("!{value}!"),
            Kind::Instruction => format!("?{name} {value}?"),
            Kind::Root | Kind::Namespace => String::new(),
        };
    }
    Ok(out)
}

#[test]
fn documents_are_read() {
    for (text, expected) in [
        ("<a/>", "<a>"),
        ("\u{feff}<?xml version='1.0' encoding=\"utf-8\"?>\n<a> </a>\n", "<a>[ ]"),
        ("<a b='1' c=\"x&amp;y\">t<![CDATA[<]]>u</a>", "<a>@b=1 @c=x&y [t<u]"),
        ("<!--c--><?p q ?><a><!-- - --></a>", "!c!?p q ?<a>! - !"),
        ("<!DOCTYPE a SYSTEM 'x' [<!ELEMENT a ANY>]><a/>", "<a>"),
        ("<p:a xmlns:p='u' p:b='1'><p:c/></p:a>", "<p:a>@p:b=1 <p:c>"),
        ("<a xmlns='u'><b xmlns=''/></a>", "<a><b>"),
        ("<a\n b = '1'\t/>", "<a>@b=1 "),
        ("<a>\r\nx\ry</a>", "<a>[\nx\ny]"),
    ] {
        assert_eq!(outline(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused_as_dotnet_says_it() {
    for (text, message) in [
        ("", "Root element is missing."),
        (
            "<a><b></a>",
            "The 'b' start tag on line 1 position 5 does not match the end tag of 'a'. Line 1, position 9.",
        ),
        ("<a/><b/>", "There are multiple root elements. Line 1, position 6."),
        ("x", "Data at the root level is invalid. Line 1, position 1."),
        ("<a>&x;</a>", "Reference to undeclared entity 'x'. Line 1, position 4."),
        (
            "<a x=1/>",
            "'1' is an unexpected token. The expected token is '\"' or '''. Line 1, position 6.",
        ),
        ("<a x='1' x='2'/>", "'x' is a duplicate attribute name. Line 1, position 10."),
        (
            "<a xmlns:p='u' xmlns:q='u' p:x='' q:x=''/>",
            "'q:x' is a duplicate attribute name. Line 1, position 35.",
        ),
        ("<p:a/>", "'p' is an undeclared prefix. Line 1, position 2."),
        (
            "<a>",
            "Unexpected end of file has occurred. The following elements are not closed: a. Line 1, position 4.",
        ),
        ("<a>]]></a>", "']]>' is not allowed in character data. Line 1, position 4."),
        (
            "<a b='<'/>",
            "'<', hexadecimal value 0x3C, is an invalid attribute character. Line 1, position 7.",
        ),
        (
            "<1/>",
            "Name cannot begin with the '1' character, hexadecimal value 0x31. Line 1, position 2.",
        ),
        (
            "\n<a>\u{1}</a>",
            "'\u{1}', hexadecimal value 0x01, is an invalid character. Line 2, position 4.",
        ),
        (
            "<a b='1'c='2'/>",
            "'c' is an unexpected token. Expecting whitespace. Line 1, position 9.",
        ),
        ("{\"a\":1}", "Data at the root level is invalid. Line 1, position 1."),
        ("<a xmlns:p=''/>", "Invalid namespace declaration. Line 1, position 4."),
    ] {
        assert_eq!(outline(text).unwrap_err(), message, "{text}");
    }
}

#[test]
fn entity_bombs_and_external_entities_do_not_exist() {
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
    let external = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
    let parameter = "<!DOCTYPE a [<!ELEMENT a ANY>%x;]><a/>";
    for text in [bomb, external, parameter] {
        assert!(outline(text).unwrap_err().starts_with("For security reasons"), "{text}");
    }
}

#[test]
fn depth_costs_nothing_but_nodes_and_they_are_bounded() {
    let text = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
    assert!(outline(&text).is_ok());

    let read = |max_nodes| {
        let options = Options { max_nodes, ..Options::default() };
        parse("<a b=''><c/>t</a>", &mut Names::new(), &options)
    };
    assert!(read(4).is_ok());
    assert!(read(3).unwrap_err().is_limit);
}

#[test]
fn attributes_and_prefixes_are_bounded() {
    let attributes: String = (0..1_001).map(|it| format!(" a{it}=''")).collect();
    assert!(outline(&format!("<a{attributes}/>")).unwrap_err().contains("1000 attributes"));
    let nested: String = (0..501).map(|it| format!("<a xmlns:p{it}='u'>")).collect();
    assert!(outline(&nested).unwrap_err().contains("500 prefixes"));
}

#[test]
fn white_space_is_stripped_where_the_rules_say_so() {
    let mut names = Names::new();
    let key = |names: &mut Names, it: &str| Key { space: Atom::EMPTY, local: names.atom(it) };
    let keeps = Keeps {
        names: HashMap::from([(key(&mut names, "k"), true)]),
        spaces: HashMap::new(),
        others: false,
    };
    let options = Options { keeps: Some(&keeps), ..Options::default() };
    for (text, n_nodes) in [
        ("<a> <k> </k> </a>", 4),
        ("<a> x </a>", 3),
        ("<a xml:space='preserve'> <b> </b></a>", 6),
        ("<a> <![CDATA[ ]]> </a>", 3),
    ] {
        assert_eq!(parse(text, &mut names, &options).unwrap().len(), n_nodes, "{text}");
    }
}

#[test]
fn places_are_noted_if_asked_for() {
    let options = Options { places: true, ..Options::default() };
    let text = "<a>\n <b c='d'/></a>";
    let document = parse(text, &mut Names::new(), &options).unwrap();
    let places: Vec<_> = (1..document.len()).map(|it| document.place(it)).collect();
    assert_eq!(places, [(0, 1), (3, 3), (5, 6), (8, 11)]);
}
