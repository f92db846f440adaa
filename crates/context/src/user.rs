//! `context.User`, with `IGroup` and `IUserIdentity`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::{GroupInfo, IdentityInfo, UserInfo};
use clr::rows::{Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};

use super::{DOCS, list, optional};

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.IUser", MEMBERS).docs(DOCS);
pub(crate) const GROUP: TypeDef = TypeDef::interface("Apim.IGroup", GROUP_ROWS).docs(DOCS);
pub(crate) const IDENTITY: TypeDef =
    TypeDef::interface("Apim.IUserIdentity", IDENTITY_ROWS).docs(DOCS);

/// `IEnumerable<IGroup>`.
pub(super) const GROUPS: Type = Type::enumerable(&[Type::named(GROUP.name)]);

const MEMBERS: &[Member] = &[
    Member::property("Id", Type::String, |_, cx| Ok(info(cx)?.id.as_str().into()))
        .doc("The resource name."),
    Member::property("Email", Type::String, |_, cx| Ok(optional(info(cx)?.email.as_ref())))
        .doc("The mail address."),
    Member::property("FirstName", Type::String, |_, cx| {
        Ok(optional(info(cx)?.first_name.as_ref()))
    })
    .doc("The first name."),
    Member::property("LastName", Type::String, |_, cx| Ok(optional(info(cx)?.last_name.as_ref())))
        .doc("The last name."),
    Member::property("Note", Type::String, |_, cx| Ok(optional(info(cx)?.note.as_ref())))
        .doc("The administrator's note."),
    Member::property("RegistrationDate", Type::DateTime, |_, cx| {
        Ok(info(cx)?.registration_date.into())
    })
    .doc("When the user registered."),
    Member::property("Groups", GROUPS, |_, cx| Ok(groups(&info(cx)?.groups)))
        .doc("The groups of the user."),
    Member::property("Identities", Type::enumerable(&[Type::named(IDENTITY.name)]), |_, cx| {
        let all = &info(cx)?.identities;
        Ok(list(IDENTITY.name, all, |it| Value::object(Identity(it.clone()))))
    })
    .doc("The identities of the user."),
];

const GROUP_ROWS: &[Member] = &[
    Member::property("Id", Type::String, |args, _| {
        Ok(args.value(0).as_object::<Group>().map(|it| it.0.id.as_str().into()).unwrap_or_default())
    })
    .doc("The resource name."),
    Member::property("Name", Type::String, |args, _| {
        Ok(args
            .value(0)
            .as_object::<Group>()
            .map(|it| it.0.name.as_str().into())
            .unwrap_or_default())
    })
    .doc("The display name."),
];

const IDENTITY_ROWS: &[Member] = &[
    Member::property("Id", Type::String, |args, _| {
        let it = args.value(0).as_object::<Identity>();
        Ok(it.map(|it| it.0.id.as_str().into()).unwrap_or_default())
    })
    .doc("The id at the provider."),
    Member::property("Provider", Type::String, |args, _| {
        let it = args.value(0).as_object::<Identity>();
        Ok(it.map(|it| it.0.provider.as_str().into()).unwrap_or_default())
    })
    .doc("The name of the provider."),
];

#[derive(Debug)]
struct Group(GroupInfo);

impl Object for Group {
    fn net_type(&self) -> Type {
        Type::named(GROUP.name)
    }
}

#[derive(Debug)]
struct Identity(IdentityInfo);

impl Object for Identity {
    fn net_type(&self) -> Type {
        Type::named(IDENTITY.name)
    }
}

/// Groups as a value.
pub(super) fn groups(all: &[GroupInfo]) -> Value {
    list(GROUP.name, all, |it| Value::object(Group(it.clone())))
}

fn info<'h>(cx: &EvalCx<'h>) -> Result<&'h UserInfo, Exception> {
    cx.host().user().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;

    use super::super::test_support::{call, property, with_recorded};
    use super::*;

    #[test]
    fn members_are_read_from_the_host() {
        assert_eq!(property(MEMBERS, "Email", HostRef::User), "ada@contoso.com");
        assert_eq!(property(MEMBERS, "Note", HostRef::User), "");
    }

    #[test]
    fn groups_and_identities_are_objects() {
        with_recorded(|cx| {
            let groups = call(MEMBERS, "Groups", &[HostRef::User.into()], cx).unwrap();
            let first = groups.collect(cx).unwrap().remove(0);
            assert_eq!(call(GROUP_ROWS, "Name", &[first], cx).unwrap().to_text(), "Developers");
            let identities = call(MEMBERS, "Identities", &[HostRef::User.into()], cx).unwrap();
            let first = identities.collect(cx).unwrap().remove(0);
            assert_eq!(call(IDENTITY_ROWS, "Provider", &[first], cx).unwrap().to_text(), "Basic");
        });
    }
}
