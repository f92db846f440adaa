//! `System.Environment`: the new line only, and only where the options widen Azure's list.
//! <https://learn.microsoft.com/dotnet/api/system.environment>

use clr::rows::{Constant, Member, TypeDef};
use clr::types::Type;

pub(crate) const TYPE: TypeDef = TypeDef::static_class("System.Environment", MEMBERS).unlisted();

const MEMBERS: &[Member] = &[Member::constant("NewLine", Type::String, Constant::Text("\n"))];

#[cfg(test)]
mod tests {
    #[test]
    fn the_environment_is_closed() {
        assert!(!super::TYPE.listed && super::MEMBERS.len() == 1);
    }
}
