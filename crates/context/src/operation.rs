//! `context.Operation`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::OperationInfo;
use clr::rows::{Member, TypeDef};
use clr::types::Type;

use super::DOCS;

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.IOperation", MEMBERS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("Id", Type::String, |_, cx| Ok(info(cx)?.id.as_str().into()))
        .doc("The resource name."),
    Member::property("Method", Type::String, |_, cx| Ok(info(cx)?.method.as_str().into()))
        .doc("The HTTP method."),
    Member::property("Name", Type::String, |_, cx| Ok(info(cx)?.name.as_str().into()))
        .doc("The display name."),
    Member::property("UrlTemplate", Type::String, |_, cx| {
        Ok(info(cx)?.url_template.as_str().into())
    })
    .doc("The URL template."),
];

fn info<'h>(cx: &EvalCx<'h>) -> Result<&'h OperationInfo, Exception> {
    cx.host().operation().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;

    use super::super::test_support::property;
    use super::*;

    #[test]
    fn members_are_read_from_the_host() {
        assert_eq!(property(MEMBERS, "Id", HostRef::Operation), "list-items");
        assert_eq!(property(MEMBERS, "Method", HostRef::Operation), "GET");
    }
}
