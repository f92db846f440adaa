//! What the fuzz targets make of a number, and what must hold of it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use csharp::scan::{expression_end, literal_ranges};
use csharp::{lexer, parser};
use expr::exception::Kind;
use expr::{Form, Limits, Options, Runtime, compile};

use crate::contexts;
use crate::corpus_runs::internal;
use crate::fuzz::Target;
use crate::generate::Generator;
use crate::random::Random;

pub(crate) const LEXER: Target =
    Target { name: "lexer", check: lexer, n_short: 3_000, max_mib: 64 };
pub(crate) const PARSER: Target =
    Target { name: "parser", check: parser, n_short: 1_500, max_mib: 128 };
pub(crate) const BINDER: Target =
    Target { name: "binder", check: binder, n_short: 400, max_mib: 128 };
pub(crate) const EVALUATOR: Target =
    Target { name: "evaluator", check: evaluator, n_short: 400, max_mib: 192 };

/// What one evaluation of the target may do. What is allocated and freed counts, so the memory of
/// the process stays below a small multiple.
const LIMITS: Limits = Limits { steps: 200_000, bytes: 32 << 20, depth: 1_000 };

/// Pieces that a lexer stumbles over, beside the tokens of programs.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "$\"",
    "$@\"",
    "@$\"",
    "@\"",
    "\"\"",
    "{",
    "}",
    "{{",
    "}}",
    "{a:x}",
    "{a,5}",
    "\\",
    "\\u00",
    "\\U0010FFFF",
    "\\x",
    "//",
    "/*",
    "*/",
    "\n",
    "\r\n",
    "\t",
    " ",
    "#",
    "@",
    "$",
    "0x",
    "0b1_",
    "1e",
    "1.5e+3",
    ".5",
    "1_000",
    "99999999999999999999",
    "1ul",
    "2m",
    "é",
    "\u{1f600}",
    "\u{0}",
    "\u{feff}",
    "@class",
    "=>",
    "??=",
    "?.",
    "?[",
    "::",
    ">>",
    ">>=",
    "..",
    "->",
    "++",
    "'\\''",
    "'ab'",
    "\u{2028}",
    "a",
    "_",
    "@_",
];

/// Words that fit almost anywhere in a program.
const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ";",
    ",",
    ".",
    ":",
    "?",
    "??",
    "?.",
    "=",
    "==",
    "=>",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "~",
    "&&",
    "||",
    "&",
    "|",
    "^",
    "<<",
    "++",
    "+=",
    "a",
    "v1",
    "v2",
    "int",
    "string",
    "var",
    "object",
    "bool",
    "decimal",
    "List<int>",
    "int?",
    "int[]",
    "JObject",
    "Func<int, int>",
    "1",
    "2.5",
    "3m",
    "\"s\"",
    "'c'",
    "null",
    "true",
    "default",
    "new",
    "return",
    "if",
    "else",
    "for",
    "foreach",
    "while",
    "do",
    "switch",
    "case",
    "break",
    "continue",
    "throw",
    "try",
    "catch",
    "finally",
    "is",
    "as",
    "in",
    "out",
    "ref",
    "const",
    "checked",
    "nameof",
    "typeof",
    "await",
    "yield",
    "goto",
    "from x in a select x",
    "context",
    "context.Request",
    "context.Variables[\"v\"]",
    "Length",
    "Count",
    "Select",
    "x => x",
    "new { a = 1 }",
    "$\"{v1}\"",
];

fn mixture(random: &mut Random, pieces: &[&str], most: usize) -> String {
    let joint = random.pick(&["", " "]);
    let n = random.below(most);
    (0..n).map(|_| random.pick(pieces)).collect::<Vec<_>>().join(joint)
}

fn bytes(random: &mut Random) -> String {
    let n = random.below(200);
    let bytes: Vec<u8> = (0..n).map(|_| random.next() as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A program with some tokens left out, doubled, exchanged or put in.
fn damaged(random: &mut Random) -> String {
    let program = Generator::new(random.next()).program();
    let (tokens, _) = lexer::tokenize(&program);
    let mut words: Vec<&str> =
        tokens.iter().filter_map(|it| program.get(it.span.range())).collect();
    for _ in 0..1 + random.below(4) {
        let (at, other) = (random.below(words.len()), random.below(words.len()));
        match random.below(5) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, words[other]),
            2 => words.swap(at, other),
            3 => words[at] = random.pick(WORDS),
            _ => words.insert(at, random.pick(WORDS)),
        }
    }
    words.join(" ")
}

