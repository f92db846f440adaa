//! `System.Security.Cryptography.Oid`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.oid>

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::Str;
use dotnet::crypto::cryptographic;

use super::enums::OID_GROUP;

const NAME: &str = "System.Security.Cryptography.Oid";

/// `Oid`.
pub(super) const OID: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS);

/// Identifiers of certificates with the names that .NET gives them.
const KNOWN: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.5", "sha1RSA"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.113549.1.1.11", "sha256RSA"),
    ("1.2.840.113549.1.1.12", "sha384RSA"),
    ("1.2.840.113549.1.1.13", "sha512RSA"),
    ("1.2.840.10045.2.1", "ECC"),
    ("1.2.840.10045.4.3.2", "sha256ECDSA"),
    ("1.2.840.10045.4.3.3", "sha384ECDSA"),
    ("1.2.840.10045.4.3.4", "sha512ECDSA"),
    ("1.3.14.3.2.26", "sha1"),
    ("2.16.840.1.101.3.4.2.1", "sha256"),
    ("2.16.840.1.101.3.4.2.2", "sha384"),
    ("2.16.840.1.101.3.4.2.3", "sha512"),
    ("1.2.840.113549.2.5", "md5"),
    ("1.3.6.1.5.5.7.1.1", "Authority Information Access"),
    ("2.5.29.14", "X509v3 Subject Key Identifier"),
    ("2.5.29.15", "X509v3 Key Usage"),
    ("2.5.29.17", "X509v3 Subject Alternative Name"),
    ("2.5.29.18", "X509v3 Issuer Alternative Name"),
    ("2.5.29.19", "X509v3 Basic Constraints"),
    ("2.5.29.30", "X509v3 Name Constraints"),
    ("2.5.29.31", "X509v3 CRL Distribution Points"),
    ("2.5.29.32", "X509v3 Certificate Policies"),
    ("2.5.29.35", "X509v3 Authority Key Identifier"),
    ("2.5.29.37", "X509v3 Extended Key Usage"),
];

#[derive(Clone, Debug)]
struct Oid {
    value: Str,
    name: Option<Str>,
}

impl Object for Oid {
    fn net_type(&self) -> Type {
        OID
    }
}

const MEMBERS: &[Member] = &[
    Member::constructor(&[Type::String], OID, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(value(text.as_str()))
    })
    .params(&["oid"]),
    Member::constructor(&[Type::String, Type::String], OID, |args, _| {
        let (value, name): (Str, Option<Str>) = args.get()?;
        Ok(Value::object(Oid { value, name }))
    })
    .params(&["value", "friendlyName"]),
    Member::static_method("FromFriendlyName", &[Type::String, OID_GROUP], OID, |args, _| {
        known(args, "friendlyName", "No OID value matches this name.", |(_, name), text| {
            name.eq_ignore_ascii_case(text)
        })
    })
    .params(&["friendlyName", "group"]),
    Member::static_method("FromOidValue", &[Type::String, OID_GROUP], OID, |args, _| {
        known(args, "oidValue", "The OID value is invalid.", |(number, _), text| *number == text)
    })
    .params(&["oidValue", "group"]),
    Member::property("Value", Type::String, |args, _| {
        Ok(args.value(0).as_object::<Oid>().map(|it| it.value.clone()).into())
    }),
    Member::property("FriendlyName", Type::String, |args, _| {
        Ok(args.value(0).as_object::<Oid>().and_then(|it| it.name.clone()).into())
    }),
];

/// The known identifier that is meant.
fn known(
    args: &mut Args<'_>,
    parameter: &str,
    unknown: &str,
    is_it: fn(&(&str, &str), &str) -> bool,
) -> Result<Value, Exception> {
    let text: Option<Str> = args.arg(0)?;
    let text = text.ok_or_else(|| Exception::argument_null(parameter))?;
    match KNOWN.iter().find(|it| is_it(it, text.as_str())) {
        Some((number, _)) => Ok(value(number)),
        None => Err(cryptographic(unknown).into()),
    }
}

/// An identifier, given as numbers or as a name.
pub(super) fn value(text: &str) -> Value {
    let found = KNOWN.iter().find(|(number, name)| *number == text || *name == text);
    let (value, name) = match found {
        Some((number, name)) => (Str::from_static(number), Some(Str::from_static(name))),
        None => (Str::from(text), None),
    };
    Value::object(Oid { value, name })
}

/// The numbers of an `Oid`; empty of null.
pub(super) fn number(of: &Value) -> Str {
    of.as_object::<Oid>().map_or(Str::EMPTY, |it| it.value.clone())
}

#[cfg(test)]
mod tests {
    use super::{Oid, value};

    #[test]
    fn numbers_and_names_are_known_both_ways() {
        for text in ["RSA", "1.2.840.113549.1.1.1"] {
            let it = value(text);
            let oid = it.as_object::<Oid>().unwrap();
            assert_eq!(oid.value.as_str(), "1.2.840.113549.1.1.1");
            assert_eq!(oid.name.as_ref().map(|it| it.as_str()), Some("RSA"));
        }
    }
}
