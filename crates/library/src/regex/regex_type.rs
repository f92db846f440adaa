//! `System.Text.RegularExpressions.Regex`:
//! <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.regex>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::{Exception, Kind};
use clr::rows::{Args, Member, TypeDef, integer_of};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::Str;
use dotnet::regex::{self, Match, Options, Regex};

use super::collections::{MATCHES, matches};
use super::options::{OPTIONS, options};
use super::{MATCH, REGEX, charge, compiled, exception, matched};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::REGEX, MEMBERS);

const TEXT: Type = Type::String;
const INT: Type = Type::Int32;
const EVALUATOR: Type = Type::Func(&[MATCH, Type::String]);
const TIMEOUT: Type = Type::TimeSpan;

const INPUT: &[&str] = &["input", "startat"];
const STATIC: &[&str] = &["input", "pattern", "options", "matchTimeout"];
const STATIC_REPLACE: &[&str] = &["input", "pattern", "replacement", "options", "matchTimeout"];
const STATIC_EVALUATE: &[&str] = &["input", "pattern", "evaluator", "options", "matchTimeout"];
const REPLACE: &[&str] = &["input", "replacement", "count", "startat"];
const EVALUATE: &[&str] = &["input", "evaluator", "count", "startat"];

/// A regular expression as an object.
#[derive(Debug)]
struct RegexObject(Arc<Regex>);

impl Object for RegexObject {
    fn net_type(&self) -> Type {
        REGEX
    }

    fn to_text(&self, _: dotnet::Runtime) -> Str {
        self.0.pattern().clone()
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[TEXT], REGEX, construct).params(&["pattern"]),
    Member::constructor(&[TEXT, OPTIONS], REGEX, construct).params(&["pattern", "options"]),
    Member::constructor(&[TEXT, OPTIONS, TIMEOUT], REGEX, construct).params(&[
        "pattern",
        "options",
        "matchTimeout",
    ]),
    Member::static_method("IsMatch", &[TEXT, TEXT], Type::Bool, is_match).params(STATIC),
    Member::static_method("IsMatch", &[TEXT, TEXT, OPTIONS], Type::Bool, is_match).params(STATIC),
    Member::static_method("IsMatch", &[TEXT, TEXT, OPTIONS, TIMEOUT], Type::Bool, is_match)
        .params(STATIC),
    Member::method("IsMatch", &[TEXT], Type::Bool, is_match).params(INPUT),
    Member::method("IsMatch", &[TEXT, INT], Type::Bool, is_match).params(INPUT),
    Member::static_method("Match", &[TEXT, TEXT], MATCH, find).params(STATIC),
    Member::static_method("Match", &[TEXT, TEXT, OPTIONS], MATCH, find).params(STATIC),
    Member::static_method("Match", &[TEXT, TEXT, OPTIONS, TIMEOUT], MATCH, find).params(STATIC),
    Member::method("Match", &[TEXT], MATCH, find).params(INPUT),
    Member::method("Match", &[TEXT, INT], MATCH, find).params(INPUT),
    Member::method("Match", &[TEXT, INT, INT], MATCH, find_in).params(&[
        "input",
        "beginning",
        "length",
    ]),
    Member::static_method("Matches", &[TEXT, TEXT], MATCHES, find_all).params(STATIC),
    Member::static_method("Matches", &[TEXT, TEXT, OPTIONS], MATCHES, find_all).params(STATIC),
    Member::static_method("Matches", &[TEXT, TEXT, OPTIONS, TIMEOUT], MATCHES, find_all)
        .params(STATIC),
    Member::method("Matches", &[TEXT], MATCHES, find_all).params(INPUT),
    Member::method("Matches", &[TEXT, INT], MATCHES, find_all).params(INPUT),
    Member::static_method("Replace", &[TEXT, TEXT, TEXT], TEXT, replace).params(STATIC_REPLACE),
    Member::static_method("Replace", &[TEXT, TEXT, TEXT, OPTIONS], TEXT, replace)
        .params(STATIC_REPLACE),
    Member::static_method("Replace", &[TEXT, TEXT, TEXT, OPTIONS, TIMEOUT], TEXT, replace)
        .params(STATIC_REPLACE),
    Member::static_method("Replace", &[TEXT, TEXT, EVALUATOR], TEXT, replace)
        .params(STATIC_EVALUATE),
    Member::static_method("Replace", &[TEXT, TEXT, EVALUATOR, OPTIONS], TEXT, replace)
        .params(STATIC_EVALUATE),
    Member::static_method("Replace", &[TEXT, TEXT, EVALUATOR, OPTIONS, TIMEOUT], TEXT, replace)
        .params(STATIC_EVALUATE),
    Member::method("Replace", &[TEXT, TEXT], TEXT, replace).params(REPLACE),
    Member::method("Replace", &[TEXT, TEXT, INT], TEXT, replace).params(REPLACE),
    Member::method("Replace", &[TEXT, TEXT, INT, INT], TEXT, replace).params(REPLACE),
    Member::method("Replace", &[TEXT, EVALUATOR], TEXT, replace).params(EVALUATE),
    Member::method("Replace", &[TEXT, EVALUATOR, INT], TEXT, replace).params(EVALUATE),
    Member::method("Replace", &[TEXT, EVALUATOR, INT, INT], TEXT, replace).params(EVALUATE),
    Member::static_method("Split", &[TEXT, TEXT], Type::STRINGS, split).params(STATIC),
    Member::static_method("Split", &[TEXT, TEXT, OPTIONS], Type::STRINGS, split).params(STATIC),
    Member::static_method("Split", &[TEXT, TEXT, OPTIONS, TIMEOUT], Type::STRINGS, split)
        .params(STATIC),
    Member::method("Split", &[TEXT], Type::STRINGS, split).params(&["input"]),
    Member::method("Split", &[TEXT, INT], Type::STRINGS, split).params(&["input", "count"]),
    Member::method("Split", &[TEXT, INT, INT], Type::STRINGS, split)
        .params(&["input", "count", "startat"]),
    Member::static_method("Unescape", &[TEXT], TEXT, |args, _| {
        let text: Str = args.arg(0)?;
        Ok(regex::unescape(&text)?.into())
    })
    .params(&["str"]),
    Member::static_method("Escape", &[TEXT], TEXT, |args, _| {
        let text: Str = args.arg(0)?;
        Ok(regex::escape(&text).into())
    })
    .params(&["str"])
    .unlisted(),
    Member::property("Options", OPTIONS, |args, _| {
        let options = own(args).map_or(0, |it| it.options().0);
        Ok(integer_of(OPTIONS, i64::from(options)))
    })
    .unlisted(),
    Member::method("GetGroupNames", &[], Type::STRINGS, |args, _| {
        let regex = own(args).ok_or_else(Exception::null_reference)?;
        Ok(Value::strings(regex.groups().map(|(_, name)| name.to_owned())))
    })
    .unlisted(),
    Member::method("GetGroupNumbers", &[], Type::Array(&INT), |args, _| {
        let regex = own(args).ok_or_else(Exception::null_reference)?;
        let number = |(it, _)| Value::Int(i32::try_from(it).unwrap_or(i32::MAX));
        Ok(Value::array(INT, regex.groups().map(number).collect()))
    })
    .unlisted(),
    Member::method("GroupNumberFromName", &[TEXT], INT, |args, _| {
        let name: Str = args.arg(1)?;
        let regex = own(args).ok_or_else(Exception::null_reference)?;
        let found = regex.groups().find(|(_, own)| *own == name.as_str());
        Ok(found.and_then(|(it, _)| i32::try_from(it).ok()).unwrap_or(-1).into())
    })
    .params(&["name"])
    .unlisted(),
];

