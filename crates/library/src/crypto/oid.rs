//! `System.Security.Cryptography.Oid`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.oid>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::Str;
use dotnet::crypto::cryptographic;

use super::enums::OID_GROUP;
use super::oid_names::{KNOWN, name_of, number_of};

const NAME: &str = "System.Security.Cryptography.Oid";

/// `Oid`.
pub(super) const OID: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS);

/// An identifier as an object. A name that is not set is looked up.
#[derive(Debug, Default)]
struct Oid(Mutex<(Option<Str>, Option<Str>)>);

impl Oid {
    fn lock(&self) -> MutexGuard<'_, (Option<Str>, Option<Str>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> Option<Str> {
        self.lock().0.clone()
    }

    /// The name, kept once it was found.
    fn name(&self) -> Option<Str> {
        let mut own = self.lock();
        if own.1.is_none() {
            own.1 = own.0.as_ref().and_then(|it| name_of(it.as_str())).map(Str::from_static);
        }
        own.1.clone()
    }
}

impl Object for Oid {
    fn net_type(&self) -> Type {
        OID
    }
}

fn made(number: Option<Str>, name: Option<Str>) -> Value {
    Value::object(Oid(Mutex::new((number, name))))
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[], OID, |_, _| Ok(made(None, None))),
    Member::constructor(&[Type::String], OID, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(value(text.as_str()))
    })
    .params(&["oid"]),
    Member::constructor(&[Type::String, Type::String], OID, |args, _| {
        let (value, name): (Option<Str>, Option<Str>) = args.get()?;
        Ok(made(value, name))
    })
    .params(&["value", "friendlyName"]),
    Member::constructor(&[OID], OID, |args, _| {
        let (it,): (Arc<Oid>,) = args.get()?;
        let (number, name) = it.lock().clone();
        Ok(made(number, name))
    })
    .params(&["oid"]),
    Member::static_method("FromFriendlyName", &[Type::String, OID_GROUP], OID, |args, _| {
        known(args, "friendlyName", "No OID value matches this name.", number_of)
    })
    .params(&["friendlyName", "group"]),
    Member::static_method("FromOidValue", &[Type::String, OID_GROUP], OID, |args, _| {
        known(args, "oidValue", "The OID value is invalid.", |it| {
            KNOWN.iter().find(|(own, _)| *own == it).map(|(own, _)| *own)
        })
    })
    .params(&["oidValue", "group"]),
    Member::property("Value", Type::String, |args, _| {
        Ok(args.value(0).as_object::<Oid>().and_then(Oid::number).into())
    })
    .set(|args, _| {
        let (it, number): (Arc<Oid>, Option<Str>) = args.get()?;
        it.lock().0 = number;
        Ok(Value::Null)
    }),
    Member::property("FriendlyName", Type::String, |args, _| {
        Ok(args.value(0).as_object::<Oid>().and_then(Oid::name).into())
    })
    .set(|args, _| {
        let (it, name): (Arc<Oid>, Option<Str>) = args.get()?;
        let mut own = it.lock();
        if let Some(number) = name.as_ref().and_then(|it| number_of(it.as_str())) {
            own.0 = Some(Str::from_static(number));
        }
        own.1 = name;
        Ok(Value::Null)
    })
    .doc("A name that is known sets the value too."),
];

/// The known identifier that is meant.
fn known(
    args: &mut Args<'_>,
    parameter: &str,
    unknown: &str,
    find: fn(&str) -> Option<&'static str>,
) -> Result<Value, Exception> {
    let text: Option<Str> = args.arg(0)?;
    let text = text.ok_or_else(|| Exception::argument_null(parameter))?;
    match find(text.as_str()) {
        Some(number) => Ok(value(number)),
        None => Err(cryptographic(unknown).into()),
    }
}

/// An identifier, given as numbers or as a name.
pub(super) fn value(text: &str) -> Value {
    made(Some(number_of(text).map_or_else(|| Str::from(text), Str::from_static)), None)
}

/// The numbers of an `Oid`; empty of null.
pub(super) fn number(of: &Value) -> Str {
    of.as_object::<Oid>().and_then(Oid::number).unwrap_or(Str::EMPTY)
}

#[cfg(test)]
mod tests {
    use super::{Oid, value};

    #[test]
    fn numbers_and_names_are_known_both_ways() {
        for text in ["RSA", "1.2.840.113549.1.1.1"] {
            let it = value(text);
            let oid = it.as_object::<Oid>().unwrap();
            assert_eq!(oid.number().unwrap().as_str(), "1.2.840.113549.1.1.1");
            assert_eq!(oid.name().unwrap().as_str(), "RSA");
        }
    }
}
