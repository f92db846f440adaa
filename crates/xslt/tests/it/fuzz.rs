//! Anything that strangers or authors write is compiled or refused, run or ended: never a panic,
//! never without end.

use bolero::check;
use portcullis_xslt::{Limits, Stylesheet};

use crate::cases::wrapped;

const INPUT: &str =
    "<r xmlns:p='urn:p'><a n='1'>x<b/>y</a><a n='2'><!--c--><?p q?></a><p:c>3</p:c></r>";

fn small() -> Limits {
    Limits {
        max_steps: 20_000,
        max_depth: 200,
        max_nodes: 5_000,
        max_text_bytes: 200_000,
        max_output_bytes: 50_000,
    }
}

fn run(stylesheet: &str, input: &str) {
    if let Ok(sheet) = Stylesheet::compile(stylesheet) {
        let _ = sheet.transform(input, &[("p", "v")], &small());
    }
}

/// Pieces picked by bytes, with spaces between.
fn picked(bytes: &[u8], pieces: &[&str], between: &str) -> String {
    let picked: Vec<&str> =
        bytes.iter().map(|it| pieces[usize::from(*it) % pieces.len()]).collect();
    picked.join(between)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[test]
fn any_text_is_a_stylesheet_or_none() {
    check!().with_type::<String>().for_each(|text| run(text, INPUT));
}

#[test]
fn any_text_is_a_document_or_none() {
    let identity = "<xsl:template match='@*|node()'><xsl:copy><xsl:apply-templates select='@*|node()'/></xsl:copy></xsl:template>";
    let sheet = Stylesheet::compile(&wrapped("", identity)).unwrap();
    check!().with_type::<String>().for_each(|text| {
        let _ = sheet.transform(text, &[], &small());
    });
    let pieces = [
        "<a>",
        "</a>",
        "<a/>",
        "<p:b xmlns:p='u' p:c='1'>",
        "</p:b>",
        "t",
        "&amp;",
        "&#x41;",
        "&z;",
        " ",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?p",
        "?>",
        "<!DOCTYPE a [",
        "]>",
        "\r\n",
        "x='1'",
        "é",
        "<",
    ];
    check!().with_type::<Vec<u8>>().for_each(|bytes| {
        let _ = sheet.transform(&picked(bytes, &pieces, ""), &[], &small());
    });
}

#[test]
fn any_expression_is_evaluated_or_refused() {
    let pieces = [
        "a",
        "b",
        "@n",
        "*",
        "//",
        "/",
        "..",
        ".",
        "[",
        "]",
        "(",
        ")",
        "1",
        "0",
        "'x'",
        "''",
        "and",
        "or",
        "div",
        "mod",
        "+",
        "-",
        "=",
        "!=",
        "<",
        ">=",
        "|",
        ",",
        "$v",
        "$t",
        "position()",
        "last()",
        "count(",
        "string(",
        "sum(",
        "concat(",
        "substring(",
        "translate(",
        "key('k',",
        "current()",
        "format-number(",
        "ancestor::",
        "preceding::",
        "following-sibling::",
        "self::",
        "namespace::*",
        "p:c",
        "text()",
        "node()",
        "generate-id(",
        "normalize-space(",
        "msxsl:node-set(",
        "round(",
        "not(",
        "lang('en')",
        "name(",
        "id('x')",
        "system-property('xsl:version')",
    ];
    check!().with_type::<Vec<u8>>().for_each(|bytes| {
        let select = escaped(&picked(bytes, &pieces, " "));
        let top = format!(
            "<xsl:key name=\"k\" match=\"a\" use=\"@n\"/><xsl:template match=\"/\" xmlns:p=\"urn:p\">\
             <xsl:variable name=\"v\" select=\"//a\"/><xsl:variable name=\"t\"><a>1</a></xsl:variable>\
             <xsl:value-of select=\"{select}\"/><xsl:for-each select=\"//a[{select}]\"><xsl:copy-of select=\"{select}\"/></xsl:for-each>\
             </xsl:template><xsl:template match=\"a[{select}]\"/>"
        );
        run(&wrapped("", &top), INPUT);
    });
    check!().with_type::<String>().for_each(|text| {
        let select = escaped(text);
        run(
            &wrapped(
                "",
                &format!(
                    "<xsl:template match=\"/\"><xsl:value-of select=\"{select}\"/></xsl:template>"
                ),
            ),
            INPUT,
        );
    });
}

#[test]
fn any_row_of_instructions_is_run_or_refused() {
    let pieces = [
        "<xsl:apply-templates/>",
        "<xsl:apply-templates select='//a'><xsl:sort select='@n'/></xsl:apply-templates>",
        "<xsl:for-each select='//a|//@n'>",
        "</xsl:for-each>",
        "<xsl:if test='position() = 1'>",
        "</xsl:if>",
        "<xsl:call-template name='n'/>",
        "<xsl:call-template name='n'><xsl:with-param name='p'>x</xsl:with-param></xsl:call-template>",
        "<e f='{@n}'>",
        "</e>",
        "<xsl:element name='{name()}'>",
        "</xsl:element>",
        "<xsl:attribute name='x'>",
        "</xsl:attribute>",
        "<xsl:copy>",
        "</xsl:copy>",
        "<xsl:copy-of select='.'/>",
        "<xsl:value-of select='$p'/>",
        "<xsl:number/>",
        "<xsl:number level='any' count='a|b' from='r'/>",
        "<xsl:comment>",
        "</xsl:comment>",
        "text",
        "<xsl:variable name='w'>",
        "</xsl:variable>",
        "<xsl:copy-of select='msxsl:node-set($g)'/>",
        "<xsl:message>m</xsl:message>",
        "<xsl:choose><xsl:when test='@n'>w</xsl:when><xsl:otherwise>o</xsl:otherwise></xsl:choose>",
        "<xsl:processing-instruction name='q'>",
        "</xsl:processing-instruction>",
        "<p:e xmlns:p='urn:q' p:f=''>",
        "</p:e>",
    ];
    check!().with_type::<Vec<u8>>().for_each(|bytes| {
        let body = picked(bytes, &pieces, "");
        let top = format!(
            "<xsl:variable name='g'><x/></xsl:variable><xsl:template match='/'>{body}</xsl:template>\
             <xsl:template match='a|@n' name='n'><xsl:param name='p' select='1'/>{body}</xsl:template>"
        );
        run(&wrapped("indent='yes'", &top), INPUT);
        run(&wrapped("method='html'", &top), INPUT);
    });
}
