//! Where a value comes from: the file itself, a variable, a file of its own, or Key Vault.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use document::Diagnostic;
use transport::{BoxFuture, Secret};
use url::Url;

use crate::codes;
use crate::environment::Environment;
use crate::tree::{Fields, Tree};

/// Largest file that a secret is read from, in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Gives secrets from Key Vault. The binary brings the real one.
pub trait SecretProvider: fmt::Debug + Send + Sync {
    /// The secret of that identifier, read with the managed identity `client_id` (none: the
    /// system's). The error says why in words that hold no secret.
    fn secret<'a>(
        &'a self,
        identifier: &'a Url,
        client_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Secret, String>>;
}

/// A provider that has no secrets.
#[derive(Clone, Copy, Debug)]
pub struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn secret<'a>(
        &'a self,
        _: &'a Url,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Secret, String>> {
        Box::pin(async { Err("no Key Vault can be reached from here".to_owned()) })
    }
}

/// Where a value comes from. `Debug` shows no text.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// It stands in the configuration.
    Text(Secret),
    /// The environment variable of this name.
    Variable(String),
    /// The content of a file, without a line end at its end.
    File(PathBuf),
    /// A secret of Key Vault.
    KeyVault {
        /// Such as `https://v.vault.azure.net/secrets/name`.
        identifier: Url,
        /// The user-assigned identity that reads it; none: the system's.
        client_id: Option<String>,
    },
}

impl SecretSource {
    /// Reads `{ env: NAME }`, `{ file: PATH }` or `{ keyvault: URL, client-id: ID }`.
    ///
    /// `None` if the map has none of these keys or what they hold is wrong, which is reported.
    pub fn read(fields: &Fields<'_, '_>) -> Option<Self> {
        let variable = fields.filled("env").map(Self::Variable);
        let file = fields.filled("file").map(|it| Self::File(it.into()));
        let client_id = fields.filled("client-id");
        let vault = fields.get("keyvault").and_then(|tree| {
            match tree.scalar().and_then(vault_identifier) {
                Some(identifier) => Some(Self::KeyVault { identifier, client_id }),
                None => fields.wrong("keyvault", tree, "the URL of a Key Vault secret"),
            }
        });
        let mut found = [variable, file, vault].into_iter().flatten();
        let first = found.next();
        if found.next().is_some() {
            let message = "a secret has one source: `env`, `file` or `keyvault`";
            fields.report(fields.tree().error(codes::BAD_VALUE, message));
        }
        first
    }

    /// Gets the value.
    ///
    /// # Errors
    ///
    /// Why it is not to be had, in words that hold no secret.
    pub async fn get(
        &self,
        environment: &Environment,
        folder: Option<&Path>,
        provider: &dyn SecretProvider,
    ) -> Result<Secret, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Variable(name) => environment
                .get(name)
                .map(Secret::new)
                .ok_or_else(|| format!("environment variable `{name}` is not set")),
            Self::File(path) => Self::read_file(&below(path, folder)),
            Self::KeyVault { identifier, client_id } => {
                provider.secret(identifier, client_id.as_deref()).await
            }
        }
    }

    /// The content of a file without a line end at its end; the error says why it is not to be had.
    pub(crate) fn read_file(path: &Path) -> Result<Secret, String> {
        let name = path.display();
        let len = std::fs::metadata(path).map_err(|it| format!("file `{name}`: {it}"))?.len();
        if len > MAX_SECRET_BYTES {
            return Err(format!("file `{name}` is larger than {MAX_SECRET_BYTES} bytes"));
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Secret::new(text.trim_end_matches(['\n', '\r']))),
            Err(error) => Err(format!("file `{name}`: {error}")),
        }
    }

    /// As [`Self::read_file`]; a file that is no text is given as Base64.
    pub(crate) fn read_binary_file(path: &Path) -> Result<Secret, String> {
        let name = path.display();
        let bytes = std::fs::File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            std::io::Read::take(file, MAX_SECRET_BYTES + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let bytes = bytes.map_err(|it| format!("file `{name}`: {it}"))?;
        if u64::try_from(bytes.len()).is_ok_and(|it| it > MAX_SECRET_BYTES) {
            return Err(format!("file `{name}` is larger than {MAX_SECRET_BYTES} bytes"));
        }
        Ok(match String::from_utf8(bytes) {
            Ok(text) => Secret::new(text),
            Err(error) => Secret::new(STANDARD.encode(error.as_bytes())),
        })
    }

    /// The file it is read from.
    pub fn path(&self, folder: Option<&Path>) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(below(path, folder)),
            _ => None,
        }
    }

    /// Whether getting it needs the network.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::KeyVault { .. })
    }

    /// Whether it stands in the configuration itself.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}

