//! `System.Xml.Linq.XNamespace`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xnamespace>

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::{Runtime, Str};
use tree::xml::{Name, XML_NAMESPACE, XMLNS_NAMESPACE};

use super::{XNAME, XNAMESPACE, xname};

pub(crate) static TYPE: TypeDef = TypeDef::class(names::XNAMESPACE, MEMBERS);

/// A namespace as an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct XNamespace(Str);

impl Object for XNamespace {
    fn net_type(&self) -> Type {
        XNAMESPACE
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.clone()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>() == Some(self))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(self.0.clone()).hash_code())
    }
}

const MEMBERS: &[Member] = &[
    Member::implicit(&[Type::String], XNAMESPACE, |args, _| {
        Ok(args.value(0).as_str().map_or(Value::Null, value))
    }),
    Member::static_method("Get", &[Type::String], XNAMESPACE, |args, _| {
        let (text,): (Str,) = args.get()?;
        Ok(value(text.as_str()))
    })
    .params(&["namespaceName"]),
    Member::static_property("None", XNAMESPACE, |_, _| Ok(value(""))),
    Member::static_property("Xml", XNAMESPACE, |_, _| Ok(value(XML_NAMESPACE))),
    Member::static_property("Xmlns", XNAMESPACE, |_, _| Ok(value(XMLNS_NAMESPACE))),
    Member::operator("+", &[XNAMESPACE, Type::String], XNAME, |args, _| name(args)),
    Member::operator("==", &[XNAMESPACE, XNAMESPACE], Type::Bool, |args, _| Ok(same(args).into())),
    Member::operator("!=", &[XNAMESPACE, XNAMESPACE], Type::Bool, |args, _| {
        Ok((!same(args)).into())
    }),
    Member::property("NamespaceName", Type::String, |args, cx| {
        Ok(args.value(0).to_str(cx.runtime()).into())
    }),
    Member::method("GetName", &[Type::String], XNAME, |args, _| name(args)).params(&["localName"]),
];

/// A namespace as a value.
pub(super) fn value(namespace: &str) -> Value {
    Value::object(XNamespace(Str::from(namespace)))
}

fn same(args: &Args<'_>) -> bool {
    let namespace = |at| args.value(at).as_object::<XNamespace>();
    namespace(0) == namespace(1)
}

/// The name of a namespace and a local name.
fn name(args: &mut Args<'_>) -> Result<Value, Exception> {
    let local: Str = args.arg(1)?;
    let namespace = args.value(0).as_object::<XNamespace>();
    let namespace = namespace.ok_or_else(|| Exception::argument_null("ns"))?;
    Ok(xname::value(Some(Name::new(namespace.0.as_str(), local.as_str())?)))
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn namespaces_are_equal_by_their_text() {
        assert!(value("urn:x").equals(&value("urn:x")));
        assert!(!value("urn:x").equals(&value("urn:y")));
    }
}
