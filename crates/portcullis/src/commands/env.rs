//! `portcullis env`: variables that point unmodified SDKs at what runs locally.

use super::{complain, say};
use crate::cli::{Env, Shell};
use crate::exit::Exit;
use crate::local::{Folder, Ready};

pub(crate) fn run(arguments: &Env) -> Exit {
    let ready = Folder::existing(arguments.data_dir.as_deref()).addresses();
    match ready {
        Ok(ready) => {
            for (name, value) in variables(&ready) {
                say(&line(arguments.shell, name, &value));
            }
            Exit::Success
        }
        Err(error) => {
            complain(&format!(
                "no addresses of a running `portcullis dev` or `portcullis simulate`: {error}"
            ));
            Exit::Unreadable
        }
    }
}

/// Only what helps a client and misleads none: with `AZURE_CLIENT_ID` set, for instance, the
/// managed identity credential would ask for a user-assigned identity of that name.
fn variables(ready: &Ready) -> Vec<(&'static str, String)> {
    let path = |it: &Option<std::path::PathBuf>| it.as_ref().map(|it| it.display().to_string());
    let through_gateway = ready.gateway.as_ref().zip(ready.subscription_key.as_ref());
    let (endpoint, key) = match through_gateway {
        Some((gateway, key)) => (Some(format!("{gateway}/openai-key")), Some(key.clone())),
        None => (ready.azure_openai.clone(), ready.azure_openai_key.clone()),
    };
    let bundle = path(&ready.ca_bundle_file);
    [
        ("AZURE_OPENAI_ENDPOINT", endpoint),
        ("AZURE_OPENAI_API_KEY", key),
        ("OPENAI_API_VERSION", Some("2024-10-21".to_owned())),
        ("AZURE_AUTHORITY_HOST", ready.entra.clone()),
        ("AZURE_TENANT_ID", ready.tenant_id.clone()),
        ("AZURE_CORE_INSTANCE_DISCOVERY", Some("false".to_owned())),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", ready.imds.clone()),
        ("IDENTITY_ENDPOINT", ready.app_service_identity.clone()),
        ("IDENTITY_HEADER", ready.identity_header.clone()),
        ("KEY_VAULT_URL", ready.key_vault.clone()),
        ("SSL_CERT_FILE", bundle.clone()),
        ("REQUESTS_CA_BUNDLE", bundle),
        ("NODE_EXTRA_CA_CERTS", path(&ready.ca_file)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn line(shell: Shell, name: &str, value: &str) -> String {
    match shell {
        Shell::Bash => format!("export {name}='{}'", value.replace('\'', r"'\''")),
        Shell::Fish => {
            format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
        }
        Shell::Pwsh => format!("$env:{name} = '{}'", value.replace('\'', "''")),
        Shell::Dotenv => format!(
            "{name}=\"{}\"",
            value.replace('\\', r"\\").replace('"', "\\\"").replace('$', r"\$")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_its_own_quoting() {
        let quoted = |shell| line(shell, "A", "it's $1");
        assert_eq!(quoted(Shell::Bash), r"export A='it'\''s $1'");
        assert_eq!(quoted(Shell::Fish), r"set -gx A 'it\'s $1'");
        assert_eq!(quoted(Shell::Pwsh), "$env:A = 'it''s $1'");
        assert_eq!(quoted(Shell::Dotenv), r#"A="it's \$1""#);
    }

    #[test]
    fn what_does_not_run_is_not_named() {
        let ready = Ready { imds: Some("http://127.0.0.1:1".into()), ..Ready::default() };
        let names: Vec<&str> = variables(&ready).into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"AZURE_POD_IDENTITY_AUTHORITY_HOST"));
        assert!(!names.contains(&"IDENTITY_ENDPOINT"));
    }
}
