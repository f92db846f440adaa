//! What holds for all numbers, texts and documents.

use portcullis_xslt::{Limits, Stylesheet};
use proptest::prelude::*;

use crate::cases::wrapped;

fn value(select: &str, input: &str) -> String {
    let select = select.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let top =
        format!("<xsl:template match=\"/\"><xsl:value-of select=\"{select}\"/></xsl:template>");
    let sheet = Stylesheet::compile(&wrapped("method=\"text\"", &top)).unwrap();
    String::from_utf8(sheet.transform(input, &[], &Limits::default()).unwrap().bytes).unwrap()
}

fn shown(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if value == 0.0 {
        "0".to_owned()
    } else {
        value.to_string()
    }
}

fn document() -> impl Strategy<Value = String> {
    let leaf = "[ab]".prop_map(|it| format!("<{it}/>")).boxed();
    leaf.prop_recursive(4, 30, 4, |inner| {
        ("[ab]", prop::collection::vec(inner, 0..4), "[xy]?").prop_map(|(name, inner, text)| {
            format!("<{name} n='{}'>{text}{}</{name}>", inner.len(), inner.concat())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arithmetic_is_that_of_doubles(a in -1e6..1e6_f64, b in -1e6..1e6_f64) {
        for (sign, expected) in
            [("+", a + b), ("-", a - b), ("*", a * b), ("div", a / b), ("mod", a % b)]
        {
            prop_assert_eq!(value(&format!("({a}) {sign} ({b})"), "<a/>"), shown(expected));
        }
        prop_assert_eq!(value(&format!("floor({a})"), "<a/>"), shown(a.floor()));
        prop_assert_eq!(value(&format!("ceiling({a})"), "<a/>"), shown(a.ceil()));
        prop_assert_eq!(value(&format!("({a}) < ({b})"), "<a/>"), (a < b).to_string());
    }

    #[test]
    fn functions_of_texts_agree_with_each_other(a in "[a-cé ]{0,8}", b in "[a-cé ]{0,3}") {
        let of = |expression: String| value(&expression, "<a/>");
        let found = a.contains(&b);
        prop_assert_eq!(of(format!("contains('{a}', '{b}')")), found.to_string());
        prop_assert_eq!(of(format!("starts-with('{a}', '{b}')")), a.starts_with(&b).to_string());
        prop_assert_eq!(of(format!("string-length('{a}')")), a.chars().count().to_string());
        if found {
            let joined = format!("concat(substring-before('{a}', '{b}'), '{b}', substring-after('{a}', '{b}'))");
            prop_assert_eq!(of(joined), a.clone());
        }
        let words: Vec<&str> = a.split(' ').filter(|it| !it.is_empty()).collect();
        prop_assert_eq!(of(format!("normalize-space('{a}')")), words.join(" "));
    }

    #[test]
    fn paths_that_mean_the_same_give_the_same(input in document()) {
        for (one, other) in [
            ("count(//a)", "count(/descendant-or-self::node()/child::a)"),
            ("count(//a[1])", "count(//a[not(preceding-sibling::a)])"),
            ("count(//a//b)", "count(//b[ancestor::a])"),
            ("count(//*)", "count(//a) + count(//b)"),
            ("count(//* | //a)", "count(//*)"),
            ("count(//*[last()])", "count(//*[not(following-sibling::*)])"),
            ("count(//b/following::*)", "count(//*[preceding::b])"),
            ("string(/)", "concat(string(/*), '')"),
            ("sum(//@n)", "count(//*[@n]/*)"),
        ] {
            prop_assert_eq!(value(one, &input), value(other, &input), "{} {}", one, other);
        }
    }

    #[test]
    fn the_identity_gives_what_it_was_given(input in document()) {
        let identity = "<xsl:template match='@*|node()'><xsl:copy><xsl:apply-templates select='@*|node()'/></xsl:copy></xsl:template>";
        let copy = "<xsl:template match='/'><xsl:copy-of select='.'/></xsl:template>";
        let run = |top: &str, input: &str| {
            let sheet = Stylesheet::compile(&wrapped("omit-xml-declaration='yes'", top)).unwrap();
            String::from_utf8(sheet.transform(input, &[], &Limits::default()).unwrap().bytes).unwrap()
        };
        let once = run(identity, &input);
        prop_assert_eq!(&run(identity, &once), &once);
        prop_assert_eq!(run(copy, &input), once);
    }
}
