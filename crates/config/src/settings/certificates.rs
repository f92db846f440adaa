//! `certificates:`: certificates that no artifact folder holds.
//!
//! ```yaml
//! certificates:
//!   signing: { file: signing.pem }        # the certificate, perhaps its chain and private key
//!   client: { env: CLIENT_PEM }
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
    /// Where its PEM text comes from.
    pub source: SecretSource,
    /// Where it stands.
    pub place: Place,
}

pub(super) fn read(fields: &Fields<'_, '_>) -> Vec<CertificateSetting> {
    let Some(all) = fields.map("certificates") else { return Vec::new() };
    let mut read = Vec::new();
    for entry in all.tree().entries() {
        let one = Fields::new(&entry.value, Keys::Known, fields.problems());
        match SecretSource::read(&one) {
            Some(source) => read.push(CertificateSetting {
                name: entry.key.clone(),
                source,
                place: Place::from(&entry.value),
            }),
            None => {
                let message = format!("certificate `{}` has no source", entry.key);
                let problem = entry.value.error(codes::MISSING, message);
                fields.report(problem.help("write `{ file: PATH }` with a PEM file"));
            }
        }
        one.finish();
    }
    read
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn certificates_come_from_files_variables_and_vaults() {
        let (it, problems) = read("certificates:\n  a: { file: a.pem }\n  b: { env: B }\n");
        assert_eq!(problems, [""; 0]);
        let names: Vec<&str> = it.certificates.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(read("certificates: { a: {} }").1, ["PC0505 certificate `a` has no source"]);
    }
}
