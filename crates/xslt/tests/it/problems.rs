//! What is refused when a stylesheet loads, and what fails when it runs.

use portcullis_xslt::{Failure, Limits, Stylesheet};

use crate::cases::wrapped;

fn problems(text: &str) -> Vec<String> {
    let place = |at: usize| {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        format!("{line}:{column}")
    };
    match Stylesheet::compile(text) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            problems.iter().map(|it| format!("{} {}", place(it.span.start), it.message)).collect()
        }
    }
}

fn of_top(top: &str) -> String {
    let text = wrapped("", &format!("\n{top}"));
    problems(&text).join("; ")
}

#[test]
fn what_is_wrong_is_found_when_a_stylesheet_loads() {
    for (top, expected) in [
        ("<xsl:template/>", "2:2 `xsl:template` needs the attribute `match` or `name`"),
        (
            "<xsl:template name='n' mode='m'/>",
            "2:2 `mode` and `priority` need the attribute `match`",
        ),
        (
            "<xsl:template match='a['/>",
            "2:24 XPath: expected a step, found the end of the expression",
        ),
        (
            "<xsl:template match='..'/>",
            "2:22 `..` is no pattern: a pattern has only child and attribute steps, `/`, `//`, `key()` and `id()`",
        ),
        ("<xsl:template match='/' priority='x'/>", "2:35 `priority` must be a number"),
        ("<xsl:template match='/' foo='x'/>", "2:25 `xsl:template` has no attribute `foo`"),
        (
            "<xsl:template name='n'/><xsl:template name='n'/>",
            "2:45 the template `n` is there twice",
        ),
        (
            "<xsl:variable name='n'/><xsl:param name='n'/>",
            "2:42 the variable or parameter `n` is there twice",
        ),
        (
            "<xsl:include href='x'/>",
            "2:2 `xsl:include` is not supported: a stylesheet reads no other documents",
        ),
        (
            "<xsl:import href='x'/>",
            "2:2 `xsl:import` is not supported: a stylesheet reads no other documents",
        ),
        (
            "<msxsl:script language='C#' implements-prefix='msxsl'/>",
            "2:2 `msxsl:script` is not supported: stylesheets run no scripts",
        ),
        ("<a/>", "2:2 the top-level element `a` must be in a namespace"),
        ("<xsl:foo/>", "2:2 `xsl:foo` may not stand at the top of a stylesheet"),
        ("x", "2:1 text may not stand at the top of a stylesheet"),
        ("<xsl:key name='k' match='a'/>", "2:2 `xsl:key` needs the attribute `use`"),
        (
            "<xsl:output method='pdf'/>",
            "2:21 `pdf` is no output method; `xml`, `html` and `text` are",
        ),
        ("<xsl:output indent='maybe'/>", "2:21 `indent` must be `yes` or `no`"),
        ("<xsl:decimal-format zero-digit='1'/>", "2:2 `zero-digit` must be a digit of value zero"),
        ("<xsl:decimal-format digit='##'/>", "2:28 `digit` must be one character"),
        (
            "<xsl:decimal-format grouping-separator='.'/>",
            "2:2 the characters of a decimal format must differ from each other",
        ),
        (
            "<xsl:attribute-set name='s' use-attribute-sets='s'/>",
            "1:1 an attribute set uses itself",
        ),
        (
            "<xsl:attribute-set name='s'><b/></xsl:attribute-set>",
            "2:30 an attribute set holds only `xsl:attribute`",
        ),
        ("<xsl:strip-space elements='p:a'/>", "2:28 prefix `p` is not defined"),
    ] {
        assert_eq!(of_top(top), expected, "{top}");
    }
}

