//! Whole schemas against whole documents.

use super::*;

const XMLNS: &str = "xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='urn:t' \
                     targetNamespace='urn:t' elementFormDefault='qualified'";

fn schema(inside: &str) -> Result<Schema, Unusable> {
    let text = format!("<xs:schema {XMLNS}>{inside}</xs:schema>");
    Schema::compile(&[("main".to_owned(), text)], "main")
}

/// What is wrong with `<e xmlns="urn:t" …>…`; empty if nothing.
fn wrong(of: &Schema, document: &str) -> String {
    let xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:t='urn:t'";
    let document = document.replacen("<e", &format!("<e xmlns='urn:t' {xsi}"), 1);
    let found = of.check(&document);
    found.into_iter().map(|it| it.message).collect::<Vec<_>>().join("; ")
}

fn cases(inside: &str, cases: &[(&str, &str)]) {
    let schema = schema(inside).unwrap();
    for (document, expected) in cases {
        assert_eq!(wrong(&schema, document), *expected, "{document}");
    }
}

#[test]
fn an_order_is_checked() {
    cases(
        "<xs:element name='e'><xs:complexType><xs:sequence>\
           <xs:element name='id' type='xs:int'/>\
           <xs:element name='line' type='t:line' maxOccurs='unbounded'/>\
           <xs:element name='note' type='xs:string' minOccurs='0'/>\
         </xs:sequence><xs:attribute name='kind' type='t:kind' use='required'/></xs:complexType></xs:element>\
         <xs:complexType name='line'><xs:simpleContent><xs:extension base='xs:decimal'>\
           <xs:attribute name='sku' type='xs:NCName'/></xs:extension></xs:simpleContent></xs:complexType>\
         <xs:simpleType name='kind'><xs:restriction base='xs:string'>\
           <xs:enumeration value='a'/><xs:enumeration value='b'/></xs:restriction></xs:simpleType>",
        &[
            ("<e kind='a'><id>1</id><line sku='x'>1.5</line><line>2</line><note/></e>", ""),
            ("<e kind='a'><id>1</id></e>", "element `e` is not complete; expected: line"),
            ("<e kind='a'><id>x</id><line>1</line></e>", "the value of element `id` is no `int`"),
            ("<e kind='a'><line>1</line></e>", "element `line` is not expected; expected: id"),
            (
                "<e kind='c'><id>1</id><line>1</line></e>",
                "the value of attribute `kind` of `e` is none of the values that are allowed",
            ),
            ("<e><id>1</id><line>1</line></e>", "attribute `kind` of `e` is missing"),
            (
                "<e kind='a' x='1'><id>1</id><line>1</line></e>",
                "attribute `x` of `e` is not declared",
            ),
            ("<e kind='a'>text<id>1</id><line>1</line></e>", "element `e` cannot have text"),
            (
                "<e kind='a'><id>1</id><line>x</line></e>",
                "the value of element `line` is no `decimal`",
            ),
            (
                "<e kind='a'><id>1</id><line><a/></line></e>",
                "element `a` is not expected: `line` holds text",
            ),
            ("<e kind='a'><id xmlns=''>1</id></e>", "element `id` is not expected; expected: id"),
        ],
    );
}

