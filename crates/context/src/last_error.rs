//! `context.LastError`.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies>

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::LastError;
use clr::rows::{Member, TypeDef};
use clr::types::Type;

use super::optional;

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.ILastError", MEMBERS).docs(
    "https://learn.microsoft.com/azure/api-management/api-management-error-handling-policies",
);

const MEMBERS: &[Member] = &[
    Member::property("Source", Type::String, |_, cx| Ok(error(cx)?.source.as_str().into()))
        .doc("The policy element or the step that failed."),
    Member::property("Reason", Type::String, |_, cx| Ok(optional(error(cx)?.reason.as_ref())))
        .doc("The machine code, such as `TokenExpired`."),
    Member::property("Message", Type::String, |_, cx| Ok(error(cx)?.message.as_str().into()))
        .doc("The text for people."),
    Member::property("Scope", Type::String, |_, cx| Ok(optional(error(cx)?.scope.as_ref())))
        .doc("`global`, `product`, `api` or `operation`."),
    Member::property("Section", Type::String, |_, cx| Ok(optional(error(cx)?.section.as_ref())))
        .doc("`inbound`, `backend`, `outbound` or `on-error`."),
    Member::property("Path", Type::String, |_, cx| Ok(optional(error(cx)?.path.as_ref())))
        .doc("The nested position, such as `choose[3]/when[2]`."),
    Member::property("PolicyId", Type::String, |_, cx| Ok(optional(error(cx)?.policy_id.as_ref())))
        .doc("The `id` attribute of the failing element."),
];

fn error<'h>(cx: &EvalCx<'h>) -> Result<&'h LastError, Exception> {
    cx.host().last_error().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_the_reference_is_there() {
        let names: Vec<&str> = MEMBERS.iter().map(|it| it.name).collect();
        let expected = ["Source", "Reason", "Message", "Scope", "Section", "Path", "PolicyId"];
        assert_eq!(names, expected);
    }
}
