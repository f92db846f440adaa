//! Certificates that policies name by `certificate-id`.

use pipeline::{
    Attr, Certificate, CertificateEntry, Certificates, CompileCx, Diagnostic, Element, codes,
};

/// The certificate of that name. None if it cannot be used, which is reported, or is not at hand,
/// which keeps the document from running.
pub(crate) fn find(
    cx: &mut CompileCx<'_>,
    element: Element<'_>,
    attr: &Attr,
    name: &str,
) -> Option<CertificateEntry> {
    let Some(certificates) = cx.extension::<Certificates>() else {
        cx.not_at_hand();
        return None;
    };
    let problem = match certificates.get(name) {
        Some(Certificate::Usable(entry)) => return Some(entry.clone()),
        Some(Certificate::NotAtHand) => {
            cx.not_at_hand();
            return None;
        }
        Some(Certificate::Unusable(why)) => {
            let message = format!("certificate `{name}` cannot be used: {why}");
            refuse(cx, element, attr, message).label("named here")
        }
        None => {
            let it = refuse(cx, element, attr, format!("unknown certificate `{name}`"));
            match document::closest(&name.to_lowercase(), certificates.names()) {
                Some(near) => it.label(format!("did you mean `{near}`?")),
                None => it.label("no certificate has this name"),
            }
        }
    };
    cx.report(problem);
    None
}

fn refuse(cx: &CompileCx<'_>, element: Element<'_>, attr: &Attr, message: String) -> Diagnostic {
    cx.refuse_attr(element, attr, codes::UNKNOWN_CERTIFICATE, message)
}