#[test]
fn types_are_extended_and_restricted() {
    cases(
        "<xs:complexType name='base'><xs:sequence><xs:element name='a' type='xs:int'/></xs:sequence>\
           <xs:attribute name='x' type='xs:int'/><xs:attribute name='y' type='xs:int'/></xs:complexType>\
         <xs:complexType name='more'><xs:complexContent><xs:extension base='t:base'>\
           <xs:sequence><xs:element name='b' type='xs:int'/></xs:sequence><xs:attribute name='z' type='xs:int'/>\
         </xs:extension></xs:complexContent></xs:complexType>\
         <xs:complexType name='less'><xs:complexContent><xs:restriction base='t:base'>\
           <xs:sequence><xs:element name='a' type='xs:byte'/></xs:sequence>\
           <xs:attribute name='x' type='xs:int' use='required'/><xs:attribute name='y' use='prohibited'/>\
         </xs:restriction></xs:complexContent></xs:complexType>\
         <xs:complexType name='other'><xs:sequence/></xs:complexType>\
         <xs:element name='e' type='t:base'/>",
        &[
            ("<e x='1' y='2'><a>1</a></e>", ""),
            ("<e xsi:type='t:more' z='1'><a>1</a><b>2</b></e>", ""),
            ("<e xsi:type='t:more'><a>1</a></e>", "element `e` is not complete; expected: b"),
            ("<e xsi:type='t:less' x='1'><a>1</a></e>", ""),
            (
                "<e xsi:type='t:less' x='1' y='1'><a>1</a></e>",
                "attribute `y` of `e` is not declared",
            ),
            (
                "<e xsi:type='t:less'><a>500</a></e>",
                "attribute `x` of `e` is missing; the value of element `a` is no `byte`",
            ),
            ("<e xsi:type='t:other'/>", "`xsi:type` `other` is no type that may stand here"),
            ("<e xsi:type='none'/>", "`xsi:type` `none` is no type that may stand here"),
        ],
    );
}

#[test]
fn groups_references_and_recursion_work() {
    cases(
        "<xs:group name='g'><xs:choice><xs:element name='a' type='xs:int'/><xs:element ref='t:e'/></xs:choice></xs:group>\
         <xs:attributeGroup name='ag'><xs:attribute name='x' type='xs:boolean'/><xs:attribute ref='t:ga'/></xs:attributeGroup>\
         <xs:attribute name='ga' type='xs:int'/>\
         <xs:element name='e'><xs:complexType><xs:group ref='t:g' minOccurs='0' maxOccurs='2'/>\
           <xs:attributeGroup ref='t:ag'/></xs:complexType></xs:element>",
        &[
            ("<e/>", ""),
            ("<e x='1' t:ga='5'><a>1</a><e><a>2</a></e></e>", ""),
            ("<e><e><e><a>x</a></e></e></e>", "the value of element `a` is no `int`"),
            ("<e><a>1</a><a>1</a><a>1</a></e>", "element `a` is not expected"),
            ("<e t:ga='x'/>", "the value of attribute `ga` of `e` is no `int`"),
            ("<e ga='1'/>", "attribute `ga` of `e` is not declared"),
        ],
    );
}

#[test]
fn nil_fixed_default_mixed_and_any_work() {
    cases(
        "<xs:element name='g' type='xs:int'/>\
         <xs:element name='e'><xs:complexType mixed='true'><xs:sequence>\
           <xs:element name='n' type='xs:int' nillable='true' minOccurs='0'/>\
           <xs:element name='f' type='xs:int' fixed='5' minOccurs='0'/>\
           <xs:element name='d' type='xs:int' default='7' minOccurs='0'/>\
           <xs:any namespace='##other' processContents='lax' minOccurs='0'/>\
           <xs:element name='strict' minOccurs='0'><xs:complexType><xs:sequence>\
             <xs:any namespace='##targetNamespace'/></xs:sequence></xs:complexType></xs:element>\
         </xs:sequence><xs:anyAttribute namespace='##other' processContents='skip'/></xs:complexType></xs:element>",
        &[
            ("<e>text <n>1</n> text</e>", ""),
            ("<e><n xsi:nil='true'/></e>", ""),
            ("<e><n xsi:nil='true'>1</n></e>", "element `n` is nil and not empty"),
            ("<e><n/></e>", "the value of element `n` is no `int`"),
            ("<e><f xsi:nil='true'/></e>", "element `f` cannot be nil"),
            ("<e><f>05</f><d/></e>", ""),
            ("<e><f>6</f></e>", "element `f` has not the value that it has to have"),
            ("<e><x xmlns='urn:x'><y/></x></e>", ""),
            (
                "<e><x xmlns='urn:x'><g xmlns='urn:t'>x</g></x></e>",
                "the value of element `g` is no `int`",
            ),
            ("<e><strict><g>1</g></strict></e>", ""),
            ("<e><strict><h/></strict></e>", "element `h` is not declared"),
            ("<e xmlns:o='urn:o' o:a='1'/>", ""),
            ("<e a='1'/>", "attribute `a` of `e` is not declared"),
        ],
    );
}

