//! What an expression may use up, and that exceeding it is an error of its own kind.

use std::time::{Duration, Instant};

use expr::exception::Kind;
use expr::{Form, Limits, Options, compile, host::EmptyHost};

fn outcome(code: &str, limits: Limits) -> Result<String, (Kind, String)> {
    let options = Options { limits, allow_unlisted: true, ..Options::default() };
    let program =
        compile(code, Form::Statements, &options).unwrap_or_else(|it| panic!("{code}: {it:?}"));
    let host = EmptyHost::default();
    match program.evaluate(&host) {
        Ok(value) => Ok(value.to_text().into_owned()),
        Err(error) => Err((error.kind, error.message.clone())),
    }
}

/// Each ends within its budget, as the given kind of error.
fn check(cases: &[(&str, Kind)]) {
    for (code, expected) in cases {
        let start = Instant::now();
        let limits = Limits { steps: 1_000_000, ..Limits::default() };
        let result = outcome(code, limits);
        let kind = result.as_ref().err().map(|it| it.0);
        assert_eq!(kind, Some(*expected), "{code}: {result:?}");
        assert!(start.elapsed() < Duration::from_secs(60), "{code} took {:?}", start.elapsed());
    }
}

#[test]
fn endless_work_is_out_of_steps() {
    check(&[
        ("while (true) { } return 1;", Kind::Steps),
        ("for (;;) { int x = 1; } return 1;", Kind::Steps),
        ("return Enumerable.Range(0, int.MaxValue).Sum(x => (long)x);", Kind::Steps),
        ("return Enumerable.Range(0, int.MaxValue).Count(x => x < 0);", Kind::Steps),
        ("return Enumerable.Repeat(1, int.MaxValue).Last();", Kind::Steps),
        (
            "long n = 0; foreach (var x in Enumerable.Range(0, int.MaxValue)) n += x; return n;",
            Kind::Steps,
        ),
        (
            "var a = Enumerable.Range(0, 3000); return a.SelectMany(x => a).SelectMany(x => a).Count();",
            Kind::Steps,
        ),
        (
            "try { while (true) { } } catch (Exception) { return 1; } finally { while (true) { } } return 2;",
            Kind::Steps,
        ),
        (
            "var q = new Queue<int>(); q.Enqueue(1); while (q.Count > 0) { q.Enqueue(q.Dequeue()); } return 1;",
            Kind::Steps,
        ),
    ]);
}

#[test]
fn what_is_too_large_is_out_of_memory() {
    check(&[
        ("return new string('a', 1 << 30);", Kind::Memory),
        ("return new int[1 << 30];", Kind::Memory),
        ("return new StringBuilder().Insert(0, \"ab\", int.MaxValue);", Kind::Memory),
        ("return new byte[int.MaxValue];", Kind::Memory),
        ("string s = \"ab\"; for (int i = 0; i < 60; i++) s += s; return s;", Kind::Memory),
        ("return \"\".PadLeft(int.MaxValue);", Kind::Memory),
        ("return \"a\".PadRight(1 << 30, 'x');", Kind::Memory),
        (
            "return string.Join(new string('x', 1 << 20), Enumerable.Range(0, 100000));",
            Kind::Memory,
        ),
        ("return new string('a', 1 << 20).Replace(\"a\", new string('b', 1 << 20));", Kind::Memory),
        (
            "var b = new StringBuilder(); for (;;) b.Append(new string('x', 1 << 16)); ",
            Kind::Memory,
        ),
        (
            "return Regex.Replace(new string('a', 1 << 16), \"a\", new string('b', 1 << 16));",
            Kind::Memory,
        ),
        (
            "return $\"{1,1000000}{1,1000000}\".Length + string.Concat(Enumerable.Repeat($\"{1,1000000}\", 1000)).Length;",
            Kind::Memory,
        ),
        (
            "var s = Convert.ToBase64String(new byte[60000000]); s += s; return Convert.ToBase64String(Encoding.UTF8.GetBytes(s));",
            Kind::Memory,
        ),
        ("var l = new List<object>(); for (;;) l.Add(new int[1000]);", Kind::Memory),
    ]);
}

#[test]
fn calls_that_nest_too_deeply_are_out_of_depth() {
    check(&[
        ("int F(int n) => F(n + 1); return F(0);", Kind::Depth),
        ("Func<int, int> f = null; f = n => 1 + f(n); return f(0);", Kind::Depth),
        (
            "int A(int n) { return B(n); } int B(int n) { try { return A(n); } finally { n++; } } return A(0);",
            Kind::Depth,
        ),
        ("int F(int n) => new[] {n}.Select(x => F(x)).Sum(); return F(0);", Kind::Depth),
        (
            "var q = Enumerable.Range(0, 3); for (int i = 0; i < 20000; i++) { q = q.Select(x => x + 1); } return q.Sum();",
            Kind::Depth,
        ),
    ]);
}

