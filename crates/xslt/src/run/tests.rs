//! Bounds of a run, and that none of them is the thread's stack.

use crate::{Failure, Limits, Stylesheet};

fn sheet(top: &str) -> Stylesheet {
    let text = format!(
        "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>\
         <xsl:output omit-xml-declaration='yes'/>{top}</xsl:stylesheet>"
    );
    Stylesheet::compile(&text).unwrap()
}

fn run(top: &str, document: &str, limits: &Limits) -> Result<String, Failure> {
    let output = sheet(top).transform(document, &[], limits)?;
    Ok(String::from_utf8(output.bytes).unwrap())
}

fn limit(top: &str, document: &str, limits: &Limits) -> String {
    match run(top, document, limits) {
        Err(Failure::Limit(message)) => message,
        other => panic!("{other:?}"),
    }
}

const LOOP: &str = "<xsl:template match='/'><xsl:call-template name='n'/></xsl:template>\
    <xsl:template name='n'><a><xsl:call-template name='n'/></a></xsl:template>";

#[test]
fn recursion_without_end_meets_the_bound_of_depth() {
    assert!(limit(LOOP, "<a/>", &Limits::default()).starts_with("templates nest more than"));
}

#[test]
fn a_loop_by_calls_in_last_place_meets_the_bound_of_steps() {
    let top = "<xsl:template match='/'><xsl:call-template name='n'/></xsl:template>\
        <xsl:template name='n'><xsl:call-template name='n'/></xsl:template>";
    let limits = Limits { max_steps: 100_000, ..Limits::default() };
    assert!(limit(top, "<a/>", &limits).contains("100000 steps"));
}

#[test]
fn counting_to_a_hundred_thousand_by_calls_in_last_place_needs_no_depth() {
    let top = "<xsl:template match='/'><xsl:call-template name='n'><xsl:with-param name='i' select='1'/>\
        </xsl:call-template></xsl:template>\
        <xsl:template name='n'><xsl:param name='i'/><xsl:choose>\
        <xsl:when test='$i = 100000'><xsl:value-of select='$i'/></xsl:when>\
        <xsl:otherwise><xsl:call-template name='n'><xsl:with-param name='i' select='$i + 1'/>\
        </xsl:call-template></xsl:otherwise></xsl:choose></xsl:template>";
    let limits = Limits { max_depth: 50, ..Limits::default() };
    assert_eq!(run(top, "<a/>", &limits).as_deref(), Ok("100000"));
}

#[test]
fn deep_documents_need_no_stack() {
    let depth = 4_000;
    let document = "<a>".repeat(depth) + &"</a>".repeat(depth);
    let identity = "<xsl:template match='@*|node()'><xsl:copy>\
        <xsl:apply-templates select='@*|node()'/></xsl:copy></xsl:template>";
    assert_eq!(
        run(identity, &document, &Limits::default()).unwrap().matches("</a>").count(),
        depth - 1
    );
    let deeper = "<a>".repeat(50_000) + &"</a>".repeat(50_000);
    assert!(limit(identity, &deeper, &Limits::default()).starts_with("templates nest"));
    let copy = "<xsl:template match='/'><xsl:copy-of select='.'/></xsl:template>";
    assert!(run(copy, &deeper, &Limits::default()).is_ok());
}

#[test]
fn nodes_texts_and_the_result_are_bounded() {
    let limits = Limits { max_nodes: 100, ..Limits::default() };
    assert!(limit("", &format!("<a>{}</a>", "<b/>".repeat(100)), &limits).contains("100 nodes"));
    let many = "<xsl:template match='b'><x/><x/></xsl:template>";
    assert!(limit(many, &format!("<a>{}</a>", "<b/>".repeat(70)), &limits).contains("100 nodes"));

    let double = "<xsl:template match='/'><xsl:call-template name='n'><xsl:with-param name='s' select=\"'xxxxxxxx'\"/>\
        </xsl:call-template></xsl:template><xsl:template name='n'><xsl:param name='s'/>\
        <xsl:call-template name='n'><xsl:with-param name='s' select='concat($s, $s)'/></xsl:call-template></xsl:template>";
    assert!(limit(double, "<a/>", &Limits::default()).contains("texts made"));

    let limits = Limits { max_output_bytes: 10, ..Limits::default() };
    let text = "<xsl:template match='/'>12345678901</xsl:template>";
    assert!(limit(text, "<a/>", &limits).contains("10 bytes"));
}

#[test]
fn global_variables_that_wait_for_themselves_or_for_too_many_are_refused() {
    let circle = "<xsl:variable name='a' select='$b'/><xsl:variable name='b'><xsl:value-of select='$a'/></xsl:variable>";
    let failure = run(circle, "<a/>", &Limits::default()).unwrap_err();
    assert!(failure.to_string().contains("refers to itself"), "{failure}");

    let mut chain = String::new();
    for at in 0..100 {
        chain += &format!(
            "<xsl:variable name='v{at}'><xsl:value-of select='$v{}'/></xsl:variable>",
            at + 1
        );
    }
    chain += "<xsl:variable name='v100' select='1'/>";
    assert!(limit(&chain, "<a/>", &Limits::default()).contains("wait for each other"));
}

#[test]
fn expressions_at_their_deepest_fit_on_the_stack_of_a_thread() {
    // Global variables that wait for each other, each in an expression that nests as deep as one may.
    let mut top = String::new();
    let (open, close) = ("(1 + ".repeat(45), ")".repeat(45));
    for at in 0..30 {
        top += &format!("<xsl:variable name='v{at}' select='{open}$v{}{close}'/>", at + 1);
    }
    top += "<xsl:variable name='v30' select='1'/><xsl:template match='/'><xsl:value-of select='$v0'/></xsl:template>";
    let run = move || run(&top, "<a/>", &Limits::default());
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(run).unwrap();
    match thread.join().unwrap() {
        Err(Failure::Limit(message)) => assert!(message.contains("expressions nest"), "{message}"),
        other => panic!("{other:?}"),
    }
}
