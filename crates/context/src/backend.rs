//! `context.Backend` and `context.Workspace`.

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::host::{BackendInfo, WorkspaceInfo};
use clr::rows::{Member, TypeDef};
use clr::types::Type;

use super::{DOCS, optional};

pub(crate) const TYPE: TypeDef = TypeDef::interface("Apim.IBackend", MEMBERS).docs(DOCS);

/// `context.Workspace`.
pub(crate) const WORKSPACE: TypeDef =
    TypeDef::interface("Apim.IWorkspace", WORKSPACE_ROWS).docs(DOCS);

const MEMBERS: &[Member] = &[
    Member::property("Id", Type::String, |_, cx| Ok(backend(cx)?.id.as_str().into()))
        .doc("The name of the backend entity; of the pool's member once one is chosen."),
    Member::property("Type", Type::String, |_, cx| Ok(backend(cx)?.kind.as_str().into()))
        .doc("`Single` or `Pool`."),
    Member::property("AzureRegion", Type::String, |_, cx| {
        Ok(optional(backend(cx)?.azure_region.as_ref()))
    })
    .doc("The region of the backend entity."),
];

const WORKSPACE_ROWS: &[Member] = &[
    Member::property("Id", Type::String, |_, cx| Ok(workspace(cx)?.id.as_str().into()))
        .doc("The resource name."),
    Member::property("Name", Type::String, |_, cx| Ok(workspace(cx)?.name.as_str().into()))
        .doc("The display name."),
];

fn backend<'h>(cx: &EvalCx<'h>) -> Result<&'h BackendInfo, Exception> {
    cx.host().backend().ok_or_else(Exception::null_reference)
}

fn workspace<'h>(cx: &EvalCx<'h>) -> Result<&'h WorkspaceInfo, Exception> {
    cx.host().workspace().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use clr::host::HostRef;

    use super::super::test_support::{call, with_recorded};
    use super::*;

    #[test]
    fn without_a_backend_its_members_throw() {
        with_recorded(|cx| {
            let error = call(MEMBERS, "Id", &[HostRef::Backend.into()], cx).unwrap_err();
            assert_eq!(error.type_name, "System.NullReferenceException");
            assert!(call(WORKSPACE_ROWS, "Id", &[HostRef::Workspace.into()], cx).is_err());
        });
    }
}