#[test]
fn listing_more_than_there_is_room_for_ends() {
    for code in [
        "return Enumerable.Range(0, int.MaxValue).ToList();",
        "return Enumerable.Range(0, int.MaxValue).ToArray();",
        "return Enumerable.Range(0, int.MaxValue).OrderBy(x => x).First();",
        "return Enumerable.Range(0, int.MaxValue).ToDictionary(x => x).Count;",
        "return Enumerable.Range(0, int.MaxValue).Distinct().Count();",
        "return string.Concat(Enumerable.Range(0, int.MaxValue));",
        "return string.Join(\",\", Enumerable.Repeat(\"x\", int.MaxValue));",
        "return new HashSet<int>(Enumerable.Range(0, int.MaxValue)).Count;",
        "return Enumerable.Repeat(\"x\", 100000000).ToArray();",
        "var b = new StringBuilder(); while (true) b.Append(\"x\");",
        "var o = new JArray(); while (true) o.Add(1);",
        "var o = new JObject(); int i = 0; while (true) o[\"a\" + i++] = i;",
        "var x = new XElement(\"a\"); while (true) x.Add(new XElement(\"b\"));",
        "var s = new Stack<int>(); while (true) s.Push(1);",
    ] {
        let kind = outcome(code, Limits::default()).err().map(|it| it.0);
        assert!(matches!(kind, Some(Kind::Steps | Kind::Memory)), "{code}: {kind:?}");
    }
}

#[test]
fn patterns_that_go_back_and_forth_end() {
    for code in [
        "return Regex.IsMatch(new string('a', 40) + \"!\", \"(a+)+$\");",
        "return Regex.IsMatch(new string('a', 40) + \"!\", \"(a|a)*$\");",
        "return Regex.IsMatch(new string('a', 5000) + \"!\", \"(a|aa|aaa)+$\");",
        "return Regex.Matches(new string('x', 20000), \".*.*.*y\").Count;",
        "return Regex.Replace(new string('a', 3000), \"(.*)(.*)(.*)(.*)b\", \"\");",
        "return Regex.Split(new string('a', 40) + \"!\", \"^(([a-z])+.)+[A-Z]([a-z])+$\").Length;",
    ] {
        let start = Instant::now();
        let result = outcome(code, Limits::default());
        let fine = match &result {
            Ok(_) => true,
            Err((kind, message)) => *kind != Kind::Thrown || message.contains("time"),
        };
        assert!(fine, "{code}: {result:?}");
        assert!(start.elapsed() < Duration::from_secs(60), "{code} took {:?}", start.elapsed());
    }
}

#[test]
fn documents_that_nest_or_swell_are_refused() {
    let bomb = "<!DOCTYPE l [<!ENTITY a \\\"aaaaaaaaaa\\\"><!ENTITY b \\\"&a;&a;&a;&a;&a;&a;&a;&a;\\\"><!ENTITY c \\\"&b;&b;&b;&b;&b;&b;&b;&b;\\\">]><l>&c;</l>";
    for code in [
        "return JToken.Parse(new string('[', 100000));".to_owned(),
        "return JToken.Parse(new string('[', 100000) + new string(']', 100000));".to_owned(),
        "return JObject.Parse(string.Concat(Enumerable.Repeat(\"{\\\"a\\\":\", 100000)));"
            .to_owned(),
        "return JsonConvert.DeserializeObject(new string('[', 100000));".to_owned(),
        "return XElement.Parse(string.Concat(Enumerable.Repeat(\"<a>\", 100000)));".to_owned(),
        format!("return XDocument.Parse(\"{bomb}\");"),
    ] {
        let result = outcome(&code, Limits::default());
        assert!(result.is_err(), "{code}: {result:?}");
    }
    let deep = "JToken t = new JArray(); for (int i = 0; i < 20000; i++) t = new JArray(t); return t.ToString().Length;";
    // Made by hand it may be deep: it must print, or end as an error.
    let _ = outcome(deep, Limits::default());
    let deep = "var x = new XElement(\"a\"); for (int i = 0; i < 20000; i++) x = new XElement(\"a\", x); return x.ToString().Length;";
    let _ = outcome(deep, Limits::default());
}

#[test]
fn what_nests_deeply_is_let_go() {
    for code in [
        "object o = null; for (int i = 0; i < 100000; i++) o = new List<object> { o }; return 1;",
        "object o = null; for (int i = 0; i < 100000; i++) o = new object[] { o }; return 1;",
        "object o = null; for (int i = 0; i < 100000; i++) o = new { o }; return 1;",
        "object o = null; for (int i = 0; i < 100000; i++) o = Tuple.Create(o); return 1;",
        "object o = null; for (int i = 0; i < 100000; i++) o = new KeyValuePair<int, object>(1, o); return 1;",
        "object o = null; for (int i = 0; i < 100000; i++) o = new Dictionary<string, object> { [\"a\"] = o }; return 1;",
        "Func<int> f = () => 1; for (int i = 0; i < 100000; i++) { var g = f; f = () => g() + 1; } return 1;",
        "IEnumerable<int> q = new[] {1}; for (int i = 0; i < 100000; i++) q = q.OrderBy(x => x); return 1;",
        "Exception e = null; for (int i = 0; i < 100000; i++) e = new Exception(\"\", e); return 1;",
    ] {
        let _ = outcome(code, Limits::default());
    }
}

#[test]
fn source_that_nests_too_deeply_is_refused() {
    let options = Options::default();
    for (open, close) in [
        ("(", ")"),
        ("-", ""),
        ("!", ""),
        ("new[] {", "}"),
        ("x => ", ""),
        ("1 + (", ")"),
        ("true ? 1 : ", ""),
    ] {
        for count in [50, 5_000, 100_000] {
            let code = format!("{}1{}", open.repeat(count), close.repeat(count));
            let _ = compile(&code, Form::Expression, &options);
        }
    }
    let code = format!("{}return 1;{}", "{".repeat(50_000), "}".repeat(50_000));
    assert!(compile(&code, Form::Statements, &options).is_err());
    let code = format!("return 1{};", " + 1".repeat(50_000));
    let _ = compile(&code, Form::Statements, &options);
}
