//! `context.Subscription`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::SubscriptionInfo;
use clr::rows::{Member, TypeDef};
use clr::types::Type;

use super::{DOCS, optional};

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.ISubscription", MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("Id", Type::String, |_, cx| Ok(info(cx)?.id.as_str().into()))
        .doc("The resource name."),
    Member::property("Key", Type::String, |_, cx| Ok(info(cx)?.key.as_str().into()))
        .doc("The key that was presented."),
    Member::property("Name", Type::String, |_, cx| Ok(optional(info(cx)?.name.as_ref())))
        .doc("The display name."),
    Member::property("PrimaryKey", Type::String, |_, cx| Ok(info(cx)?.primary_key.as_str().into()))
        .doc("The first key."),
    Member::property("SecondaryKey", Type::String, |_, cx| {
        Ok(info(cx)?.secondary_key.as_str().into())
    })
    .doc("The second key."),
    Member::property("CreatedDate", Type::DateTime, |_, cx| Ok(info(cx)?.created_date.into()))
        .doc("When it was made."),
    Member::property("CreatedTime", Type::DateTime, |_, cx| Ok(info(cx)?.created_date.into()))
        .doc("When it was made: the old name of `CreatedDate`."),
    Member::property("StartDate", Type::Nullable(&Type::DateTime), |_, cx| {
        Ok(info(cx)?.start_date.into())
    })
    .doc("When it begins."),
    Member::property("EndDate", Type::Nullable(&Type::DateTime), |_, cx| {
        Ok(info(cx)?.end_date.into())
    })
    .doc("When it ends."),
];

fn info<'h>(cx: &EvalCx<'h>) -> Result<&'h SubscriptionInfo, Exception> {
    cx.host().subscription().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;

    use super::super::test_support::property;
    use super::*;

    #[test]
    fn members_are_read_from_the_host() {
        assert_eq!(property(MEMBERS, "Id", HostRef::Subscription), "sub-77");
        assert_eq!(property(MEMBERS, "EndDate", HostRef::Subscription), "");
        let old = property(MEMBERS, "CreatedTime", HostRef::Subscription);
        assert_eq!(old, property(MEMBERS, "CreatedDate", HostRef::Subscription));
    }
}
