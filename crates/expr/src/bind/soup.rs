//! Random sources: compiling and evaluating them never panics and always ends.

use proptest::prelude::*;

use super::compile;
use crate::{Form, Limits, Options};
use clr::host::EmptyHost;

const TOKENS: &[&str] = &[
    "a",
    "b",
    "x",
    "context",
    "string",
    "int",
    "var",
    "object",
    "bool",
    "Func",
    "Guid",
    "Exception",
    "1",
    "0",
    "2147483647",
    "1.5",
    "1m",
    "\"s\"",
    "'c'",
    "true",
    "null",
    "default",
    "new",
    "return",
    "if",
    "else",
    "while",
    "for",
    "foreach",
    "in",
    "switch",
    "case",
    "break",
    "continue",
    "try",
    "catch",
    "finally",
    "throw",
    "is",
    "as",
    "using",
    "checked",
    "unchecked",
    "out",
    "const",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ".",
    ";",
    ":",
    "?",
    "??",
    "?.",
    "=>",
    "=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<=",
    "&&",
    "||",
    "!",
    "~",
    "^",
    "<<",
    "+=",
    "++",
    "--",
    "Length",
    "ToString",
    "Variables",
    "Parse",
    "Equals",
    "Message",
    "Select",
    "$\"{a}\"",
    "int?",
    "string[]",
];

/// Statements that compile, with holes for expressions.
const FRAMES: &[&str] = &[
    "var a = 1; var b = \"x\"; return {};",
    "int x = 0; while (x < 3) { x++; if ({}) break; } return x;",
    "Func<int, object> f = a => {}; return f(1);",
    "try { return {}; } catch (Exception e) { return e.Message; } finally { }",
    "object a = {}; return a is string b ? b.Length : (a as int?) ?? -1;",
    "foreach (var x in new[] { 1, 2 }) { var a = {}; if (a == null) continue; return a; } return 0;",
];

fn run(source: &str, form: Form) {
    let limits = Limits { steps: 20_000, bytes: 1 << 20, depth: 300 };
    let options = Options { limits, ..Options::default() };
    match compile(source, form, &options) {
        Ok(program) => {
            let _ = program.evaluate(&EmptyHost::default());
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for it in problems {
                assert!(
                    it.span.start <= it.span.end && it.span.end <= source.len() + 1,
                    "{source}: {it:?}"
                );
            }
        }
    }
}

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(TOKENS), 0..24).prop_map(|it| it.join(" "))
}

fn expression() -> impl Strategy<Value = String> {
    let leaf =
        prop::sample::select(
            &[
                "1",
                "2.5",
                "\"s\"",
                "'c'",
                "null",
                "true",
                "a",
                "b",
                "1m",
                "3L",
                "context.Variables",
            ][..],
        )
        .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let binary = prop::sample::select(
            &["+", "-", "*", "/", "%", "==", "<", "&&", "||", "??", "&", "<<"][..],
        );
        prop_oneof![
            (inner.clone(), binary, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|it| format!("{it}.ToString()")),
            inner.clone().prop_map(|it| format!("(object)({it})")),
            inner.clone().prop_map(|it| format!("(int)({it})")),
            inner.clone().prop_map(|it| format!("({it})?.Equals(1)")),
            inner.clone().prop_map(|it| format!("new[] {{ {it} }}[0]")),
            inner.clone().prop_map(|it| format!("-({it})")),
            inner.prop_map(|it| format!("$\"{{{it}}}\"")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn token_soup_never_panics(source in soup()) {
        run(&source, Form::Expression);
        run(&source, Form::Statements);
    }

    #[test]
    fn plausible_programs_never_panic(frame in prop::sample::select(FRAMES), hole in expression()) {
        run(&hole, Form::Expression);
        run(&frame.replace("{}", &hole), Form::Statements);
    }
}

#[test]
fn bytes_never_panic() {
    bolero::check!().with_type::<Vec<u8>>().with_iterations(2_000).for_each(|bytes| {
        let source = String::from_utf8_lossy(bytes);
        run(&source, Form::Expression);
        run(&source, Form::Statements);
    });
}
