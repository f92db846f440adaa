//! What authors read when they go wrong: the token that is marked, and the way out.

use expr::{Form, Options, Problem, compile};

/// Source (the marked token between `»` and `«`), code, what the message and the advice must say.
const MISTAKES: &[(&str, &str, &str)] = &[
    // Wrong members.
    ("context.Request.»Metod«", "PC0321", "did you mean `Method`?"),
    ("context.»request«.Method", "PC0321", "did you mean `Request`?"),
    ("»Context«.Request.Method", "PC0320", "did you mean `context`?"),
    ("context.Request.Headers.»GetValueOrDefalt«(\"x\", \"\")", "PC0321", "`GetValueOrDefault`"),
    ("context.Request.Headers[\"x\"].»Frist«()", "PC0321", "did you mean `First`?"),
    ("context.Product?.»Nam«", "PC0321", "did you mean `Name`?"),
    ("context.Product.Id?.»ToUppr«()", "PC0321", "did you mean `ToUpper`?"),
    ("Regex.Match(\"a\", \"b\").Groups[0].»Valu«", "PC0321", "did you mean `Value`?"),
    ("Convert.»ToInt«(\"5\")", "PC0321", "did you mean `ToInt16`?"),
    ("DayOfWeek.»Fridy«", "PC0321", "did you mean `Friday`?"),
    ("new { b = 1 }.»c«", "PC0321", "it has `b`"),
    ("context.»GraphQL«.Parent", "PC0322", "below `<http-data-source>`"),
    // A header or a query parameter is a list of values.
    ("context.Request.Url.Query[\"a\"].»ToLower«()", "PC0321", "take one, `[0].ToLower`"),
    ("context.Request.Headers[\"a\"] »==« \"b\"", "PC0331", "take one of the values"),
    // JSON and variables must be cast.
    ("context.Request.Body.As<JObject>()[\"a\"].»Length«", "PC0321", "`((string)x).Length`"),
    ("context.Variables[\"a\"].»ToLower«()", "PC0321", "cast it first"),
    (
        "string s = »context.Request.Body.As<JObject>()[\"a\"]«; return s;",
        "PC0330",
        "`(string)...`",
    ),
    ("int n = »context.Variables[\"n\"]«; return n;", "PC0330", "cast it: `(int)...`"),
    ("context.Variables[\"a\"] »+« 1", "PC0331", "cast the `object` first"),
    // Strings and numbers.
    ("\"a\" »-« 1", "PC0331", "parse the string first: `int.Parse(...)`"),
    ("context.Request.Method »==« 5", "PC0331", "parse the string first"),
    ("int x = »\"5\"«; return x;", "PC0330", "parse it: `int.Parse(...)`"),
    ("bool b = »\"true\"«; return b;", "PC0330", "parse it: `bool.Parse(...)`"),
    ("string x = »5«; return x;", "PC0330", "call `.ToString()`"),
    ("decimal d = »1.5«; return d;", "PC0330", "suffix `m`"),
    ("new HMACSHA256(»\"key\"«)", "PC0330", "`Encoding.UTF8.GetBytes(...)`"),
    // Types.
    ("context.Request.Body.As<»MyType«>()", "PC0322", "type `MyType` is not allowed"),
    ("JsonConvert.DeserializeObject<»Order«>(\"{}\")", "PC0322", "no types of their own"),
    ("context.Variables.GetValueOrDefault<»integer«>(\"x\")", "PC0322", "did you mean `int`?"),
    ("System.IO.»File«.ReadAllText(\"/etc/passwd\")", "PC0322", "outside of the request"),
    ("new »HttpClient«()", "PC0322", "`<send-request>`"),
    ("»Console«.WriteLine(\"x\")", "PC0322", "`context.Trace("),
    ("»JsonSerializer«.Serialize(1)", "PC0322", "`JsonConvert.SerializeObject("),
    ("»Environment«.NewLine", "PC0322", "not allowed"),
    ("DateTime.UtcNow.»ToUniversalTime«()", "PC0322", "UTC already"),
    ("DateTime.»ParseExact«(\"a\", \"b\", null)", "PC0322", "`DateTime.Parse(...)`"),
    // Members whose signatures need types that are not on the list.
    ("new XElement(\"a\").»CreateReader«()", "PC0321", "not on the list of allowed types"),
    ("XDocument.»Load«(new StringReader(\"\"))", "PC0321", "`Parse(...)`"),
    ("new StringReader(\"\").»ReadLineAsync«()", "PC0321", "leave out `Async`"),
    ("new byte[1].»AsSpan«()", "PC0321", "arrays are taken"),
    (
        "int n = 0; new JObject().»PropertyChanged« += (s, e) => n++; return n;",
        "PC0321",
        "an event",
    ),
    ("»new XElement(\"a\").Annotation<int>()«", "PC0332", "name a class"),
    // Methods, properties, lambdas.
    ("Guid.»NewGuid«", "PC0335", "write `NewGuid(...)`"),
    ("DateTime.»UtcNow«()", "PC0335", "leave out the `()`"),
    ("new[] { 1 }.Where(x => »x«)", "PC0330", "expected `bool`"),
    ("context.Request.Headers.Where(h => h.»Name« == \"x\")", "PC0321", "it has `Key`, `Value`"),
    ("context.User.Groups.Any(g => g.»Nme« == \"x\")", "PC0321", "did you mean `Name`?"),
    ("»x => x + 1«", "PC0337", "Func<int, int> f"),
    // Variables and statements.
    ("var total = 1; return »totl«;", "PC0320", "did you mean `total`?"),
    ("»token« + \"x\"", "PC0320", "`context.Variables[\"token\"]`"),
    ("if (context.Tracing) { return 1; »}«", "PC0341", "end every path with `return`"),
    ("int x; return »x«;", "PC0340", "x"),
    ("»context.Response.StatusCode« = 200", "PC0336", "`<set-status>` changes it"),
    ("»context.Variables[\"x\"]« = 1", "PC0336", "`<set-variable>`"),
    ("var a = »1« return a;", "PC0301", "`;`"),
    // Later versions of C#, and what policies must not do.
    ("»await« x", "PC0302", "synchronous"),
    ("string s = null; s »??=« \"x\"; return s;", "PC0303", "`x = x ?? ...`"),
    ("\"abc\"[0»..«2]", "PC0303", "`Substring(...)`"),
    ("»using« var x = SHA256.Create(); return 1;", "PC0303", "`using (...) { ... }`"),
    ("»dynamic« d = 1; return d;", "PC0302", "name the type"),
    ("»(1, 2)«", "PC0302", "Tuple.Create"),
    ("»string«? x = null; return x;", "PC0310", "leave out the `?`"),
];

