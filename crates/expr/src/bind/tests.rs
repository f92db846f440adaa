//! Whole expressions, compiled and evaluated against an empty host.

use super::*;
use clr::host::EmptyHost;

fn compiled(source: &str, form: Form) -> Result<Program, Vec<Problem>> {
    compile(source, form, &Options::default())
}

fn outcome(source: &str, form: Form) -> String {
    match compiled(source, form) {
        Err(problems) => problems.first().map_or_else(String::new, |it| it.code.to_owned()),
        Ok(program) => match program.evaluate(&EmptyHost::default()) {
            Ok(value) => {
                format!("{}: {}", value.type_name().replace("System.", ""), value.to_text())
            }
            Err(error) => error.type_name.to_owned(),
        },
    }
}

/// Sources and what they give: type and text, the type of what is thrown, or the first problem's code.
pub(crate) fn check(form: Form, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(outcome(source, form), *expected, "{source}");
    }
}

/// The same for statements that go beyond Azure's C#; `steps` is the end of the budget.
pub(crate) fn beyond(cases: &[(&str, &str)]) {
    let limits = clr::Limits { steps: 20_000, ..clr::Limits::default() };
    let options = Options { allow_unlisted: true, limits, ..Options::default() };
    for (source, expected) in cases {
        let outcome = match compile(source, Form::Statements, &options) {
            Err(problems) => problems.first().map_or_else(String::new, |it| it.code.to_owned()),
            Ok(program) => match program.evaluate(&EmptyHost::default()) {
                Ok(value) => {
                    format!("{}: {}", value.type_name().replace("System.", ""), value.to_text())
                }
                Err(error) if !error.is_catchable() => "steps".to_owned(),
                Err(error) => error.type_name.to_owned(),
            },
        };
        assert_eq!(outcome, *expected, "{source}");
    }
}

#[test]
fn arithmetic_follows_the_static_types() {
    check(
        Form::Expression,
        &[
            ("1 + 2 * 3", "Int32: 7"),
            ("7 / 2", "Int32: 3"),
            ("7 / 2.0", "Double: 3.5"),
            ("'a' + 'b'", "Int32: 195"),
            ("\"a\" + 'b'", "String: ab"),
            ("1 + 2 + \"a\" + 3 + 4", "String: 3a34"),
            ("\"a\" + 1 + null + true", "String: a1True"),
            ("true ? 1 : 2.5", "Double: 1"),
            ("int.MaxVal", "PC0321"),
            ("2147483647 + 1", "PC0350"),
            ("unchecked(2147483647 + 1)", "Int32: -2147483648"),
            ("1 / 0", "PC0350"),
            ("1.0 == 1m", "PC0331"),
            ("(byte)300", "PC0350"),
            ("-2147483648", "Int32: -2147483648"),
        ],
    );
}

#[test]
fn statements_need_assigned_variables_and_a_return() {
    check(
        Form::Statements,
        &[
            ("int x; return x;", "PC0340"),
            ("int x; if (true) x = 1; return x;", "Int32: 1"),
            ("var i = 0; while (i < 5) i++; return i;", "Int32: 5"),
            ("return;", "PC0341"),
            ("var x = 1;", "PC0341"),
            ("for (int i = 0; ; i++) { if (i == 3) return i; }", "Int32: 3"),
            ("var s = 0; foreach (var x in new[] {1, 2}) s += x; return s;", "Int32: 3"),
            (
                "switch (2) { case 1: return \"a\"; case 2: return \"b\"; default: return \"c\"; }",
                "String: b",
            ),
            (
                "try { throw new ArgumentException(\"m\", \"p\"); } catch (Exception e) { return e.Message; }",
                "String: m (Parameter 'p')",
            ),
            ("int? i = null; return i ?? 2L;", "Int64: 2"),
            ("object a = 5L; return (int)a;", "System.InvalidCastException"),
            ("object a = 5; return a is int i ? i * 2 : -1;", "Int32: 10"),
        ],
    );
}

#[test]
fn lambdas_capture_variables() {
    check(
        Form::Statements,
        &[
            ("Func<int, int> f = x => x + 1; return f(2);", "Int32: 3"),
            ("int n = 1; Func<int> f = () => n++; f(); f(); return n;", "Int32: 3"),
            ("int Fib(int n) => n < 2 ? n : Fib(n - 1) + Fib(n - 2); return Fib(10);", "Int32: 55"),
            (
                "void Inc(ref int x, out int y) { x++; y = x * 2; } int v = 1; Inc(ref v, out var w); return v + w;",
                "Int32: 6",
            ),
            (
                "int Depth<T>(T x, int n) => n == 0 ? 0 : 1 + Depth(x, n - 1); return Depth(\"a\", 3);",
                "Int32: 3",
            ),
            ("T Id<T>(T x) => x; return Id(\"a\") + Id(1);", "String: a1"),
            ("Func<int, Func<int, int>> add = a => b => a + b; return add(1)(2);", "Int32: 3"),
        ],
    );
}

#[test]
fn endless_programs_end_with_their_budget() {
    for source in [
        "while (true) { }",
        "int F(int n) => F(n + 1); return F(0);",
        "var s = \"x\"; while (true) s += s;",
    ] {
        let program = compiled(source, Form::Statements).unwrap();
        let error = program.evaluate(&EmptyHost::default()).unwrap_err();
        assert!(!error.is_catchable(), "{source}: {error}");
    }
}

#[test]
fn a_problem_points_at_its_token_and_suggests_a_name() {
    let problems = compiled("bool.Pars(\"true\")", Form::Expression).unwrap_err();
    let problem = &problems[0];
    assert_eq!(problem.span, 5..9);
    assert_eq!(problem.help.as_deref(), Some("did you mean `Parse`?"));
}
