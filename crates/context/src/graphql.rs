//! `context.GraphQL`: the arguments and the parent of the field that a resolver is called for.
//!
//! The documentation leaves the type open ("GraphQL data object"); the values are JSON tokens, and
//! both spellings of the arguments are there.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/graphql-schema-resolve-api>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::GraphQlInfo;
use clr::rows::{Member, TypeDef};
use clr::types::{Type, names};
use library::json::plain;

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.IGraphQL", MEMBERS)
    .docs("https://learn.microsoft.com/azure/api-management/graphql-schema-resolve-api");

const OBJECT: Type = Type::named(names::JOBJECT);
const TOKEN: Type = Type::named(names::JTOKEN);

const MEMBERS: &[Member] = &[
    Member::property("Arguments", OBJECT, |_, cx| Ok(info(cx)?.arguments.clone()))
        .doc("The arguments of the field."),
    Member::property("GraphQLArguments", OBJECT, |_, cx| Ok(info(cx)?.arguments.clone()))
        .doc("The arguments of the field."),
    Member::property("Parent", TOKEN, |_, cx| Ok(info(cx)?.parent.clone()))
        .doc("The object that the field belongs to; null at the root."),
];

fn info<'h>(cx: &EvalCx<'h>) -> Result<&'h GraphQlInfo, Exception> {
    cx.host().graphql().ok_or_else(Exception::null_reference)
}

/// What a resolver is called with, from JSON: the arguments, an object, and the parent's value.
///
/// Texts stay texts: none becomes a date.
///
/// # Errors
///
/// `JsonReaderException`: the text is no JSON, or nests deeper than 64 levels.
pub fn graphql(arguments: &str, parent: Option<&str>) -> Result<GraphQlInfo, Exception> {
    let parent = parent.map(plain).transpose()?.unwrap_or_default();
    Ok(GraphQlInfo { arguments: plain(arguments)?, parent })
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;
    use clr::{EvalCx, Limits};
    use dotnet::Runtime;
    use oracle::RecordedHost;

    use super::super::test_support::{call, with_recorded};
    use super::*;

    #[test]
    fn arguments_and_parent_are_read_under_every_name() {
        let date = "2024-01-02T03:04:05Z";
        let scope = serde_json::json!({ "GraphQL": {
            "Arguments": { "id": 7, "when": date },
            "Parent": "p",
        } });
        clr::rows::register(|| corelib::types().chain(library::types()).chain(crate::types()));
        let host = RecordedHost::over_default(Some(&scope)).unwrap();
        let mut cx = EvalCx::new(&host, Runtime::Modern, Limits::default());
        let mut text = |name: &str| {
            let it = call(MEMBERS, name, &[HostRef::GraphQl.into()], &mut cx).unwrap();
            it.to_text().split_whitespace().collect::<String>()
        };
        for name in ["Arguments", "GraphQLArguments"] {
            assert_eq!(text(name), format!(r#"{{"id":7,"when":"{date}"}}"#));
        }
        assert_eq!(text("Parent"), "p");
    }

    #[test]
    fn without_a_resolver_its_members_throw() {
        with_recorded(|cx| {
            let error = call(MEMBERS, "Parent", &[HostRef::GraphQl.into()], cx).unwrap_err();
            assert_eq!(error.type_name, "System.NullReferenceException");
        });
        assert!(graphql("{", None).is_err());
        assert!(graphql("{}", None).unwrap().parent.is_null());
    }
}