#[test]
fn what_is_wrong_in_a_template_is_found_when_it_loads() {
    for (body, expected) in [
        ("<xsl:value-of/>", "2:2 `xsl:value-of` needs the attribute `select`"),
        ("<xsl:value-of select='$x'/>", "2:23 XPath: the variable or parameter `x` is not defined"),
        ("<xsl:value-of select='foo()'/>", "2:23 XPath: there is no function `foo()`"),
        (
            "<xsl:value-of select=\"document('x')\"/>",
            "2:23 XPath: `document()` is not allowed: a stylesheet reads no other documents",
        ),
        ("<xsl:value-of select=\"key('k', 1)\"/>", "2:23 there is no key `k`"),
        (
            "<xsl:value-of select=\"format-number(1, '0', 'f')\"/>",
            "2:23 there is no decimal format `f`",
        ),
        ("<xsl:call-template name='n'/>", "2:26 there is no template `n`"),
        ("<xsl:foo/>", "2:2 there is no instruction `xsl:foo`"),
        ("<xsl:when test='1'/>", "2:2 `xsl:when` stands in `xsl:choose`"),
        ("<xsl:choose/>", "2:2 `xsl:choose` needs an `xsl:when`"),
        (
            "<xsl:choose><xsl:otherwise/><xsl:when test='1'/></xsl:choose>",
            "2:2 `xsl:choose` needs an `xsl:when`; 2:30 `xsl:when` may not stand here in `xsl:choose`",
        ),
        ("x<xsl:param name='p'/>", "2:3 `xsl:param` must come first in a template"),
        (
            "<xsl:for-each select='a'>x<xsl:sort/></xsl:for-each>",
            "2:28 `xsl:sort` must come first in `xsl:for-each` or stand in `xsl:apply-templates`",
        ),
        ("<xsl:for-each select='1'/>", "2:23 `1` is no node-set"),
        ("<xsl:apply-templates select='\"a\"'/>", "2:30 `\"a\"` is no node-set"),
        (
            "<xsl:variable name='v' select='1'>x</xsl:variable>",
            "2:2 `xsl:variable` has the attribute `select` and must be empty",
        ),
        (
            "<xsl:variable name='v'/><xsl:variable name='v'/>",
            "2:45 the variable or parameter `v` is there twice",
        ),
        ("<a b='{1'/>", "2:7 an expression in braces is not closed"),
        ("<a b='}'/>", "2:7 `}` stands alone in an attribute value; write it twice"),
        ("<a xsl:foo='1'/>", "2:4 there is no attribute `xsl:foo`"),
        ("<a xsl:use-attribute-sets='s'/>", "2:28 there is no attribute set `s`"),
        ("<xsl:element name='1'/>", "2:20 `1` is no name"),
        ("<xsl:element name='p:a'/>", "2:20 prefix `p` is not defined"),
        (
            "<xsl:attribute name='xmlns'>x</xsl:attribute>",
            "2:22 an attribute cannot be named `xmlns`",
        ),
        ("<xsl:text><b/></xsl:text>", "2:12 `xsl:text` holds text alone"),
        ("<xsl:value-of select='.'>x</xsl:value-of>", "2:2 `xsl:value-of` must be empty"),
        (
            "<xsl:sort/>",
            "2:2 `xsl:sort` must come first in `xsl:for-each` or stand in `xsl:apply-templates`",
        ),
        (
            "<xsl:with-param name='x'/>",
            "2:2 `xsl:with-param` stands in `xsl:call-template` and `xsl:apply-templates`",
        ),
        (
            "<xsl:apply-templates><b/></xsl:apply-templates>",
            "2:23 `b` may not stand in `xsl:apply-templates`",
        ),
        (
            "<xsl:apply-templates><xsl:sort order='up'/></xsl:apply-templates>",
            "2:39 `order` must be `ascending` or `descending`",
        ),
        ("<xsl:number level='all'/>", "2:20 `level` must be `single`, `multiple` or `any`"),
        ("<xsl:message terminate='maybe'/>", "2:25 `terminate` must be `yes` or `no`"),
    ] {
        let text = wrapped("", &format!("<xsl:template match='/'>\n{body}</xsl:template>"));
        assert_eq!(problems(&text).join("; "), expected, "{body}");
    }
}