/// Something that repeats, to come deep or to become long.
fn repeated(random: &mut Random) -> String {
    let (open, close) = random.pick(&[
        ("(", ")"),
        ("a(", ")"),
        ("a[", "]"),
        ("-", ""),
        ("!", ""),
        ("(int)", ""),
        ("x => ", ""),
        ("a ? b : ", ""),
        ("a + ", ""),
        ("a ?? ", ""),
        ("new[] {", "}"),
        ("$\"{", "}\""),
        ("f<", ">"),
        ("{ ", " }"),
        ("if (a) ", ""),
        ("a.b", ""),
        ("a < ", ""),
    ]);
    let n = 1 << random.below(14);
    let inner = random.pick(&["1", "a", "", "return 1;"]);
    let closes = if random.once_in(4) { n / 2 } else { n };
    format!("{}{inner}{}", open.repeat(n), close.repeat(closes))
}

fn any_source(random: &mut Random) -> String {
    match random.below(6) {
        0 => bytes(random),
        1 => mixture(random, PIECES, 60),
        2 => mixture(random, WORDS, 80),
        3 => repeated(random),
        _ => damaged(random),
    }
}

fn lexer(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let source = match random.below(3) {
        0 => any_source(&mut random),
        _ => mixture(&mut random, PIECES, 120),
    };
    let (tokens, problems) = lexer::tokenize(&source);
    let mut at = 0;
    for token in &tokens {
        let span = token.span.range();
        if span.start < at || source.get(span.clone()).is_none() {
            return Err(format!("token at {span:?} in {source:?}"));
        }
        at = span.end;
    }
    for it in &problems {
        inside(&source, &it.span)?;
    }
    for range in literal_ranges(&source) {
        inside(&source, &range)?;
    }
    let text = format!("@({source})");
    match expression_end(&text, 0) {
        Ok(end) if text.is_char_boundary(end) => Ok(()),
        Ok(end) => Err(format!("the end of {text:?} is at {end}")),
        Err(unclosed) if unclosed.at < text.len() => Ok(()),
        Err(unclosed) => Err(format!("{unclosed:?} in {text:?}")),
    }
}

fn inside(source: &str, span: &std::ops::Range<usize>) -> Result<(), String> {
    let fits = span.start <= span.end && span.end <= source.len() + 1;
    let cuts = !source.is_char_boundary(span.start)
        || !source.is_char_boundary(span.end.min(source.len()));
    if fits && !cuts { Ok(()) } else { Err(format!("a place at {span:?} in {source:?}")) }
}

fn form(random: &mut Random) -> Form {
    random.pick(&[Form::Expression, Form::Statements])
}

fn parser(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let (source, form) = (any_source(&mut random), form(&mut random));
    match parser::parse(&source, form, parser::Dialect::Beyond) {
        Ok(_) => Ok(()),
        Err(problems) if problems.is_empty() => Err(format!("no problem told: {source:?}")),
        Err(problems) => problems.iter().try_for_each(|it| inside(&source, &it.span)),
    }?;
    let (_, problems) = parser::parse_partial(&source, form, parser::Dialect::Beyond);
    problems.iter().try_for_each(|it| inside(&source, &it.span))
}

fn options(random: &mut Random) -> Options {
    Options {
        runtime: random.pick(&[Runtime::Modern, Runtime::Framework]),
        allow_unlisted: random.once_in(2),
        in_resolver: random.once_in(2),
        limits: LIMITS,
    }
}

fn binder(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let (source, form) = match random.below(5) {
        0 => (any_source(&mut random), form(&mut random)),
        1 => (Generator::wild(random.next()).program(), Form::Statements),
        _ => (damaged(&mut random), Form::Statements),
    };
    match compile(&source, form, &options(&mut random)) {
        Ok(_) => {
            count("bound");
            Ok(())
        }
        Err(problems) if problems.is_empty() => Err(format!("no problem told: {source:?}")),
        Err(problems) => problems.iter().try_for_each(|it| inside(&source, &it.span)),
    }
}

/// How many inputs came how far.
static OUTCOMES: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

fn count(outcome: &'static str) {
    *OUTCOMES.lock().unwrap().entry(outcome).or_default() += 1;
}

/// What was counted.
pub(crate) fn outcomes() -> String {
    format!("{:?}", OUTCOMES.lock().unwrap())
}

fn evaluator(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let source = match random.below(8) {
        0 => damaged(&mut random),
        1..3 => Generator::new(random.next()).program(),
        _ => Generator::wild(random.next()).program(),
    };
    let options = options(&mut random);
    let Ok(program) = compile(&source, Form::Statements, &options) else {
        count("refused");
        return Ok(());
    };
    let outcome = program.evaluate(&contexts::host(&source, random.next()));
    count(match &outcome {
        Ok(_) => "value",
        Err(it) => match it.kind {
            Kind::Thrown => "thrown",
            Kind::Steps => "out of steps",
            Kind::Memory => "out of memory",
            Kind::Depth => "too deep",
            Kind::Regex => "regex",
        },
    });
    // That a budget ends is not wrong here.
    let is_stopped = outcome.as_ref().is_err_and(|it| it.kind != Kind::Thrown);
    match internal(&outcome, program.result_type()) {
        Some(what) if !is_stopped => Err(format!("{what}\n{source}")),
        _ => Ok(()),
    }
}
