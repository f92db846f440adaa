//! `System.StringComparer`: <https://learn.microsoft.com/dotnet/api/system.stringcomparer>

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::text::compare::Comparison;
use dotnet::{Runtime, Str};

use super::COMPARISON;
use super::string_compare::{compared, equal, hash_code};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::STRINGCOMPARER, MEMBERS).bases(&[
    Type::Named(names::IEQUALITYCOMPARER, &[Type::String]),
    Type::Named(names::ICOMPARER, &[Type::String]),
]);

const OWN: Type = Type::named(names::STRINGCOMPARER);
const STRING: Type = Type::String;
const OBJECT: Type = Type::Object;

/// A comparer as an object.
#[derive(Debug)]
struct Comparer(Comparison);

impl Object for Comparer {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        Str::from_static(match self.0 {
            Comparison::Ordinal => "System.OrdinalCaseSensitiveComparer",
            Comparison::OrdinalIgnoreCase => "System.OrdinalIgnoreCaseComparer",
            Comparison::Culture | Comparison::CultureIgnoreCase => "System.CultureAwareComparer",
        })
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(self.0 as u64)
    }
}

/// The comparison of a `StringComparer`, for collections and queries that are given one.
pub(crate) fn comparison_of(comparer: &Value) -> Option<Comparison> {
    comparer.as_object::<Comparer>().map(|it| it.0)
}

const MEMBERS: &[Member] = &[
    Member::static_property("Ordinal", OWN, |_, _| Ok(made(Comparison::Ordinal))),
    Member::static_property("OrdinalIgnoreCase", OWN, |_, _| {
        Ok(made(Comparison::OrdinalIgnoreCase))
    }),
    Member::static_property("InvariantCulture", OWN, |_, _| Ok(made(Comparison::Culture))),
    Member::static_property("InvariantCultureIgnoreCase", OWN, |_, _| {
        Ok(made(Comparison::CultureIgnoreCase))
    }),
    Member::static_property("CurrentCulture", OWN, |_, _| Ok(made(Comparison::Culture))),
    Member::static_property("CurrentCultureIgnoreCase", OWN, |_, _| {
        Ok(made(Comparison::CultureIgnoreCase))
    }),
    Member::static_method("FromComparison", &[COMPARISON], OWN, |args, _| {
        let (kind,): (i64,) = args.get()?;
        Ok(made(super::comparison(kind)?))
    })
    .params(&["comparisonType"]),
    Member::static_method("Create", &[super::CULTURE, Type::Bool], OWN, |args, _| {
        if args.value(0).is_null() {
            return Err(Exception::argument_null("culture"));
        }
        let ignores: bool = args.arg(1)?;
        Ok(made(if ignores { Comparison::CultureIgnoreCase } else { Comparison::Culture }))
    })
    .params(&["culture", "ignoreCase"]),
    Member::method("Compare", &[STRING, STRING], Type::Int32, |args, cx| {
        let (it, a, b): (Arc<Comparer>, _, _) = args.get()?;
        compared(cx, a, b, it.0)
    })
    .params(&["x", "y"]),
    Member::method("Compare", &[OBJECT, OBJECT], Type::Int32, |args, cx| {
        let (it, a, b) = texts(args)?;
        compared(cx, a, b, it)
    })
    .params(&["x", "y"]),
    Member::method("Equals", &[STRING, STRING], Type::Bool, |args, cx| {
        let (it, a, b): (Arc<Comparer>, _, _) = args.get()?;
        equal(cx, a, b, it.0)
    })
    .params(&["x", "y"]),
    Member::method("Equals", &[OBJECT, OBJECT], Type::Bool, |args, cx| {
        let (it, a, b) = texts(args)?;
        equal(cx, a, b, it)
    })
    .params(&["x", "y"]),
    Member::method("GetHashCode", &[STRING], Type::Int32, |args, _| {
        let (it, text): (Arc<Comparer>, Str) = args.get()?;
        Ok(hash_code(&text, it.0).into())
    })
    .params(&["obj"]),
];

/// A comparer as a value.
pub(crate) fn made(comparison: Comparison) -> Value {
    Value::object(Comparer(comparison))
}

/// Two objects that must be strings or null.
fn texts(args: &mut Args<'_>) -> Result<(Comparison, Option<Str>, Option<Str>), Exception> {
    let (it, a, b): (Arc<Comparer>, Value, Value) = args.get()?;
    let text = |value: Value| match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Exception::argument("At least one object must implement IComparable.")),
    };
    Ok((it.0, text(a)?, text(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparer_tells_its_comparison() {
        let comparer = made(Comparison::OrdinalIgnoreCase);
        assert_eq!(comparison_of(&comparer), Some(Comparison::OrdinalIgnoreCase));
        assert_eq!(comparison_of(&Value::Null), None);
    }
}
