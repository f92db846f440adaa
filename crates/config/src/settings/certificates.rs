//! `certificates:`: certificates that no artifact folder holds.
//!
//! ```yaml
//! certificates:
//!   signing: { file: signing.pem }        # the certificate, perhaps its chain and private key
//!   client: { file: client.pfx, password: { env: CLIENT_PASSWORD } }
//! ```

use crate::codes;
use crate::place::Place;
use crate::secret_source::SecretSource;
use crate::tree::{Fields, Keys};

/// Where a certificate comes from.
#[derive(Clone, Debug)]
pub struct CertificateSetting {
    /// Its name: what policies call `certificate-id`.
    pub name: String,
    /// Where its text comes from, PEM or PFX (PKCS #12).
    pub source: SecretSource,
    /// Where the password of a PFX file comes from.
    pub password: Option<SecretSource>,
    /// Where it stands.
    pub place: Place,
}

pub(super) fn read(fields: &Fields<'_, '_>) -> Vec<CertificateSetting> {
    let Some(all) = fields.map("certificates") else { return Vec::new() };
    let mut read = Vec::new();
    for entry in all.tree().entries() {
        let one = Fields::new(&entry.value, Keys::Known, fields.problems());
        let password = password(&one);
        match SecretSource::read(&one) {
            Some(source) => read.push(CertificateSetting {
                name: entry.key.clone(),
                source,
                password,
                place: Place::from(&entry.value),
            }),
            None => {
                let message = format!("certificate `{}` has no source", entry.key);
                let problem = entry.value.error(codes::MISSING, message);
                fields.report(problem.help("write `{ file: PATH }` with a PEM or PFX file"));
            }
        }
        one.finish();
    }
    read
}

fn password(fields: &Fields<'_, '_>) -> Option<SecretSource> {
    let of_password = fields.map("password")?;
    let source = SecretSource::read(&of_password);
    if source.is_none() {
        let problem = of_password.tree().error(codes::MISSING, "`password` has no source");
        fields
            .report(problem.help("write `{ env: NAME }`, `{ file: PATH }` or `{ keyvault: URL }`"));
    }
    of_password.finish();
    source
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn certificates_come_from_files_variables_and_vaults() {
        let (it, problems) =
            read("certificates:\n  a: { file: a.pem }\n  b: { env: B, password: { env: P } }\n");
        assert_eq!(problems, [""; 0]);
        let names: Vec<&str> = it.certificates.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(it.certificates[0].password.is_none() && it.certificates[1].password.is_some());
        let nothing = read("certificates: { a: { env: A, password: {} } }").1;
        assert_eq!(nothing, ["PC0505 `password` has no source"]);
        assert_eq!(read("certificates: { a: {} }").1, ["PC0505 certificate `a` has no source"]);
    }
}
