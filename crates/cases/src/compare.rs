//! What a case expected and what came out, line by line.

use document::Diagnostic;

use crate::case::{Case, Expected, ExpectedBackend, Got, Message};
use crate::world::Outcome;

/// The differences: lines that start with `-` were expected, lines with `+` came instead.
pub(crate) fn compare(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut differences = Differences::default();
    if let Some(problem) = &outcome.broken {
        differences.0.push(format!("  the case cannot be run: {problem}"));
        return differences.0;
    }
    let expected = &case.expected;
    let errors = expected.errors.as_deref().unwrap_or_default();
    differences.problems("error", errors, &outcome.problems, Diagnostic::is_error);
    if let Some(warnings) = &expected.warnings {
        differences.problems("warning", warnings, &outcome.problems, |it| !it.is_error());
    }
    if expected.errors.is_some() && outcome.ran.is_none() {
        return differences.0;
    }
    let Some(got) = &outcome.ran else {
        if differences.0.is_empty() {
            differences.0.push("  the documents do not load".to_owned());
        }
        return differences.0;
    };
    for (number, (exchange, got)) in case.earlier.iter().zip(&outcome.earlier).enumerate() {
        let mut own = Differences::default();
        own.exchange(&exchange.expected, got);
        if !own.0.is_empty() {
            differences.0.push(format!("  request {}", number + 1));
            differences.0.extend(own.0);
        }
    }
    differences.exchange(expected, got);
    differences.0
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    /// One request.
    fn exchange(&mut self, expected: &Expected, got: &Got) {
        if let Some(response) = &expected.response {
            self.message("response", response, &got.response);
        }
        match &expected.backend {
            None => {}
            Some(ExpectedBackend::NotCalled) => {
                if let Some(call) = got.backend.first() {
                    self.line("backend", "not called", &call.first_line);
                }
            }
            Some(ExpectedBackend::Called(calls)) => self.backend(calls, &got.backend),
        }
        for call in &expected.calls {
            self.call(call, &got.others);
        }
        self.variables(expected, got);
        self.metrics(expected, got);
        if let Some(last_error) = &expected.last_error {
            self.last_error(last_error, got);
        }
    }

    fn line(&mut self, what: &str, expected: &str, got: &str) {
        self.0.push(format!("  {what}"));
        self.0.extend(expected.lines().map(|it| format!("    - {it}")));
        self.0.extend(got.lines().map(|it| format!("    + {it}")));
    }

    fn message(&mut self, what: &str, expected: &Message, got: &Message) {
        if !is_first_line(&expected.first_line, &got.first_line) {
            self.line(what, &expected.first_line, &got.first_line);
        }
        for (name, value) in &expected.headers {
            let plain = name.trim_start_matches('!');
            let values: Vec<&str> = got
                .headers
                .iter()
                .filter(|(own, _)| own.eq_ignore_ascii_case(plain))
                .map(|(_, value)| value.as_str())
                .collect();
            if plain.len() < name.len() {
                if !values.is_empty() {
                    let got = format!("{plain}: {}", values.join(" | "));
                    self.line(what, &format!("no header {plain}"), &got);
                }
            } else if !values.contains(&value.as_str()) {
                let got = match values.as_slice() {
                    [] => format!("no header {plain}"),
                    values => format!("{plain}: {}", values.join(" | ")),
                };
                self.line(what, &format!("{plain}: {value}"), &got);
            }
        }
        if let Some(body) = &expected.body {
            let got = got.body.as_deref().unwrap_or_default();
            if body.trim_end() != got.trim_end() {
                let shown = |text: &str| {
                    if text.is_empty() { "(empty)".to_owned() } else { text.to_owned() }
                };
                self.line(&format!("{what} body"), &shown(body), &shown(got));
            }
        }
    }

    /// One expected call is the last; several are all.
    fn backend(&mut self, expected: &[Message], got: &[Message]) {
        let found = match (expected, got) {
            ([_], [.., last]) => std::slice::from_ref(last),
            _ => got,
        };
        if expected.len() != found.len() {
            let lines = |calls: &[Message]| {
                calls.iter().map(|it| it.first_line.as_str()).collect::<Vec<_>>().join("\n")
            };
            let got = if got.is_empty() { "not called".to_owned() } else { lines(got) };
            self.line("backend", &lines(expected), &got);
            return;
        }
        for (expected, got) in expected.iter().zip(found) {
            self.message("backend", expected, got);
        }
    }

    /// A call to another address; of several with the same first line any.
    fn call(&mut self, expected: &Message, got: &[Message]) {
        let mut alike =
            got.iter().filter(|it| is_first_line(&expected.first_line, &it.first_line)).map(|it| {
                let mut differences = Differences::default();
                differences.message("call", expected, it);
                differences.0
            });
        let Some(mut best) = alike.next() else {
            let lines: Vec<&str> = got.iter().map(|it| it.first_line.as_str()).collect();
            let got = if lines.is_empty() { "no call".to_owned() } else { lines.join("\n") };
            return self.line("call", &expected.first_line, &got);
        };
        for other in alike {
            if other.len() < best.len() {
                best = other;
            }
        }
        self.0.extend(best);
    }

    fn metrics(&mut self, expected: &Expected, got: &Got) {
        for line in &expected.metrics {
            match line.strip_prefix('!') {
                Some(absent) => {
                    if let Some(found) = got.metrics.iter().find(|it| it.contains(absent)) {
                        self.line("metrics", &format!("no {absent}"), found);
                    }
                }
                None if got.metrics.contains(line) => {}
                None => {
                    // The same metric, if there is one, says more than all of them.
                    let name = line.split(['{', ' ']).next().unwrap_or(line);
                    let near = got.metrics.iter().filter(|it| it.starts_with(name));
                    let near: Vec<&str> = near.map(String::as_str).collect();
                    self.line("metrics", line, if near.is_empty() { "absent" } else { "" });
                    self.0.extend(near.iter().map(|it| format!("    + {it}")));
                }
            }
        }
    }

    fn variables(&mut self, expected: &Expected, got: &Got) {
        for (name, of_type, text) in &expected.variables {
            let plain = name.trim_start_matches('!');
            let found = got.variables.iter().find(|(own, ..)| own == plain);
            match found {
                None if plain.len() < name.len() => {}
                None => self.line("variables", &format!("{plain}: {text}"), "absent"),
                Some((_, _, found)) if plain.len() < name.len() => {
                    self.line("variables", &format!("no {plain}"), &format!("{plain}: {found}"));
                }
                Some((_, found_type, found)) => {
                    let is_type = of_type.as_ref().is_none_or(|it| it == found_type);
                    if !is_type || found != text {
                        let shown =
                            |of_type: &str, text: &str| format!("{plain} ({of_type}): {text}");
                        let wanted = of_type.as_deref().unwrap_or(found_type);
                        self.line("variables", &shown(wanted, text), &shown(found_type, found));
                    }
                }
            }
        }
    }

    fn last_error(&mut self, expected: &[(String, String)], got: &Got) {
        if expected.is_empty() {
            if let Some((_, reason)) = got.last_error.iter().find(|(name, _)| name == "reason") {
                self.line("last error", "none", reason);
            }
            return;
        }
        for (name, value) in expected {
            let found = got.last_error.iter().find(|(own, _)| own == name);
            let found = found.map_or("", |(_, value)| value);
            if found != value {
                self.line("last error", &format!("{name}: {value}"), &format!("{name}: {found}"));
            }
        }
    }

    /// Every expected problem is there, and there is no other of its severity.
    fn problems(
        &mut self,
        what: &str,
        expected: &[(String, String)],
        got: &[Diagnostic],
        counts: impl Fn(&Diagnostic) -> bool,
    ) {
        let mut left: Vec<&Diagnostic> = got.iter().filter(|it| counts(it)).collect();
        for (code, message) in expected {
            let is_it = |it: &&Diagnostic| it.code.as_str() == code && it.message.contains(message);
            match left.iter().position(is_it) {
                Some(at) => {
                    left.remove(at);
                }
                None => self.0.push(format!("  {what}\n    - {code} {message}")),
            }
        }
        for problem in left {
            self.0.push(format!("  {what}\n    + {} {}", problem.code, problem.message));
        }
    }
}

