//! `System.Text.RegularExpressions.Match`:
//! <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.match>

use clr::exception::Exception;
use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use dotnet::Str;

use super::collections::{GROUPS, groups};
use super::{Found, GROUP, MATCH, charge, empty, exception, matched};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::MATCH, MEMBERS).bases(&[GROUP]);

const MEMBERS: &[Member] = &[
    Member::static_property("Empty", MATCH, |_, _| Ok(empty())).doc("The match that failed."),
    Member::property("Groups", GROUPS, |args, _| Ok(groups(args.value(0))))
        .doc("The groups by number and name."),
    Member::method("Result", &[Type::String], Type::String, |args, cx| {
        let pattern: Str = args.arg(1)?;
        let found = args.value(0).as_object::<Found>().and_then(|it| it.found.clone());
        let Some(found) = found else {
            return Err(Exception::new(
                "System.NotSupportedException",
                "Result cannot be called on a failed Match.",
            ));
        };
        let text = found.result(&pattern)?;
        cx.allocate(text.size())?;
        Ok(text.into())
    })
    .params(&["replacement"])
    .doc("A replacement text with the groups put in."),
    Member::method("NextMatch", &[], MATCH, |args, cx| {
        let found = args.value(0).as_object::<Found>().and_then(|it| it.found.clone());
        let Some(found) = found else { return Ok(empty()) };
        charge(cx, found.input())?;
        found.next_match().map(matched).map_err(exception)
    })
    .unlisted(),
];

#[cfg(test)]
mod tests {
    use clr::rows::Args;
    use clr::types::Type;
    use clr::value::Value;

    use super::TYPE;

    #[test]
    fn a_failed_match_has_no_result() {
        crate::test_support::with_cx(|cx| {
            let row = TYPE.members.iter().find(|it| it.name == "Result").unwrap();
            let mut values = [super::empty(), Value::from("$1")];
            let mut args = Args::new(row, &mut values, &[], &[], Type::String);
            let error = (row.call)(&mut args, cx).unwrap_err();
            assert_eq!(error.type_name, "System.NotSupportedException");
        });
    }
}
