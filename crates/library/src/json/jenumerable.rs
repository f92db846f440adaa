//! `Newtonsoft.Json.Linq.JEnumerable<T>`: what `Children()` gives.
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JEnumerable_1.htm>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Member, TypeDef};
use clr::types::{self, Type};
use clr::value::{Cursor, Object, Value};

use super::JTOKEN;

const NAME: &str = "Newtonsoft.Json.Linq.JEnumerable";

/// `JEnumerable<JToken>`.
pub(super) const OF_TOKENS: Type = Type::Named(NAME, &[JTOKEN]);
/// `JEnumerable<T>` of a method's type parameter.
pub(super) const OF_M: Type = Type::Named(NAME, &[Type::M]);

pub(crate) static TYPE: TypeDef = TypeDef::structure(NAME, MEMBERS)
    .generic(1)
    .zero(|of| wrap(of.argument(0).unwrap_or(JTOKEN), Value::array(JTOKEN, Vec::new())))
    .bases(&[Type::enumerable(&[Type::T])])
    .docs("https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_Linq_JEnumerable_1.htm");

const MEMBERS: &[Member] = &[Member::indexer(&[Type::Object], JTOKEN, |args, cx| {
    let [it, key] = args.take()?;
    super::extensions::values_at(&it, &key, cx)
})
.params(&["key"])];

#[derive(Debug)]
struct JEnumerable {
    element: Type,
    items: Value,
}

/// A sequence as a `JEnumerable<element>`.
pub(super) fn wrap(element: Type, items: Value) -> Value {
    Value::object(JEnumerable { element, items })
}

impl Object for JEnumerable {
    fn net_type(&self) -> Type {
        types::named(NAME, &[self.element])
    }

    fn cursor(self: Arc<Self>, cx: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        self.items.cursor(cx).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use clr::value::Value;

    use super::{JTOKEN, wrap};
    use crate::test_support::with_cx;

    #[test]
    fn it_is_enumerated_as_what_it_wraps() {
        with_cx(|cx| {
            let it = wrap(JTOKEN, Value::list(JTOKEN, vec![Value::Null]));
            assert_eq!(it.collect(cx).unwrap().len(), 1);
            let name = "Newtonsoft.Json.Linq.JEnumerable<Newtonsoft.Json.Linq.JToken>";
            assert_eq!(it.type_name(), name);
        });
    }
}