fn below(path: &Path, folder: Option<&Path>) -> PathBuf {
    folder.map_or_else(|| path.to_owned(), |it| it.join(path))
}

/// The URL of a Key Vault secret: `https`, a host, and a path below `/secrets/`.
pub fn vault_identifier(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_secret = url.path().starts_with("/secrets/") && url.path().len() > "/secrets/".len();
    (url.scheme() == "https" && url.has_host() && is_secret).then_some(url)
}

/// Reads the `keyVault` of an entity: `{ secretIdentifier, identityClientId }`.
pub(crate) fn key_vault_of(tree: &Tree) -> Result<SecretSource, Diagnostic> {
    let identifier = tree.get("secretIdentifier").and_then(Tree::scalar).unwrap_or("");
    let Some(identifier) = vault_identifier(identifier) else {
        let message = "`keyVault.secretIdentifier` is not the URL of a Key Vault secret";
        return Err(tree
            .error(codes::BAD_VALUE, message)
            .help("such as `https://<vault>.vault.azure.net/secrets/<name>`"));
    };
    let client_id = tree.get("identityClientId").and_then(Tree::scalar).map(str::to_owned);
    Ok(SecretSource::KeyVault { identifier, client_id: client_id.filter(|it| !it.is_empty()) })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::tree::Keys;
    use crate::tree::tests::yaml;

    fn read(text: &str) -> (Option<SecretSource>, Vec<String>) {
        let (tree, problems) = (yaml(text), RefCell::default());
        let fields = Fields::new(&tree, Keys::Known, &problems);
        let source = SecretSource::read(&fields);
        fields.finish();
        (source, problems.borrow().iter().map(|it| it.message.clone()).collect())
    }

    #[test]
    fn a_source_is_a_variable_a_file_or_a_vault() {
        assert!(matches!(read("env: A").0, Some(SecretSource::Variable(it)) if it == "A"));
        assert!(matches!(read("file: a/b").0, Some(SecretSource::File(_))));
        let (vault, problems) = read("keyvault: https://v.vault.azure.net/secrets/n\nclient-id: c");
        assert!(matches!(vault, Some(SecretSource::KeyVault { client_id: Some(_), .. })));
        assert!(problems.is_empty());
        assert_eq!(
            read("env: A\nfile: b").1,
            ["a secret has one source: `env`, `file` or `keyvault`"]
        );
        assert_eq!(read("value: x").1, ["unknown key `value`"]);
        assert_eq!(
            read("keyvault: http://v/secrets/n").1,
            ["`keyvault` must be the URL of a Key Vault secret, found a text"]
        );
    }

    #[tokio::test]
    async fn values_are_read_and_absence_is_told_without_them() {
        let environment: Environment = [("A", "hunter2")].into_iter().collect();
        let get = |source: SecretSource| {
            let environment = environment.clone();
            async move { source.get(&environment, None, &NoSecrets).await }
        };
        assert_eq!(get(SecretSource::Variable("A".into())).await.unwrap().expose(), "hunter2");
        assert_eq!(
            get(SecretSource::Variable("B".into())).await.unwrap_err(),
            "environment variable `B` is not set"
        );
        let manifest =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testdata/single/policies/chat.xml");
        assert!(!get(SecretSource::File(manifest)).await.unwrap().expose().ends_with('\n'));
        assert!(get(SecretSource::File("no/such".into())).await.is_err());
        let identifier = vault_identifier("https://v.vault.azure.net/secrets/n").unwrap();
        assert!(get(SecretSource::KeyVault { identifier, client_id: None }).await.is_err());
    }

    #[test]
    fn a_file_is_bounded() {
        let path = std::env::temp_dir().join(format!("portcullis-secret-{}", std::process::id()));
        std::fs::write(&path, vec![b'x'; usize::try_from(MAX_SECRET_BYTES).unwrap() + 1]).unwrap();
        assert!(
            SecretSource::read_file(&path).unwrap_err().ends_with("is larger than 65536 bytes")
        );
        std::fs::write(&path, "x\n").unwrap();
        assert_eq!(SecretSource::read_file(&path).unwrap().expose(), "x");
        std::fs::write(&path, [0xFF, 0x30]).unwrap();
        assert_eq!(SecretSource::read_binary_file(&path).unwrap().expose(), "/zA=");
        std::fs::write(&path, vec![b'x'; usize::try_from(MAX_SECRET_BYTES).unwrap() + 1]).unwrap();
        assert!(SecretSource::read_binary_file(&path).is_err());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn debug_shows_no_text() {
        let source = SecretSource::Text(Secret::new("hunter2"));
        assert!(!format!("{source:?}").contains("hunter2"));
    }
}
