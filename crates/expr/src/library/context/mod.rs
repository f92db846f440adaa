//! `context` and what hangs on it.
//!
//! Parts of `context` are [`HostRef`]s: values without content, whose rows ask the host. What is not
//! part of the request being handled (a stored response, a product's API) is an object of the same
//! .NET interface, so most rows look at their object first.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-policy-expressions>

pub(crate) mod api;
pub(crate) mod backend;
pub(crate) mod basic;
pub(crate) mod body;
pub(crate) mod deployment;
pub(crate) mod dictionary;
pub(crate) mod extensions;
pub(crate) mod form;
pub(crate) mod jwt;
pub(crate) mod last_error;
pub(crate) mod operation;
pub(crate) mod product;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod root;
pub(crate) mod subscription;
pub(crate) mod url;
pub(crate) mod user;

pub(crate) use dictionary::{contains, count, cursor, lookup};

use dotnet::Str;

use crate::cx::EvalCx;
use crate::host::HostRef;
use crate::types::Type;
use crate::value::Value;

/// Where `context` is documented.
const DOCS: &str =
    "https://learn.microsoft.com/azure/api-management/api-management-policy-expressions";

/// `string?`.
fn optional(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |it| Value::from(it.as_str()))
}

/// The text of a part of `context`, if its type has one of its own.
pub(crate) fn text(of: HostRef, cx: &EvalCx<'_>) -> Option<Str> {
    let request = cx.host().request();
    match of {
        HostRef::Url => Some(request.url().to_string().into()),
        HostRef::OriginalUrl => Some(request.original_url().to_string().into()),
        _ => None,
    }
}

/// A list of objects of an interface.
fn list<T>(interface: &'static str, items: &[T], make: impl Fn(&T) -> Value) -> Value {
    Value::array(Type::named(interface), items.iter().map(make).collect())
}

#[cfg(test)]
pub(super) mod test_support {
    use super::*;
    use crate::exception::Exception;
    use crate::library::{Args, Member};
    use crate::oracle::RecordedHost;
    use crate::{Limits, Runtime};

    /// Runs something over the recorded default context.
    pub(crate) fn with_recorded<R>(f: impl FnOnce(&mut EvalCx<'_>) -> R) -> R {
        let plain = serde_json::json!({ "Variables": { "jobj": null, "jarr": null } });
        let host = RecordedHost::over_default(Some(&plain)).unwrap();
        f(&mut EvalCx::new(&host, Runtime::Modern, Limits::default()))
    }

    /// Calls the row of a name that takes so many arguments, the object included.
    pub(crate) fn call(
        rows: &'static [Member],
        name: &str,
        values: &[Value],
        cx: &mut EvalCx<'_>,
    ) -> Result<Value, Exception> {
        let fits = |it: &&Member| {
            it.name == name && it.params.len() + usize::from(it.is_instance()) == values.len()
        };
        let row = rows.iter().find(fits).unwrap();
        let mut values = values.to_vec();
        (row.call)(&mut Args::new(row, &mut values, &[], &[], row.returns), cx)
    }

    /// The text of a property of an object.
    pub(crate) fn property(rows: &'static [Member], name: &str, of: impl Into<Value>) -> String {
        with_recorded(|cx| call(rows, name, &[of.into()], cx).unwrap().to_text().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_text_of_its_own() {
        test_support::with_recorded(|cx| {
            let url = text(HostRef::OriginalUrl, cx).unwrap();
            assert!(url.as_str().starts_with("https://gateway.contoso.com:8443/shop"));
            assert!(text(HostRef::Request, cx).is_none());
        });
    }
}
