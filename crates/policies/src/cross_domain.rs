//! `<cross-domain>`: lets Flash and Silverlight clients in, of which there are none any more.
//!
//! The content is a cross-domain policy file. It is read and has no effect on requests; loading
//! says so.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/cross-domain-policy>

use pipeline::{
    Attr, Child, CompileCx, Context, Diagnostic, Element, Flow, Immediate, PolicyError, PolicyKind,
    Scopes, Sections, Step, codes,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "cross-domain",
    summary: "Describes access for Flash and Silverlight clients; has no effect on requests.",
    sections: Sections::INBOUND,
    scopes: Scopes::GLOBAL,
    attrs: &[],
    children: &[CONTENT],
    compile,
};

const CONTENT: Child = Child::optional("cross-domain-policy")
    .children(&[SITE_CONTROL, ACCESS, IDENTITY, HEADERS])
    .doc("A cross-domain policy file.")
    .differs("Read, not served: no client asks for it any more. Loading says so.");
const SITE_CONTROL: Child = Child::optional("site-control")
    .empty()
    .attrs(&[Attr::absent_by_default("permitted-cross-domain-policies")])
    .doc("Which policy files count.");
const ACCESS: Child = Child::repeated("allow-access-from")
    .empty()
    .attrs(&[DOMAIN, Attr::absent_by_default("to-ports"), SECURE])
    .doc("Where readers may come from.");
const IDENTITY: Child = Child::repeated("allow-access-from-identity")
    .children(&[SIGNATORY])
    .doc("Who may have signed readers.");
const SIGNATORY: Child = Child::repeated("signatory").children(&[CERTIFICATE]);
const CERTIFICATE: Child = Child::repeated("certificate").empty().attrs(&[
    Attr::absent_by_default("fingerprint"),
    Attr::absent_by_default("fingerprint-algorithm"),
]);
const HEADERS: Child = Child::repeated("allow-http-request-headers-from")
    .empty()
    .attrs(&[DOMAIN, Attr::absent_by_default("headers"), SECURE])
    .doc("Headers that requests may have.");
const DOMAIN: Attr = Attr::absent_by_default("domain");
const SECURE: Attr = Attr::absent_by_default("secure");

#[derive(Debug)]
struct CrossDomain;

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let note = "`cross-domain` has no effect: it is for Flash and Silverlight clients";
    cx.report(Diagnostic::note(codes::NO_EFFECT, element.span(), note).label("changes no request"));
    Ok(Step::immediate(CrossDomain))
}

impl Immediate for CrossDomain {
    fn apply(&self, _: &mut Context) -> Result<Flow, PolicyError> {
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{outcome, problems};

    const POLICY: &str = "<cross-domain><cross-domain-policy>\
         <allow-http-request-headers-from domain='*' headers='*' />\
         </cross-domain-policy></cross-domain>";

    #[test]
    fn it_is_read_and_changes_nothing() {
        assert_eq!(outcome(POLICY, "origin: https://a.test"), "next");
        assert_eq!(outcome("<cross-domain />", ""), "next");
    }

    #[test]
    fn loading_says_that_it_has_no_effect_and_stands_at_an_undocumented_scope() {
        assert_eq!(problems(POLICY), "PC0414 PC0431");
        assert_eq!(problems("<cross-domain><x /></cross-domain>"), "PC0414 PC0405");
    }
}
