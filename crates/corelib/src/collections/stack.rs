//! `System.Collections.Generic.Stack<T>`:
//! <https://learn.microsoft.com/dotnet/api/system.collections.generic.stack-1>

use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};

use super::line;
use crate::text::joined;

/// Last in, first out.
pub(crate) const TYPE: TypeDef = TypeDef::class(names::STACK, MEMBERS)
    .generic(1)
    .bases(&[Type::Named(names::IREADONLYCOLLECTION, &[Type::T])]);

const SELF: Type = Type::Named(names::STACK, &[Type::T]);
const ITEMS: Type = Type::Named(names::IENUMERABLE, &[Type::T]);

const MEMBERS: &[Member] = &joined::<{ OWN.len() + line::MEMBERS.len() }>(&[OWN, line::MEMBERS]);

const OWN: &[Member] = &[
    Member::constructor(&[], SELF, line::make),
    Member::constructor(&[Type::Int32], SELF, line::make).params(&["capacity"]),
    Member::constructor(&[ITEMS], SELF, line::make_of).params(&["collection"]),
    Member::method("Push", &[Type::T], Type::Void, line::put).params(&["item"]),
    Member::method("Pop", &[], Type::T, line::take),
    Member::method("TryPop", &[Type::Out(&Type::T)], Type::Bool, line::try_take)
        .params(&["result"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::line::tests::taken;

    #[test]
    fn items_come_out_last_in_first_out() {
        assert_eq!(taken(SELF, MEMBERS, "Pop"), [2, 1]);
    }
}
