//! `System.Xml.Linq.XAttribute`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xattribute>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::Value;
use dotnet::Str;
use tree::xml::Node;

use super::{XATTRIBUTE, XNAME, needed_name, node, text, value, xname};

pub(crate) static TYPE: TypeDef =
    TypeDef::class(names::XATTRIBUTE, MEMBERS).bases(&[Type::named(names::XOBJECT)]);

static MEMBERS: &[Member] = &casts::with::<10, 35>(XATTRIBUTE, OWN);

const OWN: [Member; 10] = [
    Member::static_property(
        "EmptySequence",
        Type::Named(names::IENUMERABLE, &[XATTRIBUTE]),
        |_, _| Ok(Value::array(XATTRIBUTE, Vec::new())),
    ),
    Member::constructor(&[XNAME, Type::Object], XATTRIBUTE, |args, cx| {
        let name = needed_name(args, 0)?;
        if args.value(1).is_null() {
            return Err(Exception::argument_null("value"));
        }
        let text = text(args.value(1), cx)?;
        Ok(super::object(Node::attribute(name, &text)))
    })
    .params(&["name", "value"]),
    Member::constructor(&[XATTRIBUTE], XATTRIBUTE, |args, _| {
        Ok(super::object(node(args, 0)?.deep_clone()?))
    })
    .params(&["other"]),
    Member::property("Name", XNAME, |args, _| Ok(xname::value(node(args, 0)?.name()))),
    Member::property("Value", Type::String, value_of).set(|args, _| {
        let new: Str = args.arg(1)?;
        node(args, 0)?.set_value(new.as_str())?;
        Ok(Value::Null)
    }),
    Member::property("NextAttribute", XATTRIBUTE, |args, _| Ok(value(node(args, 0)?.next()))),
    Member::property("PreviousAttribute", XATTRIBUTE, |args, _| {
        Ok(value(node(args, 0)?.previous()))
    }),
    Member::property("IsNamespaceDeclaration", Type::Bool, |args, _| {
        Ok(node(args, 0)?.name().is_some_and(|it| it.is_declaration()).into())
    }),
    Member::method("Remove", &[], Type::Void, |args, _| {
        node(args, 0)?.remove()?;
        Ok(Value::Null)
    }),
    Member::method("SetValue", &[Type::Object], Type::Void, |args, cx| {
        if args.value(1).is_null() {
            return Err(Exception::argument_null("value"));
        }
        let new = text(args.value(1), cx)?;
        node(args, 0)?.set_value(&new)?;
        Ok(Value::Null)
    })
    .params(&["value"]),
];

/// `Value` of any node.
pub(super) fn value_of(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let text = node(args, 0)?.value();
    cx.allocate(text.len())?;
    Ok(Value::String(text.into()))
}

/// The cast operators of `XElement` and `XAttribute`, which are the same.
pub(super) mod casts {
    use tree::xml::convert::cast;

    use super::{Args, EvalCx, Exception, Member, Type, Value, XATTRIBUTE};
    use crate::json::conversions::{target_of, typed};

    const TYPES: [Type; 21] = [
        Type::String,
        Type::Bool,
        Type::Int32,
        Type::UInt32,
        Type::Int64,
        Type::UInt64,
        Type::Single,
        Type::Double,
        Type::Decimal,
        Type::DateTime,
        Type::DateTimeOffset,
        Type::Nullable(&Type::Bool),
        Type::Nullable(&Type::Int32),
        Type::Nullable(&Type::UInt32),
        Type::Nullable(&Type::Int64),
        Type::Nullable(&Type::UInt64),
        Type::Nullable(&Type::Single),
        Type::Nullable(&Type::Double),
        Type::Nullable(&Type::Decimal),
        Type::Nullable(&Type::DateTime),
        Type::Nullable(&Type::DateTimeOffset),
    ];
    const MORE: [Type; 4] =
        [Type::TimeSpan, Type::Guid, Type::Nullable(&Type::TimeSpan), Type::Nullable(&Type::Guid)];
    /// How many casts there are.
    const COUNT: usize = TYPES.len() + MORE.len();

    const FROM_ELEMENT: &[Type; 1] = &[super::super::XELEMENT];
    const FROM_ATTRIBUTE: &[Type; 1] = &[XATTRIBUTE];

    /// The rows of a type and its casts.
    #[expect(clippy::indexing_slicing, reason = "constant lists, checked when compiled")]
    pub(in super::super) const fn with<const N: usize, const M: usize>(
        of: Type,
        own: [Member; N],
    ) -> [Member; M] {
        assert!(M == N + COUNT);
        let mut all = [own[0]; M];
        let from = match of {
            Type::Named(name, _) if name.len() == "System.Xml.Linq.XElement".len() => FROM_ELEMENT,
            _ => FROM_ATTRIBUTE,
        };
        let mut at = 0;
        while at < M {
            all[at] = if at < N {
                own[at]
            } else {
                let number = at - N;
                let to =
                    if number < TYPES.len() { TYPES[number] } else { MORE[number - TYPES.len()] };
                Member::explicit(from, to, cast_to)
            };
            at += 1;
        }
        all
    }

    fn cast_to(args: &mut Args<'_>, _: &mut EvalCx<'_>) -> Result<Value, Exception> {
        let to = args.member().returns;
        let Some(node) = crate::xml::node_of(args.value(0)) else {
            if to.accepts_null() {
                return Ok(Value::Null);
            }
            let is_attribute = args.member().params == FROM_ATTRIBUTE.as_slice();
            return Err(Exception::argument_null(if is_attribute {
                "attribute"
            } else {
                "element"
            }));
        };
        let Some((target, _)) = target_of(to) else {
            return Err(Exception::invalid_cast("Specified cast is not valid."));
        };
        Ok(typed(&cast(&node.value(), target)?, to))
    }
}

#[cfg(test)]
mod tests {
    use clr::rows::{Args, MemberKind};
    use clr::types::Type;
    use clr::value::Value;
    use tree::xml::{Name, Node};

    use super::TYPE;
    use crate::test_support::with_cx;

    #[test]
    fn attributes_are_cast_by_their_text() {
        let attribute = crate::xml::object(Node::attribute(Name::parse("x").unwrap(), "12"));
        let cast = |value: Value, to: Type| {
            let is_it =
                |it: &&clr::rows::Member| it.kind == MemberKind::Explicit && it.returns == to;
            let row = TYPE.members.iter().find(is_it).unwrap();
            let mut values = [value];
            with_cx(|cx| (row.call)(&mut Args::new(row, &mut values, &[], &[], to), cx))
        };
        assert_eq!(cast(attribute.clone(), Type::Int32).unwrap().to_text(), "12");
        assert_eq!(cast(attribute, Type::String).unwrap().to_text(), "12");
        assert!(cast(Value::Null, Type::String).unwrap().is_null());
        let error = cast(Value::Null, Type::Int32).unwrap_err();
        assert_eq!(error.message, "Value cannot be null. (Parameter 'attribute')");
    }
}
