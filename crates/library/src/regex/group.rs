//! `System.Text.RegularExpressions.Group`:
//! <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.group>

use clr::rows::{Member, TypeDef};
use clr::types::Type;
use clr::value::Value;

use super::collections::{CAPTURES, captures};
use super::{CAPTURE, Found, GROUP_NAME};

pub(crate) static TYPE: TypeDef = TypeDef::class(GROUP_NAME, MEMBERS).bases(&[CAPTURE]);

const MEMBERS: &[Member] = &[
    Member::property("Success", Type::Bool, |args, _| {
        let found = args.value(0).as_object::<Found>();
        Ok(found.is_some_and(|it| it.capture().is_some()).into())
    })
    .doc("Did the group take part?"),
    Member::property("Captures", CAPTURES, |args, _| Ok(captures(args.value(0))))
        .doc("All that the group has caught."),
    Member::property("Name", Type::String, |args, _| {
        let Some(it) = args.value(0).as_object::<Found>() else { return Ok(Value::Null) };
        let name = it.found.as_ref().and_then(|found| {
            found.regex().groups().nth(it.group()).map(|(_, name)| name.to_owned())
        });
        Ok(name.unwrap_or_else(|| "0".to_owned()).into())
    })
    .unlisted(),
];

#[cfg(test)]
mod tests {
    use clr::types::Type;

    use super::TYPE;

    #[test]
    fn a_group_is_a_capture() {
        assert_eq!(TYPE.bases, [Type::named("System.Text.RegularExpressions.Capture")]);
    }
}
