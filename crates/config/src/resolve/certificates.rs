//! Certificates get their text: from the settings, else from Key Vault.
//!
//! One that cannot be read is no error by itself: policies that name it do not load then.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pfx::Pfx;
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
    let entities = entities.map(|it| (&it.name, it.source.as_ref(), it.password.as_ref()));
    let settings = settings.map(|it| (&it.name, Some(&it.source), it.password.as_ref()));
    for (name, source, password) in entities.chain(settings) {
        let certificate = match source {
            None => Certificate::Unusable(
                "its text is not in the configuration: give it in `certificates:` of \
                 `portcullis.yaml`"
                    .to_owned(),
            ),
            Some(source) => read(source, password, parsed, options, secrets).await,
        };
        certificates.insert(name, certificate);
    }
    certificates
}

async fn read(
    source: &SecretSource,
    password: Option<&SecretSource>,
    parsed: &Parsed,
    options: &Options,
    secrets: &dyn SecretProvider,
) -> Certificate {
    let is_assumed = options.secrets == Secrets::Assume;
    if is_assumed && (source.is_remote() || password.is_some_and(SecretSource::is_remote)) {
        return Certificate::NotAtHand;
    }
    let folder = parsed.folder.as_deref();
    let text = match source.path(folder) {
        Some(path) => SecretSource::read_binary_file(&path),
        None => source.get(&options.environment, folder, secrets).await,
    };
    let password = match password {
        None => Ok(Secret::default()),
        Some(it) => it.get(&options.environment, folder, secrets).await,
    };
    match text.and_then(|text| Ok((text, password?))) {
        Ok((text, password)) => parse(text.expose(), password.expose()),
        Err(_) if is_assumed => Certificate::NotAtHand,
        Err(reason) => Certificate::Unusable(reason),
    }
}

/// Certificate, chain and private key of a text: PEM, or PFX as Base64.
fn parse(text: &str, password: &str) -> Certificate {
    if !text.contains("-----BEGIN ") {
        return parse_pfx(text, password);
    }
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
        return Certificate::Unusable("the PEM text holds no certificate".to_owned());
    }
    let has_key = text.contains("PRIVATE KEY-----");
    let private_key_pem = has_key.then(|| Secret::new(text));
    Certificate::Usable(CertificateEntry { chain_pem, private_key_pem })
}

fn parse_pfx(text: &str, password: &str) -> Certificate {
    let text: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    let bytes = STANDARD.decode(text).ok().filter(|it| Pfx::is_likely(it));
    let Some(bytes) = bytes else {
        let why = "it is neither PEM nor PFX (PKCS #12, as a file or as Base64)";
        return Certificate::Unusable(why.to_owned());
    };
    match Pfx::open(&bytes, password) {
        Ok(it) => Certificate::Usable(CertificateEntry {
            chain_pem: it.chain_pem(),
            private_key_pem: it.private_key_pem().map(|it| Secret::new(it.as_str())),
        }),
        Err(error) => Certificate::Unusable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        shown_with(text, "")
    }

    fn shown_with(text: &str, password: &str) -> String {
        match parse(text, password) {
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
        assert!(shown("MIIK...").contains("neither PEM nor PFX"));
        assert!(shown(BEGIN).contains("no certificate"));
    }

    #[test]
    fn a_pfx_file_holds_the_chain_and_the_key() {
        let file: &[u8] = include_bytes!("../../../pfx/tests/data/modern.pfx");
        let text = STANDARD.encode(file);
        let (left, right) = text.split_at(100);
        assert_eq!(shown_with(&format!("{left}\r\n{right}\n"), "s3cret"), "2 true");
        assert_eq!(shown_with(&text, "s3cre"), "the password is wrong");
        assert_eq!(shown(&text), "the password is wrong");
    }
}
