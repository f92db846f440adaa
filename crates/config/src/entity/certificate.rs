//! Certificates: kept in Key Vault, or uploaded (`data` and `password`).
//!
//! What tools extract of an uploaded certificate is its subject and thumbprint, not the
//! certificate: it comes from `certificates:` of `portcullis.yaml` then.
//!
//! Source: <https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/certificates>

use super::{Reading, properties};
use crate::layout::EntityFiles;
use crate::place::Place;
use crate::secret_source::{SecretSource, key_vault_of};
use crate::tree::Fields;

/// A certificate.
#[derive(Clone, Debug)]
pub struct CertificateEntity {
    /// Entity name.
    pub name: String,
    /// Where its text comes from, PEM or PFX as Base64; none if nothing gives it.
    pub source: Option<SecretSource>,
    /// The password of a PFX file.
    pub password: Option<SecretSource>,
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
        None => text(&fields, "data"),
    };
    let password = text(&fields, "password");
    Some(CertificateEntity { name: files.name.clone(), source, password, place: files.place() })
}

fn text(fields: &Fields<'_, '_>, key: &'static str) -> Option<SecretSource> {
    fields.filled(key).map(|it| SecretSource::Text(it.into()))
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
            (
                "certificates/c/certificateInformation.json",
                r#"{"properties":{"data":"MIIK","password":"s3cret"}}"#,
            ),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let found: Vec<_> = entities
            .certificates
            .iter()
            .map(|it| (it.name.as_str(), it.source.is_some()))
            .collect();
        assert_eq!(found, [("a", true), ("b", false), ("c", true)]);
    }
}
