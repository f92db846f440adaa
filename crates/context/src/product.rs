//! `context.Product`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::{ProductInfo, ProductState};
use clr::rows::{Member, TypeDef, integer_of};
use clr::types::Type;

use super::user::{GROUPS, groups};
use super::{DOCS, list};

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.IProduct", MEMBERS).docs(DOCS);

/// `ProductState`.
pub(crate) const STATE: TypeDef =
    TypeDef::enumeration("Apim.ProductState", &[("NotPublished", 0), ("Published", 1)]).docs(DOCS);

const LIMIT: Type = Type::Nullable(&Type::Int32);

const MEMBERS: &[Member] = &[
    Member::property("Id", Type::String, |_, cx| Ok(info(cx)?.id.as_str().into()))
        .doc("The resource name."),
    Member::property("Name", Type::String, |_, cx| Ok(info(cx)?.name.as_str().into()))
        .doc("The display name."),
    Member::property("ApprovalRequired", Type::Bool, |_, cx| {
        Ok(info(cx)?.approval_required.into())
    })
    .doc("Must a subscription be approved?"),
    Member::property("Groups", GROUPS, |_, cx| Ok(groups(&info(cx)?.groups)))
        .doc("The groups that see it."),
    Member::property("State", Type::named(STATE.name), |_, cx| {
        let value = match info(cx)?.state {
            ProductState::NotPublished => 0,
            ProductState::Published => 1,
        };
        Ok(integer_of(Type::named(STATE.name), value))
    })
    .doc("Is it published?"),
    Member::property("SubscriptionsLimit", LIMIT, |_, cx| Ok(info(cx)?.subscriptions_limit.into()))
        .doc("How many subscriptions a user may have."),
    Member::property("SubscriptionLimit", LIMIT, |_, cx| Ok(info(cx)?.subscriptions_limit.into()))
        .doc("The old name of `SubscriptionsLimit`."),
    Member::property("SubscriptionRequired", Type::Bool, |_, cx| {
        Ok(info(cx)?.subscription_required.into())
    })
    .doc("Is a subscription needed?"),
    Member::property("Apis", Type::enumerable(&[Type::named("Apim.IApi")]), |_, cx| {
        Ok(list("Apim.IApi", &info(cx)?.apis, super::api::api))
    })
    .doc("The APIs in it."),
];

fn info<'h>(cx: &EvalCx<'h>) -> Result<&'h ProductInfo, Exception> {
    cx.host().product().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;

    use super::super::test_support::property;
    use super::*;

    #[test]
    fn members_are_read_from_the_host() {
        for (name, expected) in [
            ("Id", "starter"),
            ("State", "Published"),
            ("SubscriptionsLimit", "5"),
            ("SubscriptionLimit", "5"),
        ] {
            assert_eq!(property(MEMBERS, name, HostRef::Product), expected);
        }
    }
}