/// The problems of a source, and the span that is to be marked.
fn problems(marked: &str) -> (Vec<Problem>, std::ops::Range<usize>) {
    let start = marked.find('»').unwrap();
    let source = marked.replace('»', "");
    let end = source.find('«').unwrap();
    let source = source.replace('«', "");
    let form = if source.contains(';') { Form::Statements } else { Form::Expression };
    (compile(&source, form, &Options::default()).err().unwrap_or_default(), start..end)
}

#[test]
fn mistakes_are_marked_and_mended() {
    let mut wrong = Vec::new();
    for (marked, code, says) in MISTAKES {
        let (found, span) = problems(marked);
        let Some(first) = found.first() else {
            wrong.push(format!("{marked}: compiles"));
            continue;
        };
        let help = first.help.as_deref().unwrap_or("");
        let told = format!("{} | {} | {help}", first.message, first.label);
        if first.code != *code || first.span != span || !told.contains(says) {
            let at = &first.span;
            wrong.push(format!("{marked}\n    {} {at:?} (not {code} {span:?}) {told}", first.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mistake_does_not_bring_others_with_it() {
    for (marked, ..) in MISTAKES {
        let (found, _) = problems(marked);
        assert!(found.len() <= 2, "{marked}: {found:#?}");
    }
}
