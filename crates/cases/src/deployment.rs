//! What `context.Deployment` shows in a case: the certificates.

use std::sync::Arc;

use expr::host::DeploymentInfo;

use crate::case::Case;

/// # Errors
///
/// A text that is no certificate.
pub(crate) fn deployment(case: &Case) -> Result<Arc<DeploymentInfo>, String> {
    let certificate = |(name, text): &(String, String)| {
        let key = text.contains("PRIVATE KEY").then_some(text.as_str());
        match expr::certificate(text.as_bytes(), key) {
            Ok(value) => Ok((name.clone(), value)),
            Err(error) => Err(format!("certificate `{name}`: {error}")),
        }
    };
    let certificates = case.certificates.iter().map(certificate).collect::<Result<_, _>>()?;
    Ok(Arc::new(DeploymentInfo { certificates, ..DeploymentInfo::default() }))
}