#[test]
fn a_whole_that_is_no_stylesheet_is_refused() {
    for (text, expected) in [
        ("", "1:1 Root element is missing."),
        (
            "<a>",
            "1:4 Unexpected end of file has occurred. The following elements are not closed: a. Line 1, position 4.",
        ),
        (
            "<a/>",
            "1:2 `a` is no stylesheet: the outermost element must be `xsl:stylesheet` in the namespace http://www.w3.org/1999/XSL/Transform, or have the attribute `xsl:version`",
        ),
        (
            "<xsl:template xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>",
            "1:2 `xsl:template` cannot be the outermost element; it must be `xsl:stylesheet` or `xsl:transform`",
        ),
        (
            "<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>",
            "1:2 `xsl:stylesheet` needs the attribute `version`",
        ),
        (
            "<xsl:stylesheet version='x' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>",
            "1:26 `version` must be a number",
        ),
    ] {
        assert_eq!(problems(text).join("; "), expected, "{text}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_their_order() {
    let text = wrapped(
        "",
        "\n<xsl:template match='a['/>\n<xsl:key/>\n<xsl:variable name='v' select='$w'/>",
    );
    let found = problems(&text);
    let lines: Vec<&str> = found.iter().map(|it| it.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["2", "3", "3", "3", "4"]);
}

fn failure(body: &str, input: &str) -> Failure {
    let text = wrapped("", &format!("<xsl:template match='/'>\n{body}</xsl:template>"));
    let sheet = Stylesheet::compile(&text).unwrap();
    sheet.transform(input, &[], &Limits::default()).unwrap_err()
}

#[test]
fn what_goes_wrong_in_a_run_is_told_with_its_place() {
    for (body, expected) in [
        (
            "<a>x<xsl:attribute name='b'/></a>",
            "Attribute and namespace nodes cannot be added to the parent element after a text, comment, pi, or sub-element node has already been added.",
        ),
        (
            "<xsl:variable name='v'><b/></xsl:variable><xsl:value-of select='$v/b'/>",
            "To use a result tree fragment in a path expression, first convert it to a node-set using the msxsl:node-set() function.",
        ),
        ("<xsl:element name='{1}'/>", "`1` is no name"),
        ("<xsl:element name='{\"p:a\"}'/>", "prefix `p` is not defined"),
        ("<xsl:value-of select=\"format-number(1, '')\"/>", "Format cannot be empty."),
        (
            "<xsl:value-of select=\"key(concat('k', ''), 1)\"/>",
            "A reference to key 'k' cannot be resolved. An 'xsl:key' of this name must be declared at the top level of the stylesheet.",
        ),
        (
            "<xsl:variable name='v' select='1'/><xsl:for-each select='$v'>x</xsl:for-each>",
            "a node-set is needed here, not a number",
        ),
        (
            "<a><xsl:attribute name='b'><c/></xsl:attribute></a>",
            "attributes, comments and processing instructions hold text alone",
        ),
        (
            "<xsl:processing-instruction name='xml'>x</xsl:processing-instruction>",
            "`xml` is no name of a processing instruction",
        ),
        (
            "<xsl:value-of select=\"unparsed-entity-uri('x')\"/>",
            "'unparsed-entity-uri()' is an unsupported XSLT function.",
        ),
    ] {
        match failure(body, "<a/>") {
            Failure::Broken { message, at: Some(_) } => assert_eq!(message, expected, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn a_message_may_end_the_run_and_documents_must_be_xml() {
    let ended = failure("<xsl:message terminate='yes'>no <b>way</b></xsl:message>", "<a/>");
    assert_eq!(ended, Failure::Terminated("no <b>way</b>".to_owned()));
    for (input, start) in [
        ("", "Root element is missing."),
        ("{}", "Data at the root level is invalid."),
        (
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "For security reasons",
        ),
    ] {
        match failure("x", input) {
            Failure::Malformed(message) => assert!(message.starts_with(start), "{message}"),
            other => panic!("{input}: {other:?}"),
        }
    }
}

#[test]
fn a_function_that_is_guarded_may_be_missing() {
    let text = wrapped(
        "",
        "<xsl:template match='/' xmlns:x='urn:x'><xsl:choose>\
        <xsl:when test=\"function-available('x:f')\"><xsl:value-of select='x:f()'/></xsl:when>\
        <xsl:otherwise>none</xsl:otherwise></xsl:choose></xsl:template>",
    );
    let output = Stylesheet::compile(&text).unwrap().transform("<a/>", &[], &Limits::default());
    assert!(String::from_utf8(output.unwrap().bytes).unwrap().ends_with("none"));
}
