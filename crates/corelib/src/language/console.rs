//! `System.Console`: <https://learn.microsoft.com/dotnet/api/system.console>
//!
//! Not on Azure's list; there where the options widen it. A gateway has no console: what is written
//! goes to the trace, as with `context.Trace`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;

pub(crate) const TYPE: TypeDef = TypeDef::static_class("System.Console", MEMBERS).unlisted();

const MEMBERS: &[Member] = &[
    Member::static_method("WriteLine", &[], Type::Void, write),
    Member::static_method("WriteLine", &[Type::Object], Type::Void, write).params(&["value"]),
    Member::static_method("Write", &[Type::Object], Type::Void, write).params(&["value"]),
];

fn write(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text = cx.text_of(args.value(0));
    cx.allocate(text.len())?;
    cx.host().trace(text.as_str());
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_write_but_not_be_named_by_default() {
        assert!(MEMBERS.iter().all(|it| it.name.starts_with("Write")));
    }
}
