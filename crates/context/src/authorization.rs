//! `Authorization`: what `get-authorization-context` puts into a variable:
//! <https://learn.microsoft.com/azure/api-management/get-authorization-context-policy>

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use corelib::collections::{Comparer, Dictionary};

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::class(names::AUTHORIZATION, MEMBERS).docs(DOCS);

const CLAIMS: Type = Type::Named(names::IREADONLYDICTIONARY, &[Type::String, Type::Object]);

const MEMBERS: &[Member] = &[
    Member::property("AccessToken", Type::String, |args, _| {
        let it = args.value(0).as_object::<Authorization>();
        Ok(it.map(|it| it.access_token.as_str().into()).unwrap_or_default())
    })
    .doc("The token."),
    Member::property("Claims", CLAIMS, |args, _| {
        let it = args.value(0).as_object::<Authorization>();
        Ok(it.map(|it| claims(&it.claims)).unwrap_or_default())
    })
    .doc("The members of the provider's answer; what is nested is JSON text."),
];

/// A token and what came with it. Neither is shown by `Debug`.
struct Authorization {
    access_token: String,
    claims: Vec<(String, Value)>,
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization(..)")
    }
}

impl Object for Authorization {
    fn net_type(&self) -> Type {
        Type::named(names::AUTHORIZATION)
    }
}

/// A token of another service as a value.
#[must_use]
pub fn authorization(access_token: &str, claims: Vec<(String, Value)>) -> Value {
    Value::object(Authorization { access_token: access_token.to_owned(), claims })
}

fn claims(of: &[(String, Value)]) -> Value {
    let made = Dictionary::new([Type::String, Type::Object], Comparer::Default);
    for (name, value) in of {
        made.set(name.as_str(), value.clone());
    }
    Value::object(made)
}

#[cfg(test)]
mod tests {
    use corelib::collections::any;

    use super::super::test_support::{call, property, with_recorded};
    use super::*;

    #[test]
    fn token_and_claims_are_read() {
        let it = || authorization("t1", vec![("scope".to_owned(), "a b".into())]);
        assert_eq!(property(MEMBERS, "AccessToken", it()), "t1");
        with_recorded(|cx| {
            let claims = call(MEMBERS, "Claims", &[it()], cx).unwrap();
            let scope = any::lookup(&claims, &"scope".into(), cx).unwrap().unwrap();
            assert_eq!(scope.to_text(), "a b");
        });
        assert!(!format!("{:?}", it()).contains("t1"));
    }
}
