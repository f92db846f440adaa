//! `Jwt`: a token as an expression sees it.

use std::sync::Arc;

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{JwtValue, Value};
use corelib::collections::{Comparer, Dictionary};

use super::{DOCS, optional};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::JWT, MEMBERS).docs(DOCS);

const CLAIMS: Type = Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::STRINGS]);
const DATE: Type = Type::Nullable(&Type::DateTime);

const MEMBERS: &[Member] = &[
    Member::property("Algorithm", Type::String, |args, _| {
        Ok(optional(jwt(args)?.algorithm.as_ref()))
    })
    .doc("`alg` of the header."),
    Member::property("Type", Type::String, |args, _| Ok(optional(jwt(args)?.token_type.as_ref())))
        .doc("`typ` of the header."),
    Member::property("Audiences", Type::enumerable(&[Type::String]), |args, _| {
        Ok(Value::strings(jwt(args)?.audiences.iter().map(String::as_str)))
    })
    .doc("`aud`, one or several."),
    Member::property("Claims", CLAIMS, |args, _| Ok(claims(&*jwt(args)?)))
        .doc("Every claim of the payload as text."),
    Member::property("ExpirationTime", DATE, |args, _| Ok(jwt(args)?.expiration_time.into()))
        .doc("`exp`."),
    Member::property("Id", Type::String, |args, _| Ok(optional(jwt(args)?.id.as_ref())))
        .doc("`jti`."),
    Member::property("IssuedAt", DATE, |args, _| Ok(jwt(args)?.issued_at.into())).doc("`iat`."),
    Member::property("Issuer", Type::String, |args, _| Ok(optional(jwt(args)?.issuer.as_ref())))
        .doc("`iss`."),
    Member::property("NotBefore", DATE, |args, _| Ok(jwt(args)?.not_before.into())).doc("`nbf`."),
    Member::property("Subject", Type::String, |args, _| Ok(optional(jwt(args)?.subject.as_ref())))
        .doc("`sub`."),
];

fn jwt(args: &mut Args<'_>) -> Result<Arc<JwtValue>, Exception> {
    args.arg(0)
}

/// The claims as a dictionary; names are case-sensitive.
fn claims(of: &JwtValue) -> Value {
    let made = Dictionary::new([Type::String, Type::STRINGS], Comparer::Default);
    for (name, values) in &of.claims {
        let values = values.iter().map(|it| optional(it.as_ref())).collect();
        made.set(name.as_str(), Value::array(Type::String, values));
    }
    Value::object(made)
}

#[cfg(test)]
mod tests {
    use corelib::collections::any;

    use super::super::test_support::{call, property, with_recorded};
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL3N0cy5jb250b3NvLmNvbS8iLCJhdWQiOiJzaW5nbGUtYXVkaWVuY2UifQ.x";

    fn token() -> Value {
        Value::jwt(JwtValue::parse(TOKEN).unwrap())
    }

    #[test]
    fn registered_claims_have_members() {
        assert_eq!(property(MEMBERS, "Algorithm", token()), "RS256");
        assert_eq!(property(MEMBERS, "Type", token()), "at+jwt");
        assert_eq!(property(MEMBERS, "Issuer", token()), "https://sts.contoso.com/");
        assert_eq!(property(MEMBERS, "ExpirationTime", token()), "");
    }

    #[test]
    fn claims_are_lists_of_texts() {
        with_recorded(|cx| {
            let claims = call(MEMBERS, "Claims", &[token()], cx).unwrap();
            let audience = any::lookup(&claims, &"aud".into(), cx).unwrap().unwrap();
            assert_eq!(audience.collect(cx).unwrap()[0].to_text(), "single-audience");
            assert!(any::lookup(&claims, &"AUD".into(), cx).unwrap().is_none());
        });
    }
}