#[test]
fn facets_lists_and_unions_work() {
    cases(
        "<xs:simpleType name='size'><xs:union memberTypes='xs:int'><xs:simpleType>\
           <xs:restriction base='xs:token'><xs:enumeration value='big'/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>\
         <xs:simpleType name='sizes'><xs:restriction><xs:simpleType><xs:list itemType='t:size'/></xs:simpleType>\
           <xs:maxLength value='2'/></xs:restriction></xs:simpleType>\
         <xs:simpleType name='code'><xs:restriction base='xs:string'><xs:pattern value='[A-Z]\\d'/><xs:pattern value='x'/></xs:restriction></xs:simpleType>\
         <xs:simpleType name='day'><xs:restriction base='xs:date'><xs:minInclusive value='2026-01-01'/></xs:restriction></xs:simpleType>\
         <xs:element name='e'><xs:complexType><xs:all>\
           <xs:element name='s' type='t:sizes' minOccurs='0'/><xs:element name='c' type='t:code' minOccurs='0'/>\
           <xs:element name='d' type='t:day' minOccurs='0'/></xs:all>\
           <xs:attribute name='id' type='xs:ID'/><xs:attribute name='of' type='xs:IDREF'/></xs:complexType></xs:element>",
        &[
            ("<e id='a' of='a'><d>2026-02-01</d><s>1 big</s><c>A1</c></e>", ""),
            ("<e><c>x</c></e>", ""),
            ("<e><s>1 big 2</s></e>", "the value of element `s` is too long"),
            (
                "<e><s>small</s></e>",
                "the value of element `s` is a value of none of the types that it may have",
            ),
            (
                "<e><c>A12</c></e>",
                "the value of element `c` does not have the form that it has to have",
            ),
            (
                "<e><d>2025-12-31</d></e>",
                "the value of element `d` is out of bounds (`2026-01-01`)",
            ),
            ("<e><c>x</c><c>x</c></e>", "element `c` is not expected; expected: s, d"),
            ("<e of='b'/>", "nothing has the ID `b`"),
        ],
    );
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (inside, expected) in [
        (
            "<xs:element name='e'><xs:key name='k'/></xs:element>",
            "`key` in `xs:element` is not supported",
        ),
        (
            "<xs:element name='e' substitutionGroup='t:x'/>",
            "attribute `substitutionGroup` of `xs:element` is not supported",
        ),
        ("<xs:element name='e' type='t:none'/>", "`none` is not declared"),
        ("<xs:element name='e' type='xs:ENTITY'/>", "type `xs:ENTITY` is not supported"),
        (
            "<xs:complexType name='c' block='#all'/>",
            "attribute `block` of `xs:complexType` is not supported",
        ),
        (
            "<xs:simpleType name='s'><xs:restriction base='xs:duration'><xs:minInclusive value='P1D'/></xs:restriction></xs:simpleType>",
            "`xs:minInclusive` is not supported for this type",
        ),
        (
            "<xs:simpleType name='s'><xs:restriction base='xs:int'><xs:enumeration value='x'/></xs:restriction></xs:simpleType>",
            "`enumeration` is `x`, which is no `int`",
        ),
        (
            "<xs:complexType name='c'><xs:sequence maxOccurs='999999'><xs:element name='a'/></xs:sequence></xs:complexType>",
            "a content model is too large, or has `xs:all` inside of another group",
        ),
        (
            "<xs:complexType name='c'><xs:complexContent><xs:extension base='t:c'/></xs:complexContent></xs:complexType>",
            "a type derives from itself",
        ),
        (
            "<xs:simpleType name='s'><xs:restriction base='t:s'/></xs:simpleType>",
            "a type derives from itself",
        ),
        (
            "<xs:group name='g'><xs:sequence><xs:group ref='t:g'/></xs:sequence></xs:group><xs:complexType name='c'><xs:group ref='t:g'/></xs:complexType>",
            "definitions are nested too deep, or in a circle",
        ),
        ("<xs:element name='e' type='p:x'/>", "prefix `p` is not declared"),
    ] {
        assert_eq!(schema(inside).unwrap_err().to_string(), expected, "{inside}");
    }
}

