//! Certificates: kept in Key Vault, or uploaded.
//!
//! What tools extract of an uploaded certificate is its subject and thumbprint, not the
//! certificate: it comes from `certificates:` of `portcullis.yaml` then.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/certificates>

use super::{Reading, properties};
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::secret_source::{SecretSource, key_vault_of};

/// A certificate.
#[derive(Clone, Debug)]
pub struct CertificateEntity {
    /// Entity name.
    pub name: String,
    /// Where its PEM text comes from; none if nothing gives it.
    pub source: Option<SecretSource>,
    /// Where it is described.
    pub place: Place,
}

pub(super) fn read(files: &EntityFiles, cx: &Reading<'_>) -> Option<CertificateEntity> {
    let info = cx.info("certificates", files)?;
    let fields = properties(&info, cx.problems);
    let source = match fields.get("keyVault").filter(|it| !it.is_null()).map(key_vault_of) {
        Some(Ok(source)) => Some(source),
        Some(Err(problem)) => {
            cx.report(problem);
            None
        }
        None => None,
    };
    Some(CertificateEntity { name: files.name.clone(), source, place: files.place() })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn a_certificate_is_in_key_vault_or_comes_from_elsewhere() {
        let (entities, problems) = read(&[
            (
                "certificates/a/certificateInformation.json",
                r#"{"properties":{"keyVault":{"secretIdentifier":"https://v.vault.azure.net/secrets/a"}}}"#,
            ),
            (
                "certificates/b/certificateInformation.json",
                r#"{"properties":{"subject":"CN=b","thumbprint":"AA"}}"#,
            ),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let found: Vec<_> = entities
            .certificates
            .iter()
            .map(|it| (it.name.as_str(), it.source.is_some()))
            .collect();
        assert_eq!(found, [("a", true), ("b", false)]);
    }
}