fn own(args: &Args<'_>) -> Option<Arc<Regex>> {
    args.value(0).as_object::<RegexObject>().map(|it| Arc::clone(&it.0))
}

fn construct(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    check_timeout(args)?;
    let options = options(args.value(1));
    let pattern: Str = args.arg(0)?;
    Ok(Value::object(RegexObject(compiled(&pattern, options)?)))
}

/// Refuses a `matchTimeout` that .NET refuses. How long a search takes is bounded by steps.
fn check_timeout(args: &Args<'_>) -> Result<(), Exception> {
    const MILLISECOND: i64 = 10_000;
    let is_wrong = |it: &Value| match it {
        Value::TimeSpan(ticks) => {
            let is_infinite = *ticks == -MILLISECOND;
            !is_infinite && !(1..i64::from(i32::MAX) * MILLISECOND).contains(ticks)
        }
        _ => false,
    };
    if args.values().iter().any(is_wrong) {
        return Err(Exception::argument_out_of_range("matchTimeout"));
    }
    Ok(())
}

/// The parts of a call: the regular expression, the text, and the arguments after both.
struct Call {
    regex: Arc<Regex>,
    input: Str,
    rest: Vec<Value>,
}

/// Static methods name the text, then the pattern, and the options come after the rest.
fn call(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Call, Exception> {
    let instance = own(args);
    let (regex, input, first) = match instance {
        Some(regex) => (regex, args.arg::<Str>(1)?, 2),
        None => {
            check_timeout(args)?;
            let is_options = |it: &&Value| matches!(it, Value::Enum(..));
            let options = args.values().iter().find(is_options).map_or(Options::NONE, options);
            let input = args.arg::<Option<Str>>(0)?;
            let pattern = args.arg::<Str>(1)?;
            let input = input.ok_or_else(|| Exception::argument_null("input"))?;
            (compiled(&pattern, options)?, input, 2)
        }
    };
    charge(cx, &input)?;
    let rest = args.values().get(first..).unwrap_or(&[]).to_vec();
    Ok(Call { regex, input, rest })
}

impl Call {
    /// An integer among the remaining arguments.
    fn int(&self, at: usize) -> Option<i32> {
        match self.rest.get(at) {
            Some(Value::Int(it)) => Some(*it),
            _ => None,
        }
    }

    /// Where the search begins, if the call says so.
    fn start(&self, at: usize) -> Result<Option<usize>, Exception> {
        let start = self.int(at).map(usize::try_from).transpose();
        start.map_err(|_| Exception::argument_out_of_range("startat"))
    }
}

fn is_match(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let call = call(args, cx)?;
    let start = call.start(0)?;
    call.regex.is_match(&call.input, start).map(Value::Bool).map_err(exception)
}

fn find(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let call = call(args, cx)?;
    let start = call.start(0)?;
    call.regex.find(&call.input, start).map(matched).map_err(exception)
}

fn find_in(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let call = call(args, cx)?;
    let outside = || Exception::argument_out_of_range("beginning");
    let place = |at| usize::try_from(call.int(at).unwrap_or(-1)).map_err(|_| outside());
    let found = call.regex.find_in(&call.input, place(0)?, place(1)?);
    found.map(matched).map_err(exception)
}

fn find_all(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let call = call(args, cx)?;
    let start = call.start(0)?;
    let found = call.regex.find_all(&call.input, start, None).map_err(exception)?;
    charge_matches(&found, cx)?;
    Ok(matches(found))
}

fn charge_matches(found: &[Match], cx: &mut EvalCx<'_>) -> Result<(), Exception> {
    cx.steps(found.len() as u64)?;
    cx.allocate(found.len() * 128)
}

fn replace(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let call = call(args, cx)?;
    let count = match call.int(1) {
        Some(-1) | None => None,
        Some(count) => {
            Some(usize::try_from(count).map_err(|_| Exception::argument_out_of_range("count"))?)
        }
    };
    let start = call.start(2)?;
    let made = match call.rest.first() {
        Some(Value::String(replacement)) => call
            .regex
            .replace(&call.input, replacement, count, start, cx.bytes_left())
            .map_err(exception)?
            .ok_or_else(|| Exception::budget(Kind::Memory))?,
        Some(evaluator @ Value::Func(_)) => {
            let found = call.regex.find_all(&call.input, start, count).map_err(exception)?;
            charge_matches(&found, cx)?;
            let mut texts = Vec::with_capacity(found.len());
            for it in &found {
                let text = cx.invoke(evaluator, &[matched(Some(it.clone()))])?;
                texts.push(text.to_str(cx.runtime()));
            }
            let sizes = texts.iter().map(Str::size);
            if sizes.fold(call.input.size(), usize::saturating_add) > cx.bytes_left() {
                return Err(Exception::budget(Kind::Memory));
            }
            Match::splice(&call.input, &found, &texts)
        }
        _ => {
            let is_evaluator = args.member().params.contains(&EVALUATOR);
            let name = if is_evaluator { "evaluator" } else { "replacement" };
            return Err(Exception::argument_null(name));
        }
    };
    cx.allocate(made.size())?;
    Ok(made.into())
}

fn split(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let call = call(args, cx)?;
    let count = usize::try_from(call.int(0).unwrap_or(0))
        .map_err(|_| Exception::argument_out_of_range("count"))?;
    let start = call.start(1)?;
    let parts = call.regex.split(&call.input, count, start).map_err(exception)?;
    cx.steps(parts.len() as u64)?;
    cx.allocate(call.input.size() + parts.len() * size_of::<Value>())?;
    Ok(Value::strings(parts))
}

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::value::Value;

    use super::{MEMBERS, REGEX, TYPE};
    use crate::test_support::with_cx;

    fn run(name: &str, values: Vec<Value>) -> String {
        let fits = |it: &&clr::rows::Member| {
            it.name == name && it.params.len() == values.len() && !it.is_instance()
        };
        let row = TYPE.members.iter().find(fits).unwrap();
        let mut values = values;
        with_cx(|cx| {
            let mut args = Args::new(row, &mut values, &[], &[], row.returns);
            match (row.call)(&mut args, cx) {
                Ok(value) => value.to_text().into_owned(),
                Err(exception) => exception.type_name.to_owned(),
            }
        })
    }

    #[test]
    fn static_methods_take_text_and_pattern() {
        assert_eq!(run("IsMatch", vec!["abc1".into(), r"\d".into()]), "True");
        assert_eq!(run("Match", vec!["abc1".into(), r"\d".into()]), "1");
        assert_eq!(run("Replace", vec!["abc".into(), "b".into(), "[$0]".into()]), "a[b]c");
        assert_eq!(run("IsMatch", vec!["a".into(), Value::Null]), "System.ArgumentNullException");
        assert_eq!(run("IsMatch", vec!["a".into(), "(".into()]), "System.ArgumentException");
        assert_eq!(run("Unescape", vec![r"a\.b".into()]), "a.b");
    }

    #[test]
    fn every_constructor_makes_a_regex() {
        assert!(MEMBERS.iter().filter(|it| it.name == ".ctor").all(|it| it.returns == REGEX));
    }
}
