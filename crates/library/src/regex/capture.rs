//! `System.Text.RegularExpressions.Capture`:
//! <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.capture>

use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;

use super::{CAPTURE_NAME, Found};

pub(crate) static TYPE: TypeDef = TypeDef::class(CAPTURE_NAME, MEMBERS);

const MEMBERS: &[Member] = &[
    Member::property("Index", Type::Int32, |args, _| Ok(place(args).0.into()))
        .doc("Where it begins, in UTF-16 units."),
    Member::property("Length", Type::Int32, |args, _| Ok(place(args).1.into()))
        .doc("How long it is, in UTF-16 units."),
    Member::property("Value", Type::String, |args, _| {
        let found = args.value(0).as_object::<Found>();
        Ok(found.map_or(Value::EMPTY, |it| it.text().into()))
    })
    .doc("The text; empty if nothing was caught."),
];

fn place(args: &Args<'_>) -> (i32, i32) {
    let found = args.value(0).as_object::<Found>().and_then(Found::capture);
    let int = |it: usize| i32::try_from(it).unwrap_or(i32::MAX);
    found.map_or((0, 0), |(_, it)| (int(it.index), int(it.length)))
}

#[cfg(test)]
mod tests {
    use super::TYPE;

    #[test]
    fn captures_have_the_members_of_the_allow_list() {
        let names: Vec<_> = TYPE.members.iter().map(|it| it.name).collect();
        assert_eq!(names, ["Index", "Length", "Value"]);
    }
}