/// A status without a reason matches any reason; a request line must be the same, or its URL
/// may be a path.
fn is_first_line(expected: &str, got: &str) -> bool {
    if expected == got {
        return true;
    }
    match (expected.split_once(' '), got.split_once(' ')) {
        (None, Some((status, _))) => expected == status,
        (Some((method, path)), Some((got_method, url))) if path.starts_with('/') => {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            method == got_method && rest.find('/').and_then(|at| rest.get(at..)) == Some(path)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn message(first_line: &str, body: Option<&str>) -> Message {
        Message {
            first_line: first_line.to_owned(),
            headers: vec![("x-a".to_owned(), "1".to_owned())],
            body: body.map(str::to_owned),
        }
    }

    fn got() -> Got {
        Got {
            response: message("403 Forbidden", Some("no")),
            backend: vec![message("GET https://b.example/x?y=1", None)],
            others: vec![message("PUT https://o.example/z", None)],
            metrics: vec!["m{a=\"1\"} 2".to_owned()],
            variables: vec![("n".to_owned(), "System.Int32".to_owned(), "5".to_owned())],
            last_error: vec![("reason".to_owned(), "Odd".to_owned())],
        }
    }

    fn differences(blocks: &str) -> String {
        let case = parse(&format!("name\n{blocks}")).unwrap().remove(0);
        compare(
            &case,
            &Outcome { problems: Vec::new(), ran: Some(got()), earlier: Vec::new(), broken: None },
        )
        .join("\n")
    }

    #[test]
    fn what_is_not_mentioned_is_not_looked_at() {
        for fine in [
            "",
            "--- response\n403",
            "--- response\n403 Forbidden\nX-A: 1\n!x-b\n\nno",
            "--- backend\nGET /x?y=1",
            "--- backend\nGET https://b.example/x?y=1\nx-a: 1",
            "--- call\nPUT https://o.example/z\nx-a: 1",
            "--- metrics\nm{a=\"1\"} 2\n!x",
            "--- variables\nn: 5\n!m",
            "--- variables\nn (System.Int32): 5",
            "--- last error\nreason: Odd",
        ] {
            assert_eq!(differences(fine), "", "{fine}");
        }
    }

    #[test]
    fn every_difference_is_shown() {
        for (blocks, shown) in [
            ("--- response\n404", "- 404\n    + 403 Forbidden"),
            ("--- response\n403\nx-a: 2", "- x-a: 2\n    + x-a: 1"),
            ("--- response\n403\n!x-a", "- no header x-a\n    + x-a: 1"),
            ("--- response\n403\n\n(empty)", "- (empty)\n    + no"),
            ("--- backend\nnot called", "- not called\n    + GET https"),
            ("--- backend\nGET /y", "- GET /y"),
            ("--- backend\nGET /x?y=1\n--- backend\nGET /y", "- GET /x?y=1\n    - GET /y"),
            ("--- call\nGET /z", "- GET /z\n    + PUT https"),
            ("--- call\nPUT /z\nx-a: 2", "- x-a: 2"),
            (
                "--- variables\nn (System.String): 5",
                "- n (System.String): 5\n    + n (System.Int32): 5",
            ),
            ("--- metrics\nm 3", "+ m{a=\"1\"} 2"),
            ("--- metrics\n!m{", "- no m{"),
            ("--- variables\nm: 1", "- m: 1\n    + absent"),
            ("--- last error\nnone", "- none\n    + Odd"),
            ("--- last error\nscope: api", "- scope: api"),
            ("--- error\nPC0401", "- PC0401"),
        ] {
            let found = differences(blocks);
            assert!(found.contains(shown), "{blocks}: {found}");
        }
    }

    #[test]
    fn an_error_that_is_not_expected_is_a_difference() {
        let problem =
            Diagnostic::error(pipeline::codes::UNKNOWN_POLICY, 0..1, "unknown policy `x`");
        let case = parse("name").unwrap().remove(0);
        let outcome =
            Outcome { problems: vec![problem], ran: None, earlier: Vec::new(), broken: None };

        assert_eq!(compare(&case, &outcome), ["  error\n    + PC0401 unknown policy `x`"]);
    }
}
