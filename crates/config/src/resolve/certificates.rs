//! Certificates get their text: from the settings, else from Key Vault.
//!
//! One that cannot be read is no error by itself: policies that name it do not load then.

use pipeline::{Certificate, CertificateEntry, Certificates};
use transport::Secret;

use crate::load::{Options, Parsed, Secrets};
use crate::secret_source::{SecretProvider, SecretSource};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

pub(super) async fn resolve(
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> Certificates {
    let mut certificates = Certificates::default();
    let entities = parsed.entities.certificates.iter();
    let settings = parsed.settings.certificates.iter();
    let entities = entities.map(|it| (&it.name, it.source.as_ref()));
    for (name, source) in entities.chain(settings.map(|it| (&it.name, Some(&it.source)))) {
        let certificate = match source {
            None => Certificate::Unusable(
                "its text is not in the configuration: give it in `certificates:` of \
                 `portcullis.yaml`"
                    .to_owned(),
            ),
            Some(source) => read(source, parsed, options, secrets).await,
        };
        certificates.insert(name, certificate);
    }
    certificates
}

async fn read(
    source: &SecretSource,
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> Certificate {
    let is_assumed = options.secrets == Secrets::Assume;
    if is_assumed && source.is_remote() {
        return Certificate::NotAtHand;
    }
    match source.get(&options.environment, parsed.folder.as_deref(), secrets).await {
        Ok(text) => parse(text.expose()),
        Err(_) if is_assumed => Certificate::NotAtHand,
        Err(reason) => Certificate::Unusable(reason),
    }
}

/// Certificate, chain and private key of a PEM text.
fn parse(text: &str) -> Certificate {
    let mut chain_pem = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let Some(end) = rest.get(start..).and_then(|it| it.find(END)) else { break };
        let end = start + end + END.len();
        chain_pem.push_str(rest.get(start..end).unwrap_or_default());
        chain_pem.push('\n');
        rest = rest.get(end..).unwrap_or_default();
    }
    if chain_pem.is_empty() {
        let why = "it is not PEM; PFX (PKCS #12) is not supported: convert it to PEM";
        return Certificate::Unusable(why.to_owned());
    }
    let has_key = text.contains("PRIVATE KEY-----");
    let private_key_pem = has_key.then(|| Secret::new(text));
    Certificate::Usable(CertificateEntry { chain_pem, private_key_pem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Certificate::Usable(it) => {
                let n = it.chain_pem.matches(BEGIN).count();
                format!("{n} {}", it.private_key_pem.is_some())
            }
            Certificate::Unusable(why) => why,
            Certificate::NotAtHand => "not at hand".to_owned(),
        }
    }

    #[test]
    fn a_text_holds_certificates_and_perhaps_a_key() {
        let one = format!("{BEGIN}\nAA==\n{END}\n");
        assert_eq!(shown(&one), "1 false");
        assert_eq!(shown(&format!("{one}text\n{one}")), "2 false");
        let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
        assert_eq!(shown(&format!("{key}{one}")), "1 true");
        assert!(shown("MIIK...").contains("PFX"));
        assert!(shown(BEGIN).contains("not PEM"));
    }
}
