//! Rows of `context`: what policy expressions see of a request, and what hangs on it.
//!
//! Parts of `context` are [`HostRef`]s: values without content, whose rows ask the host. What is not
//! part of the request being handled (a stored response, a product's API) is an object of the same
//! .NET interface, so most rows look at their object first.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-policy-expressions>

mod api;
mod authorization;
mod backend;
mod basic;
mod body;
mod deployment;
mod extensions;
mod form;
mod graphql;
mod jwt;
mod last_error;
mod operation;
mod product;
mod request;
mod response;
mod root;
mod subscription;
mod url;
mod user;

pub use authorization::authorization;
pub use graphql::graphql;

use clr::rows::TypeDef;
use clr::types::Type;
use clr::value::Value;

/// Every type with a file of its own, one line each.
static TYPES: &[&TypeDef] = &[
    &api::TYPE,
    &api::KEY_NAMES,
    &authorization::TYPE,
    &backend::TYPE,
    &backend::WORKSPACE,
    &basic::TYPE,
    &body::TYPE,
    &deployment::TYPE,
    &deployment::GATEWAY,
    &deployment::SUSTAINABILITY,
    &deployment::CARBON_INTENSITY,
    &extensions::TYPE,
    &form::TYPE,
    &graphql::TYPE,
    &jwt::TYPE,
    &last_error::TYPE,
    &operation::TYPE,
    &product::TYPE,
    &product::STATE,
    &request::TYPE,
    &request::FOUNDRY,
    &request::PRIVATE_ENDPOINT,
    &response::TYPE,
    &root::TYPE,
    &subscription::TYPE,
    &url::TYPE,
    &user::TYPE,
    &user::GROUP,
    &user::IDENTITY,
];

/// Every type of `context`.
pub fn types() -> impl Iterator<Item = &'static TypeDef> {
    TYPES.iter().copied()
}

/// Where `context` is documented.
const DOCS: &str =
    "https://learn.microsoft.com/azure/api-management/api-management-policy-expressions";

/// `string?`.
fn optional(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |it| Value::from(it.as_str()))
}

/// A list of objects of an interface.
fn list<T>(interface: &'static str, items: &[T], make: impl Fn(&T) -> Value) -> Value {
    Value::array(Type::named(interface), items.iter().map(make).collect())
}

#[cfg(test)]
mod test_support {
    use clr::EvalCx;
    use clr::exception::Exception;
    use clr::rows::{Args, Member};

    use super::*;
    use clr::Limits;
    use dotnet::Runtime;
    use oracle::RecordedHost;

    /// Runs something over the recorded default context.
    pub(crate) fn with_recorded<R>(f: impl FnOnce(&mut EvalCx<'_>) -> R) -> R {
        clr::rows::register(|| corelib::types().chain(library::types()).chain(crate::types()));
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
    fn absent_text_is_null() {
        assert!(optional(None).is_null());
        assert_eq!(optional(Some(&"a".to_owned())).to_text(), "a");
    }
}
