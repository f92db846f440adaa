//! `BasicAuthCredentials`: <https://www.rfc-editor.org/rfc/rfc7617>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::class(names::BASIC, MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("UserId", Type::String, |args, _| {
        let it = args.value(0).as_object::<Basic>();
        Ok(it.map(|it| it.user_id.as_str().into()).unwrap_or_default())
    })
    .doc("The name of the user."),
    Member::property("Password", Type::String, |args, _| {
        let it = args.value(0).as_object::<Basic>();
        Ok(it.map(|it| it.password.as_str().into()).unwrap_or_default())
    })
    .doc("The password."),
];

/// Name and password. Neither is shown by `Debug`.
pub(super) struct Basic {
    user_id: String,
    password: String,
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Basic(..)")
    }
}

impl Object for Basic {
    fn net_type(&self) -> Type {
        Type::named(names::BASIC)
    }
}

impl Basic {
    /// Reads the value of an `Authorization` header; `None` if it is not valid.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case("Basic ") {
            return None;
        }
        let encoded: String = rest.chars().filter(|it| !it.is_whitespace()).collect();
        let plain = String::from_utf8_lossy(&STANDARD.decode(encoded).ok()?).into_owned();
        let (user_id, password) = plain.split_once(':')?;
        Some(Self { user_id: user_id.to_owned(), password: password.to_owned() })
    }
}

/// The credentials of a header as a value; null if it is not valid.
pub(super) fn credentials(header: &str) -> Value {
    Basic::parse(header).map_or(Value::Null, Value::object)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::property;
    use super::*;

    #[test]
    fn name_and_password_are_read() {
        let it = || credentials("basic YWRhOnM6Y3JldA==");
        assert_eq!(property(MEMBERS, "UserId", it()), "ada");
        assert_eq!(property(MEMBERS, "Password", it()), "s:cret");
    }

    #[test]
    fn what_is_not_valid_is_null() {
        for header in ["", "Basic", "Basic !!!", "Bearer YTpi", "Basic YWI="] {
            assert!(credentials(header).is_null(), "{header}");
        }
        assert_eq!(format!("{:?}", Basic::parse("Basic YTpi").unwrap()), "Basic(..)");
    }
}
