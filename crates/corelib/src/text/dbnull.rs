//! `System.DBNull`: <https://learn.microsoft.com/dotnet/api/system.dbnull>

use std::sync::{Arc, LazyLock};

use clr::rows::{Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::{Runtime, Str};

const OWN: Type = Type::named("System.DBNull");

pub(crate) const TYPE: TypeDef =
    TypeDef::class("System.DBNull", &[Member::static_property("Value", OWN, |_, _| Ok(value()))])
        .unlisted();

/// The one object of its type.
#[derive(Debug)]
struct DbNull;

impl Object for DbNull {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        Str::EMPTY
    }
}

/// `DBNull.Value`.
pub(crate) fn value() -> Value {
    static ONE: LazyLock<Arc<DbNull>> = LazyLock::new(|| Arc::new(DbNull));
    Value::Object(Arc::<DbNull>::clone(&ONE))
}

/// Is it `DBNull.Value`?
pub(crate) fn is(value: &Value) -> bool {
    value.as_object::<DbNull>().is_some()
}

#[cfg(test)]
mod tests {
    use super::{is, value};

    #[test]
    fn it_is_one_object_without_text() {
        assert!(is(&value()) && value().is_same(&value()) && !is(&clr::value::Value::Null));
        assert_eq!(value().to_text(), "");
    }
}