#[test]
fn hostile_documents_are_bounded() {
    let schema = schema("<xs:element name='e'/>").unwrap();
    let deep = format!("<e>{}{}</e>", "<a>".repeat(5000), "</a>".repeat(5000));
    assert!(wrong(&schema, &deep).contains("nested deeper"));
    assert!(wrong(&schema, "<e>").contains("no XML"));
    let bomb = "<!DOCTYPE e [<!ENTITY a 'b'>]><e>&a;</e>";
    assert!(schema.check(bomb)[0].message.contains("no XML"));
    let many = format!(
        "<e xmlns='urn:t'>{}</e>",
        "<e xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='1'/>".repeat(50)
    );
    assert_eq!(schema.check(&many).len(), MAX_VIOLATIONS);
}

#[test]
fn an_envelope_is_opened() {
    let schema = schema("<xs:element name='e' type='xs:int'/>").unwrap();
    let soap = |space: &str, body: &str| {
        format!(
            "<s:Envelope xmlns:s='{space}' xmlns='urn:t'><s:Header/><s:Body>{body}</s:Body></s:Envelope>"
        )
    };
    let shown = |text: &str, fault| -> Vec<String> {
        schema.check_envelope(text, fault).into_iter().map(|it| it.message).collect()
    };
    for space in
        ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"]
    {
        assert_eq!(shown(&soap(space, "<e>1</e>"), false), [""; 0]);
        assert_eq!(
            shown(&soap(space, "<e>x</e>"), false),
            ["the value of element `e` is no `int`"]
        );
        assert_eq!(shown(&soap(space, ""), false), ["the envelope's `Body` is empty"]);
        assert_eq!(shown(&soap(space, "<s:Fault/>"), true), [""; 0]);
        assert_eq!(shown(&soap(space, "<s:Fault/>"), false), ["element `Fault` is not declared"]);
    }
    assert_eq!(shown(&soap("urn:x", "<e>1</e>"), false), ["the body is no SOAP envelope"]);
    assert_eq!(shown("<e xmlns='urn:t'>1</e>", false), ["the body is no SOAP envelope"]);
}

#[test]
fn places_are_told() {
    let schema = schema("<xs:element name='e' type='xs:int'/>").unwrap();
    let found = schema.check("<?xml version='1.0'?>\n  <e xmlns='urn:t'>x</e>");
    assert_eq!((found[0].line, found[0].position), (2, 3));
}

#[test]
fn several_documents_are_one_schema() {
    let one = |namespace: &str, name: &str, more: &str| {
        let text = format!(
            "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='{namespace}'>\
             {more}<xs:element name='{name}' type='xs:int'/></xs:schema>"
        );
        (name.to_owned(), text)
    };
    let import = "<xs:import namespace='urn:a' schemaLocation='a'/>";
    let schema = Schema::compile_all(&[one("urn:a", "a", ""), one("urn:b", "b", import)]).unwrap();
    for (document, n_wrong) in [
        ("<a xmlns='urn:a'>1</a>", 0),
        ("<b xmlns='urn:b'>1</b>", 0),
        ("<b xmlns='urn:b'>x</b>", 1),
        ("<a xmlns='urn:b'>1</a>", 1),
    ] {
        assert_eq!(schema.check(document).len(), n_wrong, "{document}");
    }
    let broken = Schema::compile_all(&[one("urn:a", "a", ""), ("b".to_owned(), "<".to_owned())]);
    assert!(broken.unwrap_err().to_string().contains("`b` is no XML"));
}
