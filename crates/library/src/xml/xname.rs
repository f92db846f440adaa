//! `System.Xml.Linq.XName`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xname>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::{Runtime, Str};
use tree::xml::Name;

use super::{XNAME, XNAMESPACE, xnamespace};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::XNAME, MEMBERS);

/// A name as an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct XName(pub(crate) Name);

impl Object for XName {
    fn net_type(&self) -> Type {
        XNAME
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.to_string().into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>() == Some(self))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(&*self.0.local).hash_code())
    }
}

const MEMBERS: &[Member] = &[
    Member::implicit(&[Type::String], XNAME, |args, _| match args.value(0) {
        Value::Null => Ok(Value::Null),
        other => named(Name::parse(other.as_str().unwrap_or(""))?),
    }),
    Member::static_method("Get", &[Type::String], XNAME, |args, _| {
        let (text,): (Str,) = args.get()?;
        named(Name::parse(text.as_str())?)
    })
    .params(&["expandedName"]),
    Member::static_method("Get", &[Type::String, Type::String], XNAME, |args, _| {
        let (local, namespace): (Str, Str) = args.get()?;
        named(Name::new(namespace.as_str(), local.as_str())?)
    })
    .params(&["localName", "namespaceName"]),
    Member::operator("==", &[XNAME, XNAME], Type::Bool, |args, _| Ok(same(args).into())),
    Member::operator("!=", &[XNAME, XNAME], Type::Bool, |args, _| Ok((!same(args)).into())),
    Member::property("LocalName", Type::String, |args, cx| part(args, cx, |it| &it.local)),
    Member::property("NamespaceName", Type::String, |args, cx| part(args, cx, |it| &it.namespace)),
    Member::property("Namespace", XNAMESPACE, |args, _| {
        let name = args.value(0).as_object::<XName>();
        Ok(xnamespace::value(name.map_or("", |it| &it.0.namespace)))
    }),
];

fn named(name: Name) -> Result<Value, Exception> {
    Ok(Value::object(XName(name)))
}

/// A name as a value.
pub(super) fn value(name: Option<Name>) -> Value {
    name.map_or(Value::Null, |it| Value::object(XName(it)))
}

fn same(args: &Args<'_>) -> bool {
    let name = |at| args.value(at).as_object::<XName>();
    name(0) == name(1)
}

fn part(
    args: &mut Args<'_>,
    _: &mut EvalCx<'_>,
    part: fn(&Name) -> &std::sync::Arc<str>,
) -> Result<Value, Exception> {
    let name = args.value(0).as_object::<XName>().ok_or_else(Exception::null_reference)?;
    Ok(Value::String(std::sync::Arc::clone(part(&name.0)).into()))
}

#[cfg(test)]
mod tests {
    use tree::xml::Name;

    use super::value;

    #[test]
    fn names_are_equal_by_their_parts() {
        let name = |text| value(Some(Name::parse(text).unwrap()));
        assert!(name("{urn:x}a").equals(&name("{urn:x}a")));
        assert!(!name("{urn:x}a").equals(&name("a")));
        assert_eq!(name("{urn:x}a").to_text(), "{urn:x}a");
    }
}
