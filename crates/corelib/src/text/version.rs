//! `System.Version`: <https://learn.microsoft.com/dotnet/api/system.version>
//!
//! Not on Azure's list; there where the options widen it.

use std::cmp::Ordering;
use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::{Runtime, Str};

const NAME: &str = "System.Version";
const OWN: Type = Type::named(NAME);
const INT: Type = Type::Int32;
const PAIR: &[Type] = &[OWN, OWN];

pub(crate) const TYPE: TypeDef =
    TypeDef::class(NAME, MEMBERS).bases(&[Type::named(names::ICOMPARABLE)]).unlisted();

/// Two to four numbers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(Vec<i32>);

impl Object for Version {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        parts.join(".").into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>() == Some(self))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(self.0.iter().fold(17, |all, it| all * 31 + u64::from(it.unsigned_abs())))
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        other.as_object::<Self>().map(|it| self.cmp(it))
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[Type::String], OWN, |args, _| {
        let (text,): (Str,) = args.get()?;
        parse(text.as_str())
    })
    .params(&["version"]),
    Member::constructor(&[INT, INT], OWN, |args, _| of_parts(args)).params(&["major", "minor"]),
    Member::constructor(&[INT, INT, INT], OWN, |args, _| of_parts(args))
        .params(&["major", "minor", "build"]),
    Member::constructor(&[INT, INT, INT, INT], OWN, |args, _| of_parts(args))
        .params(&["major", "minor", "build", "revision"]),
    Member::static_method("Parse", &[Type::String], OWN, |args, _| {
        let (text,): (Str,) = args.get()?;
        parse(text.as_str())
    })
    .params(&["input"]),
    Member::static_method("TryParse", &[Type::String, Type::Out(&OWN)], Type::Bool, |args, _| {
        let text: Option<Str> = args.arg(0)?;
        let parsed = text.and_then(|it| parse(it.as_str()).ok());
        let found = parsed.is_some();
        args.set_out(1, parsed.unwrap_or_default());
        Ok(found.into())
    })
    .params(&["input", "result"]),
    Member::property("Major", INT, |args, _| part(args, 0)),
    Member::property("Minor", INT, |args, _| part(args, 1)),
    Member::property("Build", INT, |args, _| part(args, 2)),
    Member::property("Revision", INT, |args, _| part(args, 3)),
    Member::method("CompareTo", &[OWN], INT, |args, _| {
        Ok(order(args).map_or(1, |it| it as i32).into())
    })
    .params(&["value"]),
    Member::operator("==", PAIR, Type::Bool, |args, _| {
        Ok(args.value(0).equals(args.value(1)).into())
    }),
    Member::operator("!=", PAIR, Type::Bool, |args, _| {
        Ok((!args.value(0).equals(args.value(1))).into())
    }),
    Member::operator("<", PAIR, Type::Bool, |args, _| holds(args, Ordering::is_lt)),
    Member::operator("<=", PAIR, Type::Bool, |args, _| holds(args, Ordering::is_le)),
    Member::operator(">", PAIR, Type::Bool, |args, _| holds(args, Ordering::is_gt)),
    Member::operator(">=", PAIR, Type::Bool, |args, _| holds(args, Ordering::is_ge)),
];

fn parse(text: &str) -> Result<Value, Exception> {
    let parts: Vec<&str> = text.split('.').collect();
    if !(2..=4).contains(&parts.len()) {
        let text = "Version string portion was too short or too long. (Parameter 'input')";
        return Err(Exception::argument(text));
    }
    let number = |part: &&str| {
        let digits = part.trim();
        if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return Err(Exception::format("Input string was not in a correct format."));
        }
        let wrong = "Value was either too large or too small for an Int32.";
        digits.parse::<i32>().map_err(|_| Exception::overflow(wrong))
    };
    let numbers = parts.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::object(Version(numbers)))
}

fn of_parts(args: &mut Args<'_>) -> Result<Value, Exception> {
    let parts: Vec<i32> = args
        .values()
        .iter()
        .filter_map(|it| if let Value::Int(it) = it { Some(*it) } else { None })
        .collect();
    if parts.iter().any(|it| *it < 0) {
        return Err(Exception::argument_out_of_range("version"));
    }
    Ok(Value::object(Version(parts)))
}

fn part(args: &mut Args<'_>, index: usize) -> Result<Value, Exception> {
    let (it,): (Arc<Version>,) = args.get()?;
    Ok(it.0.get(index).copied().unwrap_or(-1).into())
}

fn order(args: &Args<'_>) -> Option<Ordering> {
    args.value(0).compare(args.value(1))
}

fn holds(args: &Args<'_>, test: fn(Ordering) -> bool) -> Result<Value, Exception> {
    if args.value(0).is_null() {
        return Err(Exception::argument_null("v1"));
    }
    Ok(order(args).is_some_and(test).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_two_to_four_numbers() {
        for text in ["1.2", "1.2.3", "1.2.3.4"] {
            assert_eq!(parse(text).unwrap().to_text(), text);
        }
        for text in ["1", "1.2.3.4.5", "a.b", "1.-2", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
        let (a, b) = (parse("1.2").unwrap(), parse("1.10").unwrap());
        assert_eq!(a.compare(&b), Some(Ordering::Less));
    }
}
