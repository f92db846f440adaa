//! What is an expression and what is not.

use std::sync::Arc;

use super::*;
use crate::names::Atom;

fn parsed(text: &str) -> Result<Expr, String> {
    let mut names = Names::new();
    let (p, u, v) = (names.atom("p"), names.atom("urn:u"), names.atom("v"));
    let ms = (names.atom("ms"), names.atom("urn:schemas-microsoft-com:xslt"));
    let spaces: Spaces = Arc::from([(p, u), ms]);
    let locals = [(Key { space: Atom::EMPTY, local: v }, 7)];
    let mut cx = Cx {
        names: &mut names,
        spaces: &spaces,
        locals: &locals,
        globals: &HashMap::new(),
        may_guard: false,
        referred: &mut Vec::new(),
    };
    parse(text, &mut cx).map_err(|it| format!("{}: {}", it.at, it.message))
}

#[test]
fn expressions_of_every_kind_are_read() {
    for text in [
        "/",
        "/a/b",
        "//a",
        ".",
        "..",
        "@*",
        "@p:x",
        "p:*",
        "a/b[1][last()]//c/@d",
        "ancestor-or-self::node()",
        "processing-instruction('x')",
        "text() | comment() | node()",
        "$v/a",
        "($v)[2]//b",
        "- - 1 div -2 mod 3 * 4",
        "1 = 2 != 3 < 4 and 5 or 6",
        "concat('a', 'b', \"c\")",
        "ms:node-set($v)/a",
        "div/mod/and/or/text",
        "node/text",
        "*[* * * > 1]",
        "key('k', a)[1]/b",
        "self::a",
        "string(.)",
        "/*",
        "/ = 'x'",
    ] {
        assert!(parsed(text).is_ok(), "{text}: {:?}", parsed(text));
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, message) in [
        ("", "0: expected a step, found the end of the expression"),
        ("a b", "2: expected an operator, found `b`"),
        ("a[1", "3: expected `]`, found the end of the expression"),
        ("a]", "1: `]` is left over"),
        ("q:a", "0: prefix `q` is not defined"),
        ("$x", "0: the variable or parameter `x` is not defined"),
        ("foo(1)", "0: there is no function `foo()`"),
        ("Count(a)", "0: there is no function `Count()`; did you mean `count()`?"),
        ("count('a')", "0: the argument of `count()` must be a node-set"),
        ("not()", "0: `not()` takes 1 argument, not 0"),
        ("'a' | b", "0: both sides of `|` must be node-sets"),
        ("'a'/b", "0: only a node-set has steps and predicates"),
        ("sideways::a", "0: `sideways` is no axis"),
        ("a/", "2: expected a step, found the end of the expression"),
        ("document('x')", "0: `document()` is not allowed: a stylesheet reads no other documents"),
        (
            "p:f()",
            "0: there is no function `p:f()`: extension functions other than `node-set` are not supported",
        ),
    ] {
        assert_eq!(parsed(text).unwrap_err(), message, "{text}");
    }
}

#[test]
fn precedence_is_that_of_the_specification() {
    for (text, same) in [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("-1 + 2", "(-1) + 2"),
        ("1 < 2 = 3", "(1 < 2) = 3"),
        ("1 or 2 and 3", "1 or (2 and 3)"),
        ("child::a/descendant-or-self::node()/child::b", "a//b"),
        ("attribute::a", "@a"),
        ("self::node()", "."),
    ] {
        assert_eq!(parsed(text).unwrap(), parsed(same).unwrap(), "{text}");
    }
    // A position is counted among the children of each node.
    assert_ne!(parsed("//a[1]").unwrap(), parsed("/descendant::a[1]").unwrap());
}

#[test]
fn nesting_and_length_are_bounded() {
    let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert!(parsed(&nested(40)).is_ok());
    assert!(parsed(&nested(60)).unwrap_err().contains("nests more than"));
    assert!(parsed(&nested(100_000)).unwrap_err().contains("nests more than"));
    assert!(parsed(&vec!["1"; 150].join("+")).is_ok());
    assert!(parsed(&vec!["1"; 300].join("+")).unwrap_err().contains("operators"));
    assert!(parsed(&vec!["a"; 5_000].join(" or ")).is_ok());
    assert!(parsed(&"-".repeat(100_000)).is_err());
}
