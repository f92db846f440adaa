//! Properties of lexer and parser: any text is answered, in linear time.

use csharp::scan::Form;
use csharp::{lexer, parser};
use proptest::prelude::*;

/// Pieces of C# that, thrown together at random, reach far into the parser.
const PIECES: &[&str] = &[
    "a",
    "b",
    "var",
    "int",
    "string",
    "List",
    "from",
    "in",
    "select",
    "where",
    "let",
    "join",
    "on",
    "equals",
    "into",
    "orderby",
    "group",
    "by",
    "when",
    "await",
    "async",
    "yield",
    "nameof",
    "dynamic",
    "new",
    "if",
    "else",
    "for",
    "foreach",
    "while",
    "do",
    "switch",
    "case",
    "default",
    "return",
    "throw",
    "try",
    "catch",
    "finally",
    "using",
    "is",
    "as",
    "out",
    "ref",
    "typeof",
    "checked",
    "const",
    "static",
    "this",
    "null",
    "true",
    "break",
    "goto",
    "delegate",
    "void",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ">>",
    ">=",
    "=",
    "==",
    "=>",
    "?",
    "?.",
    "??",
    "??=",
    "..",
    ".",
    ",",
    ";",
    ":",
    "::",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "&&",
    "|",
    "||",
    "^",
    "!",
    "~",
    "++",
    "--",
    "+=",
    "->",
    "1",
    "1.5",
    "0x",
    "'c'",
    "\"s\"",
    "$\"",
    "$@\"",
    "@\"",
    "\"",
    "'",
    "\\",
    "{{",
    "}}",
    "//",
    "/*",
    "*/",
    "\n",
    " ",
    "#",
    "@",
    "$",
    "é",
    "\u{1f600}",
];

fn parse_both(source: &str) {
    for form in [Form::Expression, Form::Statements] {
        if let Err(problems) = parser::parse(source, form, parser::Dialect::Azure) {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(problem.span.end <= source.len() && problem.span.start <= problem.span.end);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(source in "\\PC{0,200}") {
        parse_both(&source);
    }

    #[test]
    fn any_mixture_of_csharp_is_answered(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..80)) {
        parse_both(&pieces.concat());
        parse_both(&pieces.join(" "));
    }

    #[test]
    fn tokens_are_in_order_and_inside_the_source(source in "\\PC{0,200}") {
        let (tokens, _) = lexer::tokenize(&source);
        let mut at = 0;
        for token in tokens {
            prop_assert!(token.span.range().start >= at && token.span.range().end <= source.len());
            prop_assert!(source.get(token.span.range()).is_some());
            at = token.span.range().end;
        }
    }
}

#[test]
fn bytes_from_a_fuzzer_are_answered() {
    bolero::check!().with_type::<Vec<u8>>().with_iterations(2_000).for_each(|bytes: &Vec<u8>| {
        let text: String = bytes.iter().map(|it| PIECES[usize::from(*it) % PIECES.len()]).collect();
        parse_both(&text);
        parse_both(&String::from_utf8_lossy(bytes));
    });
}

/// Linear: ten times the source makes at most ten times the tokens and looks at each a bounded number of
/// times. Counted by the time of the whole, with a factor that only quadratic growth exceeds.
#[test]
fn long_sources_take_linear_time() {
    let patterns =
        ["a.b(c)[0] + ", "(a) - ", "f(a < b, c > d) + ", "x => ", "$\"{a}\" + ", "a < ", "(a<b"];
    for pattern in patterns {
        let time = |repeats: usize| {
            let source = pattern.repeat(repeats);
            let started = std::time::Instant::now();
            parse_both(&source);
            started.elapsed().max(std::time::Duration::from_millis(2))
        };
        let short = time(2_000);
        let long = time(40_000);
        assert!(long < short * 200, "{pattern}: {short:?} for 2,000, {long:?} for 40,000");
    }
}
