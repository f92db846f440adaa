//! Recorded cases: evaluates them and writes the results as the C# oracle does.
//!
//! ```text
//! case line -> RecordedHost (context.json with the case's context over it) -> compile -> evaluate
//!                                                                                          |
//!                                         case with `expected` replaced <- render <--------+
//! ```
//!
//! Start with [`evaluate_line`]. The allow list of types is widened here, since the cases show more
//! of .NET than policies may use.

mod ask;
mod parts;
mod recorded;
mod render;
mod same;
mod values;

use serde_json::{Map, Value as Json, json};

pub use recorded::{RecordedHost, RecordingFault};
pub use same::same;

use expr::{EvalCx, Exception, Form, Options, Problem, Runtime, compile};

/// Why a line is no case.
#[derive(Debug, thiserror::Error)]
pub enum CaseFault {
    /// It is no JSON.
    #[error("the line is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A member is missing or of the wrong kind.
    #[error("the case has no `{0}`, or it is of the wrong kind")]
    Member(&'static str),
    /// Its `context` cannot be had.
    #[error(transparent)]
    Context(#[from] RecordingFault),
}

/// Evaluates the case of one line and gives it back on one line with `expected` replaced by our
/// result; `other` and `lang` are dropped.
///
/// # Errors
///
/// If the line is no case. What goes wrong in the expression is a result.
pub fn evaluate_line(line: &str, runtime: Runtime) -> Result<String, CaseFault> {
    let mut case: Map<String, Json> = serde_json::from_str(line)?;
    let result = evaluate_case(&case, runtime)?;
    for member in ["expected", "other", "lang"] {
        case.shift_remove(member);
    }
    case.insert("expected".to_owned(), result);
    Ok(Json::Object(case).to_string())
}

/// Evaluates a case: the object that stands as `expected` in recorded cases.
///
/// # Errors
///
/// If it is no case. What goes wrong in the expression is a result.
pub fn evaluate_case(case: &Map<String, Json>, runtime: Runtime) -> Result<Json, CaseFault> {
    let code = case.get("code").and_then(Json::as_str).ok_or(CaseFault::Member("code"))?;
    let form = match case.get("kind").and_then(Json::as_str) {
        Some("expression") => Form::Expression,
        Some("statements") => Form::Statements,
        _ => return Err(CaseFault::Member("kind")),
    };
    let options = Options { runtime, allow_unlisted: true, ..Options::default() };
    let program = match compile(code, form, &options) {
        Ok(program) => program,
        Err(problems) => return Ok(refused(&problems)),
    };
    let host = RecordedHost::over_default(case.get("context"))?;
    let rendered = program.evaluate(&host).and_then(|value| {
        let mut cx = EvalCx::new(&host, runtime, options.limits);
        render::render(&value, &mut cx)
    });
    Ok(match rendered {
        Ok(members) => {
            let mut result = Map::new();
            result.insert("ok".to_owned(), true.into());
            result.extend(members);
            Json::Object(result)
        }
        Err(exception) => thrown(&exception),
    })
}

fn refused(problems: &[Problem]) -> Json {
    let (code, message) =
        problems.first().map_or(("PC0301", ""), |it| (it.code, it.message.as_str()));
    json!({ "ok": false, "error": "compile", "code": code, "message": message })
}

fn thrown(exception: &Exception) -> Json {
    json!({ "ok": false, "error": exception.type_name, "message": exception.message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(line: &str) -> Json {
        let line = evaluate_line(line, Runtime::Modern).unwrap();
        let mut case: Map<String, Json> = serde_json::from_str(&line).unwrap();
        case.remove("expected").unwrap()
    }

    #[test]
    fn a_case_is_given_back_with_its_result() {
        let line =
            r#"{"id":"a","kind":"expression","code":"1 + 1","expected":{"ok":false},"other":1}"#;
        let expected = r#"{"id":"a","kind":"expression","code":"1 + 1","expected":{"ok":true,"type":"System.Int32","value":2}}"#;
        assert_eq!(evaluate_line(line, Runtime::Modern).unwrap(), expected);
    }

    #[test]
    fn what_does_not_compile_is_a_result() {
        let it = result(r#"{"id":"a","kind":"expression","code":"1 +"}"#);
        assert_eq!(it["error"], "compile");
    }

    #[test]
    fn what_is_thrown_is_a_result() {
        let it = result(r#"{"id":"a","kind":"statements","code":"int a = 0; return 1 / a;"}"#);
        assert_eq!(it["error"], "System.DivideByZeroException");
    }

    #[test]
    fn a_line_that_is_no_case_is_refused() {
        for line in ["", "[]", r#"{"kind":"expression"}"#, r#"{"code":"1","kind":"x"}"#] {
            assert!(evaluate_line(line, Runtime::Modern).is_err(), "{line}");
        }
    }
}
