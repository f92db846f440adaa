//! `MatchCollection`, `GroupCollection` and `CaptureCollection`:
//! <https://learn.microsoft.com/dotnet/api/system.text.regularexpressions.groupcollection>
//!
//! They differ in little but their items, so they share one file.

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::sequence::Items;
use clr::value::{Cursor, Object, Value};
use dotnet::Str;
use dotnet::regex::Match;

use super::{CAPTURE, Found, GROUP, MATCH, Part};

/// `MatchCollection`.
pub(super) const MATCHES: Type = Type::named("System.Text.RegularExpressions.MatchCollection");
/// `GroupCollection`.
pub(super) const GROUPS: Type = Type::named("System.Text.RegularExpressions.GroupCollection");
/// `CaptureCollection`.
pub(super) const CAPTURES: Type = Type::named("System.Text.RegularExpressions.CaptureCollection");

const OBJECTS: Type = Type::Named(names::IENUMERATOR, &[Type::Object]);

const COUNT: Member = Member::property("Count", Type::Int32, |args, _| {
    let list = args.value(0).as_object::<Collection>();
    let count = list.map_or(0, |it| it.items.len());
    Ok(i32::try_from(count).unwrap_or(i32::MAX).into())
});

/// As in .NET: `foreach` gives `object` unless it names a type.
const ENUMERATOR: Member = Member::method("GetEnumerator", &[], OBJECTS, |args, cx| {
    corelib::collections::enumerator::start(args, cx)
});

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        "System.Text.RegularExpressions.MatchCollection",
        &[COUNT, ENUMERATOR, Member::indexer(&[Type::Int32], MATCH, item).params(&["i"])],
    )
    .bases(&[Type::enumerable(&[MATCH])]),
    TypeDef::class(
        "System.Text.RegularExpressions.GroupCollection",
        &[
            COUNT,
            ENUMERATOR,
            Member::indexer(&[Type::Int32], GROUP, group_by_number).params(&["groupnum"]),
            Member::indexer(&[Type::String], GROUP, group_by_name).params(&["groupname"]),
        ],
    )
    .bases(&[Type::enumerable(&[GROUP])]),
    TypeDef::class(
        "System.Text.RegularExpressions.CaptureCollection",
        &[COUNT, ENUMERATOR, Member::indexer(&[Type::Int32], CAPTURE, item).params(&["i"])],
    )
    .bases(&[Type::enumerable(&[CAPTURE])]),
];

#[derive(Debug)]
struct Collection {
    ty: Type,
    items: Vec<Value>,
    /// The match that groups are of.
    of: Option<Arc<Match>>,
}

impl Object for Collection {
    fn net_type(&self) -> Type {
        self.ty
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(Some(Box::new(Items::new(self.items.clone()))))
    }
}

/// A `MatchCollection`.
pub(super) fn matches(found: Vec<Match>) -> Value {
    let items = found.into_iter().map(|it| super::matched(Some(it))).collect();
    Value::object(Collection { ty: MATCHES, items, of: None })
}

/// The `GroupCollection` of a match.
pub(super) fn groups(of: &Value) -> Value {
    let found = of.as_object::<Found>().and_then(|it| it.found.clone());
    let count = found.as_ref().map_or(1, |it| it.group_count());
    let group = |at| match at {
        0 => of.clone(),
        at => Value::object(Found { found: found.clone(), part: Part::Group(at) }),
    };
    let items = (0..count).map(group).collect();
    Value::object(Collection { ty: GROUPS, items, of: found })
}

/// The `CaptureCollection` of a group.
pub(super) fn captures(of: &Value) -> Value {
    let mut items = Vec::new();
    if let Some(it) = of.as_object::<Found>()
        && let Some(found) = &it.found
    {
        let at = it.group();
        let part = |number| Found { found: it.found.clone(), part: Part::Capture(at, number) };
        items.extend((0..found.captures(at).len()).map(|number| Value::object(part(number))));
    }
    Value::object(Collection { ty: CAPTURES, items, of: None })
}

fn item(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let index: i32 = args.arg(1)?;
    let list = args.value(0).as_object::<Collection>();
    let found = usize::try_from(index).ok().and_then(|at| list?.items.get(at).cloned());
    found.ok_or_else(|| Exception::argument_out_of_range("i"))
}

/// A group that is not there: it did not succeed.
fn missing() -> Value {
    Value::object(Found { found: None, part: Part::Group(0) })
}

fn group_by_number(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let number: i32 = args.arg(1)?;
    let Some(list) = args.value(0).as_object::<Collection>() else { return Ok(missing()) };
    let at = match &list.of {
        Some(found) => u32::try_from(number).ok().and_then(|it| found.regex().group_by_number(it)),
        None => usize::try_from(number).ok(),
    };
    Ok(at.and_then(|at| list.items.get(at).cloned()).unwrap_or_else(missing))
}

fn group_by_name(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let name: Str = args.arg(1)?;
    let Some(list) = args.value(0).as_object::<Collection>() else { return Ok(missing()) };
    let at = list.of.as_ref().and_then(|it| it.regex().group_by_name(name.as_str()));
    Ok(at.and_then(|at| list.items.get(at).cloned()).unwrap_or_else(missing))
}

#[cfg(test)]
mod tests {
    use clr::value::Value;
    use dotnet::regex::Options;

    use super::{captures, groups, matches};
    use crate::test_support::with_cx;

    #[test]
    fn groups_and_captures_are_listed() {
        let regex = super::super::compiled(&"(a)(x)?".into(), Options::NONE).unwrap();
        let found = regex.find_all(&"aa".into(), None, None).unwrap();
        with_cx(|cx| {
            let all = matches(found).collect(cx).unwrap();
            assert_eq!(all.len(), 2);
            let groups = groups(&all[0]).collect(cx).unwrap();
            let texts: Vec<_> = groups.iter().map(Value::to_text).collect();
            assert_eq!(texts, ["a", "a", ""]);
            assert_eq!(captures(&groups[1]).collect(cx).unwrap().len(), 1);
            assert_eq!(captures(&groups[2]).collect(cx).unwrap().len(), 0);
        });
    }
}
